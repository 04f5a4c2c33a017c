"""Claim: a log of 100 MB is opened in 1 s.

In a process of its own each: what a run's page reads of a log of 600,000 batch events and 1,000
epochs, and all of it, as going on and TensorBoard's export need it. The peer is what a person
writes, `json.loads` of each line into a table of columns. Then, in Chromium, from a click on
'Train' until both curves of that run are drawn, once TensorFlow is loaded.

    python -m benchmarks.long_log
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from benchmarks.machine import SHORT, Cost, cost_of, heading, in_turn, keep, machine, spread, table
from cifar_core import RunState, RunStore, TrainingConfig
from cifar_core.runs.events import BatchEvent, EpochEvent, StateEvent, to_line
from tests.browser.conftest import FLAGS, ROOT, chromium_path, run_dashboard

TRIALS, EVENTS, EPOCHS = (1, 60_000, 100) if SHORT else (5, 600_000, 1000)
PEER = """
import json, sys
columns = {}
with open(sys.argv[1] + "/events.jsonl") as log:
    for line in log:
        event = json.loads(line)
        for name, value in event.items():
            columns.setdefault((event["type"], name), []).append(value)
"""
OWN = """
import sys
from pathlib import Path
from cifar_core.runs.history import History
from cifar_core.runs.run import Run
run = Run(Path(sys.argv[1]))
"""
SIDES = {
    "json.loads of each line": PEER,
    "as a page reads it": f"{OWN}run.follow(History.thinned())",
    "all of it": f"{OWN}run.history()",
}


def write_log(root: Path) -> Path:
    """The run's folder, of a training of so many events that has ended."""
    rng, now = random.Random(0), 1.76e9
    steps, events = 14 * EVENTS // EPOCHS, EVENTS // EPOCHS
    run = RunStore(root).create(TrainingConfig(epochs=EPOCHS), "long")
    run.save_environment({"train_images": 32 * steps, "classes": [str(n) for n in range(10)]})
    run.append(StateEvent(state=RunState.RUNNING, time=now))
    with (run.path / "events.jsonl").open("a") as log:
        for epoch in range(1, EPOCHS + 1):
            loss = 2.3 / (1 + 3 * epoch / EPOCHS)
            for number in range(1, events + 1):
                now += 0.2
                event = BatchEvent(
                    time=now,
                    step=(epoch - 1) * steps + 14 * number,
                    epoch=epoch,
                    loss=loss * (1 + rng.random()),
                    accuracy=rng.random(),
                    images_per_second=2200 + rng.random(),
                )
                log.write(to_line(event))
            whole = EpochEvent(
                time=now,
                step=epoch * steps,
                epoch=epoch,
                loss=loss,
                accuracy=0.5,
                val_loss=loss,
                val_accuracy=0.5,
                seconds=0.2 * events,
            )
            log.write(to_line(whole))
    run.append(StateEvent(state=RunState.FINISHED, time=now, epoch=EPOCHS, test_accuracy=0.5))
    return run.path


def click_to_drawn(root: Path) -> float:
    """Seconds from a click on 'Train', on a page without runs, until both curves are drawn."""
    environment = {"CIFAR10_RUNS": str(root), "CIFAR10_DATA": "synthetic"}
    with (
        run_dashboard(ROOT / "dashboard.py", env=environment) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(url)
        expect(page.get_by_text("Device: CPU")).to_be_visible(timeout=90_000)  # TensorFlow is there
        app = page.get_by_test_id("stApp")
        expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=60_000)
        begun = time.perf_counter()
        page.get_by_test_id("stSidebarNav").get_by_role("link", name="Train").click()
        page.wait_for_function(
            "() => document.querySelectorAll('[data-key^=train-] .scatterlayer .trace').length > 4",
            timeout=60_000,
        )
        seconds = time.perf_counter() - begun
        browser.close()
    return seconds


def main() -> None:
    """Write the log, read it, look at it, and keep the figures."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "runs"
        path = write_log(root)
        size = (path / "events.jsonl").stat().st_size / 1e6
        heading(f"a log of {size:.0f} MB opened", TRIALS)

        def reading(code: str) -> Callable[[], Cost]:
            return lambda: cost_of([sys.executable, "-c", code, str(path)], cwd=ROOT)[0]

        found = in_turn({name: reading(code) for name, code in SIDES.items()}, TRIALS)
        drawn = [click_to_drawn(root) for _ in range(TRIALS)]
    keep(
        "A long log",
        f"`python -m benchmarks.long_log`: a log of {size:.0f} MB, {EVENTS:,} batch events, opened "
        f"in a new process, its start counted in.\n\n```\n{machine(TRIALS)}\n```\n\n{table(found)}"
        f"\n\nFrom a click on 'Train' until both curves of that run are drawn, the first time in a "
        f"dashboard and a browser: {spread(drawn)} s.",
    )


if __name__ == "__main__":
    main()
