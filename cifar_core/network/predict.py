"""From pixels to a network's answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..data.images import to_channels

if TYPE_CHECKING:
    import keras

_BATCH = 500


@dataclass(frozen=True)
class Predictions:
    """A network's answers on a test set.

    Attributes:
        probabilities: float32, (N, K), rows sum to 1.
        labels: integers, (N,), the true classes.
        losses: float32, (N,), each image's cross-entropy in nats; None for runs that were stored
            before there was one, whose probabilities say it less exactly.
    """

    probabilities: np.ndarray
    labels: np.ndarray
    losses: np.ndarray | None = None

    @classmethod
    def from_logits(cls, logits: np.ndarray, labels: np.ndarray) -> Predictions:
        """The answers that logits, (N, K), give."""
        return cls(softmax(logits), labels, cross_entropies(logits, labels))

    @property
    def predicted(self) -> np.ndarray:
        """The likeliest class of each image, (N,)."""
        return self.probabilities.argmax(axis=1)

    @property
    def confidence(self) -> np.ndarray:
        """That class's probability, (N,)."""
        return self.probabilities.max(axis=1)

    @property
    def hits(self) -> np.ndarray:
        """Whether it is the true class, bool (N,)."""
        return self.predicted == self.labels


def predict_probabilities(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """The network's probability of each class.

    Args:
        images: as for `predict_logits`.

    Returns:
        float32 (N, K), rows sum to 1.
    """
    return softmax(predict_logits(model, images))


def predict_logits(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """What the network gives for each class, before softmax.

    Args:
        images: uint8 (N, 32, 32, 3), 0 to 255; made grey for a network that sees grey.

    Returns:
        float32 (N, K).
    """
    images = to_channels(images, model.input_shape[-1])
    logits = [
        model.predict_on_batch(np.asarray(images[first : first + _BATCH], dtype=np.float32))
        for first in range(0, len(images), _BATCH)
    ]
    return np.concatenate(logits)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Logits (N, K) to probabilities, float32 (N, K)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    powers = np.exp(shifted.astype(np.float64))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def cross_entropies(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Cross-entropy of each image in nats, float32 (N,).

    It is log(sum(exp(logits))) less the true class's logit, after the highest logit was taken off
    all of them: so no power is too large, and a probability that rounds to 0 has its loss still.

    Args:
        logits: (N, K).
        labels: integers, (N,), the true classes.
    """
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    chosen = shifted[np.arange(len(labels)), labels]
    found: np.ndarray = np.log(np.exp(shifted).sum(axis=1)) - chosen
    return found.astype(np.float32)
