"""Figures over a test set's predictions, in NumPy alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..network.predict import Predictions


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


@dataclass(frozen=True)
class Confusion:
    """Images of one class that were taken for another.

    Attributes:
        true, predicted: class indices.
        images: how many.
        share: of all test images of the true class, 0 to 1.
    """

    true: int
    predicted: int
    images: int
    share: float


def accuracy(predictions: Predictions) -> float:
    """Share of images whose likeliest class is the true one, 0 to 1."""
    return float(predictions.hits.mean())


def cross_entropy(predictions: Predictions) -> float:
    """Mean of -log(probability of the true class), in nats.

    Of predictions without losses, it is from probabilities clipped at 1e-7, which takes a little
    off where a network is very sure and wrong.
    """
    if predictions.losses is not None:
        return float(predictions.losses.mean(dtype=np.float64))
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


def confusions(matrix: np.ndarray) -> list[Confusion]:
    """The cells off a confusion matrix's diagonal that are not empty, the most images first."""
    totals = matrix.sum(axis=1)
    found = [
        Confusion(i, j, int(matrix[i, j]), float(matrix[i, j] / totals[i]))
        for i, j in np.argwhere(matrix).tolist()
        if i != j
    ]
    return sorted(found, key=lambda one: -one.images)


def images_in_cell(predictions: Predictions, true: int, predicted: int) -> np.ndarray:
    """Indices of the images in a cell of the confusion matrix, the surest prediction first."""
    inside = (predictions.labels == true) & (predictions.predicted == predicted)
    return _by_confidence(predictions, inside)[::-1]


def surest_mistakes(predictions: Predictions) -> np.ndarray:
    """Indices of the images predicted wrongly, the most confident first."""
    return _by_confidence(predictions, ~predictions.hits)[::-1]


def least_sure_hits(predictions: Predictions) -> np.ndarray:
    """Indices of the images predicted rightly, the least confident first."""
    return _by_confidence(predictions, predictions.hits)


def _by_confidence(predictions: Predictions, chosen: np.ndarray) -> np.ndarray:
    indices = np.flatnonzero(chosen)
    return indices[np.argsort(predictions.confidence[indices], kind="stable")]
