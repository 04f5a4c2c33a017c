"""A run's events sorted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..config import TrainingConfig
from .batches import Batches
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
        own: how many batch events the latest worker has written.
        result: the end with the figures of the saved network, until another epoch is trained.
        went_on: whether training has begun again since `result`.
        finished_epochs: whole epochs done when the run was last finished; 0 where it never was.
        seconds: wall time trained so far; of an epoch that was broken off, once its run ended.
        offset: bytes of events.jsonl taken in.
        head: how that file begins, by which another one in its place is recognised.
    """

    batches: Batches = field(default_factory=Batches)
    epochs: list[EpochEvent] = field(default_factory=list)
    rates: list[RateEvent] = field(default_factory=list)
    usage: UsageEvent | None = None
    log: list[LogEvent] = field(default_factory=list)
    states: list[StateEvent] = field(default_factory=list)
    asked: float | None = None
    own: int = 0
    result: StateEvent | None = None
    went_on: bool = False
    finished_epochs: int = 0
    seconds: float = 0.0
    offset: int = 0
    head: bytes = b""

    @classmethod
    def thinned(cls) -> History:
        """One for what is shown, whose size hardly grows with the number of batch events."""
        return cls(Batches(thinned=True))

    def add(self, event: Event | np.ndarray) -> None:
        """Take one more event in, or batch events as of `Batches.extend`."""
        match event:
            case np.ndarray():
                self.batches.extend(event)
                self.own += len(event)
            case BatchEvent():
                self.batches.append(event)
                self.own += 1
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
            self.own = 0
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
        before = len(self.batches)
        self.batches = self.batches.until(step)
        self.own = max(0, self.own - before + len(self.batches))
        lost = [one for one in self.epochs if one.step > step]
        self.epochs = [one for one in self.epochs if one.step <= step]
        self.seconds -= sum(one.seconds for one in lost)

    def epoch(self, number: int | None) -> EpochEvent | None:
        """The figures of an epoch, None where it is not among them."""
        return next((one for one in reversed(self.epochs) if one.epoch == number), None)

    @property
    def own_batches(self) -> list[BatchEvent]:
        """The latest of what the latest worker has written, ten at most."""
        return self.batches[len(self.batches) - min(self.own, 10) :]

    def snapshot(self) -> History:
        """The same, which later events do not change."""
        lists: dict[str, Any] = {
            name: list(one) for name, one in vars(self).items() if isinstance(one, list)
        }
        return replace(self, batches=self.batches.copy(), **lists)
