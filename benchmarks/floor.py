"""Claim: training comes near what the processor can do; a step's profile says where the rest goes.

The floor of a step is its multiply-adds over the rate of a large matrix product in float32 on the
same cores: once forward, once more for the gradient of each layer's weights that are learned, and
once for that of its input, but for the first that learns. The profile is oneDNN's own, of what it
computes; 'the rest' is TensorFlow's.

    python -m benchmarks.floor [--short]
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable

import numpy as np

from benchmarks.machine import SHORT, keep, machine, spread
from cifar_core import PRESETS, TrainingConfig
from cifar_core.network.build import build_model
from cifar_core.network.describe import describe
from cifar_core.training.loop import many_steps

PRESETS_MEASURED = ("tutorial-dropout", "fast", "best")
TRIALS, STEPS = (3, 5) if SHORT else (9, 20)
SIDE = 2048


def multiply_adds(config: TrainingConfig) -> int:
    """Of one training step, for one image."""
    model = build_model(config)
    works = [layer.multiply_adds for layer in describe(model)]
    learns = [bool(layer.trainable_weights) for layer in model.layers]
    first = learns.index(True)
    of_weights = sum(work for work, own in zip(works, learns, strict=True) if own)
    return sum(works) + of_weights + sum(works[first + 1 :])


def seconds(work: Callable[[], object]) -> list[float]:
    """Of each trial, after one that is thrown away."""
    found = []
    for _ in range(TRIALS + 1):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return found[1:]


def product(dtype: str) -> float:
    """Multiply-adds a second of a large matrix product."""
    import tensorflow as tf

    a, b = (tf.cast(tf.random.normal((SIDE, SIDE)), dtype) for _ in range(2))
    multiply = tf.function(lambda: tf.linalg.matmul(a, b))
    return SIDE**3 / min(seconds(lambda: multiply().numpy()))


def steps(config: TrainingConfig) -> Callable[[], object]:
    """So many training steps on noise, in one call."""
    rng, count = np.random.default_rng(0), config.batch_size * STEPS
    images = rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
    labels = rng.integers(0, 10, count).astype(np.uint8)
    rates = np.full(STEPS, 1e-4, np.float32)
    train = many_steps(build_model(config), config.batch_size)
    return lambda: train(images, labels, rates)


def profile(name: str) -> list[tuple[str, float]]:
    """Each kind of oneDNN's work as a share of a step, the most first, by a process of its own."""
    command = [sys.executable, "-m", "benchmarks.floor", "--profile", name]
    environment = {**os.environ, "ONEDNN_VERBOSE": "1"}
    done = subprocess.run(
        command, env=environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    _, counted = done.stdout.decode(errors="replace").split("counted from here", 1)
    parts: dict[str, float] = defaultdict(float)
    for line in counted.splitlines():
        words = line.split(",")
        if line.startswith("onednn_verbose") and "exec" in words:
            kind, direction = words[words.index("exec") + 2 :: 2][:2]
            known = direction if direction != "undef" else ""
            parts[f"{kind} {known}".replace("_", " ").strip()] += float(words[-1])
        elif line.startswith("took"):
            whole = float(line.split()[1])
    parts["the rest"] = max(0.0, whole - sum(parts.values()))
    return [(part, spent / whole) for part, spent in sorted(parts.items(), key=lambda one: -one[1])]


def main() -> None:
    """Measure the product, each preset's step, and its profile."""
    if "--profile" in sys.argv:
        work = steps(PRESETS[sys.argv[-1]])
        work()
        print("counted from here", flush=True)
        began = time.perf_counter()
        work()
        print("took", 1000 * (time.perf_counter() - began), flush=True)
        return
    lines = ["`python -m benchmarks.floor`, on noise.", "", machine(TRIALS), ""]
    rates = {dtype: product(dtype) for dtype in ("float32", "bfloat16")}
    lines.append(
        f"A product of two {SIDE}x{SIDE} matrices reaches {rates['float32'] / 1e9:.0f} thousand "
        f"million multiply-adds a second in float32, {rates['bfloat16'] / 1e9:.0f} in bfloat16."
    )
    lines += ["", "| preset | multiply-adds an image | step, ms | floor, ms | floor / step |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for name in PRESETS_MEASURED:
        config, needed = PRESETS[name], multiply_adds(PRESETS[name])
        took = [1000 * one / STEPS for one in seconds(steps(config))]
        floor = 1000 * needed * config.batch_size / rates["float32"]
        lines.append(
            f"| `{name}` | {needed:,} | {spread(took)} | {floor:.2f} | {floor / min(took):.2f} |"
        )
    for name in PRESETS_MEASURED:
        told = ", ".join(f"{part} {100 * share:.0f} %" for part, share in profile(name)[:7])
        lines += ["", f"A step of `{name}`, by the clock, where two parts may overlap: {told}."]
    keep("The floor", "\n".join(lines))


if __name__ == "__main__":
    main()
