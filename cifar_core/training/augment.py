"""Variations of training images, drawn again each time they are seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..config import TrainingConfig
from ..data.dataset import IMAGE_SIZE

_GREY = 128


class Variation(NamedTuple):
    """Where the pixels of N varied images come from, so that any device can take them.

    Attributes:
        rows: int64 (N, 32), the row of the image that each row shows.
        columns: int64 (N, 32), likewise.
        blank: bool (N, 32, 32), places that are mid-grey; None for nowhere.
    """

    rows: np.ndarray
    columns: np.ndarray
    blank: np.ndarray | None = None

    @classmethod
    def joined(cls, plans: Sequence[Variation]) -> Variation:
        """Of the images of several, one after the other."""
        rows, columns, blank = zip(*plans, strict=True)
        where = None if blank[0] is None else np.concatenate(blank)
        return cls(np.concatenate(rows), np.concatenate(columns), where)


def _flip(plan: Variation, _on: int, rng: np.random.Generator) -> Variation:
    mirrored = rng.random(len(plan.columns)) < 0.5
    columns = np.where(mirrored[:, None], plan.columns[:, ::-1], plan.columns)
    return plan._replace(columns=columns)


def _shift(plan: Variation, by: int, rng: np.random.Generator) -> Variation:
    """The rim is filled with the mirrored image."""

    def moved(lines: np.ndarray) -> np.ndarray:
        count, length = lines.shape
        place = np.arange(length) + rng.integers(-by, by + 1, (count, 1))
        last = length - 1
        return np.take_along_axis(lines, last - np.abs(last - np.abs(place)), axis=1)

    return plan._replace(rows=moved(plan.rows), columns=moved(plan.columns))


def _cutout(plan: Variation, side: int, rng: np.random.Generator) -> Variation:
    """DeVries and Taylor 2017: the square may reach over the edge."""

    def within(length: int) -> np.ndarray:
        first = rng.integers(0, length, (len(plan.rows), 1)) - side // 2
        place = np.arange(length)
        return (place >= first) & (place < first + side)

    rows, columns = within(plan.rows.shape[1]), within(plan.columns.shape[1])
    return plan._replace(blank=rows[:, :, None] & columns[:, None, :])


AUGMENTATIONS: dict[str, Callable[[Variation, int, np.random.Generator], Variation]] = {
    "flip": _flip,
    "shift": _shift,
    "cutout": _cutout,
}
"""What each setting does, in the order in which it is done: to the variation so far, by the
setting's value, with draws from the generator."""


def augments(config: TrainingConfig) -> bool:
    """Whether the settings ask for any variation."""
    return any(getattr(config, name) for name in AUGMENTATIONS)


def draw(config: TrainingConfig, count: int, rng: np.random.Generator) -> Variation:
    """A variation of so many images, each on its own, as the settings say.

    Args:
        config: its settings that are named in `AUGMENTATIONS`.
        count: how many images.
        rng: where the draws come from; the same state gives the same variation.
    """
    straight = np.tile(np.arange(IMAGE_SIZE), (count, 1))
    plan = Variation(straight, straight)
    for name, vary in AUGMENTATIONS.items():
        if value := getattr(config, name):
            plan = vary(plan, value, rng)
    return plan


def varied(images: Any, which: np.ndarray, plan: Variation, xp: Any = np) -> Any:
    """Some images, varied.

    Args:
        images: uint8 (M, 32, 32, C), an array or, on a device, a tensor.
        which: int64 (N,), indices of those that are wanted.
        plan: of N images.
        xp: what computes: NumPy or, for a tensor, `keras.ops`.

    Returns:
        uint8 (N, 32, 32, C), made by `xp`.
    """
    _, height, width, channels = images.shape
    pixel = (which[:, None, None] * height + plan.rows[:, :, None]) * width
    pixel = pixel + plan.columns[:, None, :]
    out = xp.take(xp.reshape(images, (-1, channels)), pixel, axis=0)
    if plan.blank is None:
        return out
    return xp.where(plan.blank[..., None], np.uint8(_GREY), out)
