"""A run carried out in this process, from the images to the tested network."""

from __future__ import annotations

import platform
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from ..analysis.evaluation import accuracy, cross_entropy
from ..config import TrainingConfig
from ..data import Dataset, load_data
from ..data.dataset import sample
from ..errors import CifarError, RunDiverged, RunError, counted, one_line
from ..network.predict import Predictions, predict_logits
from ..runs.events import EpochEvent, Event, LogEvent, RunState, StateEvent
from ..runs.run import Run
from ..runs.summary import Summary
from ..training import device
from ..training.split import is_batch_too_large, steps_per_epoch
from .slots import slot
from .usage import usage

if TYPE_CHECKING:
    import keras

Tell = Callable[[Event], None]
_USAGE_SECONDS = 2.0
_EARLY = "validation loss no longer fell"

TRAIN_SAMPLE = 10_000
"""How many of the images that trained, at most, the train accuracy of the saved network is of."""


class _Stopped(Exception):
    """The user asked for a stop before training began."""


def execute(
    run: Run, data: str, report: Tell = lambda event: None, epochs: int | None = None
) -> StateEvent:
    """Carry a run out in this process, its one worker, writing every event to its folder.

    Where the run has a checkpoint, training goes on from there.

    A stop that was asked for (`Run.request_stop`, or Ctrl-C once) ends it after the step it is
    at, with model, checkpoint and predictions saved. A second Ctrl-C ends it at once.

    Args:
        run: the run, as `RunStore.create` made it.
        data: the images, in the form `load_data` takes.
        report: is called with every event after it was written.
        epochs: how many it is to have in all, where that changes. The run's settings say so
            once its images are at hand and training begins.

    Returns:
        The last event: 'finished', 'stopped' or 'failed'.

    Raises:
        CifarError: what the user got wrong; the run reads 'failed'.
        RunError: another worker has this run.
    """

    has_waited = False

    def tell(event: Event) -> None:
        run.append(event)
        report(event)

    def wait(before: int) -> None:
        nonlocal has_waited
        if run.stop_requested():
            raise _Stopped("cancelled while it waited in line")
        if not has_waited:
            has_waited = True
            tell(StateEvent(state=RunState.QUEUED, message=f"{before} before it in line"))

    with run.working():
        with _stop_on_interrupt(run):
            try:
                with slot(run, wait) as number:
                    end = _train(run, data, tell, number, epochs)
            except _Stopped as stop:
                end = StateEvent(state=RunState.STOPPED, message=str(stop))
            except KeyboardInterrupt:
                end = StateEvent(state=RunState.STOPPED, message="stopped before its end")
            except RunDiverged as error:
                end = StateEvent(state=RunState.FAILED, message=str(error))
            except Exception as error:
                message = str(error)
                if not isinstance(error, CifarError):
                    message = one_line(f"{type(error).__name__}: {error}")
                with suppress(RunError):  # a full disk, say, which is the error itself
                    tell(StateEvent(state=RunState.FAILED, message=message))
                raise
            finally:
                # One that came too late is not to wait for the next training.
                if late := run.take_rate():
                    with suppress(RunError):
                        tell(LogEvent(message=f"learning rate {late:g} came too late to be taken"))
        tell(end)
    return end


def _train(run: Run, spec: str, tell: Tell, slot_number: int, epochs: int | None) -> StateEvent:
    if run.stop_requested():
        raise _Stopped("stopped before it began")
    before = run.history()
    tell(StateEvent(state=RunState.RUNNING))
    tell(LogEvent(message=f"reading the images: {spec}"))
    data = load_data(spec, progress=_Progress(run, tell))
    summary = Summary.of(run)
    config = summary.config if epochs is None else replace(summary.config, epochs=epochs)
    with device.quiet():
        used = device.use_device(slot_number, config.device)
        if config.deterministic:
            device.be_deterministic()

    from ..network.out_of_distribution import calibrate
    from ..training.loop import Training

    if summary.data_checksum not in ("", data.source.checksum):
        raise RunError(
            f"a run goes on with the images it began with, {summary.data_name}. "
            f"Received: {data.source.name}; name the others with --data."
        )
    checkpoint = run.checkpoint_path if run.checkpoint_path.exists() else None
    goes_on = bool(before.batches or before.epochs)
    training = Training(config, data, checkpoint, before)
    now = _environment(config, data, used)
    known_since = summary.environment if "data" in summary.environment else {}
    run.save_environment({**summary.environment, **now, **known_since, "spec": now["spec"]})
    if config != summary.config:
        run.save_config(config)
    if goes_on:
        tell(StateEvent(state=RunState.RUNNING, step=training.step))
    images = counted(len(training.trained), "image")
    tell(
        LogEvent(
            message=f"training {training.model.count_params():,} parameters on "
            f"{images} ({data.source.name}), {used}"
        )
    )
    if is_batch_too_large(len(data.x_train), config):
        tell(
            LogEvent(
                message=f"a batch of {config.batch_size:,} is more than the {images} to train on, "
                "so that an epoch is one step; a smaller batch size learns more"
            )
        )
    steps = steps_per_epoch(len(data.x_train), config)
    started, told = time.perf_counter(), 0.0
    for event in training.events():
        tell(event)
        if isinstance(event, EpochEvent):
            if config.patience and event is training.best:
                run.save_best(training.model)
            run.save_checkpoint(training.model)
        is_over = training.step == steps * config.epochs  # no step is left to be taken at it
        if not is_over and (learning_rate := run.take_rate()):
            tell(training.change_rate(learning_rate))
        if time.perf_counter() - told >= _USAGE_SECONDS:
            tell(usage())
            told = time.perf_counter()
        if run.stop_requested():
            training.stop()
    seconds = time.perf_counter() - started
    run.save_checkpoint(training.model)
    kept = training.last if training.last and training.last.step == training.step else None
    if config.patience and training.best:
        kept = training.best
        training.model.load_weights(run.best_path)
    run.save_model(training.model)
    predictions = _predictions(training.model, data.x_test, data.y_test)
    run.save_predictions(predictions)
    run.save_novelty(calibrate(training.model, data.x_train, data.x_test, predictions))
    learned = sample(training.trained, TRAIN_SAMPLE)
    fitted = _predictions(training.model, data.x_train[learned], data.y_train[learned])
    return StateEvent(
        state=RunState.FINISHED if training.is_finished else RunState.STOPPED,
        message=_EARLY if training.stopped_early else "",
        epoch=kept.epoch if kept else None,
        train_accuracy=accuracy(fitted),
        train_images=len(learned),
        test_loss=cross_entropy(predictions),
        test_accuracy=accuracy(predictions),
        seconds=before.seconds + seconds,
    )


def _predictions(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> Predictions:
    return Predictions.from_logits(predict_logits(model, images), labels)


class _Progress:
    """Progress of getting the images: a log event every few seconds, and a look whether to stop."""

    def __init__(self, run: Run, tell: Tell) -> None:
        self._run, self._tell = run, tell
        self._told = time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        if time.monotonic() - self._told < 2:
            return
        self._told = time.monotonic()
        if self._run.stop_requested():
            raise _Stopped("stopped while the images were read")
        of = f" of {total:,}" if total else ""
        self._tell(LogEvent(message=f"{what}: {done:,}{of}"))


def _environment(config: TrainingConfig, data: Dataset, used: device.Device) -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in ("tensorflow", "keras", "numpy")},
        "platform": platform.platform(),
        "device": str(used),
        "seed": config.seed,
        "spec": data.source.location or data.source.kind,  # finds the same images again
        "data": data.source.to_json(),
        "classes": list(data.class_names),
        "train_images": len(data.x_train),
        "test_images": len(data.x_test),
        "started": time.time(),
        "zone": time.strftime("%z"),  # of the clock in its name and its log
    }


@contextmanager
def _stop_on_interrupt(run: Run) -> Iterator[None]:
    """Inside, the first Ctrl-C (or SIGTERM) asks the run to stop; the second one ends it."""

    def asked(number: int, frame: object) -> None:
        with suppress(RunError):  # a folder that is gone, which the training is about to find
            run.request_stop()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    is_main = threading.current_thread() is threading.main_thread()
    numbers = (signal.SIGINT, signal.SIGTERM) if is_main else ()
    before = {number: signal.signal(number, asked) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
