"""How far an accuracy can be trusted, and whether two networks really differ."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..network.predict import Predictions

_Z = 1.959963984540054  # the normal distribution's 97.5 % point: 95 % lie within
_EXACT_BELOW = 25  # discordant images; the chi-squared distribution fits from there on


def wilson_interval(hits: int, images: int) -> tuple[float, float]:
    """95 % interval of a share of hits, 0 to 1.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22
    (1927). Unlike the share plus or minus two standard errors it never leaves 0 to 1, and holds
    for few images and for shares near 0 or 1 too.

    Args:
        hits: from 0 to `images`.
        images: at least 1.

    Example:
        >>> low, high = wilson_interval(70, 100)
        >>> round(low, 3), round(high, 3)
        (0.604, 0.781)
    """
    share, square = hits / images, _Z**2 / images
    centre = (share + square / 2) / (1 + square)
    half = math.sqrt(square * (share * (1 - share) + square / 4)) / (1 + square)
    return max(0.0, centre - half), min(1.0, centre + half)


def accuracy_interval(predictions: Predictions) -> tuple[float, float]:
    """95 % interval of the accuracy on all images of the test set's kind, 0 to 1."""
    return wilson_interval(int(predictions.hits.sum()), len(predictions.labels))


@dataclass(frozen=True)
class McNemar:
    """Two networks on the same images.

    Attributes:
        both, neither: images that both, or none, predict rightly.
        only_first, only_second: the discordant ones, which one of the two predicts rightly.
        p_value: how likely two equally good networks would split the discordant images at least
            as unevenly by chance, 0 to 1, two-sided.
        exact: whether that is the binomial test's, else the chi-squared approximation's.
    """

    both: int
    neither: int
    only_first: int
    only_second: int
    p_value: float
    exact: bool

    @property
    def is_real(self) -> bool:
        """Whether chance alone would split them so in less than 5 % of all cases."""
        return self.p_value < 0.05


def mcnemar(first: np.ndarray, second: np.ndarray) -> McNemar:
    """McNemar's test: do two networks differ by more than chance?

    Q. McNemar, "Note on the sampling error of the difference between correlated proportions",
    Psychometrika 12 (1947): the exact binomial test below 25 discordant images, else chi-squared
    with one degree of freedom and Edwards' continuity correction.

    Args:
        first, second: bool (N,), whether each network predicts the same N images rightly.

    Raises:
        ValueError: the lengths differ.
    """
    if first.shape != second.shape:
        raise ValueError(f"the images must be the same. Received: {first.shape}, {second.shape}.")
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    discordant, apart = only_first + only_second, abs(only_first - only_second)
    if exact := discordant < _EXACT_BELOW:
        few = min(only_first, only_second)
        ways = sum(math.comb(discordant, k) for k in range(few + 1))
        p_value = min(1.0, 2 * ways / 2**discordant)
    else:
        chi_squared = max(apart - 1, 0) ** 2 / discordant
        p_value = math.erfc(math.sqrt(chi_squared / 2))
    return McNemar(
        both=int((first & second).sum()),
        neither=int((~first & ~second).sum()),
        only_first=only_first,
        only_second=only_second,
        p_value=p_value,
        exact=exact,
    )
