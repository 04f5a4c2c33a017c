"""CIFAR-10 fetched by a process of its own: begun, followed and cancelled from any other."""

from __future__ import annotations

import math
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError, reason
from ..process import ERROR_PREFIX, begin
from . import download
from .cache import default_cache_dir
from .official import archive_path

_START_SECONDS = 5.0  # a process that has not said or locked anything by then is gone
_WINDOW = 10.0  # seconds over which the pace is taken


@dataclass(frozen=True)
class FetchState:
    """How fetching CIFAR-10 goes.

    Attributes:
        is_live: whether some process is at it, or just beginning.
        is_starting: it is only beginning, and cannot be cancelled yet.
        done, total: bytes of the archive.
        error: why the last try ended without it, '' where it did not or was cancelled.
    """

    is_live: bool
    is_starting: bool
    done: int
    total: int
    error: str


def start() -> None:
    """Begin to fetch CIFAR-10 in a process that outlives this one, unless one is at it.

    Raises:
        DataError: the cache folder cannot be written.
    """
    if state().is_live:
        return
    log = _log_path()
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
    except OSError as error:
        raise _not_writable(error) from error
    begin(["data", "--data", "official", "--json"], log)


def state() -> FetchState:
    """How fetching goes, whichever process began it."""
    done, is_live = download.status(archive_path(default_cache_dir()))
    words, age = "", math.inf
    with suppress(OSError):
        words = _log_path().read_text(encoding="utf-8", errors="replace").strip()
        age = time.time() - _log_path().stat().st_mtime
    is_starting = not is_live and not words and age < _START_SECONDS
    # A process that was killed leaves no words; what it fetched is kept.
    last = words.rpartition("\n")[2]
    error = last.removeprefix(ERROR_PREFIX) if last.startswith(ERROR_PREFIX) else ""
    if error == download.CANCELLED:
        error = ""
    return FetchState(is_live or is_starting, is_starting, done, download.SIZE, error)


def cancel() -> None:
    """End the download, whichever process is at it; `start` goes on from there.

    Raises:
        DataError: the cache folder cannot be written.
    """
    try:
        download.cancel(archive_path(default_cache_dir()))
    except OSError as error:
        raise _not_writable(error) from error


def _log_path() -> Path:
    return default_cache_dir() / "fetch.log"


def _not_writable(error: OSError) -> DataError:
    return DataError(
        f"the cache folder must be writable. Received: {default_cache_dir()} ({reason(error)}); "
        "name another one in CIFAR10_CACHE."
    )


class Pace:
    """How fast a download goes, from looks at it now and then."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int]] = deque()

    def look(self, done: int, now: float | None = None) -> float | None:
        """Bytes a second over the last ten seconds; None until that is known.

        Args:
            done: bytes so far.
            now: seconds on a clock of one's own. Default: time.monotonic().
        """
        now = time.monotonic() if now is None else now
        if self._looks and done < self._looks[-1][1]:
            self._looks.clear()  # it has begun again
        self._looks.append((now, done))
        while now - self._looks[0][0] > _WINDOW:
            self._looks.popleft()
        then, before = self._looks[0]
        return (done - before) / (now - then) if now - then >= 1 else None
