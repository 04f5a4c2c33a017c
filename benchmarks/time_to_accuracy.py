"""Claim: `fast` reaches 72 % in a fifteenth of the tutorial's processor time, `best` 83 % in no
more than that.

Each side is a process of its own and is counted whole: start, images (decoded before, for all
sides), training, test, saving. The peer is `benchmarks/peer_tutorial.py`. Accuracies are of the
test set, without augmentation at the test, each trial with another seed.

    CIFAR10_DATA=path/to/cifar10-images.zip python -m benchmarks.time_to_accuracy [--short]

Its runs stay in the folder that CIFAR10_RUNS names, if it does.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np

from benchmarks.machine import SHORT, Cost, cost_of, in_turn, keep, machine, table
from cifar_core import PRESETS, Dataset, RunStore, Summary, load_data
from cifar_core.network.build import build_model

TITLE = "Time to accuracy"
PRESETS_MEASURED = ("fast", "fast-tutorial", "best")
TRIALS = 1 if SHORT else 2
MORE_SEEDS = 0 if SHORT else 3  # of what is quick, for a mean of 5


def save_arrays(data: Dataset, path: Path) -> None:
    """The images as the peer reads them."""
    names = ("x_train", "y_train", "x_test", "y_test")
    np.savez(path, **{name: getattr(data, name) for name in names})


def tutorial(arrays: Path, accuracies: list[float]) -> Cost:
    """The peer, from start to end."""
    epochs = ["1"] if SHORT else []
    command = [sys.executable, "-m", "benchmarks.peer_tutorial", str(arrays), *epochs]
    cost, printed = cost_of(command)
    accuracies.append(float(printed.rsplit(maxsplit=1)[1]))
    return cost


def preset(
    name: str, store: RunStore, data: str, seeds: Iterator[int], accuracies: list[float]
) -> Cost:
    """A preset's run, from the command line's start to its end."""
    seed = next(seeds)
    run = f"{name}-{seed}"
    command = [sys.executable, "-m", "cifar_core", "train", "--preset", name, "--name", run]
    command += ["--seed", str(seed), "--data", data, "--runs", str(store.root)]
    cost, _ = cost_of(command)
    accuracies.append(Summary.of(store.get(run)).test_accuracy or 0.0)
    return cost


def main() -> None:
    """Measure all sides in turn, and keep the table."""
    spec = "synthetic" if SHORT else os.environ["CIFAR10_DATA"]
    data = load_data(spec)
    with tempfile.TemporaryDirectory() as folder:
        arrays = Path(folder) / "arrays.npz"
        store = RunStore(Path(os.environ.get("CIFAR10_RUNS") or folder))
        save_arrays(data, arrays)
        found: dict[str, list[float]] = {}
        sides: dict[str, Callable[[], Cost]] = {}
        peer = "the tutorial, 15 epochs"
        sides[peer] = partial(tutorial, arrays, found.setdefault(peer, []))
        for name in PRESETS_MEASURED[: 2 if SHORT else None]:
            accuracies = found.setdefault(f"`{name}`", [])
            sides[f"`{name}`"] = partial(preset, name, store, spec, count(), accuracies)
        costs = in_turn(sides, TRIALS, warm_ups=0)  # each begins a process of its own
        for name in PRESETS_MEASURED[:2]:
            for _ in range(MORE_SEEDS):
                sides[f"`{name}`"]()
    lines = [f"`python -m benchmarks.time_to_accuracy`, on {data.source.name}.", ""]
    lines += [machine(TRIALS, ("tensorflow", "keras", "numpy")), "", table(costs), ""]
    lines += ["| | parameters | test accuracy, % | of each seed |", "| --- | --- | --- | --- |"]
    for side, accuracies in found.items():
        config = PRESETS.get(side.strip("`"), PRESETS["tutorial-dropout"])
        each = ", ".join(f"{100 * accuracy:.2f}" for accuracy in accuracies)
        mean = 100 * statistics.mean(accuracies)
        lines.append(f"| {side} | {build_model(config).count_params():,} | {mean:.2f} | {each} |")
    keep(TITLE, "\n".join(lines))


if __name__ == "__main__":
    main()
