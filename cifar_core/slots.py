"""Who trains now and who waits: a slot for each GPU, one on a CPU, and a line before them.

    runs/.line/<place> <run>    a run that waits, an empty file; the smallest place is next
    runs/.line/slot-0.lock      held by the worker that trains in slot 0

Slots are OS locks and a waiting run counts only while its worker lives, so that a crash leaves
nothing behind that anyone would have to clear away.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

from filelock import FileLock, Timeout

from .errors import ConfigError
from .runs import Run

_LOOK_SECONDS = 0.25


def slots() -> int:
    """How many runs train at the same time: CIFAR10_SLOTS, else one a GPU, one on a CPU.

    Raises:
        ConfigError: CIFAR10_SLOTS is not a whole number from 1 to 64.
    """
    given = os.environ.get("CIFAR10_SLOTS")
    if not given:
        return max(1, len(list(Path("/proc/driver/nvidia/gpus").glob("*"))))
    if not given.isdecimal() or not 1 <= int(given) <= 64:
        raise ConfigError(
            f"CIFAR10_SLOTS must be a whole number from 1 to 64. Received: {given!r}."
        )
    return int(given)


def waiting(root: Path) -> list[Run]:
    """The runs that wait below this folder, the next one first."""
    return [run for _, run in _line(root)]


def move_up(run: Run) -> None:
    """Let a waiting run change places with the one before it; nothing where there is none."""
    line = _line(run.path.parent)
    for (ahead, other), (place, one) in pairwise(line):
        if one.id == run.id:
            with contextlib.suppress(FileNotFoundError):  # it has begun in the meantime
                _entry(place, one).rename(_entry(ahead, one))
                _entry(ahead, other).rename(_entry(place, other))
            return


@contextlib.contextmanager
def slot(run: Run, wait: Callable[[int], None]) -> Iterator[int]:
    """Wait in line and hold a slot.

    Args:
        run: whose worker this process is, its lock held.
        wait: called again and again with the number of runs before this one; may raise to leave
            the line.

    Yields:
        The slot's number, from 0.
    """
    count = slots()
    folder = run.path.parent / ".line"
    folder.mkdir(exist_ok=True)
    # Workers that are begun together come up in any order.
    _entry(f"{run.asked:017.6f}", run).touch()
    try:
        while True:
            line = [other.id for other in waiting(run.path.parent)]
            # An entry that is being moved can be missed by a look; it is there at the next one.
            before = line.index(run.id) if run.id in line else len(line)
            lock = _free_slot(folder, count) if before == 0 else None
            if lock:
                break
            wait(before)
            time.sleep(_LOOK_SECONDS)
    finally:
        for entry in folder.glob(f"* {run.id}"):
            entry.unlink(missing_ok=True)
    number, held = lock
    try:
        yield number
    finally:
        held.release()


def _free_slot(folder: Path, count: int) -> tuple[int, FileLock] | None:
    for number in range(count):
        lock = FileLock(folder / f"slot-{number}.lock")
        with contextlib.suppress(Timeout):
            lock.acquire(blocking=False)
            return number, lock
    return None


def _line(root: Path) -> list[tuple[str, Run]]:
    """Places and runs, in order; entries of workers that are gone are taken away."""
    found = []
    for entry in sorted((root / ".line").glob("* *")):
        place, name = entry.name.split(" ", 1)
        run = Run(root / name)
        if run.has_worker:
            found.append((place, run))
        else:
            entry.unlink(missing_ok=True)
    return found


def _entry(place: str, run: Run) -> Path:
    return run.path.parent / ".line" / f"{place} {run.id}"
