"""All runs below one folder, and those that ship with the project."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from ..config import TrainingConfig, preset_of
from ..errors import RunError, RunNotFound, RunNotWritable
from . import names
from .events import RunState
from .run import REFERENCE, Run, not_writable
from .summary import Summary

SHIPPED = Path(__file__).resolve().parents[2] / "reference_runs"

_RACY_SECONDS = 0.1  # a file that changes this soon after another may bear the same time


def default_root() -> Path:
    """The folder of runs: CIFAR10_RUNS, else 'runs' in the working folder."""
    return Path(os.environ.get("CIFAR10_RUNS") or "runs").resolve()


def reference_root() -> Path | None:
    """The folder of runs that ship: CIFAR10_REFERENCE_RUNS ('' for none), else the project's."""
    given = os.environ.get("CIFAR10_REFERENCE_RUNS", str(SHIPPED))
    return Path(given).resolve() if given else None


@dataclass(frozen=True)
class Unreadable:
    """A run's folder that cannot be read, and why.

    Attributes:
        id: the folder's name.
        reason: one sentence.
    """

    id: str
    reason: str


@dataclass(frozen=True)
class Listing:
    """All runs at one moment.

    Attributes:
        summaries: newest first, and after them those that ship, by name.
        unreadable: those whose settings cannot be read.
    """

    summaries: tuple[Summary, ...]
    unreadable: tuple[Unreadable, ...]

    @cached_property
    def by_id(self) -> dict[str, Summary]:
        """The summaries by their run's name."""
        return {one.run.id: one for one in self.summaries}

    @cached_property
    def live(self) -> dict[str, RunState]:
        """The states of those that live."""
        return {one.run.id: one.state for one in self.summaries if one.state.is_live}


class RunStore:
    """All runs below one folder, and after them those that ship with the project."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = (root or default_root()).resolve()
        self.reference_root = reference_root()
        self._known: dict[Path, tuple[tuple[int, ...], Summary]] = {}
        self._runs: dict[tuple[bool, str], Run] = {}
        self._listed = Listing((), ())
        self._looking = threading.Lock()

    def check_name(self, name: str) -> str:
        """A new run's name in the form in which it is kept.

        Raises:
            RunError: it is taken or cannot be a folder's.
        """
        name = names.checked(name)
        if _folder(self.root, name):
            raise RunError(f"a run's name must be new. Received: {name}, which is in {self.root}.")
        return name

    def create(self, config: TrainingConfig, name: str = "", data: str = "") -> Run:
        """A new run's folder with its config.json.

        Args:
            config: the settings.
            name: the run's name; by default the local time and the preset.
            data: the images asked for, in the form `load_data` takes; '' where that is not known.

        Raises:
            RunError: the name is taken or cannot be a folder's, or the folder can't be made.
        """
        usual = f"{datetime.now():%Y%m%d-%H%M%S}-{preset_of(config)}"
        base = self.check_name(name) if name else usual
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunNotWritable(not_writable(self.root, error)) from error
        for number in range(1, 1000):
            run = Run(self.root / (base if number == 1 else f"{base}-{number}"))
            try:
                if _folder(self.root, run.path.name):
                    raise FileExistsError
                run.path.mkdir()
            except FileExistsError:
                if name:  # another process was quicker
                    self.check_name(name)
                continue
            except OSError as error:
                raise RunNotWritable(not_writable(self.root, error)) from error
            try:
                run.save_config(config)
                if data:
                    run.save_environment({"spec": data})
            except RunError:
                shutil.rmtree(run.path, ignore_errors=True)
                raise
            return run
        raise RunError(f"no free name is left. Received: {base}; name the run with --name.")

    def get(self, run_id: str) -> Run:
        """The run of this name.

        Raises:
            RunNotFound: there is none, or this can't be a run's name.
        """
        name = run_id.removeprefix(REFERENCE)
        is_reference = name != run_id
        root = self.reference_root if is_reference else self.root
        if root and (folder := _folder(root, name)):
            run = Run(folder, is_reference)
            if run.settings_path.is_file():
                return run
        raise RunNotFound(
            f"the run must be one of `python -m cifar_core runs`. "
            f"Received: {run_id}, which is not in {root}."
        )

    def runs(self) -> list[Run]:
        """Every run, newest first, and after them those that ship, by name."""
        with self._looking:
            own, shipped = self._found()
        own.sort(key=lambda run: (run.asked(), run.id), reverse=True)
        return own + shipped

    def look(self) -> Listing:
        """Every run on one line. Changes nothing on disk, and no run's fault hides another.

        A run is read again only when its folder or its status has changed. Where nothing is new,
        the listing is the one that was given before. Safe to be called by several threads.
        """
        with self._looking:
            runs, shipped = self._found()
            own, unreadable = self._read(runs)
            own.sort(key=lambda one: (one.run.asked(one.status), one.run.id), reverse=True)
            theirs, more = self._read(shipped)
            found = Listing((*own, *theirs), (*unreadable, *more))
            same = found.unreadable == self._listed.unreadable and (
                [*map(id, found.summaries)] == [*map(id, self._listed.summaries)]
            )
            if not same:
                self._listed = found
            return self._listed

    def summaries(self) -> list[Summary]:
        """Every run on one line, in the order of `runs`; one that cannot be read is left out."""
        return list(self.look().summaries)

    def _found(self) -> tuple[list[Run], list[Run]]:
        """One's own runs and those that ship, by name; what was found before is used again."""
        known, self._runs = self._runs, {}
        for root, is_reference in ((self.root, False), (self.reference_root, True)):
            if root is None:
                continue
            for name in _names(root):
                key = is_reference, name
                run = known.get(key) or Run(root / name, is_reference)
                if _is_run(run):
                    self._runs[key] = run
        own = [run for run in self._runs.values() if not run.is_reference]
        return own, [run for run in self._runs.values() if run.is_reference]

    def _read(self, runs: list[Run]) -> tuple[list[Summary], list[Unreadable]]:
        found, unreadable = [], []
        for run in runs:
            if (shown := _shown(run.id)) != run.id:
                unreadable.append(Unreadable(shown, "the folder's name is not UTF-8; rename it."))
                continue
            try:
                found.append(self._summary(run))
            except RunNotFound:
                continue  # deleted since the folder was listed
            except RunError as error:
                unreadable.append(Unreadable(run.id, str(error)))
        return found, unreadable

    def _summary(self, run: Run) -> Summary:
        touched = run.touched()
        known = self._known.get(run.path)
        summary = known[1].refreshed() if known and known[0] == touched else Summary.of(run)
        is_racy = abs(time.time_ns() - max(touched[2::3], default=0)) < _RACY_SECONDS * 1e9
        self._known[run.path] = (() if is_racy else touched), summary
        return summary

    def delete(self, run: Run) -> None:
        """Remove a run and all that is in its folder.

        Raises:
            RunNotFound: it is gone already.
            RunError: it is being trained, ships with the project, or cannot be removed.
        """
        run.delete()
        self._known.pop(run.path, None)


def _names(root: Path) -> list[str]:
    """What lies in a folder, sorted; nothing where it is not there yet or may not be read."""
    try:
        with os.scandir(root) as entries:
            return sorted(entry.name for entry in entries)
    except OSError:
        return []


def _is_run(run: Run) -> bool:
    """Whether a folder is a run's; one that may not be looked into is, too."""
    try:
        return run.settings_path.exists()
    except PermissionError:
        return True
    except OSError:
        return False


def _folder(root: Path, name: str) -> Path | None:
    """The folder of this name, however its letters are composed; None where there is none."""
    if Path(name).name != name:  # '', '..', a path
        return None
    wanted = names.normal(name)
    with contextlib.suppress(OSError):  # too long a name; no such folder, or not to be read
        if (root / name).is_dir():
            return root / name
        for path in root.iterdir():
            if names.normal(path.name) == wanted and path.is_dir():
                return path
    return None


def _shown(name: str) -> str:
    """A folder's name for people, where it is no UTF-8, too."""
    return name.encode(errors="surrogateescape").decode(errors="replace")
