"""The line before the slots, with real processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from cifar_core.config import TrainingConfig
from cifar_core.errors import ConfigError
from cifar_core.runs import Run, RunStore
from cifar_core.slots import move_up, slots, waiting
from tests.conftest import ROOT

# Waits for a slot, tells, and holds it until a line comes on standard input.
WORKER = """
import sys
from pathlib import Path
from cifar_core.runs import Run
from cifar_core.slots import slot

class Left(Exception): pass

told = []
def wait(before):
    if before not in told:
        told.append(before)
        print("before", before, flush=True)
    if run.stop_requested:
        raise Left

run = Run(Path(sys.argv[1]))
with run.working():
    try:
        with slot(run, wait) as number:
            print("slot", number, flush=True)
            sys.stdin.readline()
    except Left:
        print("left", flush=True)
"""

Worker = subprocess.Popen[str]


@pytest.fixture
def begin(store: RunStore) -> Iterator[Callable[..., tuple[Run, Worker]]]:
    """Starts a worker for a run, by default a new one of this name."""
    begun: list[Worker] = []

    def start(name: str, run: Run | None = None) -> tuple[Run, Worker]:
        run = run or store.create(TrainingConfig(), name)
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(run.path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        begun.append(worker)
        return run, worker

    yield start
    for worker in begun:
        worker.kill()
        worker.communicate()


def line(worker: Worker) -> str:
    return worker.stdout.readline().strip()


def comes_to_train(worker: Worker) -> bool:
    return any(told == "slot 0\n" for told in worker.stdout)


def finish(worker: Worker) -> None:
    worker.communicate("\n", timeout=30)
    assert worker.returncode == 0


def ids(store: RunStore) -> list[str]:
    return [run.id for run in waiting(store.root)]


def test_one_trains_and_the_others_follow_in_order(store: RunStore, begin) -> None:
    _, first = begin("first")
    assert line(first) == "slot 0"
    _, second = begin("second")
    assert line(second) == "before 0"
    _, third = begin("third")
    assert line(third) == "before 1"
    assert ids(store) == ["second", "third"]
    finish(first)
    assert line(second) == "slot 0"
    assert line(third) == "before 0"
    finish(second)
    assert line(third) == "slot 0"
    assert ids(store) == []


def test_the_line_is_in_the_order_of_asking(store: RunStore, begin) -> None:
    _, first = begin("first")
    assert line(first) == "slot 0"
    early = store.create(TrainingConfig(), "early")
    _, late = begin("late")
    assert line(late) == "before 0"
    _, worker = begin("early", early)
    assert line(worker) == "before 0"
    assert ids(store) == ["early", "late"]
    finish(first)
    assert line(worker) == "slot 0"


def test_a_run_can_be_moved_up_and_cancelled(store: RunStore, begin) -> None:
    _, first = begin("first")
    assert line(first) == "slot 0"
    workers = {}
    for number, name in enumerate(("second", "third", "fourth")):
        run, workers[name] = begin(name)
        assert line(workers[name]) == f"before {number}"
    move_up(run)
    assert ids(store) == ["second", "fourth", "third"]
    move_up(run)
    move_up(run)
    assert ids(store) == ["fourth", "second", "third"]
    store.get("second").request_stop()
    assert line(workers["second"]) in ("before 1", "left")
    workers["second"].wait(timeout=30)
    assert ids(store) == ["fourth", "third"]
    finish(first)
    assert comes_to_train(workers["fourth"])


def test_a_crash_frees_the_slot_and_the_line(store: RunStore, begin) -> None:
    _, first = begin("first")
    assert line(first) == "slot 0"
    _, second = begin("second")
    assert line(second) == "before 0"
    _, third = begin("third")
    assert line(third) == "before 1"
    second.kill()
    second.wait()
    assert ids(store) == ["third"]
    first.kill()
    first.wait()
    assert comes_to_train(third)


def test_more_slots(store: RunStore, begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIFAR10_SLOTS", "2")
    assert [line(begin(name)[1]) for name in ("one", "two")] == ["slot 0", "slot 1"]
    assert line(begin("three")[1]) == "before 0"


@pytest.mark.parametrize("given", ["0", "65", "-1", "two", "1.5"])
def test_a_wrong_number_of_slots_is_told(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIFAR10_SLOTS", given)
    with pytest.raises(ConfigError, match="CIFAR10_SLOTS"):
        slots()
