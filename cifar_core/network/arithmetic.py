"""Pooling and convolution one step at a time, for a page that shows their arithmetic."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

POOLING_KINDS = ("max", "average", "soft")

KERNELS: dict[str, list[list[float]]] = {
    "identity": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
    "edges": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    "sobel-x": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "sobel-y": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    "blur": [[1 / 16, 2 / 16, 1 / 16], [2 / 16, 4 / 16, 2 / 16], [1 / 16, 2 / 16, 1 / 16]],
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
}
"""Kernels to begin with; Sobel's answer to a change from left to right and from top to bottom."""


def windows(values: np.ndarray, size: int = 2) -> np.ndarray:
    """Squares side by side, as pooling takes them.

    Args:
        values: (H, W).
        size: cells a side.

    Returns:
        (H // size, W // size, size, size); rows and columns that fill no window are left out.
    """
    return sliding_window_view(values, (size, size))[::size, ::size]


def soft_weights(window: np.ndarray) -> np.ndarray:
    """SoftPool's weights: exp(a_i) / sum_j exp(a_j) over the last two axes.

    Stergiou, Poppe and Kalliatakis, "Refining activation downsampling with SoftPool", ICCV 2021.
    """
    # Less the largest, which changes no quotient, no exponential overflows.
    powers = np.exp(window - window.max(axis=(-2, -1), keepdims=True))
    weights: np.ndarray = powers / powers.sum(axis=(-2, -1), keepdims=True)
    return weights


def pool(values: np.ndarray, kind: str, size: int = 2) -> np.ndarray:
    """One number for each window.

    Args:
        values: (H, W).
        kind: 'max'; 'average'; or 'soft', the sum of the values times their `soft_weights`.
        size: cells a side of a window.

    Returns:
        float64 (H // size, W // size).

    Raises:
        ValueError: an unknown kind.
    """
    squares = windows(np.asarray(values, dtype=np.float64), size)
    if kind == "max":
        pooled = squares.max(axis=(-2, -1))
    elif kind == "average":
        pooled = squares.mean(axis=(-2, -1))
    elif kind == "soft":
        pooled = (soft_weights(squares) * squares).sum(axis=(-2, -1))
    else:
        raise ValueError(f"`kind` must be one of {POOLING_KINDS}. Received: kind={kind!r}.")
    return np.asarray(pooled)


def products(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """What a convolution adds up: each pixel under the kernel times the kernel's number.

    As in neural networks, the kernel is not turned round (which mathematicians call
    cross-correlation), and stays inside the image ('valid').

    Args:
        image: (H, W).
        kernel: (h, w).

    Returns:
        float64 (H - h + 1, W - w + 1, h, w).
    """
    kernel = np.asarray(kernel, dtype=np.float64)
    return np.asarray(sliding_window_view(image, kernel.shape) * kernel)


def convolve(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """The sums of `products`, float64 (H - h + 1, W - w + 1)."""
    return np.asarray(products(image, kernel).sum(axis=(-2, -1)))
