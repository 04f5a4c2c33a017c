"""One training step of the tutorial's network, against a NumPy one in double precision."""

from __future__ import annotations

import numpy as np
import pytest

from cifar_core.config import TrainingConfig
from cifar_core.data.dataset import CIFAR10_CLASSES, Dataset, Source
from cifar_core.training.loop import Training

IMAGES = 16
Array = np.ndarray


def patches(x: Array) -> Array:
    """(N, H, W, C) to the 3x3 windows around which a kernel lies, (N, H-2, W-2, 3, 3, C)."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
    return windows.transpose(0, 1, 2, 4, 5, 3)


def convolve(x: Array, kernel: Array, bias: Array) -> Array:
    return np.tensordot(patches(x), kernel, axes=3) + bias


def convolve_back(x: Array, kernel: Array, back: Array) -> tuple[Array, Array, Array]:
    """Gradients of the input, the kernel and the bias."""
    of_kernel = np.tensordot(patches(x), back, axes=([0, 1, 2], [0, 1, 2]))
    rim = np.pad(back, ((0, 0), (2, 2), (2, 2), (0, 0)))
    of_input = np.tensordot(patches(rim), kernel[::-1, ::-1].transpose(0, 1, 3, 2), axes=3)
    return of_input, of_kernel, back.sum(axis=(0, 1, 2))


def pool(x: Array) -> tuple[Array, Array]:
    """The highest of each 2x2 window, and which one it was; an odd last row is left over."""
    n, h, w, c = x.shape
    cut = x[:, : h // 2 * 2, : w // 2 * 2]
    windows = cut.reshape(n, h // 2, 2, w // 2, 2, c).transpose(0, 1, 3, 5, 2, 4)
    windows = windows.reshape(*windows.shape[:4], 4)
    return windows.max(axis=-1), windows.argmax(axis=-1)


def pool_back(shape: tuple[int, ...], which: Array, back: Array) -> Array:
    out = np.zeros(shape)
    n, h, w, c = np.indices(which.shape)
    out[n, 2 * h + which // 2, 2 * w + which % 2, c] = back
    return out


def gradients(weights: list[Array], pixels: Array, labels: Array) -> tuple[float, list[Array]]:
    """Loss and gradients of the tutorial's network, layer by layer."""
    k1, b1, k2, b2, k3, b3, k4, b4, k5, b5 = weights
    x = pixels / 255
    c1 = convolve(x, k1, b1)
    p1, which1 = pool(np.maximum(c1, 0))
    c2 = convolve(p1, k2, b2)
    p2, which2 = pool(np.maximum(c2, 0))
    c3 = convolve(p2, k3, b3)
    flat = np.maximum(c3, 0).reshape(len(x), -1)
    d4 = flat @ k4 + b4
    hidden = np.maximum(d4, 0)
    logits = hidden @ k5 + b5
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares = powers / powers.sum(axis=1, keepdims=True)
    loss = -np.log(shares[np.arange(len(x)), labels]).mean()

    back = (shares - np.eye(10)[labels]) / len(x)
    g5, h5 = hidden.T @ back, back.sum(axis=0)
    back = back @ k5.T * (d4 > 0)
    g4, h4 = flat.T @ back, back.sum(axis=0)
    back = (back @ k4.T).reshape(c3.shape) * (c3 > 0)
    back, g3, h3 = convolve_back(p2, k3, back)
    back, g2, h2 = convolve_back(p1, k2, pool_back(c2.shape, which2, back) * (c2 > 0))
    _, g1, h1 = convolve_back(x, k1, pool_back(c1.shape, which1, back) * (c1 > 0))
    return loss, [g1, h1, g2, h2, g3, h3, g4, h4, g5, h5]


def adam(gradient: Array, rate: float) -> Array:
    """The first step of Adam (Kingma and Ba, 2015), as Keras scales its epsilon."""
    first, second = 0.1 * gradient, 0.001 * gradient**2
    return rate * np.sqrt(0.001) / 0.1 * first / (np.sqrt(second) + 1e-7)


def nesterov(gradient: Array, rate: float) -> Array:
    """The first step of SGD with Nesterov momentum 0.9: the gradient and 0.9 of it ahead."""
    return rate * 1.9 * gradient


@pytest.mark.parametrize(
    ("optimiser", "rate", "step"), [("adam", 0.001, adam), ("sgd", 0.1, nesterov)]
)
def test_one_training_step_equals_numpys(optimiser: str, rate: float, step) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (IMAGES, 32, 32, 3), dtype=np.uint8)
    labels = rng.integers(0, 10, IMAGES).astype(np.uint8)
    source = Source("npz", "noise", "", "")
    data = Dataset(pixels, labels, pixels, labels, CIFAR10_CLASSES, source)
    training = Training(
        TrainingConfig(epochs=1, batch_size=IMAGES, optimiser=optimiser, learning_rate=rate), data
    )
    before = [weight.astype(float) for weight in training.model.get_weights()]
    event = next(training.events())
    loss, slopes = gradients(before, pixels, labels)
    assert event.step == 1
    assert event.loss == pytest.approx(loss, 1e-5)
    for old, slope, new in zip(before, slopes, training.model.get_weights(), strict=True):
        moved = step(slope, rate)
        assert np.abs(moved).max() > 1e-4
        np.testing.assert_allclose(new, old - moved, rtol=0, atol=1e-5)
