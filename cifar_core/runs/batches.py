"""A run's batch events as columns, so that a long log takes little memory and time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal, overload

import numpy as np

from .events import BATCH_FIELDS, BatchEvent

MOST = 1000
"""Spans that a curve is drawn of, at most."""

_row = attrgetter(*BATCH_FIELDS)
_KEPT = 100  # the latest events, which stay as they are
_TIME, _STEP, _EPOCH, _LOSS, _ACCURACY, _SPEED = range(6)
_FIGURES = slice(_LOSS, _SPEED + 1)
_LOW, _HIGH, _COUNT = slice(6, 8), slice(8, 10), 10  # of loss and accuracy; of events


@dataclass(frozen=True)
class Curve:
    """A batch figure over the steps, in M spans.

    Attributes:
        step: the step that each span ends with, float64 (M,).
        mean: of its events, weighted by their steps, float64 (M,).
        low, high: the lowest and the highest among them, float64 (M,).
        count: how many they are, float64 (M,).
    """

    step: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    count: np.ndarray


class Batches(Sequence[BatchEvent]):
    """Batch events in the order they were written.

    Args:
        events: the first of them.
        thinned: all but the latest hundred or more become means over `MOST` spans at most, as more
            are added, so that any number of events takes no more memory and is drawn as soon.
    """

    def __init__(self, events: Iterable[BatchEvent] = (), thinned: bool = False) -> None:
        self.thinned = thinned
        self._spans = np.empty((0, 11))
        self._parts = [np.empty((0, 6))]
        self._length = 0
        if rows := [*map(_row, events)]:
            self.extend(np.array(rows, dtype=float))

    def append(self, event: BatchEvent) -> None:
        """Add one more event."""
        self.extend(np.array([_row(event)], dtype=float))

    def extend(self, rows: np.ndarray) -> None:
        """Add events: float64 (N, 6), columns in the order of BATCH_FIELDS."""
        self._parts.append(rows)
        self._length += len(rows)
        if self.thinned and self._length - len(self._spans) > MOST:
            self._settle()

    def _settle(self) -> None:
        rows = self._raw
        end = len(rows) - _KEPT
        end += rows[end, _EPOCH] != rows[end + 1, _EPOCH]  # a stub goes with the span before it
        self._spans = _on_grid(self._with_spans(rows[:end]))
        self._parts = [rows[end:].copy()]
        self._length = len(self._spans) + len(rows) - end

    @property
    def _raw(self) -> np.ndarray:
        """The events that are as they were written, (N, 6)."""
        if len(self._parts) > 1:
            self._parts = [np.concatenate(self._parts)]
        return self._parts[0]

    @property
    def _rows(self) -> np.ndarray:
        return np.concatenate([self._spans[:, :6], self._raw]) if len(self._spans) else self._raw

    def _with_spans(self, rows: np.ndarray) -> np.ndarray:
        """The spans so far and these events after them, (M, 11)."""
        rows = without_stubs(rows, self._spans[-1, _STEP] if len(self._spans) else 0)
        extremes = rows[:, [_LOSS, _ACCURACY]]
        new = np.hstack([rows, extremes, extremes, np.ones((len(rows), 1))])
        return np.concatenate([self._spans, new])

    def curve(self, metric: Literal["loss", "accuracy"]) -> Curve:
        """One figure over the steps, in spans of equal length where there are many events."""
        rows = _on_grid(self._with_spans(self._raw))
        at = ("loss", "accuracy").index(metric)
        mean, low, high = (rows[:, columns][:, at] for columns in (_FIGURES, _LOW, _HIGH))
        return Curve(rows[:, _STEP], mean, low, high, rows[:, _COUNT])

    def of_epoch(self, epoch: int) -> list[BatchEvent]:
        """The events of one epoch."""
        rows = self._rows
        return [*_events(rows[rows[:, _EPOCH] == epoch])]

    def until(self, step: int) -> Batches:
        """The events of no later step."""
        until = self.copy()
        until._spans = self._spans[self._spans[:, _STEP] <= step]
        until._parts = [self._raw[self._raw[:, _STEP] <= step]]
        until._length = len(until._rows)
        return until

    def copy(self) -> Batches:
        """The same, which events that are added later do not change; it costs nothing."""
        copy = Batches(thinned=self.thinned)
        copy._spans, copy._parts, copy._length = self._spans, [self._raw], self._length
        return copy

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> BatchEvent: ...
    @overload
    def __getitem__(self, index: slice) -> list[BatchEvent]: ...
    def __getitem__(self, index: int | slice) -> BatchEvent | list[BatchEvent]:
        found = self._rows[index]
        return [*_events(found)] if isinstance(index, slice) else next(_events(found[None]))

    def __iter__(self) -> Iterator[BatchEvent]:
        return _events(self._rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and [*self] == [*other]

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Batches({[*self]!r})"


def _events(rows: np.ndarray) -> Iterator[BatchEvent]:
    for time, step, epoch, *figures in rows.tolist():
        values = (time, int(step), int(epoch), *figures)
        yield BatchEvent(**dict(zip(BATCH_FIELDS, values, strict=True)))


def without_stubs(rows: np.ndarray, before: float = 0) -> np.ndarray:
    """Batch events without a spike at each epoch's end.

    An epoch's last span ends with the epoch, not by the clock, and may hold a few images only. One
    of less than half the steps of the span before it is drawn together with that as their mean,
    weighted by their steps, which leaves the epoch's mean as it is.

    Args:
        rows: as of `Batches.extend`.
        before: the step that the first of them begins after.

    Returns:
        float64 (M, 6), M at most the number of events.
    """
    spans = np.diff(rows[:, _STEP], prepend=before)
    ends = np.diff(rows[:, _EPOCH], append=-1) != 0
    goes_on = np.diff(rows[:, _EPOCH], prepend=-1) == 0
    is_stub = ends & goes_on & (2 * spans < np.roll(spans, 1))
    return _means(rows, np.flatnonzero(~is_stub), before)


def _means(rows: np.ndarray, first: np.ndarray, before: float = 0) -> np.ndarray:
    """Groups of neighbours, by where each begins, as means weighted by their steps."""
    if not len(rows):
        return rows
    weights = np.maximum(np.diff(rows[:, _STEP], prepend=before), 1)  # a log may be odd
    last = np.append(first[1:], len(rows)) - 1
    several, means = last > first, rows[last]
    sums = np.add.reduceat(rows[:, _FIGURES] * weights[:, None], first)
    means[several, _FIGURES] = (sums / np.add.reduceat(weights, first)[:, None])[several]
    return means


def _on_grid(spans: np.ndarray) -> np.ndarray:
    """At most `MOST` spans, those that end within the same 1, 2, 4, 8, ... steps drawn together.

    So what was drawn together stays so, and it matters not how many events were read at a time.
    """
    if len(spans) <= MOST and (spans[:, _COUNT] == 1).all():
        return spans
    width = 2 ** max(0, int(np.ceil(np.log2(spans[:, _STEP].max() / MOST))))
    first = np.flatnonzero(np.diff((spans[:, _STEP] - 1) // width, prepend=-1))
    found = _means(spans, first)
    found[:, _LOW] = np.minimum.reduceat(spans[:, _LOW], first)
    found[:, _HIGH] = np.maximum.reduceat(spans[:, _HIGH], first)
    found[:, _COUNT] = np.add.reduceat(spans[:, _COUNT], first)
    return found
