"""Whether a network is right as often as it is sure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..network.predict import Predictions

BINS = 10


@dataclass(frozen=True)
class Reliability:
    """Predictions sorted into M bins of equal width by their confidence.

    Attributes:
        edges: float64 (M + 1,), 0 to 1; a bin is above its lower edge and up to its upper one.
        images: int64 (M,), how many are in each.
        confidence: float64 (M,), their mean confidence; NaN in an empty bin.
        accuracy: float64 (M,), the share of them predicted rightly; NaN in an empty bin.
    """

    edges: np.ndarray
    images: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray

    @property
    def calibration_error(self) -> float:
        """Expected calibration error, 0 to 1: the bins' |accuracy - confidence|, by their images.

        Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017.
        """
        apart = np.abs(self.accuracy - self.confidence)
        return float(np.nansum(apart * self.images) / self.images.sum())

    @property
    def overconfidence(self) -> float:
        """Mean confidence less accuracy over all images, -1 to 1."""
        apart = self.confidence - self.accuracy
        return float(np.nansum(apart * self.images) / self.images.sum())


def reliability(predictions: Predictions, bins: int = BINS) -> Reliability:
    """How often predictions of each confidence are right.

    Args:
        predictions: N at least 1.
        bins: M, at least 1.
    """
    edges = np.linspace(0, 1, bins + 1)
    confidence = predictions.confidence.astype(np.float64)
    places = np.searchsorted(edges[1:-1], confidence)
    images = np.bincount(places, minlength=bins)
    filled = np.where(images > 0, images, np.nan)
    return Reliability(
        edges=edges,
        images=images,
        confidence=np.bincount(places, confidence, bins) / filled,
        accuracy=np.bincount(places, predictions.hits, bins) / filled,
    )
