"""A run's events sorted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..config import TrainingConfig
from .events import (
    BatchEvent,
    EpochEvent,
    Event,
    LogEvent,
    RateEvent,
    RunState,
    StateEvent,
    UsageEvent,
)


def highest_rate(
    rates: Sequence[RateEvent], config: TrainingConfig, step: float = math.inf
) -> float:
    """The schedule's highest learning rate at a step, after what it was changed to until then."""
    past = [event.learning_rate for event in rates if event.step <= step]
    return past[-1] if past else config.learning_rate


@dataclass
class History:
    """A run's events so far, sorted by type, each list in the order it was written.

    Attributes:
        usage: the latest of its kind.
        asked: when the run was last begun or made ready to go on, by another process than its
            worker; None where it was not.
        resumed_at: how many of `batches` were written before the latest worker began.
        result: the end with the figures of the saved network, until another epoch is trained.
        went_on: whether training has begun again since `result`.
        finished_epochs: whole epochs done when the run was last finished; 0 where it never was.
        seconds: wall time trained so far; of an epoch that was broken off, once its run ended.
        offset: bytes of events.jsonl taken in.
        head: how that file begins, by which another one in its place is recognised.
    """

    batches: list[BatchEvent] = field(default_factory=list)
    epochs: list[EpochEvent] = field(default_factory=list)
    rates: list[RateEvent] = field(default_factory=list)
    usage: UsageEvent | None = None
    log: list[LogEvent] = field(default_factory=list)
    states: list[StateEvent] = field(default_factory=list)
    asked: float | None = None
    resumed_at: int = 0
    result: StateEvent | None = None
    went_on: bool = False
    finished_epochs: int = 0
    seconds: float = 0.0
    offset: int = 0
    head: bytes = b""

    def add(self, event: Event) -> None:
        """Take one more event in."""
        match event:
            case BatchEvent():
                self.batches.append(event)
            case EpochEvent():
                self.epochs.append(event)
                self.seconds += event.seconds
                self.result = None
            case RateEvent():
                # One that a run met before it went back to a checkpoint holds again in its time,
                # unless a later change has come before it.
                self.rates = [one for one in self.rates if one.step < event.step] + [event]
            case UsageEvent():
                self.usage = event
            case LogEvent():
                self.log.append(event)
            case StateEvent():
                self._enter(event)

    def _enter(self, event: StateEvent) -> None:
        self.states.append(event)
        if event.state is RunState.STARTING:
            self.asked = event.time
        if event.state.is_live:
            self.resumed_at = len(self.batches)
        if event.step is not None:
            self.forget_after(event.step)
            self.went_on = True
        if event.test_accuracy is not None or event.epoch is not None:
            self.result, self.went_on = event, False
        if event.state is RunState.FINISHED and self.epochs:
            self.finished_epochs = self.epochs[-1].epoch
        if event.seconds is not None:
            self.seconds = event.seconds

    def forget_after(self, step: int) -> None:
        """Drop the figures of later steps, which were lost with the worker that gave them."""
        self.batches = [one for one in self.batches if one.step <= step]
        lost = [one for one in self.epochs if one.step > step]
        self.epochs = [one for one in self.epochs if one.step <= step]
        self.seconds -= sum(one.seconds for one in lost)
        self.resumed_at = min(self.resumed_at, len(self.batches))

    def epoch(self, number: int | None) -> EpochEvent | None:
        """The figures of an epoch, None where it is not among them."""
        return next((one for one in reversed(self.epochs) if one.epoch == number), None)

    @property
    def own_batches(self) -> list[BatchEvent]:
        """What the latest worker has written."""
        return self.batches[self.resumed_at :]

    def snapshot(self) -> History:
        """The same, which later events do not change."""
        lists: dict[str, Any] = {
            name: list(one) for name, one in vars(self).items() if isinstance(one, list)
        }
        return replace(self, **lists)
