"""Which of the training images train and which validate."""

from __future__ import annotations

import math

import numpy as np

from ..config import HOLDOUT_SHARE, TrainingConfig
from ..errors import ConfigError, counted


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
        ConfigError: see `check`.
    """
    check(images, config)
    first, last = _held(images, config)
    order = np.random.default_rng([config.seed, 0]).permutation(images)
    held, trained = order[first:last], np.concatenate([order[:first], order[last:]])
    return np.sort(trained[: config.train_images or None]), np.sort(held)


def check(images: int, config: TrainingConfig) -> None:
    """Find out whether so many training images can be shared out.

    Raises:
        ConfigError: none would train or, of a hold-out or a fold, none would validate; or it is
            cross-validation that does not say which fold.
    """
    first, last = _held(images, config)
    if config.validation == "folds" and images < config.folds:
        raise ConfigError(
            "cross-validation needs a training image for each fold. "
            f"Received: folds={config.folds} for {counted(images, 'image')}; take fewer folds or "
            "more images."
        )
    if config.validation == "holdout" and first == last:
        raise ConfigError(
            "a hold-out is a tenth of the training images, and must hold one. "
            f"Received: {images} in all; take more images or validate on the test set."
        )
    if images <= last - first:
        raise ConfigError(f"training needs images. Received: {images}; take more.")


def trained_images(images: int, config: TrainingConfig) -> int:
    """How many of so many training images train."""
    first, last = _held(images, config)
    left = images - (last - first)
    return min(left, config.train_images or left)


def is_batch_too_large(images: int, config: TrainingConfig) -> bool:
    """Whether a batch could hold more than all images that train, so that an epoch is one step."""
    return config.batch_size > trained_images(images, config)


def steps_per_epoch(images: int, config: TrainingConfig) -> int:
    """Training steps in an epoch over a training set of so many images."""
    return math.ceil(trained_images(images, config) / config.batch_size)


def _held(images: int, config: TrainingConfig) -> tuple[int, int]:
    """Where those that validate begin and end in the order that the seed draws."""
    if config.validation == "holdout":
        return 0, round(images * HOLDOUT_SHARE)
    if config.validation == "test":
        return 0, 0
    if not config.fold:
        raise ConfigError(
            "cross-validation is a run for each fold, so one run needs its number. "
            f"Received: fold=0; name one from 1 to {config.folds}."
        )
    first, last = (images * end // config.folds for end in (config.fold - 1, config.fold))
    return first, last
