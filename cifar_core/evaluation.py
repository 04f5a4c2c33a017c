"""Figures over a test set's predictions, in NumPy alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Predictions:
    """A network's answers on a test set.

    Attributes:
        probabilities: float32, (N, K), rows sum to 1.
        labels: integers, (N,), the true classes.
    """

    probabilities: np.ndarray
    labels: np.ndarray

    @property
    def predicted(self) -> np.ndarray:
        """The likeliest class of each image, (N,)."""
        return self.probabilities.argmax(axis=1)


@dataclass(frozen=True)
class ClassFigures:
    """Figures of one class, each 0 to 1; 0 where its denominator is 0.

    Attributes:
        precision: of those predicted as this class, the share that is.
        recall: of those that are this class, the share found.
        f1: harmonic mean of the two.
        images: how many test images are of this class.
    """

    precision: float
    recall: float
    f1: float
    images: int


def softmax(logits: np.ndarray) -> np.ndarray:
    """Logits (N, K) to probabilities, float32 (N, K)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    powers = np.exp(shifted.astype(np.float64))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def accuracy(predictions: Predictions) -> float:
    """Share of images whose likeliest class is the true one, 0 to 1."""
    return float((predictions.predicted == predictions.labels).mean())


def cross_entropy(predictions: Predictions) -> float:
    """Mean of -log(probability of the true class), in nats; probabilities clipped at 1e-7."""
    chosen = predictions.probabilities[np.arange(len(predictions.labels)), predictions.labels]
    return float(-np.log(np.clip(chosen.astype(np.float64), 1e-7, 1)).mean())


def confusion_matrix(predictions: Predictions) -> np.ndarray:
    """int64 (K, K): row the true class, column the predicted one, cell the number of images."""
    classes = predictions.probabilities.shape[1]
    cells = predictions.labels.astype(np.int64) * classes + predictions.predicted
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def per_class(matrix: np.ndarray) -> list[ClassFigures]:
    """Precision, recall and F1 of each class from a confusion matrix."""
    hits = matrix.diagonal().astype(float)
    asked, given = matrix.sum(axis=1), matrix.sum(axis=0)
    return [
        ClassFigures(
            precision=float(hit / answers) if answers else 0.0,
            recall=float(hit / images) if images else 0.0,
            f1=float(2 * hit / (answers + images)) if answers + images else 0.0,
            images=int(images),
        )
        for hit, images, answers in zip(hits, asked, given, strict=True)
    ]
