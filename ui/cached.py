"""What all sessions share: images, TensorFlow, networks and runs, each loaded once."""

from __future__ import annotations

import atexit
import gc
import math
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import streamlit as st

from cifar_core.config import TrainingConfig
from cifar_core.data import Dataset, default_cache_dir, load_data
from cifar_core.data.images import (
    Framing,
    fit_to_network_size,
    read_image,
    resized,
    to_network_size,
)
from cifar_core.data.moments import ClassStatistics, class_statistics
from cifar_core.data.official import official_places
from cifar_core.data.sources import is_drawn
from cifar_core.data.synthetic.draw import draw_first
from cifar_core.errors import DataError
from cifar_core.export import FORMS
from cifar_core.export.conversion import Conversion
from cifar_core.network.describe import LayerInfo
from cifar_core.runs.events import RunState
from cifar_core.runs.history import History
from cifar_core.runs.run import Run
from cifar_core.runs.store import Listing, RunStore
from cifar_core.runs.summary import Summary
from cifar_core.training.device import Device, find_device, quiet, use_cpu
from cifar_core.workers import warm
from ui.text import _, plain

if TYPE_CHECKING:
    import keras

T = TypeVar("T")

# Images

_LOOK_SECONDS = 3.0
_MOST_LOOKED_AT = 1000


@st.cache_resource(show_spinner=False)
def _datasets() -> dict[str, Dataset]:
    return {}


@dataclass
class _Failure:
    """Why images could not be read.

    Attributes:
        message: one line.
        looks: what could be seen of them without reading when that was tried.
        looked: seconds on the monotonic clock when that was looked at last.
    """

    message: str
    looks: object
    looked: float


@st.cache_resource(show_spinner=False)
def _failures() -> dict[str, _Failure]:
    return {}


def unreadable(choice: str) -> str:
    """Why the images of a choice cannot be read, as was found when it was tried; else ''.

    They are tried again once they look other than they did, and looked at every few seconds.
    """
    failure = _failures().get(choice)
    if failure is None:
        return ""
    now = time.monotonic()
    if now - failure.looked > _LOOK_SECONDS:
        failure.looked = now
        if _looks(choice) != failure.looks:
            try_again(choice)
            return ""
    return failure.message


def try_again(choice: str) -> None:
    """Forget that images could not be read."""
    _failures().pop(choice, None)


def _looks(choice: str) -> object:
    """Sizes and times of the first files and folders of a source, which cost nothing to read."""
    official = choice == "official"
    found = []
    for place in official_places(default_cache_dir()) if official else [Path(choice)]:
        with suppress(OSError, RuntimeError, ValueError):  # '~nobody', a null byte
            place = place.expanduser()
            inner = chain([place], place.glob("*"), place.glob("*/*"))
            for path in islice(inner, _MOST_LOOKED_AT):
                status = path.stat()
                found.append((str(path), status.st_size, status.st_mtime_ns, status.st_ctime_ns))
    return sorted(found)


def known_dataset(choice: str) -> Dataset | None:
    """The images of a choice where they have been read already."""
    return _datasets().get(choice)


@st.cache_resource(show_spinner=False)
def _first_built_in() -> Dataset:
    return draw_first()


def first_images(choice: str) -> Dataset | None:
    """The built-in images, few of them drawn, while all others are still to be; else None."""
    is_whole = choice != "synthetic" or is_drawn(default_cache_dir())
    return None if is_whole else _first_built_in()


@dataclass
class _Reading:
    """Images that a thread reads: how much of them, from 0 to 1, and what comes of it."""

    share: float = 0.0
    result: Future[Dataset] = field(default_factory=Future)


@st.cache_resource(show_spinner=False)
def _readings() -> dict[str, _Reading]:
    return {}


def begin_reading(choice: str) -> _Reading:
    """Read images in a thread and keep them, once for all who ask meanwhile.

    CIFAR-10 is not fetched here: that is a process, which the Data page begins.
    """
    datasets, failures, readings = _datasets(), _failures(), _readings()

    def read() -> None:
        looks = _looks(choice)
        try:
            data = load_data(choice, progress=show, fetch=False)
            datasets[choice] = datasets[data.source.location or choice] = data
            failures.pop(choice, None)
            reading.result.set_result(data)
        except BaseException as error:
            if isinstance(error, DataError):
                failures[choice] = _Failure(str(error), looks, time.monotonic())
            reading.result.set_exception(error)
        del readings[choice]

    def show(what: str, done: int, total: int) -> None:
        reading.share = done / total if total else 0.0

    new = _Reading()
    reading = readings.setdefault(choice, new)
    if reading is new:
        threading.Thread(target=read, daemon=True).start()
    return reading


def read_dataset(choice: str, name: str) -> Dataset:
    """Read images, with a progress bar under this name, and keep them.

    Raises:
        DataError: there are none, or they cannot be read; `unreadable` says so from then on.
    """
    words = _("Reading the images: {name}").format(name=plain(name))
    reading = begin_reading(choice)
    bar = st.progress(0.0, words)
    while not wait([reading.result], timeout=0.1).done:
        bar.progress(reading.share, words)
    bar.empty()
    return reading.result.result()


@st.cache_resource(show_spinner=False, max_entries=4)
def _statistics(checksum: str, _data: Dataset) -> ClassStatistics:
    return class_statistics(_data.x_train, _data.y_train, len(_data.class_names))


def statistics(data: Dataset) -> ClassStatistics:
    """Figures of the training images of each class, measured once for each data set."""
    with st.spinner(_("Measuring the images")):
        return _statistics(data.source.checksum, data)


# TensorFlow, in the background

_begun = threading.Event()
_THREAD = "tensorflow"


@st.cache_resource(show_spinner=False)
def tensorflow() -> Future[Device]:
    """TensorFlow being imported in a thread; its result is the device that trainings get.

    This process itself computes on the CPU, so that a GPU's memory is the trainings' alone.
    """

    def load() -> Device:
        with quiet():
            found = find_device()
            use_cpu()
        _keep_networks()
        # TensorFlow's 400,000 objects, none of them garbage, would make each collection of all hold
        # up all sessions for 0.3 s.
        gc.collect()
        gc.freeze()
        look.at_most(0.0)  # read from disk, which takes half a second where there are 1,000
        return found

    def tell() -> None:
        try:
            loading.set_result(load())
        except BaseException as error:
            loading.set_exception(error)

    look = _look()
    loading: Future[Device] = Future()
    _begun.set()
    threading.Thread(target=tell, name=_THREAD, daemon=True).start()
    return loading


def _keep_networks() -> None:
    """Keep Streamlit from clearing Keras's state after every rerun, as it does where Keras is.

    Networks are shared here: one session's look at a run would take the compiled kernels from what
    another predicts with, and hold up both for a collection of all garbage.
    """
    import keras

    keras.backend.clear_session = lambda free_memory=True: None


@atexit.register
def _leave_tensorflow() -> None:
    """End a server that is stopped in the midst of importing TensorFlow, at once.

    Python's own end would crash where the thread is inside a library, or wait for the library to be
    loaded. Registered with this module, so run after what else is to be done at the end.
    """
    for thread in threading.enumerate():
        if thread.name == _THREAD:
            if not st.runtime.exists():
                thread.join()  # a test's process, which has an exit status of its own
                continue
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)


def device() -> Device | None:
    """The device that trainings get; None as long as TensorFlow has not said."""
    if not _begun.is_set() or not tensorflow().done() or tensorflow().exception():
        return None
    return tensorflow().result()


def wait_for_tensorflow() -> None:
    """Wait until networks can be built, saying so."""
    loading = tensorflow()
    if not loading.done():
        with st.spinner(_("Loading TensorFlow, a few seconds the first time"), show_time=True):
            loading.result()


def warm_worker() -> None:
    """Have a worker wait for the next training, begun once TensorFlow is loaded here.

    Two that load at a time slow one another; and a worker takes no run once the environment has
    changed, which TensorFlow's import does.
    """
    tensorflow().add_done_callback(lambda _: warm.worker.begin())


@st.cache_resource(show_spinner=False, max_entries=64)
def _layers(config: TrainingConfig, classes: int) -> list[LayerInfo]:
    from cifar_core.network.build import build_model
    from cifar_core.network.describe import describe

    return describe(build_model(config, classes))


def layers(config: TrainingConfig, classes: int) -> list[LayerInfo]:
    """The layers of the network that these settings make for so many classes."""
    wait_for_tensorflow()
    return _layers(config, classes)


# Pictures that were uploaded

_PREVIEW = 480


@dataclass(frozen=True)
class Picture:
    """A picture as it is shown and as the network sees it.

    Attributes:
        preview: uint8 (H, W, 3), the longer side at most 480 pixels.
        square: left, top, width and height of what the network sees, as shares of the picture.
        pixels: uint8 (32, 32, 3).
    """

    preview: np.ndarray
    square: tuple[float, float, float, float]
    pixels: np.ndarray


@st.cache_resource(show_spinner=False, max_entries=128)
def picture(file: str, framing: Framing, _data: bytes) -> Picture:
    """An uploaded file, by its name among uploads, decoded.

    Raises:
        ImageError: it is no picture, damaged or too large.
    """
    whole = read_image(_data)
    height, width = whole.shape[:2]
    preview = resized(whole, _PREVIEW) if max(height, width) > _PREVIEW else whole
    square = framing.square(whole)
    if square is None:
        return Picture(preview, (0, 0, 1, 1), fit_to_network_size(whole))
    part = square.left / width, square.top / height, square.side / width, square.side / height
    return Picture(preview, part, to_network_size(whole, square))


# Runs


@st.cache_resource(show_spinner=False)
def store() -> RunStore:
    """The runs' folder."""
    return RunStore()


class _Look:
    """The latest look at all runs, one for all sessions."""

    def __init__(self, store: RunStore) -> None:
        self._store, self._lock = store, threading.Lock()
        self._time, self._found = -math.inf, Listing((), ())

    def at_most(self, age: float) -> Listing:
        with self._lock:
            if time.monotonic() - self._time >= age:
                self._found = self._store.look()
                self._time = time.monotonic()
            return self._found


@st.cache_resource(show_spinner=False)
def _look() -> _Look:
    return _Look(store())


RECENT = 0.3
"""Seconds that what is shown may be old, for what looks again and again."""


def runs(age: float = 0.0) -> Listing:
    """All runs as they were so many seconds ago at most."""
    return _look().at_most(age)


class _Log:
    """A run's events as far as they have been read, and what was made of them."""

    def __init__(self) -> None:
        self._reading, self._making = threading.Lock(), threading.Lock()
        self._time, self._history, self._shown = -math.inf, History.thinned(), History()
        self._made_of, self._made = self._shown, dict[Hashable, Any]()

    def at_most(self, age: float, run: Run) -> History:
        with self._reading:
            if time.monotonic() - self._time >= age:
                read = run.follow(self._history)
                if read is not self._history or read.offset != self._shown.offset:
                    self._history, self._shown = read, read.snapshot()
                self._time = time.monotonic()
            return self._shown

    def make(self, of: History, key: Hashable, make: Callable[[], T]) -> T:
        with self._making:
            if of is not self._made_of:
                self._made_of, self._made = of, {}
            if key not in self._made:
                self._made[key] = make()
            made: T = self._made[key]
            return made


@st.cache_resource(show_spinner=False, max_entries=64)
def _log(path: str) -> _Log:
    return _Log()


def history(run: Run, age: float = 0.0) -> History:
    """The events of a run so many seconds ago at most, which no caller may change.

    Only what is new is read from disk; of many batch events the older are thinned.
    """
    return _log(str(run.path)).at_most(age, run)


def wait_for_figures(run: Run) -> None:
    """Wait for the first figures of a run that begins, for 0.3 s at most.

    So they are shown at once, and no look before them takes the processor from what they come of.
    """
    until = time.monotonic() + 0.3
    while time.monotonic() < until:
        now = history(run, 0.03)
        state = now.states[-1].state if now.states else None
        if now.own_batches or state not in (RunState.STARTING, RunState.RUNNING):
            return
        time.sleep(0.03)


def once(run: Run, history: History, key: Hashable, make: Callable[[], T]) -> T:
    """What `make` makes of a run's events, made once for all sessions until there are others.

    Args:
        run: whose events they are.
        history: what `history` gave.
        key: all else that `make` depends on.
        make: called where it was not made yet.
    """
    return _log(str(run.path)).make(history, key, make)


@st.cache_resource(show_spinner=False, max_entries=8)
def _model(path: str, saved: object) -> tuple[threading.Lock, keras.Model]:
    return threading.Lock(), Run(Path(path)).load_model()


@contextmanager
def _network(run: Run) -> Iterator[keras.Model]:
    """A run's network, for one session at a time.

    Raises:
        RunNotFound: the run is gone.
        RunError: its network cannot be read.
    """
    wait_for_tensorflow()
    lock, model = _model(str(run.path), run.saved())
    with lock:
        yield model


def predict_known(run: Run, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a run's network says of uint8 images (N, 32, 32, 3).

    Returns:
        Probabilities, (N, K), and whether each image is likely of a class, (N,).
    """
    from cifar_core.network.out_of_distribution import is_known
    from cifar_core.network.predict import predict_probabilities

    with _network(run) as model:
        probabilities = predict_probabilities(model, images)
        return probabilities, is_known(run.novelty(), model, images, probabilities)


def grad_cam(run: Run, image: np.ndarray, label: int) -> np.ndarray:
    """Grad-CAM (H, W) of a run's network for an image, uint8 (32, 32, 3), and a class."""
    from cifar_core.network import explain

    with _network(run) as model:
        return explain.grad_cam(model, image, label)


def feature_maps(run: Run, image: np.ndarray) -> dict[str, np.ndarray]:
    """What each layer of a run's network makes of an image, (H, W, channels) by its name."""
    from cifar_core.network import explain

    with _network(run) as model:
        return explain.feature_maps(model, image)


@st.cache_resource(show_spinner=False)
def _conversions() -> tuple[Path, dict[object, Conversion]]:
    folder = Path(tempfile.mkdtemp(prefix="cifar10-export-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder, {}


def conversion(summary: Summary, to: str) -> Conversion | None:
    """The conversion of what a run has saved by now, where one was begun.

    Raises:
        RunNotFound: the run is gone.
    """
    return _conversions()[1].get(_what(summary, to))


def convert(summary: Summary, to: str) -> None:
    """Begin to convert a run in a process of its own; the file goes with the dashboard.

    Raises:
        RunNotFound: the run is gone.
    """
    folder, known = _conversions()
    known[_what(summary, to)] = Conversion(summary.run, to, folder)


def _what(summary: Summary, to: str) -> object:
    """What a conversion is of: a network, or with it the epochs whose curves are drawn."""
    run = summary.run
    return run.path, to, run.saved(), summary.epochs if FORMS[to].needs == "epochs" else None


def learned_kernels(run: Run) -> np.ndarray:
    """The kernels of the first convolution of a run's network, (3, 3, channels, kernels)."""
    from cifar_core.network.build import first_kernels

    with _network(run) as model:
        return first_kernels(model)
