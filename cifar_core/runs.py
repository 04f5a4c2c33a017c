"""The on-disk form of a run. Nothing outside this module touches a run's files.

    runs/20261124-073431-tutorial-dropout/
        config.json        TrainingConfig
        environment.json   versions, device, data source with its checksum, times
        events.jsonl       what happened, one event a line, only ever appended to
        model.keras        the network that predicts
        checkpoint.keras   the network of the last whole epoch, optimiser state included
        predictions.npz    its probabilities on the test set, and the labels
        novelty.npz        how pictures of none of its classes are told
        notes.md           words of the user
        worker.log         what the worker printed
        lock               held by the worker as long as it lives
        stop               there when the run was asked to stop
        rate               a learning rate that the worker is asked to take on
        best.keras         with early stopping: the network of the best epoch so far
        user.json          the name and the star that the user gave it

Every file but events.jsonl and worker.log appears whole or not at all.

Runs that ship with the project lie below reference_runs/ in the same form. They are named
reference/NAME and only ever read, so that a folder that cannot be written to will do.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .config import TrainingConfig, preset_of
from .errors import ConfigError, RunError, RunNotFound
from .evaluation import Predictions
from .events import DETAILS, Event, RunState, from_line, to_line
from .files import write_json, write_whole
from .history import History, Mark, Summary
from .lock import hold, is_held
from .novelty import NoveltyRule, from_predictions

if TYPE_CHECKING:
    import keras

SHIPPED = Path(__file__).resolve().parent.parent / "reference_runs"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_REFERENCE = "reference/"
_START_SECONDS = 20.0  # a worker that holds no lock after this long never came up
_TAIL_BYTES = 65536  # holds the last epoch and the last state of any run


def default_root() -> Path:
    """The folder of runs: CIFAR10_RUNS, else 'runs' in the working folder."""
    return Path(os.environ.get("CIFAR10_RUNS") or "runs").resolve()


def reference_root() -> Path | None:
    """The folder of runs that ship: CIFAR10_REFERENCE_RUNS ('' for none), else the project's."""
    given = os.environ.get("CIFAR10_REFERENCE_RUNS", str(SHIPPED))
    return Path(given).resolve() if given else None


class Run:
    """One run's folder.

    Args:
        path: the folder.
        is_reference: it ships with the project; whatever would change it raises RunError.
    """

    def __init__(self, path: Path, is_reference: bool = False) -> None:
        self.path = path
        self.is_reference = is_reference
        self.id = f"{_REFERENCE}{path.name}" if is_reference else path.name

    def __repr__(self) -> str:
        return f"Run({self.id!r})"

    def _to_write(self, name: str) -> Path:
        """Where a file lies that is about to be changed."""
        if self.is_reference:
            raise RunError(
                f"a run that ships with the project is for reading only. Received: {self.id}; "
                f"train one of your own with its settings."
            )
        return self.path / name

    @property
    def config(self) -> TrainingConfig:
        """What the run was asked to do.

        Raises:
            RunError: config.json cannot be read.
        """
        try:
            text = (self.path / "config.json").read_text(encoding="utf-8")
            return TrainingConfig.from_json(json.loads(text))
        except (OSError, ValueError, TypeError, AttributeError, ConfigError) as error:
            raise RunError(
                f"the run's settings cannot be read. Received: {self.path / 'config.json'} "
                f"({error}); delete the run's folder or put the file right."
            ) from error

    @config.setter
    def config(self, config: TrainingConfig) -> None:
        write_json(self._to_write("config.json"), config.to_json())

    @property
    def environment(self) -> dict[str, Any]:
        """Versions, device, data; empty until the worker has them, or where it is damaged."""
        try:
            values = json.loads((self.path / "environment.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return values if isinstance(values, dict) else {}

    @environment.setter
    def environment(self, values: dict[str, Any]) -> None:
        write_json(self._to_write("environment.json"), values)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes the network tells apart, in label order."""
        return tuple(self.environment.get("classes", ()))

    # Events

    def append(self, event: Event) -> None:
        """Write one event at the end of the log, in one system call, so that lines stay whole."""
        with self._to_write("events.jsonl").open("ab", buffering=0) as file:
            file.write(to_line(event).encode())

    def follow(self, history: History, without: tuple[bytes, ...] = ()) -> History:
        """Add to `history` what was written since; a torn last line waits for the next call.

        Args:
            history: what was read so far; it is changed.
            without: lines that begin like this are passed over.
        """
        try:
            with (self.path / "events.jsonl").open("rb") as file:
                file.seek(history.offset)
                new = file.read()
        except FileNotFoundError:
            return history
        whole = new.rfind(b"\n") + 1
        for line in new[:whole].splitlines():
            if not line.startswith(without) and (event := from_line(line)):
                history.add(event)
        history.offset += whole
        return history

    def history(self) -> History:
        """All events so far."""
        return self.follow(History())

    def written(self) -> tuple[int, int]:
        """Size and time of the event log, which change with every event."""
        try:
            status = (self.path / "events.jsonl").stat()
        except OSError:
            return 0, 0
        return status.st_size, status.st_mtime_ns

    def _touched(self) -> tuple[int, ...]:
        """`written`, and the folder's time, which changes with every other file."""
        try:
            return *self.written(), self.path.stat().st_mtime_ns
        except OSError:
            return self.written()

    def _tail(self) -> History:
        """The last states and epochs: enough for the result, whatever the length."""
        size, _ = self.written()
        return self.follow(History(offset=max(0, size - _TAIL_BYTES)), DETAILS)

    # State

    @property
    def state(self) -> RunState:
        """Where the run stands, believing the OS's lock more than what was written."""
        return self._state(self._tail())

    def _state(self, history: History) -> RunState:
        if self.is_reference:
            return RunState.FINISHED
        written = history.states[-1].state if history.states else None
        if written is not None and not written.is_live:
            return written
        if self.has_worker:
            if self.stop_requested:
                return RunState.STOPPING
            if written in (RunState.STARTING, RunState.QUEUED):
                return written
            # A long run's tail has its first state no more.
            return RunState.RUNNING if history.offset else RunState.STARTING
        # The worker may have ended, lock and all, since the log was read.
        latest = self._tail()
        last = latest.states[-1] if latest.states else None
        if last and not last.state.is_live:
            return last.state
        begun = self.asked if not latest.offset else 0.0
        if last and last.state is RunState.STARTING:
            begun = last.time
        is_coming_up = time.time() - begun < _START_SECONDS
        return RunState.STARTING if is_coming_up else RunState.INTERRUPTED

    @property
    def asked(self) -> float:
        """When the run was last asked for, made or made ready to go on; seconds since 1970."""
        try:
            return (self.path / "config.json").stat().st_mtime
        except OSError:
            return 0.0

    @property
    def has_worker(self) -> bool:
        """Whether a worker lives. Looking changes nothing on disk."""
        return not self.is_reference and is_held(self.path / "lock")

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Hold the run's lock: what makes this process its one worker.

        Raises:
            RunError: another worker has it.
        """
        try:
            held = hold(self._to_write("lock"), timeout=5)
        except TimeoutError:
            raise RunError(
                f"one worker a run. Received: {self.id}, which is being trained already."
            ) from None
        with held:
            yield

    def request_stop(self) -> None:
        """Ask the worker to end after the step it is at and to save everything."""
        self._to_write("stop").touch()

    def withdraw_stop(self) -> None:
        """Forget that the run was asked to stop."""
        self._to_write("stop").unlink(missing_ok=True)

    @property
    def stop_requested(self) -> bool:
        """Whether the run was asked to stop."""
        return (self.path / "stop").exists()

    def request_rate(self, learning_rate: float) -> None:
        """Ask the worker to go on with another highest learning rate."""
        write_json(self._to_write("rate"), learning_rate)

    def take_rate(self) -> float | None:
        """The learning rate that was asked for since the last call, if any."""
        try:
            value = json.loads((self.path / "rate").read_text(encoding="utf-8"))
            (self.path / "rate").unlink()
        except (OSError, ValueError):
            return None
        return value if isinstance(value, float) else None

    # What a run leaves

    @property
    def model_path(self) -> Path:
        """Where the network lies once it is saved."""
        return self.path / "model.keras"

    @property
    def has_model(self) -> bool:
        """Whether there is a network to predict with."""
        return self.model_path.exists()

    @property
    def checkpoint_path(self) -> Path:
        """Where the state lies from which training can go on."""
        return self.path / "checkpoint.keras"

    @property
    def best_path(self) -> Path:
        """Where the network of the best epoch lies while early stopping is on."""
        return self.path / "best.keras"

    @property
    def log_path(self) -> Path:
        """Where the worker's own output goes."""
        return self.path / "worker.log"

    def save_model(self, model: keras.Model) -> None:
        """Put the network in place, without the optimiser's state."""
        self._save_network("model.keras", model)

    def save_checkpoint(self, model: keras.Model) -> None:
        """Put the network and the optimiser's state in place."""
        write_whole(self._to_write("checkpoint.keras"), lambda new: model.save(new))

    def save_best(self, model: keras.Model) -> None:
        """Put the network of the best epoch so far in place."""
        self._save_network("best.keras", model)

    def _save_network(self, name: str, model: keras.Model) -> None:
        # Keras 3 writes the optimiser's state, twice as large as Adam's network, whatever
        # `include_optimizer` says; a network that was never compiled has none.
        network = type(model).from_config(model.get_config())
        network.set_weights(model.get_weights())
        write_whole(self._to_write(name), lambda new: network.save(new))

    def save_predictions(self, predictions: Predictions) -> None:
        """Put the test set's probabilities and labels in place."""
        write_whole(
            self._to_write("predictions.npz"),
            lambda new: np.savez_compressed(
                new, probabilities=predictions.probabilities, labels=predictions.labels
            ),
        )

    def predictions(self) -> Predictions | None:
        """The test set's probabilities and labels; None where the run has none.

        Raises:
            RunError: the file is damaged.
        """
        path = self.path / "predictions.npz"
        try:
            with path.open("rb") as file, np.load(file) as arrays:
                return Predictions(arrays["probabilities"], arrays["labels"])
        except FileNotFoundError:
            return None
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise RunError(
                f"the run's predictions cannot be read. Received: {path} ({error}); "
                f"delete the file to go on without them."
            ) from error

    def save_novelty(self, rule: NoveltyRule) -> None:
        """Put the rule in place by which pictures of none of the classes are told."""
        write_whole(
            self._to_write("novelty.npz"), lambda new: np.savez_compressed(new, **vars(rule))
        )

    def novelty(self) -> NoveltyRule:
        """The rule by which pictures of none of the classes are told.

        Without one stored, the one that the predictions give; without those, one that believes
        every answer.

        Raises:
            RunError: a file is damaged.
        """
        path = self.path / "novelty.npz"
        try:
            with path.open("rb") as file, np.load(file) as arrays:
                return NoveltyRule(
                    least_share=float(arrays["least_share"]),
                    greatest_distance=float(arrays["greatest_distance"]),
                    centre=arrays["centre"],
                    whitening=arrays["whitening"],
                )
        except FileNotFoundError:
            predictions = self.predictions()
            return from_predictions(predictions) if predictions else NoveltyRule(least_share=0.0)
        except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise RunError(
                f"the run's rule for unknown pictures cannot be read. Received: {path} ({error}); "
                f"delete the file to go on with a simpler one."
            ) from error

    @property
    def notes(self) -> str:
        """Words of the user about this run."""
        try:
            return (self.path / "notes.md").read_text(encoding="utf-8")
        except OSError:
            return ""

    @notes.setter
    def notes(self, text: str) -> None:
        write_whole(self._to_write("notes.md"), lambda new: new.write_text(text, encoding="utf-8"))

    @property
    def mark(self) -> Mark:
        """The name and the star that the user gave it."""
        try:
            values = json.loads((self.path / "user.json").read_text(encoding="utf-8"))
            return Mark(str(values["name"]), bool(values["star"]))
        except (OSError, ValueError, KeyError, TypeError):
            return Mark()

    @mark.setter
    def mark(self, mark: Mark) -> None:
        write_json(self._to_write("user.json"), asdict(mark))

    def summary(self) -> Summary:
        """The run on one line.

        Raises:
            RunError: config.json cannot be read.
        """
        history = self._tail()
        state = self._state(history)
        if not state.is_live and history.offset < self.written()[0]:
            history = self._tail()  # the end was written since the first look
        last = history.epochs[-1] if history.epochs else None
        ended = history.states[-1] if history.states else None
        return Summary(
            run=self,
            state=state,
            config=self.config,
            environment=self.environment,
            epochs=last.epoch if last else 0,
            last=last,
            kept_epoch=ended.epoch if ended else None,
            train_accuracy=(ended.train_accuracy if ended else None)
            or (last.accuracy if last else None),
            test_loss=ended.test_loss if ended else None,
            test_accuracy=ended.test_accuracy if ended else None,
            seconds=ended.seconds if ended else None,
            message=ended.message if ended else "",
            mark=self.mark,
            notes=self.notes,
        )


class RunStore:
    """All runs below one folder, and after them those that ship with the project."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = (root or default_root()).resolve()
        self.reference_root = reference_root()
        self._ended: dict[str, tuple[tuple[int, ...], Summary]] = {}

    def create(self, config: TrainingConfig, name: str = "") -> Run:
        """A new run's folder with its config.json.

        Args:
            name: the run's name; by default the time and the preset.

        Raises:
            RunError: the name is taken or cannot be a folder's, or the folder can't be made.
        """
        base = name or f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{preset_of(config)}"
        if not _NAME.fullmatch(base):
            raise RunError(
                f"a run's name must be letters, digits, '.', '_' or '-', at most 100, and begin "
                f"with a letter or digit. Received: {base!r}."
            )
        for number in range(1, 1000):
            run = Run(self.root / (base if number == 1 else f"{base}-{number}"))
            try:
                run.path.mkdir(parents=True)
            except FileExistsError:
                if name:
                    raise RunError(
                        f"a run's name must be new. Received: {name}, which is in {self.root}."
                    ) from None
                continue
            except OSError as error:
                raise RunError(
                    f"the runs' folder must be writable. Received: {self.root} ({error}); "
                    f"name another one with --runs or CIFAR10_RUNS."
                ) from error
            run.config = config
            return run
        raise RunError(f"no free name is left. Received: {base}; name the run with --name.")

    def get(self, run_id: str) -> Run:
        """The run of this name.

        Raises:
            RunNotFound: there is none, or this can't be a run's name.
        """
        name = run_id.removeprefix(_REFERENCE)
        is_reference = name != run_id
        root = self.reference_root if is_reference else self.root
        if root and _NAME.fullmatch(name) and (root / name / "config.json").is_file():
            return Run(root / name, is_reference)
        raise RunNotFound(
            f"the run must be one of `python -m cifar_core runs`. "
            f"Received: {run_id}, which is not in {root}."
        )

    def runs(self) -> list[Run]:
        """Every run, newest first, and after them those that ship, by name."""
        own = [Run(path) for path in _folders(self.root)]
        own.sort(key=lambda run: (run.asked, run.id), reverse=True)
        return own + [Run(path, is_reference=True) for path in _folders(self.reference_root)]

    def summaries(self) -> list[Summary]:
        """Every run on one line, in the order of `runs`; one with damaged settings is left out.

        A run that has ended is read once, as long as its folder and its event log stay as they
        are.
        """
        found = []
        for run in self.runs():
            with contextlib.suppress(RunError):
                found.append(self._summary(run))
        return found

    def _summary(self, run: Run) -> Summary:
        written = run._touched()
        known = self._ended.get(run.id)
        if known and known[0] == written:
            return known[1]
        summary = run.summary()
        if not summary.state.is_live:
            self._ended[run.id] = (written, summary)
        return summary

    def delete(self, run: Run) -> None:
        """Remove a run and all that is in its folder.

        Raises:
            RunError: it is being trained, ships with the project, or cannot be removed.
        """
        settings = run._to_write("config.json")
        if run.state.is_live:
            raise RunError(
                f"a run is deleted once it has ended. Received: {run.id}, which is {run.state}; "
                f"stop it first."
            )
        try:
            with run.working():
                settings.unlink()  # first: half a run is none
            shutil.rmtree(run.path)
        except OSError as error:
            raise RunError(
                f"a run's folder must be writable to be deleted. Received: {run.path} ({error})."
            ) from error
        self._ended.pop(run.id, None)


def _folders(root: Path | None) -> list[Path]:
    """The runs' folders below a folder, by name."""
    return sorted(path.parent for path in root.glob("*/config.json")) if root else []
