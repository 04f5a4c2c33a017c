"""A worker that waits for its run, as a real process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from cifar_core.config import TrainingConfig
from cifar_core.runs.events import RunState
from cifar_core.runs.store import RunStore
from cifar_core.runs.summary import Summary
from cifar_core.workers import warm
from cifar_core.workers.launch import resume, start
from cifar_core.workers.slots import slot
from cifar_core.workers.worker import execute
from tests.conftest import ROOT
from tests.processes import has_ended, wait_for, warm_workers, workers

CONFIG = TrainingConfig(epochs=2, dropout=0.3, deterministic=True)


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[warm.WarmWorker]:
    """Of a process that has begun none yet, and is allowed to."""
    monkeypatch.delenv("CIFAR10_WARM_WORKER")
    monkeypatch.setattr(warm, "worker", warm.WarmWorker())
    before = warm_workers(os.getpid())
    yield warm.worker
    warm.worker.end()
    for process in set(warm_workers(os.getpid())) - set(before):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def the_one(of: int = 0) -> int:
    """The warm worker that lives, of this process or of another one."""

    def alive() -> list[int]:
        return [one for one in warm_workers(of or os.getpid()) if not has_ended(one)]

    wait_for(lambda: bool(alive()))  # a moment after it was begun
    (process,) = alive()
    return process


@pytest.mark.slow
def test_a_run_is_what_it_is_with_a_worker_of_its_own(
    store: RunStore, worker: warm.WarmWorker, blobs_npz: Path
) -> None:
    worker.begin()
    process = the_one()
    run = start(store, CONFIG, str(blobs_npz))
    assert workers(run) == []
    assert has_ended(process, 180)
    assert [one.state for one in run.history().states] == ["starting", "running", "finished"]
    words = run.log_path.read_text().splitlines()
    assert words[0].startswith("--- a worker begins:")
    assert words[-1].startswith("finished after 2 epochs")
    other = store.create(CONFIG, "other")
    execute(other, str(blobs_npz))
    for one, same in zip(run.load_model().weights, other.load_model().weights, strict=True):
        np.testing.assert_array_equal(one, same)
    worker.begin()
    process = the_one()
    resume(run, epochs=3)
    assert has_ended(process, 180)
    assert (run.state(), Summary.of(run).epochs) == (RunState.FINISHED, 3)


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_it_is_stopped_as_any_worker(
    store: RunStore, worker: warm.WarmWorker, blobs_npz: Path, sign: int
) -> None:
    worker.begin()
    process = the_one()
    run = start(store, TrainingConfig(epochs=1000), str(blobs_npz))
    wait_for(lambda: bool(run.history().batches))
    os.kill(process, sign)
    assert has_ended(process, 180)
    assert run.state() is RunState.STOPPED
    assert run.has_model()


# Begins a worker, hands it a run where one is named, says so and goes on for good.
BEGIN = """
import sys
from pathlib import Path
from cifar_core.config import TrainingConfig
from cifar_core.runs.store import RunStore
from cifar_core.workers import launch, warm

warm.worker.begin()
if len(sys.argv) > 1:
    launch.start(RunStore(Path(sys.argv[1])), TrainingConfig(epochs=1), sys.argv[2])
print("begun", flush=True)
sys.stdin.read()
"""


def begun_and_killed(*arguments: str) -> int:
    """The worker of a process that was killed."""
    command = [sys.executable, "-c", BEGIN, *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdout
        assert killed.stdout.readline() == "begun\n"
        process = the_one(killed.pid)
        killed.kill()
    return process


@pytest.mark.slow
@pytest.mark.usefixtures("worker")
def test_it_ends_with_whoever_began_it() -> None:
    assert has_ended(begun_and_killed(), 60)


@pytest.mark.slow
@pytest.mark.usefixtures("worker")
def test_once_it_has_a_run_it_outlives_whoever_began_it(store: RunStore, blobs_npz: Path) -> None:
    assert has_ended(begun_and_killed(str(store.root), str(blobs_npz)), 180)
    (run,) = store.runs()
    assert run.state() is RunState.FINISHED


@pytest.mark.slow
def test_it_ends_when_nobody_asked_for_it_in_a_while(worker: warm.WarmWorker) -> None:
    worker.begin(0.5)
    assert has_ended(the_one(), 60)


def test_one_waits_at_a_time(worker: warm.WarmWorker) -> None:
    worker.begin()
    process = the_one()
    worker.begin()
    assert the_one() == process


def test_a_run_begins_without_it_where_it_has_died(
    store: RunStore, worker: warm.WarmWorker
) -> None:
    worker.begin()
    process = the_one()
    os.kill(process, signal.SIGKILL)
    assert has_ended(process, 60)
    run = start(store, CONFIG, "synthetic")
    wait_for(run.has_worker)
    assert len(workers(run)) == 1


def test_a_death_before_it_could_begin_is_told(store: RunStore, worker: warm.WarmWorker) -> None:
    worker.begin()
    process = the_one()
    os.kill(process, signal.SIGSTOP)
    run = start(store, CONFIG, "synthetic")
    os.kill(process, signal.SIGKILL)
    wait_for(lambda: not run.state().is_live)
    assert "before it could begin" in Summary.of(run).message


@pytest.mark.slow
def test_a_changed_environment_is_that_of_the_run(
    store: RunStore, worker: warm.WarmWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.begin()
    process = the_one()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    run = start(store, CONFIG, "synthetic")
    wait_for(run.has_worker)
    assert len(workers(run)) == 1
    worker.begin()
    assert has_ended(process, 60)
    assert the_one() != process


def test_a_run_waits_in_line_without_tensorflow(store: RunStore, worker: warm.WarmWorker) -> None:
    worker.begin()
    first = store.create(CONFIG, "first")
    with first.working(), slot(first, lambda before: None):
        run = start(store, CONFIG, "synthetic")
        wait_for(lambda: run.state() is RunState.QUEUED)
        assert len(workers(run)) == 1
        assert not has_ended(the_one())
        run.request_stop()
        wait_for(lambda: run.state() is RunState.STOPPED)


@pytest.mark.parametrize("word", ["0", "off"])
def test_it_can_be_switched_off(
    worker: warm.WarmWorker, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setenv("CIFAR10_WARM_WORKER", word)
    before = warm_workers(os.getpid())
    worker.begin()
    assert warm_workers(os.getpid()) == before
