"""Fixtures of all tests, and the rule that CI skips nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from cifar_core.config import TrainingConfig
from cifar_core.data import CIFAR10_CLASSES, Dataset, Source, load_data
from cifar_core.runs.store import RunStore
from cifar_core.workers.worker import execute
from tests.processes import stop_workers

ROOT = Path(__file__).resolve().parent.parent

SharedFolder = Callable[[str, Callable[[Path], object]], Path]

os.environ["CIFAR10_REFERENCE_RUNS"] = ""  # a test that wants runs that ship says which
os.environ["CIFAR10_WARM_WORKER"] = "0"  # it would load TensorFlow beside the tests
# Several processes test side by side, and TensorFlow's threads wait for work in busy loops.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")


SLOW_FIXTURES = {"trained", "built_in_cache", "chromium", "real_zip"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs a training, all built-in images or a browser is slow without saying so."""
    for item in items:
        if SLOW_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("slow")
    # Files with slow tests first: no process is left with a long one when the others are done.
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test is a failure: it hides what it was to show."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if (
        os.environ.get("CI")
        and reporter
        and reporter.stats.get("skipped")
        and not session.exitstatus
    ):
        reporter.write_line("a test was skipped, which CI does not allow", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def real_zip() -> Path:
    """The JPEG copy of CIFAR-10 that CIFAR10_DATA names."""
    path = os.environ.get("CIFAR10_DATA")
    if not path:
        pytest.skip("CIFAR10_DATA names no zip of real images")
    return Path(path)


@pytest.fixture(scope="session")
def blobs() -> Dataset:
    """Ten easy classes in 400 and 200 images: each its own colour, with noise."""
    rng = np.random.default_rng(7)
    colours = rng.integers(0, 200, (10, 3))

    def draw(images: int) -> tuple[np.ndarray, np.ndarray]:
        labels = (np.arange(images) % 10).astype(np.uint8)
        noise = rng.integers(0, 56, (images, 32, 32, 3))
        return (colours[labels][:, None, None, :] + noise).astype(np.uint8), labels

    source = Source("npz", "blobs", "", "sha256:blobs")
    return Dataset(*draw(400), *draw(200), CIFAR10_CLASSES, source)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> SharedFolder:
    """Makes a folder once for all processes that share the work (pytest-xdist)."""
    base = tmp_path_factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def get(name: str, fill: Callable[[Path], object]) -> Path:
        folder, filled = root / name, root / f"{name}.filled"
        with FileLock(root / f"{name}.lock"):
            if not filled.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of a worker that failed at it
                folder.mkdir()
                fill(folder)
                filled.touch()
        return folder

    return get


@pytest.fixture(scope="session", autouse=True)
def own_cache(shared_folder: SharedFolder) -> None:
    """Decoded images lie with the tests, not among the user's own."""
    os.environ["CIFAR10_CACHE"] = str(shared_folder("own-cache", lambda folder: None))


@pytest.fixture(scope="session")
def blobs_npz(blobs: Dataset, shared_folder: SharedFolder) -> Path:
    """The same in a file, for whoever takes a path."""

    def save(folder: Path) -> None:
        np.savez(
            folder / "blobs.npz",
            x_train=blobs.x_train,
            y_train=blobs.y_train,
            x_test=blobs.x_test,
            y_test=blobs.y_test,
        )

    return shared_folder("blobs", save) / "blobs.npz"


@pytest.fixture(scope="session")
def built_in_cache(shared_folder: SharedFolder) -> Path:
    """A cache folder in which the built-in images are drawn already."""
    return shared_folder("cache", lambda folder: load_data("synthetic", cache_dir=folder))


@pytest.fixture(scope="session")
def trained(blobs_npz: Path, shared_folder: SharedFolder) -> RunStore:
    """Two finished runs on the easy images, 'plain' and 'dropout'. Not to be written to."""

    def train(folder: Path) -> None:
        store = RunStore(folder)
        for name, dropout in (("plain", 0.0), ("dropout", 0.4)):
            execute(store.create(TrainingConfig(epochs=3, dropout=dropout), name), str(blobs_npz))

    return RunStore(shared_folder("trained", train))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    """A runs' folder of the test's own; whatever still trains in it at the end is stopped."""
    store = RunStore(tmp_path / "runs")
    yield store
    if store.root.exists():
        stop_workers(store)


@pytest.fixture
def trained_copy(trained: RunStore, store: RunStore) -> RunStore:
    """The two finished runs in the test's own folder, to be written to."""
    shutil.copytree(trained.root, store.root)
    return store
