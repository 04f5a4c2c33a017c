"""How many steps a call takes."""

from __future__ import annotations

import time

import pytest

from cifar_core.runs.history import History
from cifar_core.training.meter import Meter


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
