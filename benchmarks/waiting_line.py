"""Claim: 50 runs that wait in line take at most 2 % of one core, all of them together.

Real workers, `python -m cifar_core train`, wait behind a run whose slot this program holds without
computing anything. Counted is the processor time that the system notes for them, user and system,
over a minute, once all of them wait; the first minute is thrown away.

    python -m benchmarks.waiting_line
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from benchmarks.machine import heading, spread
from cifar_core import RunStore, TrainingConfig
from cifar_core.process import begin
from cifar_core.workers.slots import slot, waiting

RUNS = 50
SECONDS = 60.0
TRIALS = 3
CLAIM = 2.0


def processor_seconds(workers: Sequence[psutil.Process]) -> list[float]:
    """User and system time of each so far."""
    return [sum(worker.cpu_times()[:2]) for worker in workers]


def begin_line(store: RunStore, processes: list[subprocess.Popen[bytes]]) -> None:
    """Begin the workers, as the dashboard does, and wait until all of them wait."""
    for number in range(RUNS):
        run = store.create(TrainingConfig(), f"waits-{number:02}")
        command = ["train", "--run", run.id, "--runs", str(store.root), "--data", "synthetic"]
        processes.append(begin(command, run.log_path))
    while len(waiting(store.root)) < RUNS:
        if any(process.poll() is not None for process in processes):
            sys.exit("a worker has ended; see its worker.log")
        time.sleep(2)


def main() -> None:
    """Let them wait, count, print."""
    os.environ["CIFAR10_SLOTS"] = "1"
    processes: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(Path(folder) / "runs")
        trains = store.create(TrainingConfig(), "trains")
        with trains.working(), slot(trains, lambda before: None):
            try:
                begin_line(store, processes)
                heading(f"{RUNS} runs that wait in line", TRIALS, ("filelock", "psutil"))
                workers = [psutil.Process(process.pid) for process in processes]
                line, single = [], []
                for trial in range(TRIALS + 1):
                    begun, before = time.monotonic(), processor_seconds(workers)
                    time.sleep(SECONDS)
                    seconds = time.monotonic() - begun
                    after = processor_seconds(workers)
                    if trial:
                        shares = [
                            100 * (b - a) / seconds for a, b in zip(before, after, strict=True)
                        ]
                        line.append(sum(shares))
                        single.extend(shares)
                memory = [worker.memory_full_info().uss / 1e6 for worker in workers]
            finally:
                for process in processes:
                    process.kill()
                for process in processes:
                    process.wait()
    print(f"the whole line   {spread(line)} % of one core")
    print(f"one of them      {spread(single, '.3f')} %")
    print(f"one's own memory {spread(memory, '.0f')} MB")
    holds = max(line) <= CLAIM
    print(f"claim {'holds' if holds else 'FAILS'}: at most {CLAIM:.0f} % of one core")


if __name__ == "__main__":
    main()
