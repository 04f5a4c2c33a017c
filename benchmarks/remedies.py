"""Claim: of the tutorial's cures for overfitting, each changes the gap or the test accuracy.

Trains the tutorial's baseline and, one change at a time, every remedy, and prints
docs/remedies.md's tables. A run with the same settings and images that is finished already is
not trained again, so that the whole can be broken off and gone on with.

    python -m benchmarks.remedies --data synthetic --seeds 0 1 2 --runs FOLDER
    python -m benchmarks.remedies --data path/to/cifar10-images.zip --seeds 0 --runs FOLDER \\
        --only baseline dropout "mirror and shift" "early stopping" cosine L2 narrow half
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from benchmarks.machine import heading
from cifar_core import PRESETS, RunState, RunStore, Summary, TrainingConfig, load_data

BASELINE = PRESETS["tutorial-baseline"]


def remedies(images: int) -> dict[str, TrainingConfig]:
    """Every remedy as the baseline with a change, by name."""
    changes: dict[str, dict[str, Any]] = {
        "baseline": {},
        "dropout": {"dropout": 0.4},
        "mirror": {"flip": True},
        "shift": {"shift": 2},
        "mirror and shift": {"flip": True, "shift": 2},
        "cutout": {"cutout": 8},
        "L2": {"l2": 0.0005},
        "weight decay": {"optimiser": "adamw", "weight_decay": 0.05},
        "label smoothing": {"label_smoothing": 0.1},
        "early stopping": {"validation": "holdout", "patience": 2, "epochs": 30},
        "cosine": {"schedule": "cosine"},
        "exponential": {"schedule": "exponential"},
        "lower rate": {"learning_rate": 0.0003},
        "Adagrad": {"optimiser": "adagrad"},
        "narrow": {"width": 0.5},
        "two convolutions": {"convolutions": 2},
        "batch normalisation": {"batch_norm": True},
        "half": {"train_images": images // 2},
        "twice the epochs": {"epochs": 20},
    }
    return {name: replace(BASELINE, **change) for name, change in changes.items()}


def trained(store: RunStore, config: TrainingConfig, name: str, data: str) -> Summary:
    """A finished run of these settings: one that is there, else one trained now."""
    checksum = load_data(data).source.checksum
    for summary in store.summaries():
        same = summary.data_checksum == checksum
        if same and summary.config == config and summary.state is RunState.FINISHED:
            return summary
    options = []
    for setting, value in config.to_json().items():
        option = f"--{setting.replace('_', '-')}"
        if isinstance(value, bool):
            options.append(option if value else f"--no-{option[2:]}")
        else:
            options += [option, str(value)]
    command = [sys.executable, "-m", "cifar_core", "train", "--name", name, *options]
    subprocess.run(
        [*command, "--data", data, "--runs", str(store.root)],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return Summary.of(store.get(name))


def figure(values: Sequence[float], form: str) -> str:
    """Mean and, where there are several, the sample standard deviation."""
    return f"{mean(values):{form}}" + (f" ± {stdev(values):{form}}" if len(values) > 1 else "")


def main() -> None:
    """Train what is missing, and print a Markdown table."""
    parser = argparse.ArgumentParser(description="Remedies against the baseline.")
    parser.add_argument("--data", required=True)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--only", nargs="+")
    options = parser.parse_args()
    data = load_data(options.data)
    chosen = remedies(len(data.x_train))
    if options.only:
        chosen = {name: chosen[name] for name in options.only}
    heading(f"remedies on {data.source.name}", len(options.seeds))
    store = RunStore(options.runs)
    columns = "remedy | epochs kept | train accuracy, % | test accuracy, % | gap, points | s/epoch"
    print(f"\n| {columns} |\n|{' --- |' * 6}", flush=True)
    for name, config in chosen.items():
        runs = [
            trained(
                store,
                replace(config, seed=seed),
                f"{data.source.kind}-{name.replace(' ', '-')}-{seed}",
                options.data,
            )
            for seed in options.seeds
        ]
        epochs = [summary.kept_epoch or summary.epochs for summary in runs]
        # The quickest epoch was disturbed the least by whatever else the machine did.
        pace = min(event.seconds for summary in runs for event in summary.run.history().epochs)
        figures = [
            figure([100 * (getattr(summary, field) or 0.0) for summary in runs], ".1f")
            for field in ("train_accuracy", "test_accuracy", "gap")
        ]
        print(f"| {name} | {figure(epochs, '.3g')} | {' | '.join(figures)} | {pace:.1f} |")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
