"""Widgets of training settings, made of what the settings' definition knows of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
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
from ui.session.keys import Key
from ui.session.settings import asked_runs, begun, chosen_settings, number, setting, setting_key
from ui.text import _, plain

_NARROW, _WIDE = 184, 384  # pixels; four narrow ones, or two wide ones, beside the sidebar
_LONG = 24  # characters of an option for which a narrow widget has no room

Config = TrainingConfig | type[TrainingConfig]
"""Where the settings are defined."""


def _about(name: str, config: Config) -> Mapping[str, Any]:
    return config.__dataclass_fields__[name].metadata


def help_of(name: str, config: Config = TrainingConfig) -> str:
    """A setting's help as a sentence."""
    text: str = _about(name, config)["help"]
    return _(text[0].upper() + text[1:] + ".")


def label_of(name: str, config: Config = TrainingConfig) -> str:
    """A setting's name for people."""
    return _(_about(name, config)["label"])


def in_words(name: str, value: Any, config: Config = TrainingConfig) -> str:
    """A setting that is not at its default, for people: 'Mirror', 'Shift 2'."""
    if value is True:
        return label_of(name, config)
    options = _about(name, config).get("options")
    words = _(options[value]) if options else f"{value:,}" if type(value) is int else value
    return f"{label_of(name, config)} {words}"


def changed(config: TrainingConfig) -> list[str]:
    """What differs from the defaults out of the Train page's view."""
    return [
        in_words(name, getattr(config, name), config)
        for name in config.to_query()
        if _about(name, config)["row"] not in ("view", "")
    ]


def widget(
    place: DeltaGenerator,
    name: str,
    width: int | Literal["stretch", "content"] = _NARROW,
    most: float | None = None,
) -> None:
    """A setting's widget; where 0 is no amount, a switch and a number.

    Args:
        most: of its numbers, where that depends on more than the setting.
    """
    config = begun().config
    about = _about(name, config)
    first, needs = getattr(config, name), about["only_with"]
    usual: dict[str, Any] = {
        "key": setting_key(name),
        "persist_state": "session",
        "help": help_of(name, config),
        "disabled": bool(needs) and setting(needs[0]) != needs[1],
        "width": width,
    }
    label = label_of(name, config)
    if options := about.get("options"):
        if max(map(len, options.values())) > _LONG:
            usual["width"] = _WIDE
        words = {value: _(word) for value, word in options.items()}
        place.selectbox(
            label, words, list(words).index(first), format_func=words.__getitem__, **usual
        )
        return
    if type(first) is bool:
        place.toggle(label, first, **usual)
        return
    least, most, step = about["least"], most or about["most"], about.get("step")
    if about["zero"]:
        on = place.toggle(label, first != 0, **usual)
        label, first = _(about["zero"].number), begun().numbers[name]
        most = max(most, number(name))  # there may be fewer images than there were
        key = setting_key(f"{name}_number")
        usual |= {"key": key, "disabled": not on, "width": _NARROW}
    # A link's value may be less or more than anybody would choose here.
    limits = min(least, first), max(most, first), first, step
    if about.get("slider"):
        place.slider(label, *limits, **usual)
    else:
        place.number_input(label, *limits, format="%g" if type(first) is float else None, **usual)


def row(name: str, **most: float) -> DeltaGenerator:
    """The widgets of all settings of a row side by side, and room for more.

    Args:
        name: the settings' row.
        most: that of `widget`, by setting.
    """
    place = st.container(horizontal=True, vertical_alignment="bottom")
    for spec in fields(begun().config):
        if spec.metadata["row"] == name:
            widget(place, spec.name, most=most.get(spec.name))
    return place


def regularisation() -> None:
    """What keeps weights small or ends training in time."""
    row("regularisation")
    place, config = row("stopping"), chosen_settings()
    if config.patience and config.validation == "test":
        place.container(width=_WIDE).caption(
            _(
                "The best epoch is chosen by the test set, so the test figure comes out a little "
                "too good. A hold-out, under 'Data', keeps it honest."
            )
        )


def network() -> None:
    """What the layers are made of."""
    row("network")
    row("normalisation")


def optimiser() -> None:
    """How gradients become steps, and the learning rate over the epochs as a curve."""
    sides = st.container(horizontal=True)
    with sides.container(width=_WIDE):
        row("optimiser")
        row("steps")
        st.caption(_about_optimiser(chosen_settings()))
    with sides.container(width=_WIDE):
        _preview(chosen_settings())


def _about_optimiser(config: TrainingConfig) -> str:
    if config.optimiser in ("adam", "adamw") and config.weight_decay:
        return _("Adam with a weight decay is AdamW.")
    return {
        "adam": _("Adam is a good start nearly everywhere, at a learning rate of about 0.001."),
        "adamw": _("With weight decay 0, AdamW is Adam: set one under 'Regularisation'."),
        "sgd": _("SGD wants a higher learning rate than Adam: 0.01, or 0.1 with normalisation."),
        "adagrad": _("Adagrad's steps shrink by themselves; it wants a learning rate of 0.01."),
        "rmsprop": _("RMSprop is Adam without momentum, at a learning rate of about 0.001."),
        "muon": _(
            "Muon's steps are as long in every direction, so few epochs suffice. It wants a "
            "learning rate of about 0.05, or 0.3 with normalisation."
        ),
    }[config.optimiser]


def _preview(config: TrainingConfig) -> None:
    steps = 200
    at = np.arange(steps + 1)
    live_chart(
        schedule_figure(at * config.epochs / steps, learning_rates(config, at, steps)),
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
    row("validation")
    row("images", train_images=images)
    config = chosen_settings()
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
    row("chance").number_input(
        _("Repeats"),
        1,
        10,
        key=Key.REPEATS,
        persist_state="session",
        help=_("Train this often, each time with the next seed."),
        width=_NARROW,
    )
    row("machine")
    st.caption(_about_machine(chosen_settings()))


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
    config, runs = chosen_settings(), len(asked_runs())
    others = changed(config)
    parts = [
        _("Also set: {settings}").format(settings=" · ".join(others))
        if others
        else _("All other settings are at their defaults")
    ]
    if runs > 1:
        parts.append(_("'Start training' begins {runs} runs").format(runs=runs))
    return ". ".join(parts) + "."
