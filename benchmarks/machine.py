"""What a figure was measured on, and how figures are printed."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from importlib.metadata import version


def heading(claim: str, trials: int, packages: Sequence[str] = ("tensorflow", "numpy")) -> None:
    """Print the claim, the hardware, the versions and the number of trials."""
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    print(claim)
    print(f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, load", end=" ")
    print(f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown")
    print(f"Python {platform.python_version()}, {versions}; {trials} trials", flush=True)


def spread(values: Sequence[float], form: str = ".2f") -> str:
    """Median with minimum and maximum."""
    low, high = min(values), max(values)
    return f"{statistics.median(values):{form}} ({low:{form}} to {high:{form}})"
