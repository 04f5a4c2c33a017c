"""The cache of decoded images: quick, shared by processes, and never in the way."""

import json
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cifar_core.data import cache
from cifar_core.data.cache import default_cache_dir, fingerprint_files, open_or_build
from cifar_core.data.dataset import Dataset, Source
from cifar_core.errors import DataFormatError

ROOT = Path(__file__).resolve().parents[3]


def small(value: int = 7) -> Dataset:
    return Dataset(
        x_train=np.full((4, 32, 32, 3), value, np.uint8),
        y_train=np.array([0, 1, 0, 1], np.uint8),
        x_test=np.full((2, 32, 32, 3), value, np.uint8),
        y_test=np.array([0, 1], np.uint8),
        class_names=("cat", "dög"),
        source=Source("zip", "pets", "/some/pets.zip", "sha256:0", 3),
    )


def never() -> Dataset:
    raise AssertionError("built although it was in the cache")


def folders(cache_dir: Path) -> list[Path]:
    return [path for path in cache_dir.iterdir() if path.is_dir()]


def test_what_was_built_is_opened_from_then_on(tmp_path: Path) -> None:
    for build in (small, never):
        data = open_or_build("/some/pets.zip", "1", build, tmp_path)
        assert type(data.x_train) is np.ndarray
        assert data.x_train.dtype == data.y_train.dtype == np.uint8
        assert data.x_train.shape == (4, 32, 32, 3)
        assert (data.x_train == 7).all()
        assert data.y_train.tolist() == [0, 1, 0, 1]
        assert data.class_names == ("cat", "dög")
        assert data.source == small().source
        with pytest.raises(ValueError, match="read-only"):
            data.x_train[0] = 0


def test_arrays_are_mapped_not_read(tmp_path: Path) -> None:
    data = open_or_build("pets", "1", small, tmp_path)
    assert isinstance(data.x_train.base, np.memmap)


def test_only_the_new_fingerprint_is_kept(tmp_path: Path) -> None:
    old = open_or_build("pets", "1", small, tmp_path)
    new = open_or_build("pets", "2", lambda: small(9), tmp_path)
    open_or_build("others", "1", small, tmp_path)
    assert len(folders(tmp_path)) == 2
    assert (new.x_train == 9).all()
    if os.name == "posix":
        assert (old.x_train == 7).all()  # still mapped, though its name is gone


def test_another_version_of_the_decoding_builds_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_or_build("pets", "1", small, tmp_path)
    monkeypatch.setattr(cache, "_VERSION", cache._VERSION + 1)
    assert (open_or_build("pets", "1", lambda: small(9), tmp_path).x_train == 9).all()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def nonsense(path: Path) -> None:
    path.write_text("no such thing")


@pytest.mark.parametrize("name", ["x_train.npy", "y_test.npy", "meta.json"])
@pytest.mark.parametrize("damage", [Path.unlink, empty, cut, nonsense])
def test_a_damaged_cache_is_built_anew(
    damage: Callable[[Path], None], name: str, tmp_path: Path
) -> None:
    open_or_build("pets", "1", small, tmp_path)
    damage(folders(tmp_path)[0] / name)
    assert (open_or_build("pets", "1", lambda: small(9), tmp_path).x_train == 9).all()
    open_or_build("pets", "1", never, tmp_path)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("x_train", np.zeros((3, 32, 32, 3), np.uint8)),
        ("x_train", np.zeros((4, 32, 32, 3), np.float32)),
        ("y_train", np.array([0, 1, 2, 0], np.uint8)),
        ("y_test", np.zeros((0,), np.uint8)),
    ],
)
def test_arrays_that_do_not_fit_are_built_anew(
    name: str, array: np.ndarray, tmp_path: Path
) -> None:
    open_or_build("pets", "1", small, tmp_path)
    np.save(folders(tmp_path)[0] / f"{name}.npy", array)
    assert (open_or_build("pets", "1", lambda: small(9), tmp_path).x_train == 9).all()


@pytest.mark.parametrize("meta", [[], {}, {"class_names": [], "source": {}}, {"source": 3}])
def test_meta_of_another_form_is_built_anew(meta: object, tmp_path: Path) -> None:
    open_or_build("pets", "1", small, tmp_path)
    (folders(tmp_path)[0] / "meta.json").write_text(json.dumps(meta))
    assert (open_or_build("pets", "1", lambda: small(9), tmp_path).x_train == 9).all()


def test_what_build_raises_comes_through_and_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> Dataset:
        raise DataFormatError("broken")

    for _ in range(2):  # the lock is free again
        with pytest.raises(DataFormatError, match="broken"):
            open_or_build("pets", "1", fail, tmp_path)
    assert folders(tmp_path) == []


def test_a_cache_that_cannot_be_made_is_done_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    with caplog.at_level(logging.WARNING):
        data = open_or_build("pets", "1", small, tmp_path / "file" / "cache")
    assert (data.x_train == 7).all()
    assert not data.x_train.flags.writeable
    assert "cannot be written" in caplog.text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no /dev/full")
def test_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The arrays' writing meets a real 'no space left'; the training goes on from memory."""
    save = np.save

    def save_to_full(file: object, array: np.ndarray, **options: object) -> None:
        with Path("/dev/full").open("wb", buffering=0) as full:
            save(full, array, **options)

    monkeypatch.setattr(np, "save", save_to_full)
    with caplog.at_level(logging.WARNING):
        data = open_or_build("pets", "1", small, tmp_path)
    assert (data.x_train == 7).all()
    assert "No space left" in caplog.text or "requested and 0 written" in caplog.text
    assert folders(tmp_path) == []


def test_what_a_killed_process_left_is_cleared(tmp_path: Path) -> None:
    open_or_build("pets", "1", small, tmp_path)
    whole = folders(tmp_path)[0]
    name = whole.name.rpartition("-")[0]
    whole.rename(tmp_path / f".{name}-12345.part")
    open_or_build("pets", "1", small, tmp_path)
    assert [path.name for path in folders(tmp_path)] == [whole.name]


BUILDER = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_cache import small
from cifar_core.data.cache import open_or_build

here = Path(sys.argv[1])
def build():
    with (here / "builds").open("a") as file:
        file.write("built\\n")
    (here / "building").touch()
    time.sleep(float(sys.argv[3]))
    return small()
print(open_or_build("pets", "1", build, here / "cache").x_train.sum())
"""


def start_builder(tmp_path: Path, seconds: float) -> subprocess.Popen[str]:
    arguments = [str(tmp_path), str(Path(__file__).parent), str(seconds)]
    return subprocess.Popen(
        [sys.executable, "-c", BUILDER, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def test_two_processes_build_it_once(tmp_path: Path) -> None:
    processes = [start_builder(tmp_path, 1.0) for _ in range(2)]
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert outputs == [f"{small().x_train.sum()}\n"] * 2
    assert (tmp_path / "builds").read_text() == "built\n"


def test_a_builder_that_is_killed_blocks_nobody(tmp_path: Path) -> None:
    with start_builder(tmp_path, 60.0) as process:
        until = time.monotonic() + 60
        while not (tmp_path / "building").exists() and time.monotonic() < until:
            time.sleep(0.02)
        process.kill()
    assert (tmp_path / "building").exists()
    open_or_build("pets", "1", small, tmp_path / "cache")
    open_or_build("pets", "1", never, tmp_path / "cache")


def test_fingerprint_tells_names_sizes_and_times(tmp_path: Path) -> None:
    def fingerprint() -> str:
        return fingerprint_files((path.name, path.stat()) for path in tmp_path.iterdir())

    (tmp_path / "a").write_text("1")
    (tmp_path / "b").write_text("2")
    seen = [fingerprint()]
    assert fingerprint() == seen[0]
    (tmp_path / "a").write_text("11")
    seen.append(fingerprint())
    os.utime(tmp_path / "a", ns=(1, 1))
    seen.append(fingerprint())
    (tmp_path / "a").rename(tmp_path / "c")
    seen.append(fingerprint())
    (tmp_path / "c").unlink()
    seen.append(fingerprint())
    assert len(set(seen)) == 5


def test_where_the_cache_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIFAR10_CACHE", str(tmp_path))
    assert default_cache_dir() == tmp_path
    monkeypatch.setenv("CIFAR10_CACHE", " ")
    assert default_cache_dir().name == "cifar10-dashboard"
    monkeypatch.setenv("CIFAR10_CACHE", "~/x")
    assert default_cache_dir() == Path.home() / "x"


def test_a_removed_cache_is_made_again(tmp_path: Path) -> None:
    open_or_build("pets", "1", small, tmp_path / "cache")
    shutil.rmtree(tmp_path / "cache")
    assert len(open_or_build("pets", "1", small, tmp_path / "cache").x_train) == 4
