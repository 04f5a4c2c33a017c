"""The on-disk form of a run. Nothing outside this module touches a run's files.

    runs/20261124-073431-tutorial-dropout/
        config.json        TrainingConfig
        environment.json   the images asked for; once it trains, versions, device, times, images
        events.jsonl       what happened, one event a line, only ever appended to
        status.json        what that comes to: state, epochs, test figures; lists read it alone
        model.keras        the network that predicts
        checkpoint.keras   the network of the last whole epoch, optimiser state included
        predictions.npz    its probabilities and losses on the test set, and the labels
        novelty.npz        how pictures of none of its classes are recognised
        notes.md           words of the user
        worker.log         what the worker printed
        lock               held by the worker as long as it lives
        stop               there when the run was asked to stop
        rate               a learning rate that the worker is asked to take on
        best.keras         with early stopping: the network of the best epoch so far
        user.json          the name and the star that the user gave it

Every file but events.jsonl and worker.log appears whole or not at all.

Runs that ship with the project lie below reference_runs/ in the same form. They are named
reference/NAME and only ever read, so that a folder that cannot be written to will do. Looking at
any other run changes nothing on disk either. They and older runs have no status.json: what it
would hold is read from the log.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from zipfile import BadZipFile

import numpy as np

from .. import lock
from ..config import TrainingConfig
from ..errors import ConfigError, RunError, RunNotFound, RunNotWritable, reason
from ..files import write_json, write_whole
from ..network.out_of_distribution import NoveltyRule, from_predictions
from ..network.predict import Predictions
from . import names
from .batches import Batches
from .events import EpochEvent, Event, RateEvent, RunState, StateEvent, from_lines, to_line
from .history import History
from .status import Status

if TYPE_CHECKING:
    import keras

Arrays = TypeVar("Arrays", Predictions, NoveltyRule)

REFERENCE = "reference/"
"""Before the names of runs that ship."""

_START_SECONDS = 60.0  # a worker that holds no lock after this long never came up
_BLOCK = 2**22  # bytes read at a time
_HEAD_BYTES = 200  # of a log; they hold the time of its first event
_ENVIRONMENT: dict[str, type | tuple[type, ...]] = {
    "spec": str,
    "data": dict,
    "classes": list,
    "train_images": int,
    "test_images": int,
    "started": (int, float),
    "zone": str,
    "device": str,
}
"""What others read of environment.json, and of which kind it is."""
_WORKER_BEGINS = "--- a worker begins:"


@dataclass(frozen=True)
class Mark:
    """What the user put on a run to find it again: a name beside its own, and a star."""

    name: str = ""
    star: bool = False


class Run:
    """One run's folder.

    Args:
        path: the folder.
        is_reference: it ships with the project; whatever would change it raises RunError.

    Attributes:
        settings_path: where the settings lie; a folder without them is no run.
        model_path: where the network lies once it is saved.
        checkpoint_path: where the state lies from which training can go on.
        best_path: where the network of the best epoch lies while early stopping is on.
        log_path: where the worker's own output goes.
    """

    def __init__(self, path: Path, is_reference: bool = False) -> None:
        self.path = path
        self.is_reference = is_reference
        name = names.normal(path.name)
        self.id = f"{REFERENCE}{name}" if is_reference else name
        self.settings_path = path / "config.json"
        self.model_path = path / "model.keras"
        self.checkpoint_path = path / "checkpoint.keras"
        self.best_path = path / "best.keras"
        self.log_path = path / "worker.log"
        self._watched = path / "status.json", path / "events.jsonl", path / "notes.md"
        self._told = History.thinned()

    def __repr__(self) -> str:
        return f"Run({self.id!r})"

    def _to_write(self, name: str) -> Path:
        """Where a file lies that is about to be changed."""
        if self.is_reference:
            raise RunError(
                f"a run that ships with the project is for reading only. Received: {self.id}; "
                f"train one of your own with its settings."
            )
        if not self.path.is_dir():
            raise self.gone()
        return self.path / name

    def gone(self) -> RunNotFound:
        """The error of a run whose folder is there no more."""
        return RunNotFound(f"this run is gone: {self.id}. It was deleted or moved; choose another.")

    @contextlib.contextmanager
    def _writing(self, name: str) -> Iterator[Path]:
        """Where a file lies that is changed inside; an OSError becomes one sentence.

        Raises:
            RunError: the run ships, is gone, or its folder cannot be written.
        """
        path = self._to_write(name)
        try:
            yield path
        except OSError as error:
            if not self.path.is_dir():
                raise self.gone() from error
            raise RunNotWritable(not_writable(path, error)) from error

    def _write_json(self, name: str, values: Any) -> None:
        with self._writing(name) as path:
            write_json(path, values)

    def _write(self, name: str, write: Callable[[Path], object]) -> None:
        with self._writing(name) as path:
            write_whole(path, write)

    def _read_json(self, name: str, kind: type, problems: list[str] | None) -> Any:
        """What a file holds; an empty `kind` where it is not there or, with a word, damaged."""
        try:
            values = json.loads((self.path / name).read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            return kind()
        except (OSError, ValueError) as error:
            _tell(problems, f"{name} cannot be read ({reason(error)})")
            return kind()
        if not isinstance(values, kind):
            _tell(problems, f"{name} cannot be read (it holds no {kind.__name__})")
            return kind()
        return values

    def _read_arrays(
        self, name: str, kind: type[Arrays], what: str, otherwise: str
    ) -> Arrays | None:
        """What a file holds as arrays, by the names of its fields; None where it is not there.

        Arrays of other names, of a later version perhaps, are left aside.
        """
        path, names = self.path / name, {spec.name for spec in fields(kind)}
        try:
            with path.open("rb") as file, np.load(file) as arrays:
                found = {key: arrays[key] for key in names.intersection(arrays)}
                return kind(**{key: one if one.ndim else one.item() for key, one in found.items()})
        except FileNotFoundError:
            return None
        except (OSError, EOFError, ValueError, TypeError, AttributeError, BadZipFile) as error:
            raise RunError(
                f"the run's {what} cannot be read. Received: {path} ({reason(error)}); delete the "
                f"file to go on {otherwise}."
            ) from error

    def config(self) -> TrainingConfig:
        """What the run was asked to do.

        Raises:
            RunError: config.json cannot be read.
            RunNotFound: the run is gone.
        """
        path = self.settings_path
        try:
            return TrainingConfig.from_json(json.loads(path.read_text(encoding="utf-8-sig")))
        except FileNotFoundError as error:
            raise self.gone() from error
        except (OSError, ValueError, TypeError, AttributeError, ConfigError) as error:
            raise RunError(
                f"the run's settings cannot be read. Received: {path} ({reason(error)}); delete "
                "the run's folder or correct the file."
            ) from error

    def save_config(self, config: TrainingConfig) -> None:
        """Put the settings in place."""
        self._write_json("config.json", config.to_json())

    def environment(self, problems: list[str] | None = None) -> dict[str, Any]:
        """Versions, device, data; the images asked for alone until the worker has them.

        Empty where it is not there or damaged; values of another kind than theirs are left out.

        Args:
            problems: what cannot be read is added to it, a sentence each.
        """
        values = self._read_json("environment.json", dict, problems)
        odd = [
            name
            for name, kind in _ENVIRONMENT.items()
            if name in values and not isinstance(values[name], kind)
        ]
        for name in odd:
            del values[name]
        if odd:
            named = ", ".join(odd)
            _tell(problems, f"environment.json cannot be read ({named}: not of the right kind)")
        return values

    def save_environment(self, values: dict[str, Any]) -> None:
        """Put versions, device and data in place."""
        self._write_json("environment.json", values)

    def class_names(self, environment: dict[str, Any] | None = None) -> tuple[str, ...]:
        """Names of the classes the network tells apart, in label order.

        Numbers where environment.json is lost and predictions say how many there are; else none.

        Args:
            environment: the run's, where that has been read already.
        """
        known = self.environment() if environment is None else environment
        if found := tuple(map(str, known.get("classes", ()))):
            return found
        with contextlib.suppress(RunError):
            if (predictions := self.predictions()) is not None:
                return tuple(map(str, range(predictions.probabilities.shape[1])))
        return ()

    # Events

    def append(self, event: Event) -> None:
        """Write one event at the end of the log, in one system call, so that lines stay whole.

        What it changes of the run's status is written as well. A torn line before it is ended.

        Raises:
            RunNotWritable, RunNotFound: the folder cannot be written or is gone.
        """
        line = to_line(event).encode()
        with self._writing("events.jsonl") as path, path.open("ab+", buffering=0) as file:
            if end := file.seek(0, os.SEEK_END):
                file.seek(end - 1)
                line = line if file.read(1) == b"\n" else b"\n" + line
            file.write(line)
        if isinstance(event, StateEvent | EpochEvent | RateEvent):
            self._told = self.follow(self._told)
            self._write_json("status.json", Status.of(self._told).to_json())

    def follow(self, history: History) -> History:
        """Add to `history` what was written since; a torn last line waits for the next call.

        Args:
            history: what was read so far; it is changed.

        Returns:
            `history`, or a new one where another log lies in the place of that it was read from.
        """
        quick = history.batches.thinned
        try:
            with (self.path / "events.jsonl").open("rb") as file:
                head = file.read(_HEAD_BYTES)
                if not head.startswith(history.head):
                    history = History(Batches(thinned=quick))
                history.head = head
                file.seek(history.offset)
                while lines := file.read(_BLOCK) + file.readline():
                    whole = lines[: lines.rfind(b"\n") + 1]
                    for event in from_lines(whole, quick):
                        history.add(event)
                    history.offset += len(whole)
                    if len(whole) < len(lines):
                        break
        except FileNotFoundError:
            return History(Batches(thinned=quick))
        except OSError:
            pass
        return history

    def history(self) -> History:
        """All events so far."""
        return self.follow(History())

    def silent(self) -> float:
        """Seconds since the log was last written; 0 where it was not, or where clocks disagree."""
        try:
            return max(0.0, time.time() - (self.path / "events.jsonl").stat().st_mtime)
        except OSError:
            return 0.0

    def touched(self) -> tuple[int, ...]:
        """Numbers that change with whatever a summary shows; an editor may write into notes.md."""
        status, events, notes = self._watched
        return _stamp(self.path) + (_stamp(status) or _stamp(events)) + _stamp(notes)

    def delete(self) -> None:
        """Remove the folder and all that is in it.

        Raises:
            RunNotFound: it is gone already.
            RunError: it is being trained, ships with the project, or cannot be removed.
        """
        settings = self._to_write("config.json")
        if self.state().is_live:
            raise RunError(
                f"a run is deleted once it has ended. Received: {self.id}, which is "
                f"{self.state()}; stop it first."
            )
        try:
            with self.working():
                settings.unlink(missing_ok=True)  # first: half a run is none
            shutil.rmtree(self.path)
        except FileNotFoundError:
            pass  # another process was quicker
        except OSError as error:
            raise RunError(
                f"a run's folder must be writable to be deleted. Received: {self.path} "
                f"({reason(error)})."
            ) from error

    # State

    def status(self) -> Status:
        """Where the run stands, as its worker wrote it or, of an older run, as its log says."""
        try:
            values = json.loads((self.path / "status.json").read_text(encoding="utf-8"))
            return Status.from_json(values)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return self._status_of_log()

    def _status_of_log(self) -> Status:
        return Status.of(self.follow(History.thinned()))

    def state(self) -> RunState:
        """Where the run stands, believing the OS's lock more than what was written."""
        return self.now(self.status())[0]

    def now(self, status: Status) -> tuple[RunState, Status]:
        """Where the run stands now, and its status, which may have changed since it was read."""
        if self.is_reference:
            return RunState.FINISHED, status
        if not status.state.is_live:
            return status.state, status
        if self.has_worker():
            return (RunState.STOPPING if self.stop_requested() else status.state), status
        # The worker may have ended, lock and all, since the status was read, or within its write.
        status = self._status_of_log()
        if not status.state.is_live:
            return status.state, status
        asked = self.asked(status)
        # A clock that was set back is no reason to wait for long.
        if status.state is RunState.STARTING and abs(time.time() - asked) < _START_SECONDS:
            return RunState.STARTING, status
        if status.result and not status.went_on:
            tried = StateEvent(state=RunState.INTERRUPTED, message=self._last_words(status))
            return status.result.state, replace(status, tried=tried)
        return RunState.INTERRUPTED, replace(status, message=self._last_words(status))

    def _last_words(self, status: Status) -> str:
        """What a worker printed last that died before it could write."""
        if status.state is not RunState.STARTING:
            return ""
        return self.last_words()

    def last_words(self) -> str:
        """The last line of what the latest worker printed, '' where it printed nothing."""
        try:
            printed = self.log_path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        *before, latest = printed.split(_WORKER_BEGINS)
        lines = latest.splitlines()[1 if before else 0 :]
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def begin_log(self) -> None:
        """Part what a worker is about to print from what others have printed before.

        Raises:
            RunNotWritable, RunNotFound: the folder cannot be written or is gone.
        """
        with self._writing(self.log_path.name) as path, path.open("a", encoding="utf-8") as file:
            file.write(f"{_WORKER_BEGINS} {datetime.now():%Y-%m-%d %H:%M:%S}\n")

    def asked(self, status: Status | None = None) -> float:
        """When the run was last asked for, seconds since 1970; else when it was made.

        Args:
            status: the run's, where that has been read already.
        """
        known = self.status() if status is None else status
        if known.asked is not None:
            return known.asked
        try:
            return self.settings_path.stat().st_mtime
        except OSError:
            return 0.0

    def has_worker(self) -> bool:
        """Whether a worker lives."""
        return not self.is_reference and lock.is_held(self.path / "lock")

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Hold the run's lock: what makes this process its one worker.

        Raises:
            RunError: another worker has it, or the folder cannot be written or is gone.
        """
        with self._writing("lock") as path:
            try:
                held = lock.hold(path, timeout=5)  # a reader's look is over sooner
            except TimeoutError:
                raise RunError(
                    f"one worker a run. Received: {self.id}, which is being trained already."
                ) from None
        with held:
            yield

    def request_stop(self) -> None:
        """Ask the worker to end after the step it is at and to save everything.

        Raises:
            RunNotWritable, RunNotFound: the folder cannot be written or is gone.
        """
        with self._writing("stop") as path:
            path.touch()

    def withdraw_stop(self) -> None:
        """Forget that the run was asked to stop."""
        with self._writing("stop") as path:
            path.unlink(missing_ok=True)

    def stop_requested(self) -> bool:
        """Whether the run was asked to stop."""
        return (self.path / "stop").exists()

    def request_rate(self, learning_rate: float) -> None:
        """Ask the worker to go on with another highest learning rate.

        Raises:
            RunNotWritable, RunNotFound: the folder cannot be written or is gone.
        """
        self._write_json("rate", learning_rate)

    def take_rate(self) -> float | None:
        """The learning rate that was asked for since the last call, if any."""
        taken = self.path / "rate.taken"
        try:
            (self.path / "rate").replace(taken)  # one that is asked for from now on is another
            value = json.loads(taken.read_text(encoding="utf-8"))
            taken.unlink()
        except (OSError, ValueError):
            return None
        return value if isinstance(value, float) else None

    # What a run leaves

    def has_model(self) -> bool:
        """Whether there is a network to predict with."""
        return self.model_path.exists()

    def load_model(self) -> keras.Model:
        """The network that the run saved.

        Only for runs of our own store: a model file can carry code.

        Raises:
            RunError: the run has saved none yet, or the file is damaged.
        """
        if not self.has_model():
            raise RunError(
                f"a network is saved when a run ends. Received: {self.id}, which is "
                f"{self.state()}; choose a run that is finished or stopped."
            )
        import keras

        try:
            return keras.models.load_model(self.model_path, compile=False)
        except Exception as error:  # Keras raises whatever the damage leads to
            raise RunError(
                f"the run's network cannot be read. Received: {self.model_path} "
                f"({type(error).__name__}); train it again."
            ) from error

    def saved(self) -> tuple[int, ...]:
        """Numbers that change whenever a network is saved; none where it has none yet.

        Raises:
            RunNotFound: the run is gone.
        """
        if not self.path.is_dir():
            raise self.gone()
        return _stamp(self.model_path)

    def save_model(self, model: keras.Model) -> None:
        """Put the network in place, without the optimiser's state."""
        self._save_network("model.keras", model)

    def save_checkpoint(self, model: keras.Model) -> None:
        """Put the network and the optimiser's state in place."""
        self._write("checkpoint.keras", lambda new: model.save(new))

    def save_best(self, model: keras.Model) -> None:
        """Put the network of the best epoch so far in place."""
        self._save_network("best.keras", model)

    def _save_network(self, name: str, model: keras.Model) -> None:
        # Keras 3 writes the optimiser's state, twice as large as Adam's network, whatever
        # `include_optimizer` says; a network that was never compiled has none.
        network = type(model).from_config(model.get_config())
        network.set_weights(model.get_weights())
        self._write(name, lambda new: network.save(new))

    def save_predictions(self, predictions: Predictions) -> None:
        """Put the test set's probabilities, labels and losses in place."""
        arrays = {name: array for name, array in vars(predictions).items() if array is not None}
        self._write("predictions.npz", lambda new: np.savez_compressed(new, **arrays))

    def predictions(self) -> Predictions | None:
        """The test set's probabilities, labels and losses; None where the run has none.

        Raises:
            RunError: the file is damaged.
        """
        return self._read_arrays("predictions.npz", Predictions, "predictions", "without them")

    def save_novelty(self, rule: NoveltyRule) -> None:
        """Put the rule in place by which pictures of none of the classes are recognised."""
        self._write("novelty.npz", lambda new: np.savez_compressed(new, **vars(rule)))

    def novelty(self) -> NoveltyRule:
        """The rule by which pictures of none of the classes are recognised.

        Without one stored, the one that the predictions give; without those, one that believes
        every answer.

        Raises:
            RunError: a file is damaged.
        """
        what, otherwise = "rule for unknown pictures", "with a simpler one"
        if rule := self._read_arrays("novelty.npz", NoveltyRule, what, otherwise):
            return rule
        predictions = self.predictions()
        return from_predictions(predictions) if predictions else NoveltyRule(least_share=0.0)

    def notes(self, problems: list[str] | None = None) -> str:
        """Words of the user about this run; of a file that is no UTF-8, what can be read.

        Args:
            problems: as of `environment`.
        """
        try:
            written = (self.path / "notes.md").read_bytes()
        except FileNotFoundError:
            return ""
        except OSError as error:
            _tell(problems, f"notes.md cannot be read ({reason(error)})")
            return ""
        try:
            return written.decode("utf-8-sig")
        except UnicodeDecodeError:
            _tell(problems, "notes.md is not UTF-8")
            return written.decode(errors="replace")

    def save_notes(self, text: str) -> None:
        """Put the user's words in place."""
        self._write("notes.md", lambda new: new.write_text(text, encoding="utf-8"))

    def mark(self, problems: list[str] | None = None) -> Mark:
        """The name and the star that the user gave it.

        Args:
            problems: as of `environment`.
        """
        values = self._read_json("user.json", dict, problems)
        return Mark(str(values.get("name", "")), bool(values.get("star", False)))

    def save_mark(self, mark: Mark) -> None:
        """Put the user's name and star in place."""
        self._write_json("user.json", asdict(mark))


def _tell(problems: list[str] | None, problem: str) -> None:
    if problems is not None:
        problems.append(problem)


def _stamp(path: Path) -> tuple[int, ...]:
    """Numbers that change with a file or folder; none where it is not there."""
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_ino, status.st_size, status.st_mtime_ns


def not_writable(path: Path, error: OSError) -> str:
    """What `RunNotWritable` says of a path below the runs' folder, or of that."""
    return (
        f"the runs' folder must be writable. Received: {path} ({reason(error)}); give yourself "
        "the right to write there or free some space, or name another folder with --runs or "
        "CIFAR10_RUNS."
    )
