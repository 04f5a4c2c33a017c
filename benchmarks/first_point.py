"""Claim: from the click on 'Start training' to the first point on the charts takes 1.5 s at most.

    python -m benchmarks.first_point        (after `make test`, which installs what it needs)

In Chromium, on the built-in images and with no run before: from the click until the frame is
painted in which a chart of the Train page has its first point. In turn on two dashboards, one that
begins the run's process at the click, and one with a worker that waits. Processor time is that of
dashboard and worker in between. Then: what the waiting worker costs.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psutil
from playwright.sync_api import Page, expect, sync_playwright

from benchmarks.machine import SHORT, Cost, heading, in_turn, keep, machine, table
from cifar_core import load_data
from tests.browser.conftest import FLAGS, chromium_path, free_port, run_dashboard
from tests.processes import processes

TRIALS = 1 if SHORT else 3
IDLE_SECONDS = 5.0 if SHORT else 10.0
PACKAGES = ("streamlit", "tensorflow", "keras")
ROOT = Path(__file__).resolve().parent.parent

CLICK = """() => new Promise(resolve => {
    const button = [...document.querySelectorAll("button")].find(
        one => one.innerText.includes("Start training"));
    const began = performance.now();
    const look = () => {
        const charts = [...document.querySelectorAll('[data-key^="train-"]')];
        if (!charts.some(one => one._fullData?.some(trace => trace.x?.length))) {
            return requestAnimationFrame(look);
        }
        requestAnimationFrame(() => resolve((performance.now() - began) / 1000));
    };
    button.click();
    look();
})"""


class Dashboard:
    """A dashboard without runs, and its Train page.

    Args:
        stack: what ends it.
        page: an empty one.
        folder: where its runs are to lie.
        warm: CIFAR10_WARM_WORKER.
    """

    def __init__(self, stack: ExitStack, page: Page, folder: Path, warm: str) -> None:
        self._page, self._runs, port = page, folder / "runs", free_port()
        environment = {
            "CIFAR10_RUNS": str(self._runs),
            "CIFAR10_DATA": "synthetic",
            "CIFAR10_WARM_WORKER": warm,
        }
        script = ROOT / "dashboard.py"
        self._url = stack.enter_context(run_dashboard(script, env=environment, port=port))
        (server,) = processes("streamlit", f"--server.port={port}")
        self._server = psutil.Process(server)
        stack.callback(self._clear)

    def workers(self) -> list[psutil.Process]:
        """The worker that waits or trains, if there is one."""
        return [one for one in self._server.children() if "train" in one.cmdline()]

    def _processor(self) -> float:
        return sum(processor(one) for one in (self._server, *self._server.children()))

    def open(self) -> None:
        """Open the Train page and wait until nobody has anything more to do."""
        self._page.goto(f"{self._url}/train")
        expect(self._page.get_by_role("button", name="Start training")).to_be_visible()
        expect(self._page.get_by_text("Device: CPU")).to_be_visible()  # it has its own TensorFlow
        used = -1.0
        while (now := self._processor()) - used > 0.05:
            used = now
            time.sleep(2.0)

    def _clear(self) -> None:
        for worker in self.workers():
            worker.kill()
            worker.wait()
        shutil.rmtree(self._runs, ignore_errors=True)

    def trial(self) -> Cost:
        """One start."""
        self.open()
        before = self._processor()
        wall = self._page.evaluate(CLICK)
        cost = Cost(wall, self._processor() - before)
        self._page.goto("about:blank")
        self._clear()
        return cost


def processor(process: psutil.Process) -> float:
    """Seconds that it has taken so far."""
    times = process.cpu_times()
    return times.user + times.system


def cost_of_waiting(worker: psutil.Process) -> str:
    """What a worker costs that waits."""
    loading, memory = processor(worker), worker.memory_full_info()
    time.sleep(IDLE_SECONDS)
    idle = processor(worker) - loading
    return (
        f"The waiting worker took {loading:.1f} s of processor time to load and {idle:.2f} s in "
        f"the {IDLE_SECONDS:.0f} s after that. It holds {memory.rss / 1e6:.0f} MB of memory, "
        f"{memory.uss / 1e6:.0f} MB of which it shares with no other process, here the dashboard."
    )


def main() -> None:
    """Click in turn, then look at a worker that waits."""
    heading("the first point within 1.5 s of the click", TRIALS, PACKAGES)
    load_data("synthetic")  # drawn already, as on a page that has shown them
    with ExitStack() as stack, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        sides = {}
        for name, warm in (("process begun at the click", "0"), ("worker that waits", "1")):
            page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            sides[name] = Dashboard(stack, page, folder, warm)
        found = in_turn({name: side.trial for name, side in sides.items()}, TRIALS)
        waits = sides["worker that waits"]
        waits.open()
        (worker,) = waits.workers()
        waiting = cost_of_waiting(worker)
        browser.close()
    keep(
        "From 'Start training' to the first point",
        f"`python -m benchmarks.first_point`: {machine(TRIALS, PACKAGES)}\n\n"
        f"{table(found)}\n\n{waiting}",
    )


if __name__ == "__main__":
    os.environ.setdefault("KERAS_HOME", tempfile.gettempdir())
    os.environ.pop("CIFAR10_WARM_WORKER", None)
    expect.set_options(timeout=120_000)
    main()
