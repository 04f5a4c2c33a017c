"""Claim: with 15 tabs on a live run, a look at it takes 0.3 s in the median, a first page 1 s.

A dashboard, and clients that speak Streamlit's protocol as browsers do, all in one process: each
opens the Train page and then asks for its live part as often as it is told to, whether or not the
look before has come. A look counts from the first request that is unanswered until the script has
finished, a first page from the connection until then, while all other tabs go on looking. The
server's processor time over the looks is their price; unlike their length, it hardly depends on
what else the machine does. The clients leave all widgets as they are.

The live run computes nothing, so that nothing but the dashboard is measured: a process holds its
lock, as a worker does, and writes five batch events a second behind 3,000 that are there. It is
looked at alone, and again with 1,000 ended runs beside it.

    python -m benchmarks.many_tabs [TABS]
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from benchmarks.machine import heading
from benchmarks.many_runs import make
from cifar_core import Run, RunState, RunStore, TrainingConfig
from cifar_core.runs.events import BatchEvent, EpochEvent, StateEvent, UsageEvent
from tests.browser.conftest import ROOT, free_port, run_dashboard

TABS = 15
ENDED = 1000
WARM_UP, SECONDS = 10.0, 30.0
FIRST_PAGES = 15
LOOK, FIRST_PAGE = 0.3, 1.0
EVENTS, EVENT_SECONDS = 3000, 0.2
STEPS, STEPS_AN_EVENT = 313, 14  # 10,000 images in batches of 32, at 14 ms a step


def write_run(root: Path) -> None:
    """Be the worker of a run that lives until this process is killed."""
    run = RunStore(root).create(TrainingConfig(epochs=100), "live")
    with run.working():
        run.save_environment(
            {
                "device": "CPU: 2 cores",
                "data": {"kind": "synthetic", "name": "Built-in images", "checksum": "sha256:0"},
                "classes": [f"class {label}" for label in range(10)],
                "train_images": 10_000,
                "started": time.time(),
            }
        )
        run.append(StateEvent(state=RunState.RUNNING))
        step, begun = 0, time.time() - EVENTS * EVENT_SECONDS
        for number in range(10**9):
            if number > EVENTS:
                time.sleep(EVENT_SECONDS)
            step = _write_events(run, step, min(begun + number * EVENT_SECONDS, time.time()))


def _write_events(run: Run, step: int, now: float) -> int:
    """The next batch event and, at an epoch's end, what else is told; the step it came to."""
    epoch = step // STEPS + 1
    step = min(step + STEPS_AN_EVENT, epoch * STEPS)
    loss, accuracy = 2.3 / (1 + 0.1 * epoch), 1 - 1 / (1.4 + 0.05 * epoch)
    wave = (step * 37 % 101) / 1000
    run.append(
        BatchEvent(
            time=now,
            step=step,
            epoch=epoch,
            loss=loss + wave,
            accuracy=accuracy + wave,
            images_per_second=2200.0,
        )
    )
    if step == epoch * STEPS:
        run.append(UsageEvent(time=now, memory=900_000_000))
        run.append(
            EpochEvent(
                time=now,
                step=step,
                epoch=epoch,
                loss=loss,
                accuracy=accuracy,
                val_loss=loss + 0.05 + 0.01 * epoch,
                val_accuracy=accuracy - 0.02,
                seconds=4.6,
            )
        )
    return step


class Tab:
    """A browser's part of the protocol.

    Args:
        url: the dashboard's.
        run: the name of the run that it looks at.

    Attributes:
        looks: seconds that each look took since `looks` was last cleared.
        messages, size: of what came since `looks` was last cleared, how much and how many bytes.
    """

    def __init__(self, url: str, run: str = "live") -> None:
        self._query = f"run={run}"
        self._url = url.replace("http", "ws", 1) + "/_stcore/stream"
        self._page = ""
        self._asked: float | None = None
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._is_there = asyncio.Event()
        self.clear()

    def clear(self) -> None:
        """Count anew."""
        self.looks: list[float] = []
        self.messages = self.size = 0

    async def open(self) -> float:
        """Open the Train page and go on looking; seconds until it was there."""
        begun = time.perf_counter()
        self._socket = await connect(
            self._url, subprotocols=[Subprotocol("streamlit")], max_size=None
        )
        self._tasks.append(asyncio.create_task(self._read()))
        await self._ask()
        await asyncio.wait_for(self._is_there.wait(), 120)
        return time.perf_counter() - begun

    async def close(self) -> None:
        """Close the tab."""
        for task in (*self._timers.values(), *self._tasks):
            task.cancel()
        await self._socket.close()

    async def _ask(self, fragment: str = "") -> None:
        message = BackMsg()
        message.rerun_script.page_name = "train"
        message.rerun_script.page_script_hash = self._page
        message.rerun_script.query_string = self._query
        message.rerun_script.fragment_id = fragment
        message.rerun_script.is_auto_rerun = bool(fragment)
        if fragment and self._asked is None:
            self._asked = time.perf_counter()
        await self._socket.send(message.SerializeToString())

    async def _again(self, fragment: str, interval: float) -> None:
        begun = time.monotonic()
        for number in range(1, 10**9):
            await asyncio.sleep(max(0.0, begun + number * interval - time.monotonic()))
            await self._ask(fragment)

    async def _read(self) -> None:
        async for data in self._socket:
            message = ForwardMsg.FromString(data)
            self.messages += 1
            self.size += len(data)
            match message.WhichOneof("type"):
                case "new_session":
                    self._page = message.new_session.page_script_hash
                    if not message.metadata.run.fragment_ids:
                        self._stop_timers()
                case "auto_rerun":
                    told = message.auto_rerun
                    self._stop_timers(told.fragment_id)
                    again = self._again(told.fragment_id, told.interval)
                    self._timers[told.fragment_id] = asyncio.create_task(again)
                case "script_finished":
                    self._finished(message.script_finished)

    def _stop_timers(self, *which: str) -> None:
        for fragment in which or [*self._timers]:
            if timer := self._timers.pop(fragment, None):
                timer.cancel()

    def _finished(self, how: int) -> None:
        # A look that was asked for meanwhile may take the place of the page's own word.
        is_look = how == ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY
        if self._timers and (is_look or how == ForwardMsg.FINISHED_SUCCESSFULLY):
            self._is_there.set()
        if is_look and self._asked is not None:
            self.looks.append(time.perf_counter() - self._asked)
            self._asked = None


def _times(values: list[float]) -> str:
    late = statistics.quantiles(values, n=20, method="inclusive")[-1]
    return f"median {statistics.median(values):.3f} s, 95th percentile {late:.3f} s"


async def measure(url: str, server: psutil.Process, count: int) -> None:
    """Open so many tabs, let them look, open some anew, and print."""
    tabs = [Tab(url) for _ in range(count)]
    for tab in tabs:
        await tab.open()
    await asyncio.sleep(WARM_UP)
    for tab in tabs:
        tab.clear()
    begun, before, held = time.monotonic(), sum(server.cpu_times()[:2]), server.memory_info().rss
    await asyncio.sleep(SECONDS)
    seconds, used = time.monotonic() - begun, sum(server.cpu_times()[:2]) - before
    looks = [look for tab in tabs for look in tab.looks]
    messages, size = (sum(getattr(tab, name) for tab in tabs) for name in ("messages", "size"))
    first = []
    for number in range(FIRST_PAGES):
        await tabs[number % count].close()
        await asyncio.sleep(0.7)
        tabs[number % count] = Tab(url)
        first.append(await tabs[number % count].open())
    for tab in tabs:
        await tab.close()
    print(f"looks       {len(looks)}, {len(looks) / seconds / count:.2f} a second for each tab")
    print(f"            {_times(looks)}")
    print(f"            {1000 * used / len(looks):.1f} ms of processor time each", end=", ")
    print(f"{messages / len(looks):.0f} messages, {size / len(looks) / 1000:.0f} kB")
    print(f"first page  {_times(first)}")
    memory = server.memory_info().rss
    print(f"server      {100 * used / seconds:.0f} % of one core", end=", ")
    print(f"{memory / 1e6:.0f} MB, {(memory - held) / 1e6:+.0f} MB since the looks began")
    holds = statistics.median(looks) <= LOOK and statistics.median(first) <= FIRST_PAGE
    print(f"load        {os.getloadavg()[0]:.1f}")
    print(f"claim {'holds' if holds else 'FAILS'}", flush=True)


@contextlib.contextmanager
def live_run(root: Path) -> Iterator[None]:
    """A run that lives until the block ends."""
    command = [sys.executable, "-m", "benchmarks.many_tabs", "--write", str(root)]
    writer = subprocess.Popen(command, cwd=ROOT)
    try:
        while len(Run(root / "live").history().batches) <= EVENTS:
            if writer.poll() is not None:
                sys.exit("the process that writes the run has ended")
            time.sleep(0.5)
        yield
    finally:
        writer.kill()
        writer.wait()


def listener(port: int) -> psutil.Process:
    """The process that serves a port."""
    for process in psutil.process_iter(["cmdline"]):
        if f"--server.port={port}" in (process.info["cmdline"] or ()):
            return process
    raise LookupError(f"no server at port {port}")


def main() -> None:
    """Look at the run alone and among many, and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else TABS
    heading(f"{count} tabs on a live run", 1, ("streamlit", "plotly", "websockets"))
    for ended in (0, ENDED):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "runs"
            if ended:
                make(root, 1)
                for number in range(1, ended):
                    shutil.copytree(root / "run-0000", root / f"run-{number:04}")
            environment = {
                "CIFAR10_RUNS": str(root),
                "CIFAR10_CACHE": str(Path(folder) / "cache"),
                "CIFAR10_DATA": "synthetic",
                "KERAS_HOME": str(Path(folder) / "keras"),
            }
            port = free_port()
            dashboard = run_dashboard(ROOT / "dashboard.py", env=environment, port=port)
            with live_run(root), dashboard as url:
                print(f"\nbeside {ended:,} ended runs")
                asyncio.run(warm_up(url))
                asyncio.run(measure(url, listener(port), count))


async def warm_up(url: str) -> None:
    """One tab, thrown away, until the images are drawn and TensorFlow is loaded."""
    tab = Tab(url)
    await tab.open()
    await asyncio.sleep(2 * WARM_UP)
    await tab.close()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write_run(Path(sys.argv[2]))
    else:
        main()
