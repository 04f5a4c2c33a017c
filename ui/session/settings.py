"""The training settings of a session, one for all pages."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, NamedTuple

import streamlit as st

from cifar_core.config import PRESETS, TrainingConfig, names_of, preset_of
from cifar_core.runs.summary import Summary
from cifar_core.training.device import need_gpu
from cifar_core.training.split import check
from cifar_core.workers.launch import start
from ui import cached
from ui.session.images import data_choice, dataset, images_of, use_data
from ui.session.keys import Key
from ui.session.navigation import write_address
from ui.session.runs import show_run, shown_errors
from ui.text import _, plain


class Begun(NamedTuple):
    """What the widgets of settings begin with.

    Attributes:
        version: a number in their keys; `use_settings` gives them another one, for a browser that
            has not heard of the new values sends the old ones along with what it asks for next.
        config: the settings.
        numbers: what the number beside a setting's switch shows, by setting.
    """

    version: int
    config: TrainingConfig
    numbers: dict[str, Any]

    @classmethod
    def of(cls, config: TrainingConfig) -> Begun:
        """A session's first ones; of a fold they are the whole cross-validation's."""
        zeros = {spec.name: spec.metadata["zero"] for spec in fields(config)}
        numbers = {
            name: getattr(config, name) or zero.first
            for name, zero in zeros.items()
            if zero and zero.number
        }
        return cls(0, replace(config, fold=0), numbers)


def begun() -> Begun:
    """What this session's widgets of settings begin with."""
    found: Begun = st.session_state[Key.SETTINGS]
    return found


def setting_key(name: str) -> str:
    """The key of a settings widget."""
    return f"{name}-{begun().version}"


def number(name: str) -> Any:
    """The number beside a setting's switch, on or off."""
    return st.session_state.get(setting_key(f"{name}_number"), begun().numbers[name])


def setting(name: str) -> Any:
    """The value of a setting, whether its widget is on this page or not."""
    first = getattr(begun().config, name)
    shown = st.session_state.get(setting_key(name), first)
    if name not in begun().numbers:
        return shown
    return number(name) if shown else type(first)(0)


def begin_settings() -> None:
    """Take the session's first settings from the link, whichever page that is to.

    What is wrong with one is said in a note that stays.
    """
    if Key.SETTINGS in st.session_state:
        return
    config, errors = TrainingConfig.from_query(st.query_params.to_dict())
    for error in errors:
        rule, received, value = str(error).rpartition("Received: ")
        words = f"{rule}{received}{plain(value)}"  # the rule is ours, its marks are meant
        st.toast(words, icon=":material/link_off:", duration="infinite")
    st.session_state[Key.SETTINGS] = Begun.of(config)


def chosen_settings() -> TrainingConfig:
    """The settings that the widgets show; for cross-validation, all its folds."""
    first = begun().config
    return replace(first, **{spec.name: setting(spec.name) for spec in fields(first)})


def write_link() -> None:
    """Let the address say what of the settings differs from the defaults."""
    config = chosen_settings()
    names = [name for spec in fields(config) for name in names_of(spec)]
    write_address({**dict.fromkeys(names), **config.to_query()})


def use_settings(config: TrainingConfig) -> None:
    """Put settings into the widgets; in a callback, or before the page draws them."""
    before = begun()
    numbers = {name: getattr(config, name) or number(name) for name in before.numbers}
    st.session_state[Key.SETTINGS] = Begun(before.version + 1, replace(config, fold=0), numbers)


def try_settings(config: TrainingConfig, of: Summary) -> None:
    """Put settings into the widgets and choose a run's images where they are at hand.

    In a callback.
    """
    use_settings(config)
    if choice := images_of(of):
        use_data(choice)
    elif of.data_name:
        words = _("The images of this run, {name}, are not here: others are chosen.")
        st.toast(words.format(name=plain(of.data_name)), icon=":material/image:")


def choose_preset(label: str, help: str) -> None:
    """The 'Preset' widget: shows which one the settings are, and sets them to another.

    It is another widget for each preset shown, for the reason that `Begun` gives.
    """
    shown = preset_of(chosen_settings())
    names = [*PRESETS, *(["custom"] if shown == "custom" else [])]
    key = setting_key(f"{Key.PRESET}-{shown}")

    def take() -> None:
        now = preset_of(chosen_settings())
        if key == setting_key(f"{Key.PRESET}-{now}"):  # else an old widget's word
            chosen = PRESETS[st.session_state[key]]
            use_settings(replace(chosen, seed=chosen_settings().seed))

    st.selectbox(label, names, index=names.index(shown), key=key, on_change=take, help=help)


def asked_runs() -> list[TrainingConfig]:
    """What 'Start training' begins: the settings shown, once for each seed and fold."""
    config, repeats = chosen_settings(), st.session_state.get(Key.REPEATS, 1)
    seeds = [(config.seed + number) % 2**32 for number in range(repeats)]
    return [run for seed in seeds for run in replace(config, seed=seed).runs()]


def start_training() -> None:
    """Begin what is asked for and choose the first run; what is wrong is said on the page."""
    with shown_errors():
        asked, choice = asked_runs(), data_choice()
        for config in asked:  # before a folder is made
            check(len(dataset().x_train), config)
        if asked[0].device == "gpu" and (found := cached.device()):
            need_gpu(found)
        for number, config in enumerate(asked):
            run = start(cached.store(), config, choice)
            if number == 0:
                show_run(run)
