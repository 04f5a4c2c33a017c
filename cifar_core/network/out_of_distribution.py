"""Whether a picture shows none of the classes that a network knows.

A network gives its ten shares whatever it is shown, and is often sure of noise. Two signs tell
better than its answer; docs/none_of_the_ten.md has the error rates.

- How sure it is: the share of the likeliest class (Hendrycks and Gimpel, "A Baseline for Detecting
  Misclassified and Out-of-Distribution Examples in Neural Networks", ICLR 2017).
- How unlike the training images the picture and its first maps are: the Mahalanobis distance of
  the logarithms of each channel's mean, standard deviation and roughness (after Lee et al., "A
  Simple Unified Framework for Detecting Out-of-Distribution Samples and Adversarial Attacks",
  NeurIPS 2018, who take the means of maps for each class). Channels are those of the picture and
  of the first convolution.

Each run has limits of its own: of the test images that it gets right, 95 of 100 pass.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ..data.dataset import sample
from .explain import convolutions, outputs, pixels
from .predict import Predictions

if TYPE_CHECKING:
    import keras

_IMAGES = 2500  # of each set, that stand for all: about a second on two cores
_BATCH = 500
_UNSURE, _UNLIKE = 0.02, 0.03  # of the right answers, those that each sign alone may doubt
_LEAST = 0.01  # added before the logarithm, for channels that are 0 everywhere
_RIDGE = 1e-3  # of the mean variance, added to each: a channel that is always 0 has none


@dataclass(frozen=True)
class NoveltyRule:
    """When a network's answer is believed.

    Attributes:
        least_share: of the likeliest class, 0 to 1.
        greatest_distance: of a picture's `channel_figures` from those of training images.
        centre: float32 (D,), the mean of `channel_figures`; empty for a run that was trained
            without measuring it, which then counts for nothing.
        whitening: float32 (D, D); a distance is the length of `whitening @ (figures - centre)`.
    """

    least_share: float
    greatest_distance: float = np.inf
    centre: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32))
    whitening: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.float32))

    def distances(self, figures: np.ndarray) -> np.ndarray:
        """Mahalanobis distances (N,) of `channel_figures` (N, D)."""
        return np.linalg.norm((figures - self.centre) @ self.whitening.T, axis=1)


def calibrate(
    model: keras.Model, x_train: np.ndarray, x_test: np.ndarray, predictions: Predictions
) -> NoveltyRule:
    """The rule of a trained network.

    Args:
        model: the network.
        x_train: uint8 (N, 32, 32, 3); 2,500 of them are measured.
        x_test: uint8 (M, 32, 32, 3); 2,500 of those it gets right set the greatest distance.
        predictions: the network's answers on `x_test`.
    """
    known = channel_figures(model, _some(x_train, np.arange(len(x_train))))
    centre = known.mean(axis=0)
    covariance = np.cov(known, rowvar=False)
    covariance += np.eye(len(centre)) * (_RIDGE * np.trace(covariance) / len(centre) + 1e-9)
    rule = NoveltyRule(
        _least_share(predictions, _UNSURE),
        centre=centre.astype(np.float32),
        whitening=np.linalg.inv(np.linalg.cholesky(covariance)).astype(np.float32),
    )
    distances = rule.distances(channel_figures(model, _some(x_test, _believed(predictions))))
    return replace(rule, greatest_distance=float(np.quantile(distances, 1 - _UNLIKE)))


def from_predictions(predictions: Predictions) -> NoveltyRule:
    """A rule by how sure the network is alone, which finds far less."""
    return NoveltyRule(_least_share(predictions, _UNSURE + _UNLIKE))


def is_known(
    rule: NoveltyRule, model: keras.Model, images: np.ndarray, probabilities: np.ndarray
) -> np.ndarray:
    """Whether each picture is likely to show one of the network's classes.

    Args:
        rule: of this network.
        images: uint8 (N, 32, 32, 3).
        probabilities: the network's answers, (N, K).

    Returns:
        bool (N,).
    """
    known: np.ndarray = probabilities.max(axis=1) >= rule.least_share
    if len(rule.centre):
        known &= rule.distances(channel_figures(model, images)) <= rule.greatest_distance
    return known


def channel_figures(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Logarithms of each channel's mean, standard deviation and roughness.

    Channels are those of the picture, 0 to 1, and of the network's first convolution. Roughness
    is the mean step between neighbours in a column plus that in a row.

    Args:
        images: uint8 (N, 32, 32, 3).

    Returns:
        float64 (N, D), D three times the number of channels.
    """
    import tensorflow as tf

    first = model.layers[: convolutions(model)[0] + 1]
    found = []
    for start in range(0, len(images), _BATCH):
        batch = pixels(model, images[start : start + _BATCH])
        *_, maps = outputs(first, batch)
        figures = []
        for values in (batch / 255, tf.cast(maps, tf.float32)):
            mean, variance = tf.nn.moments(values, axes=(1, 2))
            down = tf.abs(values[:, 1:] - values[:, :-1])
            across = tf.abs(values[:, :, 1:] - values[:, :, :-1])
            steps = tf.reduce_mean(down, axis=(1, 2)) + tf.reduce_mean(across, axis=(1, 2))
            figures += [mean, tf.sqrt(variance), steps]
        found.append(np.concatenate(figures, axis=1))
    return np.log(np.concatenate(found).astype(np.float64) + _LEAST)


def _some(images: np.ndarray, which: np.ndarray) -> np.ndarray:
    """At most `_IMAGES` of those, always the same."""
    return np.asarray(images[sample(which, _IMAGES)])


def _believed(predictions: Predictions) -> np.ndarray:
    """Indices of the test images by which limits are set: those that are right, if any are."""
    found = np.flatnonzero(predictions.hits)
    return found if len(found) else np.arange(len(predictions.labels))


def _least_share(predictions: Predictions, doubted: float) -> float:
    return float(np.quantile(predictions.confidence[_believed(predictions)], doubted))
