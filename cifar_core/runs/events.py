"""What a run reports while it trains, and the JSON line of each.

One event is one line of a run's events.jsonl: {"type": "epoch", "time": ..., ...}.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any

import numpy as np


class RunState(StrEnum):
    """Where a run stands. The last two are never written but concluded."""

    STARTING = "starting"
    QUEUED = "queued"  # its worker waits for a slot
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    STOPPING = "stopping"  # running, and asked to stop
    INTERRUPTED = "interrupted"  # says it lives, but no process holds its lock

    @property
    def is_live(self) -> bool:
        """Whether a worker is at it."""
        return self in (RunState.STARTING, RunState.QUEUED, RunState.RUNNING, RunState.STOPPING)


@dataclass(frozen=True, kw_only=True)
class Event:
    """Base of all events; `time` is seconds since the epoch (UTC)."""

    time: float = field(default_factory=time.time)


@dataclass(frozen=True, kw_only=True)
class BatchEvent(Event):
    """Training figures since the batch event before it.

    Attributes:
        step: training steps done in the whole run.
        epoch: the epoch that is running, from 1.
        loss: mean over the images seen since the last batch event.
        accuracy: share of those images classified correctly, 0 to 1.
        images_per_second: training speed over the same span.
    """

    step: int
    epoch: int
    loss: float
    accuracy: float
    images_per_second: float


@dataclass(frozen=True, kw_only=True)
class EpochEvent(Event):
    """Figures of one whole epoch.

    Attributes:
        step: training steps done in the whole run.
        epoch: the epoch that ended, from 1.
        loss, accuracy: running mean over the epoch's training images, dropout at work. A loss
            is the cross-entropy alone, without L2's penalty and label smoothing.
        val_loss, val_accuracy: on the validation images after the epoch, dropout off.
        seconds: wall time of the epoch, validation included.
    """

    step: int
    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class RateEvent(Event):
    """The learning rate was changed while the run went.

    Attributes:
        step: the first training step, counted from 0, that is taken at the new rate.
        learning_rate: the schedule's highest rate from then on.
    """

    step: int
    learning_rate: float


@dataclass(frozen=True, kw_only=True)
class UsageEvent(Event):
    """What the worker takes of the machine; written every few seconds.

    Attributes:
        memory: bytes of main memory (resident set).
        gpu_memory: bytes of GPU memory; None on a CPU.
        gpu_use: share of the last moment that the GPU was busy, 0 to 1; None where not known.
    """

    memory: int
    gpu_memory: int | None = None
    gpu_use: float | None = None


@dataclass(frozen=True, kw_only=True)
class LogEvent(Event):
    """A sentence for a person."""

    message: str


@dataclass(frozen=True, kw_only=True)
class StateEvent(Event):
    """The run went over to another state.

    Attributes:
        state: the state from now on.
        message: why, where that is worth saying.
        step: with 'running', the step from which training goes on, where it is not the first;
            figures of later steps were lost with the worker that gave them.
        epoch: the epoch whose weights the saved network has, once the training has ended; None
            where it was stopped within an epoch.
        train_accuracy: of the saved network, dropout off, on `train_images` of the images that
            trained it. Without `train_images`, as older runs wrote it: the running mean over
            that epoch, dropout at work.
        train_images: how many images that was measured on.
        test_loss, test_accuracy: of the saved network on the test set.
        seconds: wall time of the training, once it has ended.
    """

    state: RunState
    message: str = ""
    step: int | None = None
    epoch: int | None = None
    train_accuracy: float | None = None
    train_images: int | None = None
    test_loss: float | None = None
    test_accuracy: float | None = None
    seconds: float | None = None


_TYPES: dict[str, type[Event]] = {
    "batch": BatchEvent,
    "epoch": EpochEvent,
    "rate": RateEvent,
    "usage": UsageEvent,
    "log": LogEvent,
    "state": StateEvent,
}
_NAMES = {cls: name for name, cls in _TYPES.items()}
_FIELDS = {cls: frozenset(spec.name for spec in fields(cls)) for cls in _NAMES}

BATCH_FIELDS = tuple(spec.name for spec in fields(BatchEvent))
"""In the order in which they are written."""


def _lines(*numbers: str) -> re.Pattern[bytes]:
    """Of lines, the six numbers of a usual batch event or, seventh, all of another line."""
    values = ", ".join(
        f'"{name}": {number}' for name, number in zip(BATCH_FIELDS, numbers, strict=True)
    )
    return re.compile(rf'^(?:\{{"type": "batch", {values}\}}|(.+))$'.encode(), re.MULTILINE)


# What need not be exact is cut off: half of the time goes into the last digits.
_WHOLE, _EXACT, _CUT = r"(\d+)", r"(\d+\.\d+)", r"(\d+\.\d{1,12})\d*"
_ROUGH = r"(\d+)\.\d+"
_EXACT_LINES = _lines(_EXACT, _WHOLE, _WHOLE, _EXACT, _EXACT, _EXACT)
_QUICK_LINES = _lines(_ROUGH, _WHOLE, _WHOLE, _CUT, _CUT, _ROUGH)


def to_json(event: Event) -> dict[str, Any]:
    """The event as plain values, its type among them."""
    return {"type": _NAMES[type(event)], **asdict(event)}


def to_line(event: Event) -> str:
    """The event as one line of JSON, with its line end."""
    return json.dumps(to_json(event)) + "\n"


def from_line(line: str | bytes) -> Event | None:
    """The event of one line; None where the line is torn or of a type not known here.

    Unknown fields are left out, so that an older reader understands a newer writer.
    """
    try:
        return from_json(json.loads(line))
    except ValueError:
        return None


def from_json(values: dict[str, Any]) -> Event | None:
    """The inverse of `to_json`; None where these are no event known here."""
    try:
        values = dict(values)
        cls = _TYPES[values.pop("type")]
        values = {name: value for name, value in values.items() if name in _FIELDS[cls]}
        if cls is BatchEvent:
            _ = [*map(float, values.values())]  # else no column could hold them
        if cls is StateEvent:
            values["state"] = RunState(values["state"])
        return cls(**values)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def from_lines(lines: bytes, quick: bool = False) -> Iterator[np.ndarray | Event]:
    """The events of whole lines, in their order.

    Args:
        lines: each with its line end; what is no event known here is passed over.
        quick: losses and accuracies of batch events to 12 decimals, their time in whole seconds,
            their speed in whole images a second.

    Yields:
        Usual batch events that follow each other as float64 (N, 6), a column for each of
        BATCH_FIELDS; every other event as it is.
    """
    kinds = (int, int, int, float, float, int) if quick else (float, int, int, float, float, float)
    rows = (_QUICK_LINES if quick else _EXACT_LINES).findall(lines)
    begin = 0
    for end in [*(number for number, row in enumerate(rows) if row[-1]), len(rows)]:
        if begin < end:
            texts = zip(*rows[begin:end], strict=True)
            columns = [[*map(kind, text)] for kind, text in zip(kinds, texts, strict=False)]
            yield np.array(columns, dtype=float).T
        if end < len(rows) and (event := from_line(rows[end][-1])):
            yield event
        begin = end + 1
