"""Downloading, from real servers on this machine that misbehave in real ways."""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from cifar_core.data import download as module
from cifar_core.data.download import CANCELLED, MIRRORS, cancel, download, status
from cifar_core.errors import DownloadCancelled, DownloadError
from tests.conftest import ROOT
from tests.mirrors import Gate, Handler, Mirror, login_page, missing, serving, whole, wrong_bytes

CONTENT = np.random.default_rng(0).bytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


Serve = Callable[[Callable[[Handler], None]], Mirror]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with contextlib.ExitStack() as stack:
        yield lambda answer: stack.enter_context(serving(CONTENT, answer))


@pytest.fixture(autouse=True)
def short_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE", 0.05)
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


def fetch(tmp_path: Path, *servers: Mirror | str, **options: object) -> Path:
    mirrors = [server if isinstance(server, str) else server.url for server in servers]
    settings = {"mirrors": mirrors, "sha256": SHA256, "size": len(CONTENT), "timeout": 5.0}
    return download(tmp_path / "a.tar.gz", **(settings | options))


def refused(tmp_path: Path, *servers: Mirror | str, **options: object) -> str:
    with pytest.raises(DownloadError) as caught:
        fetch(tmp_path, *servers, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert not (tmp_path / "a.tar.gz").exists()
    return message


def no_ranges(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(CONTENT)))
    handler.end_headers()
    handler.wfile.write(CONTENT)


def breaks_off(handler: Handler) -> None:
    first = handler.start()
    handler.wfile.write(CONTENT[first : first + 100_000])


def hangs(handler: Handler) -> None:
    time.sleep(3)


def hangs_half_way(handler: Handler) -> None:
    first = handler.start()
    handler.wfile.write(CONTENT[first : first + 100_000])
    handler.wfile.flush()
    time.sleep(3)


def drips(handler: Handler) -> None:
    first = handler.start()
    for place in range(first, len(CONTENT), 10_000):
        handler.wfile.write(CONTENT[place : place + 10_000])
        time.sleep(0.05)


def hangs_up(handler: Handler) -> None:
    handler.connection.close()


def test_whole(serve: Serve, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    path = fetch(tmp_path, serve(whole), progress=lambda *call: told.append(call))
    assert path == tmp_path / "a.tar.gz"
    assert path.read_bytes() == CONTENT
    assert told[-1] == ("download", len(CONTENT), len(CONTENT))
    assert not (tmp_path / "a.tar.gz.part").exists()


def test_the_folder_is_made(serve: Serve, tmp_path: Path) -> None:
    assert fetch(tmp_path / "new" / "folder", serve(whole)).read_bytes() == CONTENT


def test_what_is_there_is_not_fetched_again(serve: Serve, tmp_path: Path) -> None:
    server = serve(whole)
    fetch(tmp_path, server)
    fetch(tmp_path, server)
    assert len(server.ranges) == 1


def test_a_damaged_archive_is_replaced(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(b"damaged")
    assert fetch(tmp_path, serve(whole)).read_bytes() == CONTENT


def test_a_broken_connection_goes_on_where_it_was(serve: Serve, tmp_path: Path) -> None:
    server = serve(breaks_off)
    assert fetch(tmp_path, server).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=100000-", "bytes=200000-"]


def test_another_mirror_goes_on_where_the_first_broke_off(serve: Serve, tmp_path: Path) -> None:
    first, second = serve(breaks_off), serve(whole)
    assert fetch(tmp_path, first, second).read_bytes() == CONTENT
    assert second.ranges == ["bytes=100000-"]


def test_another_start_of_the_program_goes_on(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz.part").write_bytes(CONTENT[:123])
    server = serve(whole)
    assert fetch(tmp_path, server).read_bytes() == CONTENT
    assert server.ranges == ["bytes=123-"]


def test_a_part_that_is_whole_needs_no_network(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz.part").write_bytes(CONTENT)
    assert fetch(tmp_path, "http://127.0.0.1:9/x").read_bytes() == CONTENT


def test_a_server_without_ranges_sends_all_anew(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz.part").write_bytes(b"something older")
    assert fetch(tmp_path, serve(no_ranges)).read_bytes() == CONTENT


@pytest.mark.parametrize("length", [1000, len(CONTENT), len(CONTENT) + 5])
def test_a_wrong_part_is_thrown_away(serve: Serve, tmp_path: Path, length: int) -> None:
    (tmp_path / "a.tar.gz.part").write_bytes(b"y" * length)
    assert fetch(tmp_path, serve(whole)).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (missing, "404"),
        (login_page, "offers"),
        (wrong_bytes, "other bytes"),
        (hangs, "timed out"),
        (hangs_half_way, "timed out"),
        (hangs_up, ""),
    ],
)
def test_a_bad_mirror(
    bad: Callable[[Handler], None], told: str, serve: Serve, tmp_path: Path
) -> None:
    """Alone, it is told; before a good one, it does no harm."""
    if bad is not hangs_half_way:  # which comes on from round to round
        message = refused(tmp_path, serve(bad), timeout=0.8)
        assert told in message
        assert "127.0.0.1" in message
        assert "--data synthetic" in message
        assert "CIFAR10_DATA" in message
    assert fetch(tmp_path, serve(bad), serve(whole), timeout=0.8).read_bytes() == CONTENT


def test_no_part_of_wrong_bytes_stays(serve: Serve, tmp_path: Path) -> None:
    refused(tmp_path, serve(wrong_bytes))
    assert not (tmp_path / "a.tar.gz.part").exists()


def test_nobody_listens(tmp_path: Path) -> None:
    started = time.monotonic()
    assert "refused" in refused(tmp_path, "http://127.0.0.1:9/x")
    assert time.monotonic() - started < 5


def test_no_such_host(tmp_path: Path) -> None:
    assert "no.such.host.invalid" in refused(tmp_path, "http://no.such.host.invalid/x")


def test_a_slow_mirror_is_left_for_the_next(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SLOW", 1e9)
    monkeypatch.setattr(module, "_SLOW_AFTER", 0.2)
    slow, quick = serve(drips), serve(whole)
    assert fetch(tmp_path, slow, quick).read_bytes() == CONTENT
    assert quick.ranges[0] is not None  # and what the slow one gave is not lost


def test_a_slow_mirror_is_better_than_none(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SLOW", 1e9)
    monkeypatch.setattr(module, "_SLOW_AFTER", 0.2)
    assert fetch(tmp_path, serve(drips), serve(missing)).read_bytes() == CONTENT


def test_too_little_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 5, 5_000_000))
    message = refused(tmp_path, "http://127.0.0.1:9/x")
    assert "5 MB free" in message
    assert "CIFAR10_CACHE" in message


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DownloadError, match="CIFAR10_CACHE"):
        fetch(tmp_path / "file", "http://127.0.0.1:9/x")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no /dev/full")
def test_a_disk_that_becomes_full(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz.part").symlink_to("/dev/full")
    message = refused(tmp_path, serve(whole))
    assert "No space left" in message
    assert "CIFAR10_CACHE" in message


def test_stopped_by_its_caller_it_goes_on_later(serve: Serve, tmp_path: Path) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(tmp_path, serve(drips), progress=stop)
    server = serve(whole)
    assert fetch(tmp_path, server).read_bytes() == CONTENT
    assert server.ranges[0] is not None


FETCHER = """
import sys
from pathlib import Path
from cifar_core.data.download import download
url, sha256, size, target = sys.argv[1:]
download(Path(target), mirrors=[url], sha256=sha256, size=int(size),
         progress=lambda *call: print(*call, flush=True))
"""


@contextlib.contextmanager
def two_fetchers(server: Mirror, target: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Two processes, one of which downloads and the other one waits; both have told progress."""
    arguments = [server.url, SHA256, str(len(CONTENT)), str(target)]
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", FETCHER, *arguments],
                    cwd=ROOT,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(2)
        ]
        for process in processes:  # the one that waits tells of the other's progress
            stack.callback(process.kill)
            assert process.stdout is not None
            assert process.stdout.readline().startswith("download ")
        yield processes


def test_two_processes_fetch_it_once(serve: Serve, tmp_path: Path) -> None:
    gate = Gate()
    server = serve(gate)
    with two_fetchers(server, tmp_path / "a.tar.gz") as processes:
        gate.open()
        for process in processes:
            process.communicate(timeout=60)
            assert process.returncode == 0
    assert (tmp_path / "a.tar.gz").read_bytes() == CONTENT
    assert server.ranges == [None]


def test_a_cancel_ends_them_all(serve: Serve, tmp_path: Path) -> None:
    server, target = serve(Gate()), tmp_path / "a.tar.gz"
    with two_fetchers(server, target) as processes:
        assert status(target)[1]
        cancel(target)
        for process in processes:
            _, words = process.communicate(timeout=10)
            assert CANCELLED in words
    assert status(target) == ((tmp_path / "a.tar.gz.part").stat().st_size, False)
    assert server.ranges == [None]


def test_cancelled_while_the_mirror_is_silent_it_goes_on_later(
    serve: Serve, tmp_path: Path
) -> None:
    target = tmp_path / "a.tar.gz"
    cancel(target)  # one left over does not count
    started = time.monotonic()
    with pytest.raises(DownloadCancelled, match="where it stopped"):
        fetch(tmp_path, serve(Gate()), timeout=30.0, progress=lambda *_: cancel(target))
    assert time.monotonic() - started < 3
    have = (tmp_path / "a.tar.gz.part").stat().st_size
    assert 0 < have <= len(CONTENT) / 2
    server = serve(whole)
    assert fetch(tmp_path, server).read_bytes() == CONTENT
    assert server.ranges == [f"bytes={have}-"]


def test_cancelled_between_rounds(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAUSE", 60.0)

    def cancels(handler: Handler) -> None:
        missing(handler)
        cancel(tmp_path / "a.tar.gz")

    with pytest.raises(DownloadCancelled):
        fetch(tmp_path, serve(cancels))


def test_looking_is_not_taken_for_a_download_and_leaves_no_trace(tmp_path: Path) -> None:
    assert status(tmp_path / "gone" / "a.tar.gz") == (0, False)
    (tmp_path / ".a.tar.gz.lock").touch()  # of a download that has ended
    with ThreadPoolExecutor(8) as pool:
        looks = pool.map(lambda _: status(tmp_path / "a.tar.gz"), range(400))
    assert set(looks) == {(0, False)}
    assert [path.name for path in tmp_path.iterdir()] == [".a.tar.gz.lock"]


def test_the_environment_names_other_mirrors(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = serve(missing), serve(whole)
    monkeypatch.setenv("CIFAR10_MIRRORS", f"nonsense {first.url}  {second.url}")
    assert fetch(tmp_path, mirrors=None).read_bytes() == CONTENT
    assert first.ranges == second.ranges == [None]


def test_mirrors_are_many_and_encrypted() -> None:
    assert len(MIRRORS) > 1
    assert all(url.startswith("https://") for url in MIRRORS)
