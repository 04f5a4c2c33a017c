"""The learning rate over a run, in NumPy, so that a page can draw it without TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ..config import TrainingConfig
from ..runs.events import RateEvent
from ..runs.history import highest_rate

RISE = 0.25  # share of the steps in which one-cycle's rate rises
_START = 1 / 25  # of the highest rate, where one-cycle starts
_LEAST = 0.01  # of the highest rate, where the exponential schedule ends


def learning_rates(config: TrainingConfig, step: ArrayLike, steps: int) -> np.ndarray:
    """The learning rate at each training step.

    'exponential' falls by the same share in every step, to a hundredth at the end. 'cosine' is
    half a wave, from the highest rate to 0 (Loshchilov and Hutter, "SGDR", 2017, without
    restarts). 'one-cycle' rises in a line from a 25th to the highest rate over the first quarter
    and falls in a line to 0 (after Smith and Topin, "Super-Convergence", 2018).

    Args:
        config: `schedule` and `learning_rate`, the highest rate.
        step: numbers of training steps, from 0; those past the end count as the last one.
        steps: training steps in the whole run, at least 1.

    Returns:
        float64, of `step`'s shape.
    """
    done = np.clip(np.asarray(step, dtype=float) / steps, 0, 1)
    match config.schedule:
        case "exponential":
            share = _LEAST**done
        case "cosine":
            share = (1 + np.cos(np.pi * done)) / 2
        case "one-cycle":
            rising = _START + (1 - _START) * done / RISE
            share = np.minimum(rising, (1 - done) / (1 - RISE))
        case _:
            share = np.ones_like(done)
    return config.learning_rate * share


def changed_by(rates: Sequence[RateEvent], config: TrainingConfig, step: int) -> float:
    """What the schedule is multiplied by at a step, after changes made while the run went."""
    return highest_rate(rates, config, step) / config.learning_rate
