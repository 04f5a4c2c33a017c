"""Variations of training images, drawn again each time they are seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..config import TrainingConfig


def _flip(images: np.ndarray, _on: int, rng: np.random.Generator) -> np.ndarray:
    mirrored = rng.random(len(images)) < 0.5
    images[mirrored] = images[mirrored, :, ::-1]
    return images


def _shift(images: np.ndarray, by: int, rng: np.random.Generator) -> np.ndarray:
    """The rim is filled with the mirrored image."""
    count, height, width, _ = images.shape
    padded = np.pad(images, ((0, 0), (by, by), (by, by), (0, 0)), mode="reflect")
    rows = rng.integers(0, 2 * by + 1, (count, 1)) + np.arange(height)
    columns = rng.integers(0, 2 * by + 1, (count, 1)) + np.arange(width)
    return padded[np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]


def _cutout(images: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """DeVries and Taylor 2017: the square is mid-grey and may reach over the edge."""
    count, height, width, _ = images.shape
    in_rows = _within(rng.integers(0, height, (count, 1)), height, side)
    in_columns = _within(rng.integers(0, width, (count, 1)), width, side)
    images[in_rows[:, :, None] & in_columns[:, None, :]] = 128
    return images


def _within(start: np.ndarray, length: int, side: int) -> np.ndarray:
    """Which of `length` places lie in a stretch of `side` around the pixel `start` (N, 1)."""
    first = start - side // 2
    place = np.arange(length)
    return (place >= first) & (place < first + side)


AUGMENTATIONS: dict[str, Callable[[np.ndarray, int, np.random.Generator], np.ndarray]] = {
    "flip": _flip,
    "shift": _shift,
    "cutout": _cutout,
}
"""What each setting does, in the order in which it is done. Given uint8 images (N, H, W, C), which
may be changed, the setting's value and where the draws come from, it returns images like them."""


def augments(config: TrainingConfig) -> bool:
    """Whether the settings ask for any variation."""
    return any(getattr(config, name) for name in AUGMENTATIONS)


def augment(images: np.ndarray, config: TrainingConfig, rng: np.random.Generator) -> np.ndarray:
    """Vary images as the settings say, each on its own.

    Args:
        images: uint8 (N, H, W, C).
        config: its settings that are named in `AUGMENTATIONS`.
        rng: where the draws come from; the same state gives the same images.

    Returns:
        A new uint8 array of the same shape.
    """
    out = images.copy()
    for name, vary in AUGMENTATIONS.items():
        if value := getattr(config, name):
            out = vary(out, value, rng)
    return out
