"""Figures against scikit-learn's."""

import numpy as np
import pytest
from sklearn import metrics

from cifar_core import evaluation
from cifar_core.evaluation import Predictions, softmax


@pytest.fixture
def predictions() -> Predictions:
    """300 images of 6 classes, of which class 4 is never predicted and class 5 never true."""
    rng = np.random.default_rng(2)
    logits = rng.normal(size=(300, 6))
    labels = rng.integers(0, 5, 300)
    logits[np.arange(300), labels] += 1
    logits[:, 4] -= 100
    return Predictions(softmax(logits), labels.astype(np.uint8))


def test_confusion_matrix(predictions: Predictions) -> None:
    expected = metrics.confusion_matrix(
        predictions.labels, predictions.predicted, labels=np.arange(6)
    )
    np.testing.assert_array_equal(evaluation.confusion_matrix(predictions), expected)


def test_class_figures(predictions: Predictions) -> None:
    precision, recall, f1, images = metrics.precision_recall_fscore_support(
        predictions.labels, predictions.predicted, labels=np.arange(6), zero_division=0
    )
    found = evaluation.per_class(evaluation.confusion_matrix(predictions))
    np.testing.assert_allclose([row.precision for row in found], precision)
    np.testing.assert_allclose([row.recall for row in found], recall)
    np.testing.assert_allclose([row.f1 for row in found], f1)
    assert [row.images for row in found] == images.tolist()


def test_accuracy_and_loss(predictions: Predictions) -> None:
    assert evaluation.accuracy(predictions) == pytest.approx(
        metrics.accuracy_score(predictions.labels, predictions.predicted)
    )
    clipped = np.clip(predictions.probabilities.astype(np.float64), 1e-7, 1)
    expected = -np.log(clipped[np.arange(300), predictions.labels]).mean()
    assert evaluation.cross_entropy(predictions) == pytest.approx(expected)


def test_softmax_of_large_logits_is_finite() -> None:
    found = softmax(np.array([[1000.0, 0.0], [-1000.0, -1000.0]], dtype=np.float32))
    np.testing.assert_allclose(found, [[1, 0], [0.5, 0.5]])
