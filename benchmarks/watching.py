"""Claim: a training under the dashboard takes no longer than plain `fit`, watched by three tabs 3 %
more at most.

The recipe is the tutorial's with dropout, on the built-in images (synthetic); the peer is
`benchmarks/peer_tutorial.py`. An epoch is what four more of them take, so no start is counted in.
The tabs speak Streamlit's protocol as browsers do, and draw nothing.

    python -m benchmarks.watching [--short]
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path

from benchmarks.machine import SHORT, Cost, cost_of, in_turn, keep, machine, table
from benchmarks.many_tabs import Tab
from benchmarks.time_to_accuracy import save_arrays
from cifar_core import RunStore, load_data
from tests.browser.conftest import ROOT, run_dashboard

TRIALS = 1 if SHORT else 3
MORE = 1 if SHORT else 4
TABS = 3


def epoch(cost: Callable[[int], Cost]) -> Cost:
    """One epoch's part of what some more epochs take; the memory of all of them."""
    few, many = cost(1), cost(1 + MORE)
    wall, processor = ((many[i] - few[i]) / MORE for i in range(2))
    return Cost(wall, processor, many.memory)


def plain(arrays: Path, epochs: int) -> Cost:
    """Keras's `fit`."""
    return cost_of([sys.executable, "-m", "benchmarks.peer_tutorial", str(arrays), str(epochs)])[0]


def worker(store: RunStore, names: Iterator[str], url: str, epochs: int) -> Cost:
    """A run, watched by tabs where there is a dashboard."""
    name = next(names)
    command = [sys.executable, "-m", "cifar_core", "train", "--preset", "tutorial-dropout"]
    command += ["--epochs", str(epochs), "--data", "synthetic", "--name", name]
    with watched(url, store.root / name) if url else contextlib.nullcontext():
        return cost_of([*command, "--runs", str(store.root)])[0]


@contextlib.contextmanager
def watched(url: str, run: Path) -> Iterator[None]:
    """Tabs that look at a run from when it is there, while the block lasts."""
    over = threading.Event()

    async def look() -> None:
        while not run.exists() and not over.is_set():
            await asyncio.sleep(0.1)
        tabs = [Tab(url, run.name) for _ in range(TABS)]
        for tab in tabs:
            await tab.open()
        await asyncio.to_thread(over.wait)
        for tab in tabs:
            await tab.close()

    thread = threading.Thread(target=asyncio.run, args=(look(),))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def main() -> None:
    """Measure all three in turn, and keep the table."""
    data = load_data("synthetic")
    with tempfile.TemporaryDirectory() as folder:
        arrays, store = Path(folder) / "arrays.npz", RunStore(Path(folder) / "runs")
        save_arrays(data, arrays)
        runs = (f"run-{number}" for number in count())
        environment = {
            "CIFAR10_RUNS": str(store.root),
            "CIFAR10_DATA": "synthetic",
            "CIFAR10_WARM_WORKER": "0",
        }
        with run_dashboard(ROOT / "dashboard.py", env=environment) as url:
            sides: dict[str, Callable[[], Cost]] = {
                "plain `fit`": partial(epoch, partial(plain, arrays)),
                "a run": partial(epoch, partial(worker, store, runs, "")),
                f"a run, {TABS} tabs": partial(epoch, partial(worker, store, runs, url)),
            }
            costs = in_turn(sides, TRIALS, warm_ups=0)  # each begins a process of its own
    head = "`python -m benchmarks.watching`, an epoch of 10,000 built-in images (synthetic)."
    keep("Watching", f"{head}\n\n{machine(TRIALS, ('tensorflow', 'streamlit'))}\n\n{table(costs)}")


if __name__ == "__main__":
    main()
