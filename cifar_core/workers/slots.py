"""Who trains now and who waits: a slot for each GPU, one on a CPU, and a line before them.

    runs/.line/<place> <run>    a run that waits, an empty file; the smallest place is next
    runs/.line/slot-0.lock      held by the worker that trains in slot 0
    runs/.line/change.lock      held by whoever changes the line, for that moment

Slots are OS locks and a waiting run counts only while its worker lives, so that a crash leaves
nothing behind that anyone would have to clear away. Whoever waits looks at the first one in line
and at no other, so that its look costs the same in a long line as in a short one.

The line is for all who may write to the folder of runs, whatever their umask.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise, takewhile
from pathlib import Path
from typing import NamedTuple

from ..errors import ConfigError, RunError, RunNotFound, reason
from ..lock import hold, is_held
from ..runs.run import Run

_LOOK_SECONDS = 1.0
_FIRST_LOOK_SECONDS = 0.25  # of the one whose turn is next
_READ_SECONDS = 10.0  # after which the line is read though its folder's time is the same
_CHANGE_SECONDS = 30.0
_GPUS = Path("/proc/driver/nvidia/gpus")


def slots() -> int:
    """How many runs train at the same time: CIFAR10_SLOTS, else one a GPU, one on a CPU.

    Raises:
        ConfigError: CIFAR10_SLOTS is not a whole number from 1 to 64.
    """
    given = os.environ.get("CIFAR10_SLOTS")
    if not given:
        texts = (path.read_text() for path in sorted(_GPUS.glob("*/information")))
        uuids = [found[0] if (found := re.findall(r"GPU-\S+", text)) else "" for text in texts]
        return max(1, visible_gpus(os.environ.get("CUDA_VISIBLE_DEVICES"), uuids))
    if not given.isdecimal() or not 1 <= int(given) <= 64:
        raise ConfigError(
            f"CIFAR10_SLOTS must be a whole number from 1 to 64. Received: {given!r}."
        )
    return int(given)


def visible_gpus(given: str | None, uuids: Sequence[str]) -> int:
    """How many GPUs CUDA shows to a program, as the driver reads CUDA_VISIBLE_DEVICES.

    An entry is a GPU's number or the beginning of its UUID. Entries count up to the first that
    names no GPU; one that names a GPU a second time hides them all.

    Args:
        given: the variable; None where it is not set, which shows all.
        uuids: of the machine's GPUs, 'GPU-...'.
    """
    if given is None:
        return len(uuids)
    shown: set[int] = set()
    for entry in map(str.strip, given.split(",")):
        if entry.startswith("GPU-"):
            named = [number for number, uuid in enumerate(uuids) if uuid.startswith(entry)]
        else:
            named = [int(entry)] if entry.isdecimal() and int(entry) < len(uuids) else []
        if len(named) != 1:
            break
        if named[0] in shown:
            return 0
        shown.add(named[0])
    return len(shown)


def waiting(root: Path) -> list[Run]:
    """The runs that wait below this folder, the next one first. Changes nothing."""
    return [run for run in in_line(root) if run.has_worker()]


def is_free(root: Path) -> bool:
    """Whether a run that is asked for now would train at once. Changes nothing.

    Raises:
        ConfigError: of `slots`.
    """
    line = _Line(root)
    return not waiting(root) and not all(map(line.is_taken, range(slots())))


def in_line(root: Path) -> list[Run]:
    """The runs in the line, in order; some of them may have lost their workers since."""
    return [Run(root / entry.name) for entry in _Line(root).entries()]


def move_up(run: Run) -> None:
    """Let a waiting run change places with the one before it; nothing where there is none.

    Raises:
        RunError: the line cannot be written.
    """
    line = _Line(run.path.parent)
    if not line.entries():
        return
    with line.changing():
        alive = [entry for entry in line.entries() if Run(line.root / entry.name).has_worker()]
        for ahead, own in pairwise(alive):
            if own.name == run.path.name:
                line.path(own).rename(line.path(own._replace(place=ahead.place)))
                line.path(ahead).rename(line.path(ahead._replace(place=own.place)))
                return


@contextlib.contextmanager
def slot(run: Run, wait: Callable[[int], None]) -> Iterator[int]:
    """Wait in line and hold a slot.

    Args:
        run: whose worker this process is, its lock held.
        wait: called about once a second with the number of runs before this one, while there is
            no free slot; may raise to leave the line.

    Yields:
        The slot's number, from 0.

    Raises:
        RunError: the line cannot be written.
        RunNotFound: the run's folder is gone.
    """
    count, line = slots(), _Line(run.path.parent)
    try:
        line.join(run)
        while True:
            before = line.before(run)
            free = line.free_slot(count) if before == 0 else None
            if free:
                break
            wait(before)
            time.sleep(_LOOK_SECONDS if before else _FIRST_LOOK_SECONDS)
    finally:
        line.leave(run)
    number, held = free
    with held:
        yield number


class _Entry(NamedTuple):
    """Attributes:
    place: when its run was asked for, or what it changed that for.
    name: its run's.
    """

    place: str
    name: str


class _Line:
    """The line below a folder of runs, as one process sees it.

    What is changed is changed under a lock: else one who is moved up while it leaves would stay.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folder = root / ".line"
        self._known: list[_Entry] = []
        self._written, self._read = -1, 0.0

    def path(self, entry: _Entry) -> Path:
        """The file of an entry."""
        return self._folder / " ".join(entry)

    def entries(self) -> list[_Entry]:
        """Who is in the line, in order; workers that are gone among them."""
        try:
            names = os.listdir(self._folder)  # noqa: PTH208 - half the time of a Path each
        except OSError:
            return []
        found = sorted(_Entry(*name.split(" ", 1)) for name in names if " " in name)
        # One that is moved while the folder is read may be met twice.
        return list({entry.name: entry for entry in found}.values())

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the lock of those who change the line."""
        with self._writing():
            self._folder.mkdir(exist_ok=True)
            mode = self._mode()
            if stat.S_IMODE(self._folder.stat().st_mode) != mode:
                with contextlib.suppress(PermissionError):  # another user made it
                    self._folder.chmod(mode)
            with self._hold("change.lock", _CHANGE_SECONDS):
                yield

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RunError(
                "the line of waiting runs must be writable for all who train here. "
                f"Received: {self._folder} ({reason(error)}); give them the right to write to it."
            ) from error

    def _mode(self) -> int:
        """Who may do what in the folder of runs; with a sticky bit none could move another up."""
        return stat.S_IMODE(self.root.stat().st_mode) & ~stat.S_ISVTX | stat.S_IRWXU

    def _hold(self, name: str, timeout: float) -> contextlib.AbstractContextManager[object]:
        return hold(self._folder / name, timeout, self._mode() & 0o666)

    def join(self, run: Run) -> None:
        """Put a run at the place of its asking: workers begun together come up in any order."""
        with self.changing():
            self._take_out(run)  # of an earlier worker
            self._put(run)

    def leave(self, run: Run) -> None:
        """Take a run out."""
        self._known = self.entries()
        if self._knows(run):
            with self.changing():
                self._take_out(run)

    def _put(self, run: Run) -> None:
        self.path(_Entry(f"{run.asked():017.6f}", run.path.name)).touch()

    def _take_out(self, run: Run) -> None:
        for entry in self.entries():
            if entry.name == run.path.name:
                self.path(entry).unlink(missing_ok=True)

    def before(self, run: Run) -> int:
        """How many are before a run; those at the head whose workers are gone are taken out."""
        if not run.path.is_dir():
            raise RunNotFound(
                f"a run that waits keeps its folder. Received: {run.id}, which is not in "
                f"{self.root}; start it again."
            )
        ahead = self._ahead(run)
        while ahead and not Run(self.root / ahead[0].name).has_worker():
            self._take_out_dead(ahead.pop(0))
        return len(ahead)

    def _ahead(self, run: Run) -> list[_Entry]:
        try:
            written = self._folder.stat().st_mtime_ns
        except OSError:
            written = -1
        if written != self._written or time.monotonic() - self._read > _READ_SECONDS:
            self._known = self.entries()
            if not self._knows(run):  # moved while the folder was read, or taken out by hand
                with self.changing():
                    self._known = self.entries()
                    if not self._knows(run):
                        self._put(run)
                        self._known = self.entries()
            self._written, self._read = written, time.monotonic()
        return list(takewhile(lambda entry: entry.name != run.path.name, self._known))

    def _knows(self, run: Run) -> bool:
        return any(entry.name == run.path.name for entry in self._known)

    def _take_out_dead(self, entry: _Entry) -> None:
        run = Run(self.root / entry.name)
        if run.path.exists() and not os.access(run.path, os.R_OK | os.X_OK):
            return  # another user's own: whether it has a worker cannot be known
        with self.changing():
            if not run.has_worker():  # it may have been resumed
                self.path(entry).unlink(missing_ok=True)

    def is_taken(self, number: int) -> bool:
        """Whether a run trains in this slot."""
        return is_held(self._folder / _slot_name(number))

    def free_slot(self, count: int) -> tuple[int, contextlib.AbstractContextManager[object]] | None:
        """Take the first slot that is free."""
        for number in range(count):
            if not self.is_taken(number):
                with self._writing(), contextlib.suppress(TimeoutError):
                    return number, self._hold(_slot_name(number), 0.0)
        return None


def _slot_name(number: int) -> str:
    return f"slot-{number}.lock"
