"""A run in a process of its own: asked for here, carried out here."""

from __future__ import annotations

import math
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from . import device
from .config import TrainingConfig
from .data import Dataset, default_cache_dir, load_data
from .data.download import SIZE, status
from .data.official import archive_path
from .errors import CifarError, DataError
from .evaluation import Predictions, accuracy, cross_entropy
from .events import EpochEvent, Event, LogEvent, RunState, StateEvent
from .runs import Run, RunStore

ERROR_PREFIX = "cifar_core: "  # before the one line that the command line says of an error
_START_SECONDS = 5.0  # a process that has not said or locked anything by then is gone

Report = Callable[[Event], None]


def start(store: RunStore, config: TrainingConfig, data: str) -> Run:
    """Begin a run in a process that outlives this one.

    Args:
        store: where the run's folder is made.
        config: the settings.
        data: the images, in the form `load_data` takes.

    Returns:
        The run, 'starting'; its folder tells how it goes on.

    Raises:
        RunError: the folder cannot be made.
    """
    run = store.create(config)
    command = ["train", "--run", run.id, "--runs", str(store.root), "--data", data]
    _begin(command, run.log_path)
    return run


@dataclass(frozen=True)
class FetchState:
    """How fetching CIFAR-10 goes.

    Attributes:
        is_live: whether some process is at it.
        done, total: bytes of the archive.
        error: why the last try ended without it, '' where it did not.
    """

    is_live: bool
    done: int
    total: int
    error: str


def start_fetch() -> None:
    """Begin to fetch CIFAR-10 in a process that outlives this one; `fetch_state` follows it.

    Raises:
        DataError: the cache folder cannot be written.
    """
    log = _fetch_log()
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
    except OSError as error:
        raise DataError(
            f"the cache folder must be writable. Received: {log.parent} ({error.strerror}); "
            f"name another one in CIFAR10_CACHE."
        ) from error
    _begin(["data", "--data", "official", "--json"], log)


def fetch_state() -> FetchState:
    """How fetching goes, whichever process began it."""
    done, is_live = status(archive_path(default_cache_dir()))
    log, words, age = _fetch_log(), "", math.inf
    with suppress(OSError):
        words = log.read_text(encoding="utf-8").strip()
        age = time.time() - log.stat().st_mtime
    starting = not words and age < _START_SECONDS
    # A process that was killed leaves no words; what it fetched is kept.
    last = words.rpartition("\n")[2]
    error = last.removeprefix(ERROR_PREFIX) if last.startswith(ERROR_PREFIX) else ""
    return FetchState(is_live or starting, done, SIZE, error)


def _fetch_log() -> Path:
    return default_cache_dir() / "fetch.log"


def _begin(arguments: list[str], log_path: Path) -> None:
    """Start `python -m cifar_core` in a session of its own, its words in a log."""
    apart: dict[str, Any] = (
        {"creationflags": 0x00000008 | 0x00000200}  # DETACHED_PROCESS, CREATE_NEW_PROCESS_GROUP
        if sys.platform == "win32"
        else {"start_new_session": True}
    )
    root = Path(__file__).resolve().parent.parent
    paths = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "cifar_core", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            **apart,
        )
    threading.Thread(target=process.wait, daemon=True).start()  # leaves no zombie behind


class _Stopped(Exception):
    """The user asked for a stop before training began."""


def execute(run: Run, data: str, report: Report = lambda event: None) -> StateEvent:
    """Carry a run out in this process, its one worker, writing every event to its folder.

    A stop that was asked for (`Run.request_stop`, or Ctrl-C once) ends it after the step it is
    at, with model, checkpoint and predictions saved. A second Ctrl-C ends it at once.

    Args:
        run: the run, as `RunStore.create` made it.
        data: the images, in the form `load_data` takes.
        report: is called with every event after it was written.

    Returns:
        The last event: 'finished', 'stopped' or 'failed'.

    Raises:
        CifarError: what the user got wrong; the run reads 'failed'.
        RunError: another worker has this run.
    """

    def tell(event: Event) -> None:
        run.append(event)
        report(event)

    with run.working():
        with _stop_on_interrupt(run):
            try:
                end = _train(run, data, tell)
            except (_Stopped, KeyboardInterrupt):
                end = StateEvent(state=RunState.STOPPED, message="stopped before its end")
            except CifarError as error:
                tell(StateEvent(state=RunState.FAILED, message=str(error)))
                raise
            except Exception as error:
                message = " ".join(f"{type(error).__name__}: {error}".split())
                tell(StateEvent(state=RunState.FAILED, message=message[:1000]))
                raise
        tell(end)
    return end


def _train(run: Run, spec: str, tell: Report) -> StateEvent:
    tell(StateEvent(state=RunState.RUNNING))
    tell(LogEvent(message=f"reading the images: {spec}"))
    data = load_data(spec, progress=_Progress(run, tell))
    with device.quiet():
        used = device.use_device()

    from .prediction import predict_probabilities
    from .training import Training

    run.environment = _environment(run.config, data, used)
    training = Training(run.config, data)
    tell(
        LogEvent(
            message=f"training {training.model.count_params():,} parameters on "
            f"{len(data.x_train):,} images ({data.source.name}), {used}"
        )
    )
    started = time.perf_counter()
    for event in training.events():
        tell(event)
        if isinstance(event, EpochEvent):
            run.save_checkpoint(training.model)
        if run.stop_requested:
            training.stop()
    seconds = time.perf_counter() - started
    run.save_checkpoint(training.model)
    run.save_model(training.model)
    predictions = Predictions(predict_probabilities(training.model, data.x_test), data.y_test)
    run.save_predictions(predictions)
    return StateEvent(
        state=RunState.FINISHED if training.is_finished else RunState.STOPPED,
        test_loss=cross_entropy(predictions),
        test_accuracy=accuracy(predictions),
        seconds=seconds,
    )


class _Progress:
    """Progress of getting the images: a log event every few seconds, and an ear for a stop."""

    def __init__(self, run: Run, tell: Report) -> None:
        self._run, self._tell = run, tell
        self._told = time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        if time.monotonic() - self._told < 2:
            return
        self._told = time.monotonic()
        if self._run.stop_requested:
            raise _Stopped
        of = f" of {total:,}" if total else ""
        self._tell(LogEvent(message=f"{what}: {done:,}{of}"))


def _environment(config: TrainingConfig, data: Dataset, used: device.Device) -> dict[str, Any]:
    packages = ("tensorflow", "keras", "numpy")
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        "platform": platform.platform(),
        "device": str(used),
        "seed": config.seed,
        "spec": data.source.location or data.source.kind,  # finds the same images again
        "data": data.source.to_json(),
        "classes": list(data.class_names),
        "train_images": len(data.x_train),
        "test_images": len(data.x_test),
        "started": time.time(),
    }


class _stop_on_interrupt:
    """Inside, the first Ctrl-C (or SIGTERM) asks the run to stop; the second one ends it."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def __enter__(self) -> None:
        self._before: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._asked)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _asked(self, number: int, frame: object) -> None:
        with suppress(OSError):
            self._run.request_stop()
        signal.signal(signal.SIGINT, signal.default_int_handler)
