"""Where a run stands: the small file that its worker writes beside the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .events import EpochEvent, Event, RateEvent, RunState, StateEvent, from_json, to_json
from .history import History

FORMAT = 1
"""Of status.json; where it is another one, readers fall back on the log."""


@dataclass(frozen=True)
class Status:
    """Where a run stands, as its worker last wrote it.

    Attributes:
        state: as written; the OS's lock shows whether a live one still is.
        asked: when the run was last asked for, seconds since 1970; None where it is not known.
        message: why it is in its state, where that was said.
        last: the last whole epoch.
        kept: the epoch whose network is saved; None without `result` or where the training was
            stopped within an epoch.
        result: the end with the figures of the saved network.
        tried: how going on ended that left `result` as it was.
        went_on: whether training has begun again since `result`.
        rates: changes of the learning rate while the run went.
        seconds: wall time trained so far.
    """

    state: RunState = RunState.STARTING
    asked: float | None = None
    message: str = ""
    last: EpochEvent | None = None
    kept: EpochEvent | None = None
    result: StateEvent | None = None
    tried: StateEvent | None = None
    went_on: bool = False
    rates: tuple[RateEvent, ...] = ()
    seconds: float = 0.0

    @classmethod
    def of(cls, history: History) -> Status:
        """What a run's events come to.

        A run whose going on ended before it began to train reads as it did before, with `tried`.
        """
        now = history.states[-1] if history.states else StateEvent(state=RunState.STARTING)
        result = history.result and _own_accuracy(history.result, history)
        tried = None
        if result and not now.state.is_live and now is not history.result and not history.went_on:
            now, tried = result, now
        return cls(
            state=now.state,
            asked=history.asked,
            message=now.message,
            last=history.epochs[-1] if history.epochs else None,
            kept=history.epoch(result.epoch) if result else None,
            result=result,
            tried=tried,
            went_on=history.went_on,
            rates=tuple(history.rates),
            seconds=history.seconds,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values by field name."""
        return {"format": FORMAT} | {
            name: to_json(value)
            if isinstance(value, Event)
            else [to_json(one) for one in value]
            if isinstance(value, tuple)
            else value
            for name, value in vars(self).items()
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Status:
        """The inverse of `to_json`.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: these are no status of this format.
        """
        if values["format"] != FORMAT:
            raise ValueError(f"format {values['format']}")
        kinds = {"last": EpochEvent, "kept": EpochEvent, "result": StateEvent, "tried": StateEvent}
        events = {
            name: None if values[name] is None else _event(values[name], kind)
            for name, kind in kinds.items()
        }
        asked = values["asked"]
        return cls(
            state=RunState(values["state"]),
            asked=None if asked is None else float(asked),
            message=str(values["message"]),
            went_on=bool(values["went_on"]),
            rates=tuple(_event(one, RateEvent) for one in values["rates"]),
            seconds=float(values["seconds"]),
            **events,
        )


def _event(values: Any, kind: type[Event]) -> Any:
    event = from_json(values)
    if not isinstance(event, kind):
        raise ValueError(f"no {kind.__name__}")
    return event


def _own_accuracy(end: StateEvent, history: History) -> StateEvent:
    """An older run's end without the train accuracy that is not its network's.

    Such a one is an epoch's mean. Of a training that was stopped within an epoch the network is
    that of the middle, and so is it where the last epoch is the kept one and steps follow it.
    """
    epoch = history.epochs[-1] if history.epochs else None
    if end.train_images is not None or epoch is None or end.epoch != epoch.epoch:
        return end
    if history.batches and history.batches[-1].step > epoch.step:
        return replace(end, epoch=None, train_accuracy=None)
    return end
