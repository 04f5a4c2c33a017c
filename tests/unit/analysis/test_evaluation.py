"""Figures against scikit-learn's."""

import numpy as np
import pytest
from scipy import special
from sklearn import metrics

from cifar_core.analysis import evaluation
from cifar_core.network.predict import Predictions, softmax


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


@pytest.mark.parametrize("size", [1, 30, 1e4])
def test_losses_are_exact_whatever_the_logits(size: float) -> None:
    rng = np.random.default_rng(5)
    logits = (size * rng.normal(size=(200, 10))).astype(np.float32)
    labels = rng.integers(0, 10, 200).astype(np.uint8)
    found = Predictions.from_logits(logits, labels)
    oracle = special.logsumexp(logits.astype(np.float64), axis=1)
    oracle -= logits[np.arange(200), labels]
    assert found.losses.dtype == np.float32
    np.testing.assert_allclose(found.losses, oracle, rtol=1e-6, atol=1e-6)
    assert evaluation.cross_entropy(found) == pytest.approx(oracle.mean(), rel=1e-6)
    np.testing.assert_array_equal(found.probabilities, softmax(logits))
    clipped = Predictions(found.probabilities, labels)
    assert evaluation.cross_entropy(clipped) < oracle.mean() + 1e-6


def test_softmax_of_large_logits_is_finite() -> None:
    found = softmax(np.array([[1000.0, 0.0], [-1000.0, -1000.0]], dtype=np.float32))
    np.testing.assert_allclose(found, [[1, 0], [0.5, 0.5]])


def test_hits_and_confidence(predictions: Predictions) -> None:
    assert predictions.hits.mean() == metrics.accuracy_score(
        predictions.labels, predictions.predicted
    )
    for row, confidence in zip(predictions.probabilities, predictions.confidence, strict=True):
        assert confidence == sorted(row)[-1]


def test_confusions_are_ranked_and_count_every_mistake_once(predictions: Predictions) -> None:
    matrix = evaluation.confusion_matrix(predictions)
    found = evaluation.confusions(matrix)
    assert sum(one.images for one in found) == (~predictions.hits).sum()
    assert [one.images for one in found] == sorted((one.images for one in found), reverse=True)
    for one in found:
        assert one.true != one.predicted
        assert one.images == matrix[one.true, one.predicted] > 0
        assert one.share == one.images / (predictions.labels == one.true).sum()
    assert evaluation.confusions(np.diag([3, 0, 5])) == []


def test_images_in_cells_are_all_images_each_once_the_surest_first(
    predictions: Predictions,
) -> None:
    matrix = evaluation.confusion_matrix(predictions)
    seen: list[int] = []
    for (true, predicted), images in np.ndenumerate(matrix):
        found = evaluation.images_in_cell(predictions, true, predicted)
        assert len(found) == images
        assert (predictions.labels[found] == true).all()
        assert (predictions.predicted[found] == predicted).all()
        assert (np.diff(predictions.confidence[found]) <= 0).all()
        seen += found.tolist()
    assert sorted(seen) == list(range(300))


def test_mistakes_begin_with_the_surest_and_hits_with_the_least_sure(
    predictions: Predictions,
) -> None:
    mistakes = evaluation.surest_mistakes(predictions)
    hits = evaluation.least_sure_hits(predictions)
    assert sorted([*mistakes, *hits]) == list(range(300))
    assert not predictions.hits[mistakes].any()
    assert predictions.hits[hits].all()
    assert predictions.confidence[mistakes[0]] == predictions.confidence[~predictions.hits].max()
    assert predictions.confidence[hits[0]] == predictions.confidence[predictions.hits].min()
    assert (np.diff(predictions.confidence[mistakes]) <= 0).all()
    assert (np.diff(predictions.confidence[hits]) >= 0).all()


def test_a_network_without_a_mistake_has_none_to_show() -> None:
    perfect = Predictions(np.eye(3, dtype=np.float32), np.arange(3, dtype=np.uint8))
    assert evaluation.surest_mistakes(perfect).tolist() == []
    assert evaluation.images_in_cell(perfect, 0, 1).tolist() == []
