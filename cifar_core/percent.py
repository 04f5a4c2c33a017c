"""Shares as people read them: per cent with two decimals, the same wherever a share is shown."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def rounded(shares: ArrayLike) -> Any:
    """Shares as `percent` shows them, for charts and tables, which format numbers by themselves.

    Args:
        shares: (...), 0 to 1; a NaN stays one.

    Returns:
        float64 (...), to 4 decimals, halves up. What is below 1 stays below: 0.99996 is 0.9999.
    """
    values = np.asarray(shares, dtype=float)
    found = np.floor(np.round(values * 1e4, 6) + 0.5) / 1e4  # 0.83145 * 1e4 is 8314.499999999999
    return np.where((values < 1) & (found >= 1), 0.9999, found)[()]


def percent(share: float, decimals: int = 2) -> str:
    """A share in per cent, halves up: 0.83145 is '83.15%'; fewer decimals are rounded from that."""
    scale = 10**decimals
    value = np.floor(np.round(float(rounded(share)) * 100 * scale, 6) + 0.5) / scale
    return f"{value:.{decimals}f}%"
