"""What the pixels of each class have in common, in figures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from .images import GREY_WEIGHTS

_CHUNK = 512  # images worked on at a time: 6 MB as float32


@dataclass(frozen=True)
class ClassStatistics:
    """Figures over all pixels of the images of each of K classes; NaN where a class has none.

    Attributes:
        images: int64 (K,), how many images.
        mean_image: float64 (K, H, W, 3), 0 to 255.
        covariance: float64 (K, 3, 3), of red, green and blue over pixels.
        histogram: int64 (K, 4, 256), pixels of each value: red, green, blue, brightness.
    """

    images: np.ndarray
    mean_image: np.ndarray
    covariance: np.ndarray
    histogram: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """Mean red, green and blue, (K, 3), 0 to 255."""
        return self.mean_image.mean(axis=(1, 2))

    @property
    def std(self) -> np.ndarray:
        """Standard deviation of red, green and blue, (K, 3)."""
        return np.sqrt(np.diagonal(self.covariance, axis1=1, axis2=2))

    @property
    def grey_mean(self) -> np.ndarray:
        """Mean brightness, (K,), 0 to 255."""
        return self.mean @ GREY_WEIGHTS

    @property
    def colour_share(self) -> np.ndarray:
        """The part of each class's pixel variance that greyscale loses, (K,), 0 to 1.

        Red, green and blue are each predicted from brightness by the straight line that fits
        best; what that leaves over, as a share of their variance (1 - R²), is colour's alone.
        """
        with_grey = self.covariance @ GREY_WEIGHTS
        # A brightness is a whole number, and rounding to one adds a variance of 1/12.
        kept = (with_grey**2).sum(axis=1) / (with_grey @ GREY_WEIGHTS + 1 / 12)
        total = np.trace(self.covariance, axis1=1, axis2=2)
        with np.errstate(invalid="ignore"):
            # Even images have no variance, so there is nothing to lose.
            return np.where(total == 0, 0.0, np.clip(1 - kept / total, 0, 1))

    def merged_pair(self) -> tuple[int, int, float, float] | None:
        """The two classes whose mean colours greyscale makes most alike.

        Returns:
            Both labels, the distance of their mean colours, and that of their mean greys
            (Euclidean in RGB, where a grey is three equal channels); None where none shrinks.
        """
        seen = np.flatnonzero(self.images > 0)
        colour = np.linalg.norm(self.mean[seen, None] - self.mean[None, seen], axis=2)
        grey = np.sqrt(3) * np.abs(self.grey_mean[seen, None] - self.grey_mean[None, seen])
        lost = np.triu(colour - grey, 1)
        if not (lost > 0).any():
            return None
        first, second = np.unravel_index(lost.argmax(), lost.shape)
        pair = int(seen[first]), int(seen[second])
        return *pair, float(colour[first, second]), float(grey[first, second])


def class_statistics(images: np.ndarray, labels: np.ndarray, classes: int) -> ClassStatistics:
    """Measure each class, some hundred images at a time, so that memory stays small.

    Args:
        images: uint8 (N, H, W, 3); may be memory-mapped.
        labels: (N,), class indices below `classes`.
        classes: K.
    """
    shape = images.shape[1:]
    mean_image = np.full((classes, *shape), np.nan)
    covariance = np.full((classes, 3, 3), np.nan)
    histogram = np.zeros((classes, 4, 256), np.int64)
    members = [np.flatnonzero(labels == label) for label in range(classes)]
    for label, indices in enumerate(members):
        if not len(indices):
            continue
        total = np.zeros(shape, np.uint64)
        squares = np.zeros((3, 3))
        for start in range(0, len(indices), _CHUNK):
            chunk = images[indices[start : start + _CHUNK]]
            total += chunk.sum(axis=0, dtype=np.uint32)
            # Near zero, the sums of products are exact enough in float32.
            pixels = chunk.reshape(-1, 3).astype(np.float32) - np.float32(128)
            squares += pixels.T @ pixels
            # Pillow counts several times as fast as NumPy, and its "L" is `to_grey`.
            picture = Image.fromarray(chunk.reshape(-1, shape[1], 3))
            values = picture.histogram() + picture.convert("L").histogram()
            histogram[label] += np.reshape(values, (4, 256))
        mean_image[label] = total / len(indices)
        centre = mean_image[label].mean(axis=(0, 1)) - 128
        pixels_seen = len(indices) * shape[0] * shape[1]
        covariance[label] = squares / pixels_seen - np.outer(centre, centre)
    counts = np.array([len(indices) for indices in members], np.int64)
    return ClassStatistics(counts, mean_image, covariance, histogram)


def channel_moments(images: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of all pixels of some images, channel by channel.

    Args:
        images: uint8 (N, H, W, 3) or (N, H, W, 1); may be memory-mapped.
        which: int64 (M,), their indices.

    Returns:
        Two float64 arrays (channels,), of values of 0 to 255.
    """
    channels = images.shape[-1]
    histogram = np.zeros((channels, 256), np.int64)
    for start in range(0, len(which), _CHUNK):
        chunk = images[which[start : start + _CHUNK]]
        rows = chunk.reshape(-1, images.shape[2], channels)
        picture = Image.fromarray(rows[..., 0] if channels == 1 else rows)
        histogram += np.reshape(picture.histogram(), (channels, 256))
    values, pixels = np.arange(256), histogram.sum(axis=1)
    mean = histogram @ values / pixels
    return mean, histogram @ values**2 / pixels - mean**2
