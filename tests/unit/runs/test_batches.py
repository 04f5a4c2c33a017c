"""Batch events as columns, and the curve that is drawn of them."""

from __future__ import annotations

import time
from operator import attrgetter

import numpy as np
import pytest

from cifar_core.runs import batches as columns
from cifar_core.runs.batches import MOST, Batches
from cifar_core.runs.events import BATCH_FIELDS, BatchEvent, LogEvent, from_lines, to_line
from cifar_core.runs.history import History


def batches(spans: list[list[int]], figures: np.ndarray) -> list[BatchEvent]:
    """Batch events of epochs that are made of these spans, in steps."""
    ends = np.cumsum([span for epoch in spans for span in epoch]).tolist()
    epochs = [number for number, epoch in enumerate(spans, 1) for _ in epoch]
    return [
        BatchEvent(step=step, epoch=epoch, loss=loss, accuracy=1 - loss, images_per_second=1.0)
        for step, epoch, loss in zip(ends, epochs, figures.tolist(), strict=True)
    ]


def without_stubs(events: list[BatchEvent], metric: str) -> tuple[np.ndarray, np.ndarray]:
    rows = np.array([*map(attrgetter(*BATCH_FIELDS), events)]).reshape(-1, len(BATCH_FIELDS))
    found = columns.without_stubs(rows)
    return found[:, 1].astype(int), found[:, BATCH_FIELDS.index(metric)]


def epoch_means(steps: np.ndarray, figures: np.ndarray, ends: list[int]) -> list[float]:
    spans, places = np.diff(steps, prepend=0), np.searchsorted(ends, steps)
    return [np.average(figures[places == n], weights=spans[places == n]) for n in range(len(ends))]


@pytest.mark.parametrize("seed", range(20))
def test_each_epochs_mean_is_what_it_was_and_no_stub_is_left(seed: int) -> None:
    rng = np.random.default_rng(seed)
    spans = [rng.integers(1, 40, rng.integers(1, 12)).tolist() for _ in range(rng.integers(1, 9))]
    figures = rng.random(sum(map(len, spans)))
    events = batches(spans, figures)
    ends = np.cumsum([sum(epoch) for epoch in spans]).tolist()
    before = np.array([event.step for event in events])
    for metric in ("loss", "accuracy"):
        steps, found = without_stubs(events, metric)
        measured = np.array([getattr(event, metric) for event in events])
        np.testing.assert_allclose(
            epoch_means(steps, found, ends), epoch_means(before, measured, ends), rtol=1e-12
        )
        assert set(ends) <= set(steps.tolist()) <= set(before.tolist())
        merged = [2 * epoch[-1] < epoch[-2] for epoch in spans if len(epoch) > 1]
        assert len(steps) == len(events) - sum(merged)
        kept = np.isin(before, steps) & ~np.isin(before, ends)
        np.testing.assert_array_equal(found[~np.isin(steps, ends)], measured[kept])


def test_a_spike_of_a_few_images_is_gone() -> None:
    events = batches([[40, 40, 1], [40, 40, 30], [5]], np.array([1, 0.9, 3, 0.8, 0.7, 0.5, 0.6]))
    steps, losses = without_stubs(events, "loss")
    assert steps.tolist() == [40, 81, 121, 161, 191, 196]
    np.testing.assert_allclose(losses, [1, (0.9 * 40 + 3) / 41, 0.8, 0.7, 0.5, 0.6])


@pytest.mark.parametrize("number", [0, 1])
def test_no_event_and_one_event(number: int) -> None:
    steps, losses = without_stubs(batches([[7]], np.array([0.5]))[:number], "loss")
    assert (steps.tolist(), losses.tolist()) == ([7][:number], [0.5][:number])


def test_a_long_run_is_quick() -> None:
    events = batches([[30] * 99 + [2]] * 1000, np.ones(100_000))
    started = time.process_time()
    steps, _losses = without_stubs(events, "loss")
    assert time.process_time() - started < 0.5
    assert len(steps) == 99_000


def many(number: int, seed: int = 0) -> list[BatchEvent]:
    """Events of epochs of 313 steps, each with a stub at its end; one of them is a spike."""
    rng = np.random.default_rng(seed)
    spans = [[*rng.integers(10, 18, 21).tolist(), 3] for _ in range(number // 22 + 1)]
    figures = rng.random(22 * len(spans))
    figures[number // 3 // 22 * 22 + 7] = 40.0
    return batches(spans, figures)[:number]


@pytest.mark.parametrize("at_a_time", [1, 7, 5000])
def test_many_events_are_means_by_their_steps_however_they_were_read(at_a_time: int) -> None:
    events = many(9000)
    thinned = Batches(thinned=True)
    for first in range(0, len(events), at_a_time):
        part = events[first : first + at_a_time]
        thinned.extend(np.array([*map(attrgetter(*BATCH_FIELDS), part)]))
        assert len(thinned) <= 2 * MOST + 1
        assert thinned[-1] == part[-1]
    whole, curve = Batches(events).curve("loss"), thinned.curve("loss")
    assert MOST / 2 < len(curve.step) <= MOST
    for name, values in vars(whole).items():
        np.testing.assert_allclose(getattr(curve, name), values, rtol=1e-12)
    losses = [event.loss for event in events]
    spans = np.diff([event.step for event in events], prepend=0)
    mean = np.average(curve.mean, weights=np.diff(curve.step, prepend=0))
    assert mean == pytest.approx(np.average(losses, weights=spans))
    assert curve.high.max() == 40.0, "a spike stays visible"
    assert thinned[-10:] == events[-10:]


def test_few_events_are_drawn_as_they_are() -> None:
    events = batches([[10] * 50] * 10, np.arange(500.0))
    for found in (Batches(events), Batches(events, thinned=True)):
        assert found == events
        curve = found.curve("loss")
        for values in (curve.mean, curve.low, curve.high):
            np.testing.assert_array_equal(values, np.arange(500.0))


def test_what_is_forgotten_is_gone_and_a_copy_keeps_it() -> None:
    events = many(4000)
    for thinned in (False, True):
        found = Batches(events, thinned)
        kept, until = found.copy(), found.until(events[3990].step)
        found.append(events[-1])
        assert (until[-1], kept[-1]) == (events[3990], events[-1])
        assert len(found) == len(kept) + 1


def test_numbers_are_read_as_json_reads_them() -> None:
    rng = np.random.default_rng(0)
    values = 10.0 ** rng.uniform(-9, 3, (500, 3))
    events = [
        BatchEvent(step=n, epoch=1, loss=loss, accuracy=accuracy, images_per_second=speed)
        for n, (loss, accuracy, speed) in enumerate(values.tolist())
    ]
    lines = "".join(map(to_line, [*events, LogEvent(message="words"), *events])).encode()
    exact, quick = History(), History.thinned()
    for history in (exact, quick):
        for event in from_lines(lines, quick=history is quick):
            history.add(event)
        assert [one.message for one in history.log] == ["words"]
    assert exact.batches == [*events, *events]
    for name, error in (("loss", 1e-12), ("accuracy", 1e-12), ("step", 0), ("time", 1)):
        read, written = ([getattr(one, name) for one in of] for of in (quick.batches, events))
        np.testing.assert_allclose(read[:500], written, rtol=0, atol=error)


def test_a_batch_event_without_numbers_is_none() -> None:
    line = to_line(many(1)[0])
    for odd in (line.replace('"step": ', '"step": null, "x": '), line.replace("1.0}", '"fast"}')):
        assert [*from_lines(odd.encode())] == []
