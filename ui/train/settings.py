"""Widgets of training settings: each is here once, for whichever page shows it.

A widget's key comes from its setting's name, its help and its limits from where the setting is
defined.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cifar_core.config import TrainingConfig
from cifar_core.errors import ConfigError
from cifar_core.training.schedule import learning_rates
from cifar_core.training.split import is_batch_too_large, split
from ui import cached
from ui.components.live_chart import live_chart
from ui.figures.curves import schedule_figure
from ui.session import state
from ui.session.state import Key
from ui.text import _, plain

IN_VIEW = ("epochs", "dropout")
"""The tutorial's two, which the Train page shows at once; the others are one click away."""

_NARROW, _WIDE = 184, 384  # pixels; four narrow ones, or two wide ones, beside the sidebar


def help_of(name: str) -> str:
    """A setting's help, from where the setting is defined."""
    text: str = _spec(name)["help"]
    return _(text[0].upper() + text[1:] + ".")


def label_of(name: str) -> str:
    """A setting's name for people."""
    return {
        "epochs": _("Epochs"),
        "dropout": _("Dropout"),
        "flip": _("Mirror"),
        "shift": _("Shift"),
        "cutout": _("Cutout"),
        "l2": _("L2 regularisation"),
        "weight_decay": _("Weight decay"),
        "label_smoothing": _("Label smoothing"),
        "patience": _("Early stopping"),
        "train_images": _("Fewer images"),
        "network": _("Network"),
        "width": _("Width"),
        "convolutions": _("Convolution layers"),
        "batch_norm": _("Batch normalisation"),
        "pooling": _("Pooling"),
        "colour": _("Colour"),
        "standardise": _("Standardise"),
        "optimiser": _("Optimiser"),
        "learning_rate": _("Learning rate"),
        "schedule": _("Schedule"),
        "batch_size": _("Batch size"),
        "validation": _("Validation"),
        "folds": _("Folds"),
        "seed": _("Seed"),
        "deterministic": _("Deterministic"),
        "precision": _("Precision"),
        "device": _("Device"),
    }[name]


def words_of(name: str) -> dict[Any, str]:
    """What a person calls the values of a setting that is a choice."""
    words: dict[str, dict[Any, str]] = {
        "network": {"tutorial": _("the tutorial's"), "compact": _("compact")},
        "width": {0.5: _("half"), 1.0: _("full"), 2.0: _("double")},
        "pooling": {"max": _("max"), "average": _("average")},
        "colour": {"rgb": _("colour"), "grey": _("greyscale")},
        "optimiser": {
            "adam": "Adam",
            "adamw": "AdamW",
            "sgd": _("SGD with momentum"),
            "adagrad": "Adagrad",
            "rmsprop": "RMSprop",
        },
        "schedule": {
            "constant": _("constant"),
            "exponential": _("exponential"),
            "cosine": _("cosine"),
            "one-cycle": _("one-cycle"),
        },
        "validation": {
            "test": _("test set, the tutorial's way"),
            "holdout": _("hold-out, a tenth of the training images"),
            "folds": _("cross-validation, each fold in turn"),
        },
        "precision": {"float32": "float32", "mixed": _("mixed, bfloat16")},
        "device": {"auto": _("automatic"), "cpu": "CPU", "gpu": "GPU"},
    }
    return words[name]


def changed(config: TrainingConfig) -> list[str]:
    """What differs from the defaults, but for the settings in view: 'Mirror', 'Shift 2'."""
    found = []
    for name in config.to_query():
        value, options = getattr(config, name), "options" in _spec(name)
        if name in (*IN_VIEW, "fold"):
            continue
        shown = words_of(name)[value] if options else f"{value:,}" if type(value) is int else value
        found.append(label_of(name) if value is True else f"{label_of(name)} {shown}")
    return found


def row() -> DeltaGenerator:
    """Room for widgets side by side, in as many rows as it takes."""
    return st.container(horizontal=True, vertical_alignment="bottom")


def _spec(name: str) -> Any:
    return TrainingConfig.__dataclass_fields__[name].metadata


def _toggle(place: DeltaGenerator, name: str, width: int | Literal["content"] = _NARROW) -> bool:
    return place.toggle(
        label_of(name),
        state.first_value(name),
        key=state.setting_key(name),
        persist_state="session",
        help=help_of(name),
        width=width,
    )


def _choice(place: DeltaGenerator, name: str, width: int = _NARROW) -> None:
    options = _spec(name)["options"]
    place.selectbox(
        label_of(name),
        options,
        options.index(state.first_value(name)),
        format_func=words_of(name).__getitem__,
        key=state.setting_key(name),
        persist_state="session",
        help=help_of(name),
        width=width,
    )


def _slider(place: DeltaGenerator, name: str) -> None:
    place.slider(
        label_of(name),
        _spec(name)["least"],
        _spec(name)["most"],
        state.first_value(name),
        key=state.setting_key(name),
        persist_state="session",
        help=help_of(name),
        width=_NARROW,
    )


def _count(
    place: DeltaGenerator,
    name: str,
    disabled: bool = False,
    width: int | Literal["stretch"] = _NARROW,
) -> None:
    place.number_input(
        label_of(name),
        _spec(name)["least"],
        _spec(name)["most"],
        state.first_value(name),
        key=state.setting_key(name),
        persist_state="session",
        help=help_of(name),
        disabled=disabled,
        width=width,
    )


def _share(place: DeltaGenerator, name: str, least: float, most: float, step: float) -> None:
    value = state.first_value(name)  # a link's may be less or more than anybody would choose here
    place.number_input(
        label_of(name),
        min(least, value),
        max(most, value),
        value,
        step=step,
        format="%g",
        key=state.setting_key(name),
        persist_state="session",
        help=help_of(name),
        width=_NARROW,
    )


def dropout(place: DeltaGenerator) -> None:
    """'Dropout' and its rate, side by side."""
    on = _toggle(place, "dropout", "content")
    rate = state.first_value(Key.DROPOUT_RATE)
    place.slider(
        _("Dropout rate"),
        min(0.05, rate),
        max(0.9, rate),
        rate,
        step=0.05,
        key=state.setting_key(Key.DROPOUT_RATE),
        persist_state="session",
        disabled=not on,
        width=_NARROW,
    )


def epochs(place: DeltaGenerator) -> None:
    """'Epochs'."""
    _count(place, "epochs", width="stretch")


def augmentation() -> None:
    """How training images are varied."""
    place = row()
    _toggle(place, "flip")
    _slider(place, "shift")
    _slider(place, "cutout")


def regularisation() -> None:
    """What keeps weights small or ends training in time."""
    place = row()
    _share(place, "l2", 0.0, 1.0, 0.0005)
    _share(place, "weight_decay", 0.0, 1.0, 0.0005)
    _share(place, "label_smoothing", 0.0, 0.9, 0.05)
    place = row()
    on = _toggle(place, "patience")
    place.number_input(
        _("Patience"),
        1,
        _spec("patience")["most"],
        state.first_value(Key.PATIENCE_EPOCHS),
        key=state.setting_key(Key.PATIENCE_EPOCHS),
        persist_state="session",
        disabled=not on,
        help=_("Epochs to wait for a lower validation loss."),
        width=_NARROW,
    )
    if on and state.settings().validation == "test":
        place.container(width=_WIDE).caption(
            _(
                "The best epoch is chosen by the test set, so the test figure comes out a little "
                "too good. A hold-out, under 'Data', keeps it honest."
            )
        )


def network() -> None:
    """What the layers are made of."""
    place = row()
    _choice(place, "network")
    _choice(place, "width")
    _count(place, "convolutions")
    _choice(place, "pooling")
    place = row()
    _choice(place, "colour")
    _toggle(place, "batch_norm")
    _toggle(place, "standardise")


def optimiser() -> None:
    """How gradients become steps, and the learning rate over the epochs as a curve."""
    sides = st.container(horizontal=True)
    with sides.container(width=_WIDE):
        place = row()
        _choice(place, "optimiser")
        _choice(place, "schedule")
        place = row()
        _share(place, "learning_rate", 0.00001, 10.0, 0.0005)
        _count(place, "batch_size")
        st.caption(_about_optimiser(state.settings()))
    with sides.container(width=_WIDE):
        _preview(state.settings())


def _about_optimiser(config: TrainingConfig) -> str:
    if config.optimiser in ("adam", "adamw") and config.weight_decay:
        return _("Adam with a weight decay is AdamW.")
    return {
        "adam": _("Adam is a good start nearly everywhere, at a learning rate of about 0.001."),
        "adamw": _("With weight decay 0, AdamW is Adam: set one under 'Regularisation'."),
        "sgd": _("SGD wants a higher learning rate than Adam: 0.01, or 0.1 with normalisation."),
        "adagrad": _("Adagrad's steps shrink by themselves; it wants a learning rate of 0.01."),
        "rmsprop": _("RMSprop is Adam without momentum, at a learning rate of about 0.001."),
    }[config.optimiser]


def _preview(config: TrainingConfig) -> None:
    steps = 200
    at = np.arange(steps + 1)
    live_chart(
        schedule_figure(
            at * config.epochs / steps,
            learning_rates(config, at, steps),
            x_title=_("Epoch"),
            y_title=label_of("learning_rate"),
        ),
        key="learning-rate",
        label=_("The learning rate over the epochs"),
        height=230,
    )


def data(images: int, test_images: int) -> None:
    """Which images train and which validate.

    Args:
        images: training images of the data set.
        test_images: its test images.
    """
    place = row()
    _choice(place, "validation", _WIDE)
    config = state.settings()
    _count(place, "folds", disabled=config.validation != "folds")
    place = row()
    on, first = _toggle(place, "train_images"), state.first_value(Key.TRAIN_IMAGES_COUNT)
    place.number_input(
        _("Training images"),
        1,
        max(images, first, state.setting(Key.TRAIN_IMAGES_COUNT)),
        first,
        step=1000,
        key=state.setting_key(Key.TRAIN_IMAGES_COUNT),
        persist_state="session",
        disabled=not on,
        help=_("At most this many, drawn with the seed."),
        width=_NARROW,
    )
    one = config.runs()[0]
    try:
        trained, held = (len(part) for part in split(images, one))
    except ConfigError as error:
        st.warning(plain(str(error)), icon=":material/warning:")
        return
    counts = _(
        "{trained} images train, {validating} validate, and {test} test the network that comes out."
    ).format(trained=f"{trained:,}", validating=f"{held or test_images:,}", test=f"{test_images:,}")
    st.caption(f"{counts} {_about_validation(config)}")
    if is_batch_too_large(images, one):
        words = _(
            "The batch size, {batch}, is above the {trained} images that train: an epoch is one "
            "step. A smaller one, under 'Optimiser', learns more in each epoch."
        )
        st.caption(words.format(batch=f"{config.batch_size:,}", trained=f"{trained:,}"))


def _about_validation(config: TrainingConfig) -> str:
    return {
        "test": _(
            "The tutorial validates on the test images themselves: what is then chosen by looking "
            "at them, such as the best epoch, makes the test figure too good."
        ),
        "holdout": _("The test images stay unseen until the end."),
        "folds": _(
            "Every training image validates once, in one of {folds} runs: their mean and spread "
            "say more than one run does. The test images stay unseen until the end of each."
        ).format(folds=config.folds),
    }[config.validation]


def machine() -> None:
    """What to repeat, and on what."""
    place = row()
    _count(place, "seed")
    place.number_input(
        _("Repeats"),
        1,
        10,
        key=Key.REPEATS,
        persist_state="session",
        help=_("Train this often, each time with the next seed."),
        width=_NARROW,
    )
    place = row()
    _choice(place, "device")
    _choice(place, "precision")
    _toggle(place, "deterministic")
    st.caption(_about_machine(state.settings()))


def _about_machine(config: TrainingConfig) -> str:
    found = cached.device()
    has_gpu = found is None or found.kind == "GPU"
    if config.device == "gpu" and not has_gpu:
        return _("No GPU was found on this machine, so a run that asks for one fails.")
    if config.precision == "mixed" and (config.device == "cpu" or not has_gpu):
        return _("Mixed precision pays on a GPU; most CPUs are slower with it.")
    return _(
        "Another seed draws other first weights, another order and other dropout. Repeats trains "
        "with several seeds, which shows how much is chance."
    )


def asked() -> str:
    """What is set out of view, and how many runs 'Start training' begins, on one line."""
    config, runs = state.settings(), len(state.asked_runs())
    others = changed(config)
    parts = [
        _("Also set: {settings}").format(settings=" · ".join(others))
        if others
        else _("All other settings are at their defaults")
    ]
    if runs > 1:
        parts.append(_("'Start training' begins {runs} runs").format(runs=runs))
    return ". ".join(parts) + "."
