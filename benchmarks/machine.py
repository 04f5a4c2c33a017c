"""What a figure was measured on, and how figures are measured, printed and kept."""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

PERFORMANCE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
SHORT = "--short" in sys.argv
"""Whether the short form was asked for: fewer trials, and nothing kept."""


def heading(claim: str, trials: int, packages: Sequence[str] = ("tensorflow", "numpy")) -> None:
    """Print the claim, the hardware, the versions and the number of trials."""
    print(f"{claim}\n{machine(trials, packages)}", flush=True)


def machine(trials: int, packages: Sequence[str] = ("tensorflow", "numpy")) -> str:
    """The hardware, its load, the versions and the number of trials, in two lines."""
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, load {load}\n"
        f"Python {platform.python_version()}, {versions}; {trials} trials"
    )


def spread(values: Sequence[float], form: str = ".2f") -> str:
    """Median with minimum and maximum."""
    low, high = min(values), max(values)
    return f"{statistics.median(values):{form}} ({low:{form}} to {high:{form}})"


class Cost(NamedTuple):
    """What one trial took.

    Attributes:
        wall: seconds by the clock.
        processor: seconds of all cores together, of the process and its children.
        memory: the most that the process held at a time, bytes; 0 where it was not measured.
    """

    wall: float
    processor: float
    memory: float = 0.0


def cost_of(command: Sequence[str], **options: object) -> tuple[Cost, str]:
    """Run a command to its end: what it took, from start to end, and what it printed.

    Args:
        options: of `subprocess.Popen`.

    Raises:
        CalledProcessError: it failed.
    """
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options) as process:  # type: ignore[call-overload]
        printed = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    wall, kilobytes = time.perf_counter() - began, used.ru_maxrss
    return Cost(wall, used.ru_utime + used.ru_stime, 1024 * kilobytes), printed


def in_turn(
    sides: Mapping[str, Callable[[], Cost]], trials: int, warm_ups: int = 1
) -> dict[str, list[Cost]]:
    """Measure all sides one after the other, again and again; warm-ups are thrown away."""
    found: dict[str, list[Cost]] = {name: [] for name in sides}
    for number in range(warm_ups + trials):
        for name, side in sides.items():
            cost = side()
            if number >= warm_ups:
                found[name].append(cost)
                print(f"{name}: {cost.wall:.2f} s, processor {cost.processor:.2f} s", flush=True)
    return found


def table(found: Mapping[str, Sequence[Cost]]) -> str:
    """A Markdown table: each side's cost, and its ratio to the first side's, trial by trial."""
    peer, *_ = found.values()
    fields = [name for name in Cost._fields if all(getattr(cost, name) for cost in peer)]
    units = {"wall": "wall time, s", "processor": "processor time, s", "memory": "memory, GB"}
    columns = [column for name in fields for column in (units[name], "ratio")]
    lines = [f"| | {' | '.join(columns)} |", f"| --- |{' --- |' * len(columns)}"]
    for side, costs in found.items():
        cells = []
        for name in fields:
            values = [getattr(cost, name) for cost in costs]
            ratios = [value / getattr(base, name) for value, base in zip(values, peer, strict=True)]
            scale = 1e9 if name == "memory" else 1
            cells += [spread([value / scale for value in values]), spread(ratios, ".3f")]
        lines.append(f"| {side} | {' | '.join(cells)} |")
    return "\n".join(lines)


def keep(title: str, text: str) -> None:
    """Print a result and, but in the short form, keep it as a section of docs/performance.md.

    Args:
        title: of the section, which is added at the end where there is none.
        text: Markdown. What a person wrote below the line '<!-- by hand -->' of a section stays.
    """
    print(f"\n{text}", flush=True)
    if SHORT:
        return
    whole = PERFORMANCE.read_text(encoding="utf-8")
    section = re.compile(rf"^## {re.escape(title)}\n.*?(?=^## |^<!-- by hand -->|\Z)", re.M | re.S)
    new = f"## {title}\n\n{text.strip()}\n\n"
    if section.search(whole):
        whole = section.sub(lambda _: new, whole)
    else:
        whole = f"{whole.rstrip()}\n\n{new}"
    PERFORMANCE.write_text(f"{whole.rstrip()}\n", encoding="utf-8")
