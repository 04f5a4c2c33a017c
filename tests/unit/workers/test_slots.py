"""The line before the slots, with real processes."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cifar_core.config import TrainingConfig
from cifar_core.errors import ConfigError
from cifar_core.runs.run import Run
from cifar_core.runs.store import RunStore
from cifar_core.workers.slots import move_up, slot, slots, visible_gpus, waiting
from tests.conftest import ROOT
from tests.unit.users import ANNA, BERT, GROUP
from tests.unit.users import begin as begin_as
from tests.unit.users import says as says_as

# Waits for a slot, tells, and holds it until a line comes on standard input.
WORKER = """
import sys
from pathlib import Path
from cifar_core.runs.run import Run
from cifar_core.workers.slots import slot

class Left(Exception): pass

told = []
def wait(before):
    if before not in told:
        told.append(before)
        print("before", before, flush=True)
    if run.stop_requested():
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


def entries(store: RunStore) -> list[str]:
    """The line's files, by place, without the places."""
    found = sorted(path.name for path in (store.root / ".line").glob("* *"))
    return [name.split(" ", 1)[1] for name in found]


def eventually(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.fixture
def line_of_six(store: RunStore) -> Iterator[list[Run]]:
    """Six runs that wait behind one that trains, all of them this process's."""
    runs = [store.create(TrainingConfig(), f"run-{number}") for number in range(7)]
    with contextlib.ExitStack() as stack:
        for run in runs:
            stack.enter_context(run.working())
        stack.enter_context(slot(runs[0], lambda before: None))
        for run in runs[1:]:
            (store.root / ".line" / f"{run.asked():017.6f} {run.id}").touch()
        yield runs[1:]


def test_looking_at_the_line_changes_nothing(store: RunStore, begin) -> None:
    assert waiting(store.root) == []
    assert not store.root.exists()
    _, first = begin("first")
    assert line(first) == "slot 0"
    _, second = begin("second")
    assert line(second) == "before 0"
    second.kill()
    second.wait()
    files = sorted((store.root / ".line").iterdir())
    written = (store.root / ".line").stat().st_mtime_ns
    assert ids(store) == []
    assert sorted((store.root / ".line").iterdir()) == files
    assert (store.root / ".line").stat().st_mtime_ns == written
    assert entries(store) == ["second"]
    begin("third")
    eventually(lambda: entries(store) == ["third"])


# Prints how many files a run that waits opens and how often it reads the folder in four looks.
COUNT = """
import sys
from pathlib import Path
from cifar_core.runs.run import Run
from cifar_core.workers.slots import slot

seen = []
def wait(before):
    if not seen:
        sys.addaudithook(lambda event, _: seen.append(event))
    seen.append("look")
    if seen.count("look") == 5:
        print(before, seen.count("open"), seen.count("os.listdir") + seen.count("os.scandir"))
        raise SystemExit

run = Run(Path(sys.argv[1]))
with run.working(), slot(run, wait): pass
"""


def test_a_look_opens_one_file_however_long_the_line(
    store: RunStore, line_of_six: list[Run]
) -> None:
    run = store.create(TrainingConfig(), "last")
    command = [sys.executable, "-c", COUNT, str(run.path)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=60)
    before, opened, listed = map(int, done.stdout.split())
    assert before == 6
    assert opened == 4  # the lock of the first in line
    assert listed <= 1
    assert entries(store) == [run.id for run in line_of_six]


def test_runs_keep_their_places_while_several_move_them(
    store: RunStore, line_of_six: list[Run]
) -> None:
    places = sorted(path.name.split(" ")[0] for path in (store.root / ".line").glob("* *"))
    moves = random.Random(0).choices(line_of_six, k=120)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(move_up, moves))
    assert sorted(ids(store)) == [run.id for run in line_of_six]
    files = [path.name.split(" ")[0] for path in (store.root / ".line").glob("* *")]
    assert sorted(files) == places


def test_one_that_leaves_while_it_is_moved_is_gone(store: RunStore, line_of_six: list[Run]) -> None:
    class Left(Exception):
        pass

    def leave(before: int) -> None:
        raise Left

    run = store.create(TrainingConfig(), "last")
    with run.working(), ThreadPoolExecutor(1) as pool:
        for _ in range(20):
            moving = pool.submit(lambda: [move_up(run) for _ in range(10)])
            with pytest.raises(Left), slot(run, leave):
                pass
            moving.result()
            assert "last" not in entries(store)
    assert sorted(ids(store)) == [run.id for run in line_of_six]


@pytest.mark.parametrize("name", ["my best", "猫 2", "[a]*", "ein Lauf  mit Zwischenräumen"])
def test_names_with_blanks_and_letters_of_any_language(store: RunStore, begin, name: str) -> None:
    _, first = begin("first")
    assert line(first) == "slot 0"
    run = Run(store.root / name)
    run.path.mkdir()
    run.save_config(TrainingConfig())
    _, second = begin("", run)
    assert line(second) == "before 0"
    _, third = begin("third")
    assert line(third) == "before 1"
    assert ids(store) == [name, "third"]
    move_up(store.get("third"))
    assert ids(store) == ["third", name]
    run.request_stop()
    assert "left\n" in second.stdout
    assert ids(store) == entries(store) == ["third"]


def test_a_run_whose_folder_is_deleted_leaves_the_line(store: RunStore, begin) -> None:
    _, first = begin("first")
    assert line(first) == "slot 0"
    run, second = begin("second")
    assert line(second) == "before 0"
    _, third = begin("third")
    assert line(third) == "before 1"
    shutil.rmtree(run.path)
    assert ids(store) == ["third"]
    assert second.wait(timeout=30) == 1
    assert not run.path.exists()
    eventually(lambda: entries(store) == ["third"])
    finish(first)
    assert comes_to_train(third)


def test_a_run_whose_entry_is_taken_away_takes_its_place_again(store: RunStore, begin) -> None:
    _, first = begin("first")
    assert line(first) == "slot 0"
    _, second = begin("second")
    assert line(second) == "before 0"
    _, third = begin("third")
    assert line(third) == "before 1"
    for entry in (store.root / ".line").glob("* *"):
        entry.unlink()
    eventually(lambda: ids(store) == ["second", "third"])


def test_a_resumed_run_goes_to_the_end_of_the_line(store: RunStore, begin) -> None:
    _, first = begin("first")
    assert line(first) == "slot 0"
    run, second = begin("second")
    assert line(second) == "before 0"
    _, third = begin("third")
    assert line(third) == "before 1"
    second.kill()
    second.wait()
    run.save_config(run.config())  # as `prepare_resume` does
    begin("second", run)
    eventually(lambda: ids(store) == ["third", "second"])
    assert entries(store) == ["third", "second"]


# Makes a run and trains it until a line comes on standard input.
TRAIN = """
run = RunStore(path.parent).create(TrainingConfig(), path.name)
with run.working(), slot(run, lambda before: print("before", before, flush=True)) as number:
    print("slot", number, flush=True)
    sys.stdin.readline()
"""
UP = "move_up(Run(path)); print(*(run.id for run in waiting(path.parent)))"


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder of two people of one group; what they make in it is the group's."""
    folder = Path(tempfile.mkdtemp())  # pytest's own are private
    os.chown(folder, -1, GROUP)
    folder.chmod(0o2775)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def train(shared: Path) -> Iterator[Callable[..., Worker]]:
    """Starts a worker of one of them."""
    with contextlib.ExitStack() as stack:

        def start(name: str, user: int, umask: str) -> Worker:
            worker = begin_as(TRAIN, shared / name, user, umask)
            stack.callback(worker.communicate)
            stack.callback(worker.kill)
            return worker

        yield start


@pytest.mark.parametrize("umask", ["022", "002"])
def test_two_people_wait_in_one_line(shared: Path, train, umask: str) -> None:
    first = train("first", ANNA, umask)
    assert line(first) == "slot 0"
    second = train("second", BERT, umask)
    assert line(second) == "before 0"
    third = train("third", ANNA, umask)
    assert line(third) == "before 1"
    assert says_as(UP, shared / "third", BERT, umask) == "third second"
    third.kill()
    third.wait()
    first.kill()  # the slot's lock and the head of the line are the other one's
    first.wait()
    assert comes_to_train(second)
    third = train("fourth", ANNA, umask)
    assert line(third) == "before 0"


def test_two_people_with_private_runs_share_the_slot(shared: Path, train) -> None:
    first = train("first", ANNA, "077")
    assert line(first) == "slot 0"
    gone, second = train("gone", ANNA, "077"), train("second", BERT, "077")
    assert line(gone) == line(second) == "before 0"  # neither may look at the other
    gone.kill()
    gone.wait()
    finish(first)
    assert comes_to_train(second)


def test_a_line_that_cannot_be_written_is_told_in_one_sentence(shared: Path, train) -> None:
    code = """
try:
    with slot(Run(path), print): pass
except Exception as error:
    print(type(error).__name__, error)
"""
    (shared / "run").mkdir()
    (shared / "run" / "config.json").touch()
    (shared / ".line").write_text("")
    said = says_as(code, shared / "run", ANNA)
    assert said.startswith("RunError the line of waiting runs must be writable")
    assert len(said.splitlines()) == 1


A, B, C = "GPU-aa11", "GPU-ab22", "GPU-cc33"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (None, 3),
        ("", 0),
        ("-1", 0),
        ("0", 1),
        ("2,0", 2),
        (" 0 , 1 ", 2),
        ("0,1,2,3", 3),
        ("3,0", 0),
        ("0,-1,2", 1),
        ("1,x,2", 1),
        ("0,0", 0),
        ("GPU-c", 1),
        (f"{A},{B},{C}", 3),
        (f"{A},GPU-dd", 1),
        ("GPU-a,GPU-c", 0),  # which of two?
        ("NoDevFiles", 0),
    ],
)
def test_gpus_that_cuda_shows(given: str | None, shown: int) -> None:
    assert visible_gpus(given, [A, B, C]) == shown


@pytest.mark.parametrize("given", [None, "", "-1", "0", "0,1"])
def test_without_a_gpu_there_is_one_slot(
    given: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cifar_core.workers.slots._GPUS", Path("/nowhere"))
    if given is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    assert slots() == 1


def test_slots_are_the_gpus_that_cuda_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, uuid in enumerate((A, B, C)):
        (tmp_path / f"0000:0{number}:00.0").mkdir()
        path = tmp_path / f"0000:0{number}:00.0" / "information"
        path.write_text(f"Model: \t\t NVIDIA H100\nIRQ:   \t\t 18\nGPU UUID: \t {uuid}\n")
    monkeypatch.setattr("cifar_core.workers.slots._GPUS", tmp_path)
    assert slots() == 3
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", f"{C},0")
    assert slots() == 2
    monkeypatch.setenv("CIFAR10_SLOTS", "5")
    assert slots() == 5
