"""Processes of this machine, as a test finds them."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from cifar_core.runs.run import Run
from cifar_core.runs.store import RunStore


def processes(*words: str) -> list[int]:
    """Those whose command line has all these words."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (folder / "cmdline").read_bytes().decode().split("\0")
            if set(words) <= set(command):
                found.append(int(folder.name))
    return found


def workers(run: Run) -> list[int]:
    """Processes that train this run, whose name another folder may have as well."""
    return processes("cifar_core", "train", f"--run={run.id}", f"--runs={run.path.parent}")


def warm_workers(of: int) -> list[int]:
    """What a process began as its warm workers, those that train by now among them."""
    begun = processes("cifar_core", "train", "--wait")
    children = {child.pid for child in psutil.Process(of).children()}
    return [process for process in begun if process in children]


def has_ended(process: int, seconds: float = 0.0) -> bool:
    """Whether a process ends within so many seconds."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)


def stop_workers(store: RunStore) -> None:
    """Kill whatever trains in a runs' folder."""
    for process in processes("cifar_core", "train", f"--runs={store.root}"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def wait_for(holds: Callable[[], bool]) -> None:
    """Until a process of its own has come to something."""
    deadline = time.monotonic() + 300
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
