"""Locks that a process holds, and looks at them that leave no trace."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cifar_core.config import TrainingConfig
from cifar_core.errors import RunNotFound
from cifar_core.lock import hold, is_held
from cifar_core.runs.store import RunStore
from tests.unit.users import BERT, ME, begin, says

HOLD = "with hold(path): print('held', flush=True); sys.stdin.readline()"
LOOK = "print(is_held(path))"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other users may read and not write to; pytest's own are private."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    path.chmod(0o755)
    shutil.rmtree(path)


def contents(folder: Path) -> list[tuple[str, int, int]]:
    """Names, sizes and times of a folder and of all in it."""
    found = [folder, *sorted(folder.rglob("*"))]
    return [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in found]


def test_it_is_held_as_long_as_its_process_lives(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    for end in ("\n", None):
        worker = begin(HOLD, path, ME)
        assert worker.stdout.readline() == "held\n"
        assert is_held(path)
        with pytest.raises(TimeoutError), hold(path):
            pass
        if end is None:
            worker.kill()
        worker.communicate(end)
        assert not is_held(path)


def test_looking_makes_nothing(tmp_path: Path) -> None:
    before = contents(tmp_path)
    assert not is_held(tmp_path / "lock")
    assert not is_held(tmp_path / "gone" / "lock")
    assert contents(tmp_path) == before


def test_a_lock_of_somebody_else_in_a_folder_for_reading_only(folder: Path) -> None:
    path = folder / "lock"
    with hold(path):
        folder.chmod(0o555)
        before = contents(folder)
        assert says(LOOK, path, BERT) == "True"
    assert says(LOOK, path, BERT) == "False"
    path.chmod(0o000)
    says(LOOK, path, BERT)
    assert contents(folder) == before


def test_a_look_is_not_taken_for_a_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    with ThreadPoolExecutor(8) as pool:
        assert not any(pool.map(lambda _: is_held(path), range(2000)))


def test_a_worker_gets_its_lock_however_many_look(tmp_path: Path) -> None:
    path, over = tmp_path / "lock", threading.Event()
    path.touch()

    def look() -> None:
        while not over.is_set():
            is_held(path)

    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(look)
        try:
            for _ in range(20):
                with hold(path, timeout=30):
                    assert is_held(path)
        finally:
            over.set()


def test_a_deleted_run_stays_deleted(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(TrainingConfig(), "one")
    shutil.rmtree(run.path)
    assert not run.has_worker()
    with pytest.raises(RunNotFound, match="gone"), run.working():
        pass
    with pytest.raises(FileNotFoundError):
        hold(run.path / "lock")
    assert not list(tmp_path.iterdir())


def test_looking_at_a_run_changes_nothing(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(TrainingConfig(), "one")
    before = contents(tmp_path)
    assert not run.has_worker()
    assert run.state().is_live
    assert contents(tmp_path) == before
    with run.working():
        before = contents(tmp_path)
        assert run.has_worker()
    assert not run.has_worker()
    assert contents(tmp_path) == before
