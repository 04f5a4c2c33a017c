"""Figures of each class, against the same from plain NumPy over all pixels at once."""

from __future__ import annotations

import numpy as np
import pytest

from cifar_core.data import Dataset
from cifar_core.data import moments as statistics
from cifar_core.data.images import to_grey
from cifar_core.data.moments import ClassStatistics, class_statistics


def even(*colours: tuple[int, int, int]) -> ClassStatistics:
    """One even image of each colour, each its own class."""
    images = np.ones((len(colours), 32, 32, 3), np.uint8) * np.uint8(colours)[:, None, None]
    return class_statistics(images, np.arange(len(colours)), len(colours))


@pytest.mark.parametrize("chunk", [7, 512])
def test_they_are_those_of_all_pixels_together(
    blobs: Dataset, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(statistics, "_CHUNK", chunk)
    found = class_statistics(blobs.x_train, blobs.y_train, 10)
    assert found.images.tolist() == [40] * 10
    for label in range(10):
        images = blobs.x_train[blobs.y_train == label]
        pixels = images.reshape(-1, 3).astype(float)
        np.testing.assert_allclose(found.mean_image[label], images.mean(axis=0))
        np.testing.assert_allclose(found.mean[label], pixels.mean(axis=0))
        np.testing.assert_allclose(found.std[label], pixels.std(axis=0), rtol=1e-4)
        covariance = np.cov(pixels.T, bias=True)
        np.testing.assert_allclose(found.covariance[label], covariance, rtol=1e-3, atol=0.05)
        for i, values in enumerate([*pixels.T, to_grey(images)]):
            expected = np.histogram(values, bins=256, range=(0, 256))[0]
            np.testing.assert_array_equal(found.histogram[label, i], expected)
        assert found.grey_mean[label] == pytest.approx(to_grey(images).mean(), abs=0.1)


def test_what_greyscale_loses_is_what_a_regression_on_brightness_leaves() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (30, 32, 32, 3), dtype=np.uint8)
    images[..., 1] = images[..., 0] // 2 + 20  # some of the colour follows the brightness
    found = class_statistics(images, np.zeros(30, int), 1)
    pixels = images.reshape(-1, 3).astype(float)
    brightness = np.column_stack([pixels @ statistics.GREY_WEIGHTS, np.ones(len(pixels))])
    _, left, *_ = np.linalg.lstsq(brightness, pixels, rcond=None)
    expected = left.sum() / ((pixels - pixels.mean(axis=0)) ** 2).sum()
    assert found.colour_share[0] == pytest.approx(expected, rel=1e-4)


def test_grey_images_lose_nothing_and_colours_of_one_brightness_all() -> None:
    rng = np.random.default_rng(0)
    grey = np.repeat(rng.integers(0, 256, (5, 32, 32, 1), dtype=np.uint8), 3, axis=3)
    assert class_statistics(grey, np.zeros(5, int), 1).colour_share[0] == pytest.approx(0, abs=1e-4)
    images = np.full((2, 32, 32, 3), 100, np.uint8)
    images[:, :16] = 0, 0, 0
    images[:, :16, :, 0] = 255  # 0.299 x 255 = 76
    images[:, 16:] = 0, 130, 0  # 0.587 x 130 = 76
    found = class_statistics(images, np.zeros(2, int), 1)
    assert found.colour_share[0] > 0.98


def test_the_pair_that_greyscale_brings_together() -> None:
    found = even((255, 0, 0), (0, 130, 0), (255, 255, 255))
    first, second, colour, grey = found.merged_pair()
    assert (first, second) == (0, 1)
    assert colour == pytest.approx(np.hypot(255, 130))
    assert grey < 1
    assert even((9, 9, 9)).merged_pair() is None


def test_a_class_without_images_is_nan_and_takes_no_part() -> None:
    images = np.zeros((2, 32, 32, 3), np.uint8)
    found = class_statistics(images, np.array([0, 2], np.uint8), 4)
    assert found.images.tolist() == [1, 0, 1, 0]
    assert np.isnan(found.colour_share[[1, 3]]).all()
    assert found.colour_share[[0, 2]].tolist() == [0, 0]
    assert np.isnan(found.mean[1]).all()
    assert found.merged_pair() is None
