"""A file that a process holds as long as it lives, and a look at it that leaves no trace."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from pathlib import Path

from filelock import FileLock

_LOOK_APART = 0.003  # seconds between a look's tries where looks shut one another out


def hold(
    path: Path, timeout: float = 0.0, mode: int | None = None
) -> contextlib.AbstractContextManager[object]:
    """Take the lock, until the context or the process ends; the file stays.

    Args:
        path: the file; it is made where it is missing, its folder is not.
        timeout: seconds to go on trying; 0 is one try, which a look at the lock may spoil, and -1
            no limit.
        mode: what a file of one's own gets, whatever the umask; by default as the umask has it.

    Raises:
        TimeoutError: another process holds it.
        OSError: the file cannot be written, or its folder is gone.
    """
    if not path.parent.is_dir():  # filelock would make it
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))
    if mode is None:
        return FileLock(path).acquire(timeout=timeout, poll_interval=0.01)
    held = FileLock(path, mode=mode).acquire(timeout=timeout, poll_interval=0.01)
    with contextlib.suppress(PermissionError):
        path.chmod(mode)  # one that was there before
    return held


def is_held(path: Path) -> bool:
    """Whether some process holds the lock.

    Only reads: makes no file, needs no right to write, and never takes another look for a holder.
    Of a file that is not there or may not be read, nothing is known: False.
    """
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        return _is_locked(file)
    finally:
        os.close(file)


if sys.platform == "win32":
    import msvcrt

    def _is_locked(file: int) -> bool:
        for _ in range(10):  # there is no shared lock: it may be another look
            with contextlib.suppress(OSError):
                msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
                msvcrt.locking(file, msvcrt.LK_UNLCK, 1)
                return False
            time.sleep(_LOOK_APART)
        return True

else:
    import fcntl

    def _is_locked(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # closing the file lets go
        except BlockingIOError:
            return True
        except OSError:  # no such locks on this file system
            return False
        return False
