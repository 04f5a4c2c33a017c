"""What a run reports while it trains, and the JSON line of each.

One event is one line of a run's events.jsonl: {"type": "epoch", "time": ..., ...}.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any


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

DETAILS = tuple(f'{{"type": "{name}"'.encode() for name in ("batch", "usage", "log"))
"""How lines begin that say nothing of a run's state or whole epochs; most lines do."""


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
        if cls is StateEvent:
            values["state"] = RunState(values["state"])
        return cls(**values)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
