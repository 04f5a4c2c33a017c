"""A run asked for, or asked to go on, in a process that outlives the one that asks."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import replace

from ..config import TrainingConfig
from ..data import absolute, must_exist
from ..errors import ConfigError, RunError, reason
from ..process import begin
from ..runs.events import RunState, StateEvent
from ..runs.run import Run
from ..runs.store import RunStore
from ..runs.summary import Summary
from . import warm
from .slots import is_free


def start(store: RunStore, config: TrainingConfig, data: str) -> Run:
    """Begin a run in a process that outlives this one.

    Args:
        store: where the run's folder is made.
        config: the settings.
        data: the images, in the form `load_data` takes.

    Returns:
        The run, 'starting'; its folder says how it goes on.

    Raises:
        DataNotFound: nothing lies where the images are to be read from.
        RunError: the folder cannot be made or written.
    """
    data = absolute(data)
    must_exist(data)
    run = store.create(config, data=data)
    try:
        run.append(StateEvent(state=RunState.STARTING))
        _begin_worker(run, data)
    except RunError:
        shutil.rmtree(run.path, ignore_errors=True)
        raise
    return run


def _begin_worker(run: Run, data: str, epochs: int | None = None) -> None:
    # With '=', for the name of a folder may begin with '-'.
    command = ["train", f"--run={run.id}", f"--runs={run.path.parent}", f"--data={data}"]
    if epochs is not None:
        command.append(f"--epochs={epochs}")

    def ended() -> None:
        """Report a worker that died before it could write anything itself."""
        with suppress(RunError):
            if run.status().state is RunState.STARTING and not run.has_worker():
                words = run.last_words() or "it printed nothing"
                message = f"its process ended before it could begin: {words}"
                run.append(StateEvent(state=RunState.FAILED, message=message))

    run.begin_log()
    try:
        if not (_trains_at_once(run) and warm.worker.take(command, run.log_path, ended)):
            begin(command, run.log_path, ended)
    except OSError as error:
        raise RunError(
            f"a run's process must be able to begin. Received: {run.path} ({reason(error)}); "
            "free some space or memory and try again."
        ) from error


def _trains_at_once(run: Run) -> bool:
    """Whether a warm worker is of use: in line it would only hold TensorFlow's memory."""
    with suppress(ConfigError):  # of CIFAR10_SLOTS, which the run fails with
        return is_free(run.path.parent)
    return False


def prepare_resume(run: Run, epochs: int | None = None) -> str:
    """Make a run that has ended ready to go on from its checkpoint.

    Its settings stay as they are until training begins: see `execute`.

    Args:
        run: stopped, interrupted or failed; or finished, with more epochs.
        epochs: how many it is to have in all, where that changes.

    Returns:
        The images to go on with, in the form `load_data` takes; '' where that is not known, as
        for a run whose environment.json is lost.

    Raises:
        RunError: it is being trained, has no epoch left to train, is gone or cannot be written.
        ConfigError: `epochs` breaks its rule.
    """
    summary = Summary.of(run)
    if summary.state.is_live:
        raise RunError(
            f"only a run that has ended can go on. Received: {run.id}, which is {summary.state}."
        )
    config = summary.config if epochs is None else replace(summary.config, epochs=epochs)
    # Without a result it died after its last epoch, and has yet to be saved and tested.
    is_done = summary.status.result is not None or config.epochs < summary.epochs
    if config.epochs <= summary.epochs and is_done:
        raise RunError(
            f"a run goes on to more epochs than it has done. Received: {run.id}, which has done "
            f"{summary.epochs} of {config.epochs}; name more with --epochs."
        )
    spec = str(summary.environment.get("spec", ""))
    if summary.epochs and not summary.data_checksum:
        spec = ""  # which images it learned from is not known any more
    run.withdraw_stop()
    run.take_rate()
    run.append(StateEvent(state=RunState.STARTING))
    return spec


def resume(run: Run, epochs: int | None = None, otherwise: str = "auto") -> None:
    """Let a run go on in a process that outlives this one; see `prepare_resume`.

    Args:
        run, epochs: of `prepare_resume`.
        otherwise: the images to go on with where the run does not know its own.
    """
    data = prepare_resume(run, epochs) or absolute(otherwise)
    try:
        _begin_worker(run, data, epochs)
    except RunError as error:
        with suppress(RunError):
            run.append(StateEvent(state=RunState.FAILED, message=str(error)))
        raise
