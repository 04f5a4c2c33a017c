"""Muon's step against NumPy's singular values."""

import keras
import numpy as np
import pytest

from cifar_core.network.muon import muon, orthogonal


@pytest.mark.parametrize("shape", [(40, 8), (8, 40), (12, 12)])
def test_orthogonal_keeps_directions_and_evens_their_lengths(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=shape).astype(np.float32)
    found = np.asarray(orthogonal(keras.ops.convert_to_tensor(matrix)))
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    inside = left.T @ found @ right.T
    np.testing.assert_allclose(inside, np.diag(np.diag(inside)), atol=1e-4)
    evened = np.diag(inside)
    assert (evened[values > 0.1 * values[0]] > 0.4).all()
    assert (evened < 1.4).all()


def polynomial(matrix: np.ndarray) -> np.ndarray:
    """Three iterations on the singular values alone."""
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    values = values / np.linalg.norm(values)
    for _ in range(3):
        values = 3.4445 * values - 4.7750 * values**3 + 2.0315 * values**5
    return (left * values) @ right


def test_two_steps_equal_numpys() -> None:
    rng = np.random.default_rng(1)
    kernel = keras.Variable(rng.normal(size=(3, 3, 4, 8)), dtype="float32")
    dense = keras.Variable(rng.normal(size=(6, 5)), dtype="float32")
    optimiser = muon(0.3)
    optimiser.build([kernel, dense])
    expected = [np.asarray(kernel, float), np.asarray(dense, float)]
    momentum = np.zeros((36, 8))
    velocity = np.zeros((6, 5))
    for _ in range(2):
        slopes = [rng.normal(size=(3, 3, 4, 8)), rng.normal(size=(6, 5))]
        optimiser.apply([keras.ops.cast(slope, "float32") for slope in slopes], [kernel, dense])
        flat = slopes[0].reshape(36, 8)
        momentum = 0.9 * momentum + flat
        expected[0] -= 0.3 * polynomial(flat + 0.9 * momentum).reshape(3, 3, 4, 8)
        velocity = 0.9 * velocity - 0.1 * slopes[1]
        expected[1] += 0.9 * velocity - 0.1 * slopes[1]
    np.testing.assert_allclose(np.asarray(kernel), expected[0], atol=1e-4)
    np.testing.assert_allclose(np.asarray(dense), expected[1], atol=1e-5)
