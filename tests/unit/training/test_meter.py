"""The batch curve, without the spikes of short last spans."""

from __future__ import annotations

import time

import numpy as np
import pytest

from cifar_core.runs.events import BatchEvent
from cifar_core.runs.history import History
from cifar_core.training.meter import Meter, without_stubs


def batches(spans: list[list[int]], figures: np.ndarray) -> list[BatchEvent]:
    """Batch events of epochs that are made of these spans, in steps."""
    ends = np.cumsum([span for epoch in spans for span in epoch]).tolist()
    epochs = [number for number, epoch in enumerate(spans, 1) for _ in epoch]
    return [
        BatchEvent(step=step, epoch=epoch, loss=loss, accuracy=1 - loss, images_per_second=1.0)
        for step, epoch, loss in zip(ends, epochs, figures.tolist(), strict=True)
    ]


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


def test_a_call_takes_as_many_batches_as_fit_until_the_next_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    meter = Meter(epoch=1, batch_size=10, images=1000, skipped=0, before=History())
    assert meter.batches_until_due() == 1, "nothing is known of their pace yet"
    now += 0.021
    meter.note(1)
    assert meter.batches_until_due() == 9
    now += 0.189
    meter.note(9)
    assert meter.is_due
    logs = {"loss": 2.0, "accuracy": 0.1}
    assert meter.read(logs, 10, 10).images_per_second == pytest.approx(100 / 0.21)
    assert meter.batches_until_due() == 10
    now += 1.0
    meter.note(10)
    assert meter.batches_until_due() == 1, "an event that is late is not put off"
