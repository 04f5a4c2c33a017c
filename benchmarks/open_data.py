"""Claim: all of CIFAR-10 as 60,000 JPEGs in a zip opens in under 20 s, and in under 1 s from then
on.

    CIFAR10_DATA=path/to/cifar10-images.zip python -m benchmarks.open_data
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

from benchmarks.machine import heading, spread

TRIALS = 3


def seconds(cache: str) -> float:
    """Wall time of opening the images in a process of its own, start-up included."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "cifar_core", "data", "--json"]
    environment = {**os.environ, "CIFAR10_CACHE": cache}
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    """Measure with an empty cache and again with the one it left."""
    heading("opening the images of CIFAR10_DATA", TRIALS, ("numpy", "pillow"))
    first, then = [], []
    for _ in range(TRIALS):
        with tempfile.TemporaryDirectory() as cache:
            first.append(seconds(cache))
            then.append(seconds(cache))
    print(f"first   {spread(first)} s")
    print(f"then    {spread(then)} s")
    print(f"ratio   {spread([a / b for a, b in zip(first, then, strict=True)], '.0f')}")


if __name__ == "__main__":
    main()
