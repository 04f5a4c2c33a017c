"""A run in a process of its own: asked for here, carried out here."""

from __future__ import annotations

import platform
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from . import device
from .config import TrainingConfig
from .data import Dataset, load_data
from .errors import CifarError, RunDiverged, RunError
from .evaluation import Predictions, accuracy, cross_entropy
from .events import EpochEvent, Event, LogEvent, RunState, StateEvent
from .history import History
from .process import begin
from .runs import Run, RunStore
from .slots import slot
from .usage import usage

Report = Callable[[Event], None]
_USAGE_SECONDS = 2.0
_EARLY = "validation loss no longer fell"


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
    _begin_worker(run, data)
    return run


def _begin_worker(run: Run, data: str) -> None:
    command = ["train", "--run", run.id, "--runs", str(run.path.parent), "--data", data]
    begin(command, run.log_path)


def prepare_resume(run: Run, epochs: int | None = None) -> str:
    """Make a run that has ended ready to go on from its checkpoint.

    Args:
        run: stopped, interrupted or failed; or finished, with more epochs.
        epochs: how many it shall have in all, where that is to change.

    Returns:
        The images to go on with, in the form `load_data` takes.

    Raises:
        RunError: it is being trained, or has no epoch left to train.
        ConfigError: `epochs` breaks its rule.
    """
    summary = run.summary()
    if summary.state.is_live:
        raise RunError(
            f"only a run that has ended can go on. Received: {run.id}, which is {summary.state}."
        )
    config = summary.config if epochs is None else replace(summary.config, epochs=epochs)
    if config.epochs <= summary.epochs:
        raise RunError(
            f"a run goes on to more epochs than it has done. Received: {run.id}, which has done "
            f"{summary.epochs} of {config.epochs}; name more with --epochs."
        )
    run.config = config
    run.withdraw_stop()
    run.append(StateEvent(state=RunState.STARTING))
    return str(summary.environment.get("spec", ""))


def resume(run: Run, epochs: int | None = None) -> None:
    """Let a run go on in a process that outlives this one; see `prepare_resume`."""
    _begin_worker(run, prepare_resume(run, epochs) or "auto")


class _Stopped(Exception):
    """The user asked for a stop before training began."""


def execute(run: Run, data: str, report: Report = lambda event: None) -> StateEvent:
    """Carry a run out in this process, its one worker, writing every event to its folder.

    Where the run has a checkpoint, training goes on from there.

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
                with slot(run, lambda before: _wait(run, before, tell)) as number:
                    end = _train(run, data, tell, number)
            except (_Stopped, KeyboardInterrupt):
                end = StateEvent(state=RunState.STOPPED, message="stopped before its end")
            except RunDiverged as error:
                end = StateEvent(state=RunState.FAILED, message=str(error))
            except CifarError as error:
                tell(StateEvent(state=RunState.FAILED, message=str(error)))
                raise
            except Exception as error:
                message = " ".join(f"{type(error).__name__}: {error}".split())
                tell(StateEvent(state=RunState.FAILED, message=message[:1000]))
                raise
        tell(end)
    return end


def _wait(run: Run, before: int, tell: Report) -> None:
    """Tell of a wait once, and leave the line when the run is asked to stop."""
    if run.stop_requested:
        raise _Stopped
    if run.state is not RunState.QUEUED:
        tell(StateEvent(state=RunState.QUEUED, message=f"{before} before it in line"))


def _train(run: Run, spec: str, tell: Report, slot_number: int) -> StateEvent:
    before = run.history()
    tell(StateEvent(state=RunState.RUNNING))
    tell(LogEvent(message=f"reading the images: {spec}"))
    data = load_data(spec, progress=_Progress(run, tell))
    with device.quiet():
        used = device.use_device(slot_number, run.config.device)
        if run.config.deterministic:
            device.be_deterministic()

    from .novelty import calibrate
    from .prediction import predict_probabilities
    from .training import Training

    known = run.environment.get("data", {}).get("checksum", data.source.checksum)
    if known != data.source.checksum:
        raise RunError(
            f"a run goes on with the images it began with, {run.environment['data']['name']}. "
            f"Received: {data.source.name}; name the others with --data."
        )
    run.environment = {**_environment(run.config, data, used), **run.environment}
    checkpoint = run.checkpoint_path if run.checkpoint_path.exists() else None
    training = Training(run.config, data, checkpoint, before)
    if before.batches:
        tell(StateEvent(state=RunState.RUNNING, step=training.step))
    tell(
        LogEvent(
            message=f"training {training.model.count_params():,} parameters on "
            f"{len(data.x_train):,} images ({data.source.name}), {used}"
        )
    )
    started, told = time.perf_counter(), 0.0
    for event in training.events():
        tell(event)
        if isinstance(event, EpochEvent):
            if run.config.patience and event is training.best:
                run.save_best(training.model)
            run.save_checkpoint(training.model)
        if learning_rate := run.take_rate():
            tell(training.change_rate(learning_rate))
        if time.perf_counter() - told >= _USAGE_SECONDS:
            tell(usage())
            told = time.perf_counter()
        if run.stop_requested:
            training.stop()
    seconds = time.perf_counter() - started
    run.save_checkpoint(training.model)
    epochs = run.history().epochs
    kept = epochs[-1] if epochs else None
    if run.config.patience and training.best:
        kept = training.best
        training.model.load_weights(run.best_path)
    run.save_model(training.model)
    predictions = Predictions(predict_probabilities(training.model, data.x_test), data.y_test)
    run.save_predictions(predictions)
    run.save_novelty(calibrate(training.model, data.x_train, data.x_test, predictions))
    return StateEvent(
        state=RunState.FINISHED if training.is_finished else RunState.STOPPED,
        message=_EARLY if training.stopped_early else "",
        epoch=kept.epoch if kept else None,
        train_accuracy=kept.accuracy if kept else None,
        test_loss=cross_entropy(predictions),
        test_accuracy=accuracy(predictions),
        seconds=_seconds(before) + seconds,
    )


def _seconds(before: History) -> float:
    """Wall time that was trained before: as the run's end told, else by its epochs."""
    told = [event.seconds for event in before.states if event.seconds is not None]
    return told[-1] if told else sum(event.seconds for event in before.epochs)


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
