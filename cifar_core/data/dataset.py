"""The one form in which images reach everything else."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

CIFAR10_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
IMAGE_SIZE = 32
"""Width and height of an image, in pixels."""

MAX_CLASSES = 256
"""As many as labels of uint8 tell apart."""


@dataclass(frozen=True)
class Source:
    """Where a data set came from; stored beside every figure made with it.

    Attributes:
        kind: 'official', 'folder', 'zip', 'npz' or 'synthetic'.
        name: what a person calls it: 'CIFAR-10', 'JPEG copy of CIFAR-10', 'synthetic',
            or the file's or folder's own name.
        location: absolute path, or '' for images drawn by code.
        checksum: 'sha256:<hex>' of the archive or of the decoded arrays.
        resized: how many pictures were not 32x32 and were centre-cropped and resized.
    """

    kind: str
    name: str
    location: str
    checksum: str
    resized: int = 0

    def to_json(self) -> dict[str, Any]:
        """Plain values, for environment.json."""
        return asdict(self)


@dataclass(frozen=True)
class Dataset:
    """Training and test images with their labels.

    Attributes:
        x_train: uint8, (N, 32, 32, 3), 0 to 255; may be memory-mapped, read-only.
        y_train: uint8, (N,), class indices.
        x_test: uint8, (M, 32, 32, 3).
        y_test: uint8, (M,).
        class_names: one name a label, in label order.
        source: where the images came from.
    """

    x_train: np.ndarray = field(repr=False)
    y_train: np.ndarray = field(repr=False)
    x_test: np.ndarray = field(repr=False)
    y_test: np.ndarray = field(repr=False)
    class_names: tuple[str, ...]
    source: Source

    def split(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Images and labels of 'train' or 'test'."""
        if name == "train":
            return self.x_train, self.y_train
        if name == "test":
            return self.x_test, self.y_test
        raise ValueError(f"split must be 'train' or 'test'. Received: {name!r}.")


def sample(indices: np.ndarray, most: int) -> np.ndarray:
    """At most so many of some indices, always the same, sorted.

    Args:
        indices: int64 (N,).
        most: how many.
    """
    return np.sort(np.random.default_rng(0).permutation(indices)[:most])
