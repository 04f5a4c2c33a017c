"""What outlives a rerun: session keys and cached loaders, named here and nowhere else."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import fields, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from cifar_core.config import PRESETS, TrainingConfig, preset_of
from cifar_core.data import Dataset, is_available, load_data
from cifar_core.device import Device, find_device, use_cpu
from cifar_core.history import History, Summary
from cifar_core.launch import start
from cifar_core.model import LayerInfo
from cifar_core.runs import Run, RunStore
from ui.text import _

if TYPE_CHECKING:
    import keras


class Key(StrEnum):
    """Names of widgets and of what a session remembers; those in a link are short words."""

    ROUTED = "routed"
    DEEP_LINK = "deep_link"
    DATA = "data"
    RUN = "run"
    RUNS = "runs"
    PRESET = "preset"
    DROPOUT = "dropout"
    DROPOUT_RATE = "dropout_rate"
    EPOCHS = "epochs"
    COLOUR = "colour"
    POOLING = "pooling"
    FLIP = "flip"
    SHIFT = "shift"
    CUTOUT = "cutout"
    BATCH_SIZE = "batch_size"
    LEARNING_RATE = "learning_rate"
    VALIDATION = "validation"
    SEED = "seed"
    SPLIT = "split"
    CLASSES = "classes"
    SHUFFLE = "shuffle"
    ORDER = "order"
    COUNT = "count"
    AXIS = "axis"
    CELLS = "cells"
    INDEX = "index"


# The frame


def router_has_run() -> bool:
    """Whether dashboard.py has run in this session."""
    return Key.ROUTED in st.session_state


def note_router(page: str | None = None, query: dict[str, str] | None = None) -> None:
    """Remember that dashboard.py ran or, from a page that was opened before it, where to return."""
    if page is None:
        st.session_state[Key.ROUTED] = True
    else:
        st.session_state[Key.DEEP_LINK] = (page, query or {})


def take_deep_link() -> tuple[str, dict[str, str]] | None:
    """The page to return to, once."""
    link: tuple[str, dict[str, str]] | None = st.session_state.pop(Key.DEEP_LINK, None)
    return link


# Images


@st.cache_resource(show_spinner=False)
def _datasets() -> dict[str, Dataset]:
    return {}


def data_choices() -> list[str]:
    """The data sets at hand, the best first, in the form that `load_data` takes."""
    given = os.environ.get("CIFAR10_DATA")
    choices = [given] if given and given != "auto" else []
    if is_available("official"):
        choices.append("official")
    return list(dict.fromkeys([*choices, "synthetic"]))


def data_label(choice: str) -> str:
    """What a person calls a data set."""
    if choice == "synthetic":
        return _("Built-in images (synthetic)")
    if choice in _datasets():
        return _datasets()[choice].source.name
    return "CIFAR-10" if choice == "official" else Path(choice).name


def data_choice() -> str:
    """The data set chosen in this session."""
    choices = data_choices()
    chosen = st.session_state.get(Key.DATA)
    return chosen if chosen in choices else choices[0]


def dataset() -> Dataset:
    """The images of this session, with a progress bar while they are read the first time."""
    choice, loaded = data_choice(), _datasets()
    if choice not in loaded:
        bar = st.progress(0.0, text=_("Reading the images: {name}").format(name=data_label(choice)))

        def show(what: str, done: int, total: int) -> None:
            bar.progress(done / total if total else 0.0)

        loaded[choice] = load_data(choice, progress=show)
        bar.empty()
    return loaded[choice]


# TensorFlow, in the background

_begun = threading.Event()


@st.cache_resource(show_spinner=False)
def tensorflow() -> Future[Device]:
    """TensorFlow being imported in a thread; its result is the device that trainings get.

    This process itself computes on the CPU, so that a GPU's memory is the trainings' alone.
    """

    def load() -> Device:
        found = find_device()
        use_cpu()
        return found

    _begun.set()
    return ThreadPoolExecutor(1, "tensorflow").submit(load)


def device() -> Device | None:
    """The device that trainings get; None as long as TensorFlow has not told."""
    if not _begun.is_set() or not tensorflow().done() or tensorflow().exception():
        return None
    return tensorflow().result()


def wait_for_tensorflow() -> None:
    """Wait until networks can be built, saying so."""
    loading = tensorflow()
    if not loading.done():
        with st.spinner(_("Loading TensorFlow, a few seconds the first time"), show_time=True):
            loading.result()


@st.cache_resource(show_spinner=False, max_entries=64)
def _layers(config: TrainingConfig, classes: int) -> list[LayerInfo]:
    from cifar_core.model import build_model, describe

    return describe(build_model(config, classes))


def layers(config: TrainingConfig) -> list[LayerInfo]:
    """The layers of the network that these settings and the chosen images make."""
    wait_for_tensorflow()
    return _layers(config, len(dataset().class_names))


# Runs


@st.cache_resource(show_spinner=False)
def store() -> RunStore:
    """The runs' folder."""
    return RunStore()


@st.cache_resource(show_spinner=False, max_entries=64)
def _kept_history(path: str) -> tuple[threading.Lock, History]:
    return threading.Lock(), History()


def history(run: Run) -> History:
    """All events of a run; only what is new is read from disk."""
    lock, kept = _kept_history(str(run.path))
    with lock:
        return run.follow(kept)


def choose_run(summaries: list[Summary], label: str) -> Summary:
    """The 'Run' widget over these runs, newest first; the choice stands in the URL."""
    found = {summary.run.id: summary for summary in summaries}
    if st.session_state.get(Key.RUN) not in found:
        st.session_state.pop(Key.RUN, None)
    chosen = st.selectbox(label, list(found), key=Key.RUN, bind="query-params")
    return found[chosen]


@st.cache_resource(show_spinner=False, max_entries=8)
def _model(path: str, modified: int) -> tuple[threading.Lock, keras.Model]:
    from cifar_core.prediction import load_model

    return threading.Lock(), load_model(Run(Path(path)))


def predict(run: Run, images: np.ndarray) -> np.ndarray:
    """Probabilities (N, K) of a run's network for uint8 images (N, 32, 32, 3)."""
    from cifar_core.prediction import predict_probabilities

    wait_for_tensorflow()
    lock, model = _model(str(run.path), run.model_path.stat().st_mtime_ns)
    with lock:
        return predict_probabilities(model, images)


# Training settings

_RATE = 0.4  # what 'Dropout rate' shows while dropout is off: the tutorial's


def _widget_values(config: TrainingConfig) -> dict[str, Any]:
    """Values of the settings widgets by key; the keys are the settings' names but for dropout."""
    rate = config.dropout or st.session_state.get(Key.DROPOUT_RATE, _RATE)
    return {**config.to_json(), Key.DROPOUT: config.dropout > 0, Key.DROPOUT_RATE: rate}


def begin_settings() -> None:
    """Give every settings widget a value before it is drawn, on whichever page that is."""
    for key, value in _widget_values(TrainingConfig()).items():
        st.session_state.setdefault(key, value)


def settings() -> TrainingConfig:
    """The settings that the Train page's widgets show."""
    value = st.session_state
    named = {spec.name: value[spec.name] for spec in fields(TrainingConfig)}
    named["dropout"] = value[Key.DROPOUT_RATE] if value[Key.DROPOUT] else 0.0
    return TrainingConfig(**named)


def choose_preset(label: str, help: str) -> None:
    """The 'Preset' widget: shows which one the settings are, and sets them to another.

    It is another widget for each preset shown. Were it one whose value follows the settings, a
    browser that changes a setting before it has heard of the new value would send the old one
    along, which would count as a choice and undo the change.
    """
    shown = preset_of(settings())
    names = [*PRESETS, *(["custom"] if shown == "custom" else [])]
    key = f"{Key.PRESET}-{shown}"

    def take() -> None:
        if chosen := PRESETS.get(st.session_state[key]):
            seed = st.session_state[Key.SEED]
            st.session_state.update(_widget_values(replace(chosen, seed=seed)))

    st.selectbox(label, names, index=names.index(shown), key=key, on_change=take, help=help)


def start_training() -> None:
    """Begin a run with the settings shown and choose it."""
    run = start(store(), settings(), data_choice())
    st.session_state[Key.RUN] = run.id
