"""Fixtures of all tests, and the rule that CI skips nothing."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from cifar_core.data.dataset import CIFAR10_CLASSES, Dataset, Source

ROOT = Path(__file__).resolve().parent.parent


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
        labels = np.arange(images, dtype=np.uint8) % 10
        noise = rng.integers(0, 56, (images, 32, 32, 3))
        return (colours[labels][:, None, None, :] + noise).astype(np.uint8), labels

    source = Source("npz", "blobs", "", "sha256:blobs")
    return Dataset(*draw(400), *draw(200), CIFAR10_CLASSES, source)


@pytest.fixture(scope="session")
def blobs_npz(blobs: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in a file, for whoever takes a path."""
    path = tmp_path_factory.mktemp("blobs") / "blobs.npz"
    np.savez(
        path,
        x_train=blobs.x_train,
        y_train=blobs.y_train,
        x_test=blobs.x_test,
        y_test=blobs.y_test,
    )
    return path
