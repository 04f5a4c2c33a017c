"""Reliability against scikit-learn's calibration curve."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from cifar_core.analysis.calibration import reliability
from cifar_core.network.predict import Predictions, softmax


def predictions(images: int, sharpness: float, honest: bool = False) -> Predictions:
    """Random ones; `honest` draws the label of each image by its probabilities."""
    rng = np.random.default_rng(images)
    probabilities = softmax(sharpness * rng.normal(size=(images, 10)))
    labels = rng.integers(0, 10, images)
    if honest:
        labels = (rng.random((images, 1)) > probabilities.cumsum(axis=1)).sum(axis=1).clip(0, 9)
    return Predictions(probabilities, labels)


@pytest.mark.parametrize("bins", [1, 7, 10, 15])
@pytest.mark.parametrize("images", [5, 200, 10_000])
def test_bins(images: int, bins: int) -> None:
    made = predictions(images, 2)
    found = reliability(made, bins)
    accuracy, confidence = calibration_curve(made.hits, made.confidence, n_bins=bins)
    filled = found.images > 0
    np.testing.assert_allclose(found.accuracy[filled], accuracy)
    np.testing.assert_allclose(found.confidence[filled], confidence, rtol=1e-6)
    assert np.isnan(found.accuracy[~filled]).all()
    assert found.images.sum() == images
    assert len(found.edges) == bins + 1


def test_calibration_error_is_the_definitions_sum() -> None:
    made = predictions(500, 2)
    expected = 0.0
    for low, high in zip(np.arange(15) / 15, np.arange(1, 16) / 15, strict=True):
        inside = (made.confidence > low) & (made.confidence <= high)
        if inside.any():
            apart = made.hits[inside].mean() - made.confidence[inside].mean()
            expected += inside.mean() * abs(apart)
    found = reliability(made, 15)
    assert found.calibration_error == pytest.approx(expected)
    apart = made.confidence.mean() - made.hits.mean()
    assert found.overconfidence == pytest.approx(apart, abs=1e-6)


def test_a_network_right_as_often_as_it_is_sure_has_a_small_error() -> None:
    assert reliability(predictions(50_000, 2, honest=True)).calibration_error < 0.01
    assert reliability(predictions(50_000, 2)).calibration_error > 0.3


def test_a_network_that_is_always_certain_errs_by_its_mistakes() -> None:
    certain = Predictions(np.eye(4, dtype=np.float32)[[0, 1, 2, 3, 0]], np.array([0, 1, 2, 3, 3]))
    found = reliability(certain)
    assert found.images[-1] == 5
    assert found.calibration_error == pytest.approx(0.2)
    assert found.overconfidence == pytest.approx(0.2)
