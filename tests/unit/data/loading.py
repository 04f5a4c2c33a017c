"""What the tests of every source of images do: load, and be refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from cifar_core.data import Dataset, load_data
from cifar_core.errors import DataFormatError


def load(spec: str | Path, tmp_path: Path) -> Dataset:
    """The images, with a cache of the test's own."""
    return load_data(str(spec), cache_dir=tmp_path / "cache")


def refused(path: Path, tmp_path: Path) -> str:
    """The message with which they are refused."""
    with pytest.raises(DataFormatError) as caught:
        load(path, tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    assert "Received:" in message
    return message
