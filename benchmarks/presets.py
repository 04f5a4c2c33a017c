"""Claim: `fast` and `fast-tutorial` reach 72 %, `best` 83 %, on CIFAR-10's JPEG copy.

Prints docs/presets.md's table. A run with the same settings and images that is finished already
is not trained again.

    python -m benchmarks.presets --data path/to/cifar10-images.zip --seeds 0 1 2 --runs FOLDER
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.machine import heading
from benchmarks.remedies import figure, trained
from cifar_core import PRESETS, RunStore, load_data
from cifar_core.network.build import build_model


def main() -> None:
    """Train what is missing, and print a Markdown table."""
    parser = argparse.ArgumentParser(description="All presets, several seeds each.")
    parser.add_argument("--data", required=True)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    name = load_data(options.data).source.name
    heading(f"presets on {name}", len(options.seeds))
    columns = "preset | parameters | epochs | train accuracy, % | test accuracy, % | gap, points"
    print(f"\n| {columns} | test accuracy of each seed, % | s/epoch |\n|{' --- |' * 8}", flush=True)
    for preset, config in PRESETS.items():
        runs = [
            trained(
                RunStore(options.runs), replace(config, seed=seed), f"{preset}-{seed}", options.data
            )
            for seed in options.seeds
        ]
        figures = [
            figure([100 * (getattr(summary, field) or 0.0) for summary in runs], ".2f")
            for field in ("train_accuracy", "test_accuracy", "gap")
        ]
        each = ", ".join(f"{100 * (summary.test_accuracy or 0.0):.2f}" for summary in runs)
        pace = min(event.seconds for summary in runs for event in summary.run.history().epochs)
        parameters = f"{build_model(config).count_params():,}"
        print(
            f"| {preset} | {parameters} | {config.epochs} | {' | '.join(figures)} | {each} "
            f"| {pace:.1f} |"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
