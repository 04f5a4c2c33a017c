"""A verdict on a run in words, and what to try next, one click away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from cifar_core.diagnosis import WIDE_GAP, Fit, Remedy, verdict
from cifar_core.history import History
from cifar_core.summary import Summary
from ui import settings, state
from ui.text import _


def show_verdict(chosen: Summary, history: History) -> None:
    """Whether a run that has ended underfits, overfits or is about right, and what cures it."""
    train, test = chosen.train_accuracy, chosen.test_accuracy
    if train is None or test is None:
        return
    classes = len(chosen.run.class_names)
    found = verdict(train, test, history.epochs, chosen.config, classes)
    words = {
        Fit.OVERFITS: _(
            "**Overfits.** Of the images it learned from it classifies {train} rightly, of new "
            "ones {test}: a gap of {gap} points. Above {limit} points, part of what it learned "
            "holds for its own images only."
        ),
        Fit.ABOUT_RIGHT: _(
            "**About right.** It does nearly as well on new images ({test}) as on those it "
            "learned from ({train}): the gap is {gap} points, and up to {limit} are no worry."
        ),
        Fit.UNDERFITS: _(
            "**Underfits.** Its validation loss still fell by {falling} in the last epoch: it had "
            "not learned all it can. Train accuracy is {train}, test accuracy {test}."
        )
        if found.falling > 0
        else _(
            "**Underfits.** Even of the images it learned from it classifies only {train} rightly; "
            "of new ones {test}. It needs more capacity or more training."
        ),
    }[found.fit].format(
        train=f"{train:.1%}",
        test=f"{test:.1%}",
        gap=f"{100 * found.gap:.1f}",
        limit=f"{100 * WIDE_GAP:.0f}",
        falling=f"{found.falling:.1%}",
    )
    box, icon = {
        Fit.OVERFITS: (st.warning, ":material/trending_down:"),
        Fit.ABOUT_RIGHT: (st.success, ":material/check_circle:"),
        Fit.UNDERFITS: (st.info, ":material/trending_up:"),
    }[found.fit]
    box(words, icon=icon)
    _remedies(chosen, found.remedies)


def _remedies(of: Summary, remedies: Sequence[Remedy]) -> None:
    """A button for each remedy: the Train page with the run's settings, images and that change."""
    if not remedies:
        return
    row = st.container(horizontal=True, vertical_alignment="center")
    row.markdown(_("Try next:"), width="content")
    for remedy in remedies:
        if row.button(
            name_of(remedy),
            key=f"verdict-{remedy.name}",
            icon=":material/science:",
            help=settings.help_of(remedy.name),
            on_click=state.try_settings,
            args=(replace(of.config, **remedy.changes), of),
        ):
            st.switch_page("pages/train.py")


def name_of(remedy: Remedy) -> str:
    """What a remedy's button says."""
    value = remedy.changes[remedy.name]
    match remedy.name:
        case "train_images":
            return _("All training images")
        case "width":
            return _("Width {factor}").format(factor=settings.words_of("width")[value])
    label = settings.label_of(remedy.name)
    return label if value is True else f"{label} {value}"
