"""Variations of training images, drawn anew each time they are seen."""

from __future__ import annotations

import numpy as np

from ..config import TrainingConfig


def augments(config: TrainingConfig) -> bool:
    """Whether the settings ask for any variation."""
    return config.flip or config.shift > 0 or config.cutout > 0


def augment(images: np.ndarray, config: TrainingConfig, rng: np.random.Generator) -> np.ndarray:
    """Mirror, move and blank images as the settings say, each on its own.

    Moving fills the rim with the mirrored image; the blanked square (cutout, DeVries and Taylor
    2017) is mid-grey and may reach over the edge.

    Args:
        images: uint8 (N, H, W, C).
        config: `flip`, `shift` and `cutout`.
        rng: where the draws come from; the same state gives the same images.

    Returns:
        A new uint8 array of the same shape.
    """
    count, height, width, _ = images.shape
    out = images.copy()
    if config.flip:
        mirrored = rng.random(count) < 0.5
        out[mirrored] = out[mirrored, :, ::-1]
    if config.shift:
        by = config.shift
        padded = np.pad(out, ((0, 0), (by, by), (by, by), (0, 0)), mode="reflect")
        rows = rng.integers(0, 2 * by + 1, (count, 1)) + np.arange(height)
        columns = rng.integers(0, 2 * by + 1, (count, 1)) + np.arange(width)
        out = padded[np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]
    if config.cutout:
        in_rows = _within(rng.integers(0, height, (count, 1)), height, config.cutout)
        in_columns = _within(rng.integers(0, width, (count, 1)), width, config.cutout)
        out[in_rows[:, :, None] & in_columns[:, None, :]] = 128
    return out


def _within(start: np.ndarray, length: int, side: int) -> np.ndarray:
    """Which of `length` places lie in a stretch of `side` around the pixel `start` (N, 1)."""
    first = start - side // 2
    place = np.arange(length)
    return (place >= first) & (place < first + side)
