"""A run's events sorted, and a run on one line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .config import TrainingConfig
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

if TYPE_CHECKING:
    from .runs import Run


@dataclass
class History:
    """A run's events so far, sorted by type, each list in the order it was written."""

    batches: list[BatchEvent] = field(default_factory=list)
    epochs: list[EpochEvent] = field(default_factory=list)
    rates: list[RateEvent] = field(default_factory=list)
    usage: UsageEvent | None = None  # the latest
    log: list[LogEvent] = field(default_factory=list)
    states: list[StateEvent] = field(default_factory=list)
    offset: int = 0  # bytes of events.jsonl taken in

    def add(self, event: Event) -> None:
        """Take one more event in."""
        match event:
            case BatchEvent():
                self.batches.append(event)
            case EpochEvent():
                self.epochs.append(event)
            case RateEvent():
                # One that a run met before it went back to a checkpoint holds again in its time,
                # unless a later change has come before it.
                self.rates = [one for one in self.rates if one.step < event.step] + [event]
            case UsageEvent():
                self.usage = event
            case LogEvent():
                self.log.append(event)
            case StateEvent():
                self.states.append(event)
                if event.step is not None:
                    self.forget_after(event.step)

    def forget_after(self, step: int) -> None:
        """Drop the figures of later steps, which were lost with the worker that gave them."""
        self.batches = [one for one in self.batches if one.step <= step]
        self.epochs = [one for one in self.epochs if one.step <= step]


@dataclass(frozen=True)
class Mark:
    """What the user put on a run to find it again: a name beside its own, and a star."""

    name: str = ""
    star: bool = False


@dataclass(frozen=True)
class Summary:
    """A run on one line.

    Attributes:
        epochs: whole epochs done.
        last: the last epoch's figures, if one has ended.
        kept_epoch: the epoch whose weights the saved model has, once the run has ended.
        train_accuracy: of that epoch, else of the last one.
        test_loss, test_accuracy: with the saved model, once the run has ended.
        seconds: wall time of the training, once it has ended.
        message: why the run is in its state, where that was said.
        mark, notes: the user's.
    """

    run: Run
    state: RunState
    config: TrainingConfig
    environment: dict[str, Any]
    epochs: int
    last: EpochEvent | None
    kept_epoch: int | None
    train_accuracy: float | None
    test_loss: float | None
    test_accuracy: float | None
    seconds: float | None
    message: str
    mark: Mark = Mark()
    notes: str = ""

    @property
    def title(self) -> str:
        """What a person calls the run: its id, after the name that the user gave it."""
        return f"{self.mark.name} ({self.run.id})" if self.mark.name else self.run.id

    @property
    def data_name(self) -> str:
        """What the images are called, '' where the run never got to them."""
        return str(self.environment.get("data", {}).get("name", ""))

    @property
    def data_checksum(self) -> str:
        """Checksum of the images, '' where the run never got to them."""
        return str(self.environment.get("data", {}).get("checksum", ""))

    @property
    def gap(self) -> float | None:
        """Generalisation gap: train accuracy less test accuracy."""
        if self.train_accuracy is None or self.test_accuracy is None:
            return None
        return self.train_accuracy - self.test_accuracy
