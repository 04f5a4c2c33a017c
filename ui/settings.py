"""Widgets of training settings that more than one page shows."""

from __future__ import annotations

from collections.abc import Sequence

from streamlit.delta_generator import DeltaGenerator

from cifar_core.config import COLOURS, POOLINGS, TrainingConfig
from ui.state import Key
from ui.text import _


def help_of(name: str) -> str:
    """A setting's help, from where the setting is defined."""
    text: str = TrainingConfig.__dataclass_fields__[name].metadata["help"]
    return _(text[0].upper() + text[1:] + ".")


def dropout(columns: Sequence[DeltaGenerator]) -> None:
    """'Dropout' and its rate, each in its column."""
    switch, rate = columns
    on = switch.toggle(
        _("Dropout"), key=Key.DROPOUT, persist_state="session", help=help_of("dropout")
    )
    rate.slider(
        _("Dropout rate"),
        0.05,
        0.9,
        step=0.05,
        key=Key.DROPOUT_RATE,
        persist_state="session",
        disabled=not on,
    )


def network(columns: Sequence[DeltaGenerator]) -> None:
    """'Colour' and 'Pooling', each in its column."""
    colour, pooling = columns
    colour.selectbox(
        _("Colour"),
        COLOURS,
        format_func={"rgb": _("colour"), "grey": _("greyscale")}.get,
        key=Key.COLOUR,
        persist_state="session",
        help=help_of("colour"),
    )
    pooling.selectbox(
        _("Pooling"),
        POOLINGS,
        format_func={"max": _("max"), "average": _("average")}.get,
        key=Key.POOLING,
        persist_state="session",
        help=help_of("pooling"),
    )


def augmentation(columns: Sequence[DeltaGenerator]) -> None:
    """'Mirror', 'Shift' and 'Cutout', each in its column."""
    flip, shift, cutout = columns
    flip.toggle(_("Mirror"), key=Key.FLIP, persist_state="session", help=help_of("flip"))
    shift.slider(_("Shift"), 0, 8, key=Key.SHIFT, persist_state="session", help=help_of("shift"))
    cutout.slider(
        _("Cutout"), 0, 24, key=Key.CUTOUT, persist_state="session", help=help_of("cutout")
    )
