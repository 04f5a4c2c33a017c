"""Which of the training images train and which validate."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from .config import HOLDOUT_SHARE, TrainingConfig
from .errors import ConfigError


def split(images: int, config: TrainingConfig) -> tuple[np.ndarray, np.ndarray]:
    """Share the training images out, by `config.validation`.

    Args:
        images: how many training images there are.

    Returns:
        Indices of the images that train and of those that validate: two int64 arrays, sorted,
        without a common element. The second is a tenth, drawn with the seed, or the fold, and
        empty when the test set validates. The first is what is left, or as much of that as
        `config.train_images` says.

    Raises:
        ConfigError: cross-validation that does not say which fold.
    """
    order = np.random.default_rng([config.seed, 0]).permutation(images)
    first, last = 0, 0
    if config.validation == "holdout":
        last = round(images * HOLDOUT_SHARE)
    elif config.validation == "folds":
        if not config.fold:
            raise ConfigError(
                "cross-validation is a run for each fold, so one run needs its number. "
                f"Received: fold=0; name one from 1 to {config.folds}."
            )
        first, last = (images * end // config.folds for end in (config.fold - 1, config.fold))
    held, trained = order[first:last], np.concatenate([order[:first], order[last:]])
    return np.sort(trained[: config.train_images or None]), np.sort(held)


@cache
def steps_per_epoch(images: int, config: TrainingConfig) -> int:
    """Training steps in an epoch over a training set of so many images."""
    return math.ceil(len(split(images, config)[0]) / config.batch_size)
