"""CIFAR-10 fetched by processes of their own, from mirrors on this machine."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cifar_core.data import download, fetch, load_data
from cifar_core.data.fetch import Pace
from cifar_core.errors import DataError
from tests.conftest import ROOT
from tests.mirrors import (
    Gate,
    Handler,
    Mirror,
    SmallCifar10,
    login_page,
    make_small_cifar10,
    missing,
    serving,
    whole,
    wrong_bytes,
)

MirrorOf = Callable[[Callable[[Handler], None]], Mirror]


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallCifar10:
    """The small archive for this process and those it starts, and empty caches."""
    small = make_small_cifar10(tmp_path)
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name, value in small.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CIFAR10_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(download, "SIZE", len(small.content))
    monkeypatch.setattr(download, "SHA256", small.sha256)
    return small


@pytest.fixture
def mirror(small: SmallCifar10, monkeypatch: pytest.MonkeyPatch) -> Iterator[MirrorOf]:
    """Makes the one mirror that is asked."""
    with contextlib.ExitStack() as stack:

        def make(answer: Callable[[Handler], None]) -> Mirror:
            made = stack.enter_context(serving(small.content, answer))
            monkeypatch.setenv("CIFAR10_MIRRORS", made.url)
            return made

        yield make


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The processes that `fetch.start` has begun."""
    processes: list[subprocess.Popen[bytes]] = []
    begin = fetch.begin
    monkeypatch.setattr(fetch, "begin", lambda *given: processes.append(begin(*given)))
    yield processes
    for process in processes:
        process.kill()
        process.wait()


def wait_for_half(process: subprocess.Popen[bytes]) -> int:
    """Bytes that are there once half of the archive is."""
    deadline = time.monotonic() + 60
    while (state := fetch.state()).done < state.total // 2:
        assert time.monotonic() < deadline
        with contextlib.suppress(subprocess.TimeoutExpired):
            pytest.fail(f"ended with {process.wait(0.05)}")
    return state.done


def test_a_process_fetches_it(mirror: MirrorOf, small: SmallCifar10, begun: list) -> None:
    server = mirror(whole)
    assert not fetch.state().is_live
    fetch.start()
    assert fetch.state().is_live, "from the first moment on"
    assert begun[0].wait(60) == 0
    assert fetch.state().error == ""
    data = load_data("official")
    assert (data.source.name, len(data.x_train)) == ("CIFAR-10", 5 * small.images)
    assert server.ranges == [None]


def test_one_at_a_time(mirror: MirrorOf, begun: list) -> None:
    gate = Gate()
    server = mirror(gate)
    fetch.start()
    fetch.start()
    wait_for_half(begun[0])
    fetch.start()
    assert len(begun) == 1
    command = [sys.executable, "-m", "cifar_core", "data", "--data", "official", "--json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as other:
        gate.open()
        answer, _ = other.communicate(timeout=60)
    assert json.loads(answer)["source"]["name"] == "CIFAR-10"
    assert begun[0].wait(60) == 0
    assert server.ranges == [None]


def test_cancelled_it_goes_on_when_asked_again(mirror: MirrorOf, begun: list) -> None:
    mirror(Gate())
    fetch.start()
    half = wait_for_half(begun[0])
    assert not fetch.state().is_starting
    asked = time.monotonic()
    fetch.cancel()
    assert begun[0].wait(60) == 2
    assert time.monotonic() - asked < 3
    state = fetch.state()
    assert (state.is_live, state.done, state.error) == (False, half, "")

    server = mirror(whole)
    fetch.start()
    assert begun[1].wait(60) == 0
    assert server.ranges == [f"bytes={half}-"]
    assert len(load_data("official").x_test) > 0


def test_killed_it_goes_on_when_asked_again(mirror: MirrorOf, begun: list) -> None:
    mirror(Gate())
    fetch.start()
    half = wait_for_half(begun[0])
    begun[0].kill()
    begun[0].wait()
    state = fetch.state()
    assert (state.done, state.error) == (half, "")

    server = mirror(whole)
    (fetch.default_cache_dir() / "fetch.log").unlink()  # or wait until it is known to be dead
    fetch.start()
    assert begun[1].wait(60) == 0
    assert server.ranges == [f"bytes={half}-"]


@pytest.mark.parametrize(
    ("bad", "told"), [(missing, "404"), (login_page, "offers None"), (wrong_bytes, "other bytes")]
)
def test_the_last_error_in_one_sentence(
    bad: Callable[[Handler], None], told: str, mirror: MirrorOf, begun: list
) -> None:
    mirror(bad)
    fetch.start()
    assert begun[0].wait(60) == 2
    state = fetch.state()
    assert not state.is_live
    assert told in state.error
    assert "\n" not in state.error
    assert "Try again later" in state.error


def test_a_cache_that_cannot_be_written(
    small: SmallCifar10, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("CIFAR10_CACHE", str(tmp_path / "file" / "cache"))
    assert not fetch.state().is_live
    for act in (fetch.start, fetch.cancel):
        with pytest.raises(DataError, match="CIFAR10_CACHE"):
            act()


def test_pace() -> None:
    pace = Pace()
    assert pace.look(0, now=0.0) is None
    assert pace.look(500, now=0.5) is None, "too soon to say"
    assert pace.look(2000, now=2.0) == 1000
    for second in range(3, 30):
        rate = pace.look(2000 + 100 * (second - 2), now=float(second))
    assert rate == pytest.approx(100), "what was before the last ten seconds is forgotten"
    assert pace.look(0, now=31.0) is None, "begun anew"
    assert pace.look(50, now=33.0) == 25
    assert pace.look(60, now=99.0) is None, "nobody looked for a while"
