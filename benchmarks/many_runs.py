"""Claim: with 1,000 runs in the store, Compare's table is drawn within 1 s of a click.

The click comes on the Data page, once it is drawn and TensorFlow loaded: else it waits for them.

Makes the runs' folders by code, 10 epochs and 400 batch events in each, and measures, each in a
process of its own: the processor time of a look at all runs, for the first time and again, which
hardly depends on what else the machine does; and in Chromium, from a click on
'Compare' until the table is there, for the first time and again.

    python -m benchmarks.many_runs
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from benchmarks.machine import heading, spread
from cifar_core import RunState, RunStore, TrainingConfig
from cifar_core.runs.events import BatchEvent, EpochEvent, StateEvent
from tests.browser.conftest import FLAGS, ROOT, chromium_path, run_dashboard

RUNS = 1000
TRIALS = 5
READ = (
    "import time; from cifar_core.runs.store import RunStore\n"
    "store = RunStore()\n"
    "for _ in range(2):\n"
    "    begun = time.process_time(); store.look(); print(time.process_time() - begun)\n"
)


def make(root: Path, runs: int = RUNS) -> None:
    """The runs, of 24 settings and many seeds."""
    store, rng = RunStore(root), random.Random(0)
    data = {"kind": "synthetic", "name": "Built-in images (synthetic)", "location": ""}
    for number in range(runs):
        config = TrainingConfig(
            dropout=rng.choice([0.0, 0.2, 0.4]),
            flip=rng.random() < 0.5,
            learning_rate=rng.choice([0.001, 0.003]),
            batch_size=rng.choice([32, 128]),
            seed=number,
        )
        run = store.create(config, f"run-{number:04}")
        run.save_environment(
            {
                "device": "CPU: 2 cores",
                "data": {**data, "checksum": "sha256:0"},
                "classes": [f"class {label}" for label in range(10)],
                "started": time.time(),
            }
        )
        run.append(StateEvent(state=RunState.RUNNING))
        for epoch in range(1, 11):
            accuracy = 1 - 1 / (1.4 + 0.3 * epoch) + rng.uniform(-0.02, 0.02)
            for batch in range(40):
                run.append(
                    BatchEvent(
                        step=40 * (epoch - 1) + batch + 1,
                        epoch=epoch,
                        loss=rng.random(),
                        accuracy=accuracy,
                        images_per_second=900 + rng.random(),
                    )
                )
            run.append(
                EpochEvent(
                    step=40 * epoch,
                    epoch=epoch,
                    loss=2 / epoch,
                    accuracy=accuracy,
                    val_loss=2.2 / epoch,
                    val_accuracy=accuracy - 0.005 * epoch,
                    seconds=10.0,
                )
            )
        run.append(
            StateEvent(
                state=RunState.FINISHED,
                test_loss=0.9,
                test_accuracy=accuracy - 0.05,
                seconds=100.0,
            )
        )


def table_seconds(page: Page, url: str) -> tuple[float, float]:
    """From a click on 'Compare' until the table is there: the first time, and again."""
    app, links = page.get_by_test_id("stApp"), page.get_by_test_id("stSidebarNav")
    page.goto(url)
    expect(page.get_by_text("Device: CPU")).to_be_visible(timeout=90_000)  # TensorFlow is there
    found = []
    for _ in range(2):
        expect(page.get_by_test_id("image-grid")).to_have_attribute("data-drawn", re.compile("."))
        expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=60_000)
        begun = time.perf_counter()
        links.get_by_role("link", name="Compare").click()
        page.get_by_test_id("stDataFrame").locator("canvas").first.wait_for(timeout=60_000)
        found.append(time.perf_counter() - begun)
        expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=60_000)
        links.get_by_role("link", name="Data").click()
    return found[0], found[1]


def main() -> None:
    """Make the runs, measure, print."""
    heading(f"Compare with {RUNS:,} runs", TRIALS, ("streamlit", "numpy"))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "runs"
        make(root)
        environment = {**os.environ, "CIFAR10_RUNS": str(root), "CIFAR10_DATA": "synthetic"}
        read, again = [], []
        for _ in range(TRIALS):
            done = subprocess.run(
                [sys.executable, "-c", READ],
                cwd=ROOT,
                env=environment,
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
            a, b = map(float, done.stdout.split())
            read.append(a)
            again.append(b)
        print(f"processor time, a look  {spread(read)} s")
        print(f"another look            {spread(again, '.3f')} s", flush=True)
        first, later = [], []
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
            for _ in range(TRIALS):
                with run_dashboard(ROOT / "dashboard.py", env=environment) as url:
                    page = browser.new_page(viewport={"width": 1280, "height": 900})
                    a, b = table_seconds(page, url)
                    first.append(a)
                    later.append(b)
                    page.close()
            browser.close()
    print(f"click to table, first   {spread(first)} s")
    print(f"click to table, again   {spread(later)} s")


if __name__ == "__main__":
    main()
