"""Pooling and convolution against TensorFlow, SciPy and plain loops."""

import math

import numpy as np
import pytest
import tensorflow as tf
from scipy.signal import correlate2d

from cifar_core.network import arithmetic as explore

RNG = np.random.default_rng(11)
GRIDS = [RNG.integers(0, 10, (4, 4)), RNG.normal(0, 3, (6, 8)), RNG.random((15, 13))]


@pytest.mark.parametrize(("kind", "oracle"), [("max", "MAX"), ("average", "AVG")])
@pytest.mark.parametrize("grid", GRIDS, ids=lambda grid: str(grid.shape))
def test_max_and_average_are_tensorflows(grid: np.ndarray, kind: str, oracle: str) -> None:
    batch = grid[None, :, :, None].astype(np.float64)
    expected = tf.nn.pool(batch, [2, 2], oracle, strides=[2, 2], padding="VALID")
    np.testing.assert_allclose(explore.pool(grid, kind), expected[0, :, :, 0], rtol=1e-12)


@pytest.mark.parametrize("grid", GRIDS, ids=lambda grid: str(grid.shape))
def test_softpool_is_its_formula_window_by_window(grid: np.ndarray) -> None:
    pooled = explore.pool(grid, "soft")
    assert pooled.shape == (grid.shape[0] // 2, grid.shape[1] // 2)
    for (row, column), value in np.ndenumerate(pooled):
        cells = [float(grid[2 * row + i, 2 * column + j]) for i in (0, 1) for j in (0, 1)]
        total = math.fsum(math.exp(cell) for cell in cells)
        expected = math.fsum(math.exp(cell) / total * cell for cell in cells)
        assert value == pytest.approx(expected, rel=1e-12)


def test_softpool_of_large_numbers_does_not_overflow() -> None:
    np.testing.assert_allclose(explore.pool(np.full((2, 2), 1e6), "soft"), [[1e6]])
    np.testing.assert_allclose(explore.pool(np.array([[-1e6, 0], [0, 1e4]]), "soft"), [[1e4]])


def test_softpool_lies_between_average_and_max() -> None:
    average, soft, largest = (explore.pool(GRIDS[1], kind) for kind in ("average", "soft", "max"))
    assert (average < soft).all()
    assert (soft < largest).all()


def test_softpools_weights_are_shares() -> None:
    weights = explore.soft_weights(explore.windows(GRIDS[1]))
    np.testing.assert_allclose(weights.sum(axis=(-2, -1)), 1)
    np.testing.assert_allclose(explore.soft_weights(np.full((2, 2), 7)), 0.25)


def test_an_unknown_pooling_is_refused() -> None:
    with pytest.raises(ValueError, match="kind='min'"):
        explore.pool(GRIDS[0], "min")


@pytest.mark.parametrize("name", [*explore.KERNELS, "any"])
def test_convolution_is_scipys_correlation(name: str) -> None:
    kernel = np.array(explore.KERNELS.get(name, RNG.normal(size=(3, 3))))
    image = RNG.random((32, 32))
    result = explore.convolve(image, kernel)
    assert result.shape == (30, 30)
    np.testing.assert_allclose(result, correlate2d(image, kernel, mode="valid"), atol=1e-12)


def test_the_products_are_those_of_the_pixels_under_the_kernel() -> None:
    image, kernel = RNG.random((32, 32)), RNG.normal(size=(3, 3))
    products = explore.products(image, kernel)
    np.testing.assert_allclose(products[4, 7], image[4:7, 7:10] * kernel)


def test_what_the_kernels_are_for() -> None:
    flat, image = np.full((8, 8), 0.3), RNG.random((8, 8))
    np.testing.assert_array_equal(
        explore.convolve(image, explore.KERNELS["identity"]), image[1:-1, 1:-1]
    )
    for name, sum_of_cells in [("edges", 0), ("sobel-x", 0), ("sobel-y", 0), ("blur", 1)]:
        np.testing.assert_allclose(
            explore.convolve(flat, explore.KERNELS[name]), 0.3 * sum_of_cells, atol=1e-12
        )
    ramp = np.tile(np.arange(8.0), (8, 1))  # brighter to the right
    assert (explore.convolve(ramp, explore.KERNELS["sobel-x"]) > 0).all()
    assert (explore.convolve(ramp, explore.KERNELS["sobel-y"]) == 0).all()
    assert (explore.convolve(ramp.T, explore.KERNELS["sobel-y"]) > 0).all()
