"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cifar_core.config import TrainingConfig
from cifar_core.files import write_json, write_whole
from cifar_core.runs.store import RunStore


@pytest.fixture(params=[0o022, 0o002, 0o077], ids="{:03o}".format)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_files_have_the_mode_that_the_umask_gives(umask: int, tmp_path: Path) -> None:
    path = tmp_path / "values.json"
    for values in ([1], [2]):
        write_json(path, values)
        assert mode(path) == 0o666 & ~umask


def test_a_run_can_be_read_by_whom_the_umask_lets(umask: int, tmp_path: Path) -> None:
    run = RunStore(tmp_path / "runs").create(TrainingConfig(), "one")
    run.save_notes("mine")
    write_whole(run.path / "table.npz", lambda new: np.savez_compressed(new, a=np.zeros(3)))
    assert {path.name: mode(path) for path in run.path.iterdir()} == dict.fromkeys(
        ("config.json", "notes.md", "table.npz"), 0o666 & ~umask
    )


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "values.json"
    write_json(path, [1])

    def fail(new: Path) -> None:
        new.write_text("[2")
        assert new.parent == path.parent
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        write_whole(path, fail)
    assert path.read_text() == "[\n 1\n]\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_in_a_folder_that_is_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_json(tmp_path / "gone" / "values.json", [])
    assert not list(tmp_path.iterdir())
