"""Learning-rate schedules, against Keras's where it has them."""

import keras
import numpy as np
import pytest

from cifar_core.config import SCHEDULES, TrainingConfig
from cifar_core.runs.events import RateEvent
from cifar_core.runs.history import History
from cifar_core.training.schedule import RISE, changed_by, learning_rates

STEPS = 400


def rates(schedule: str) -> np.ndarray:
    config = TrainingConfig(schedule=schedule, learning_rate=0.02)
    return learning_rates(config, np.arange(STEPS + 1), STEPS)


@pytest.mark.parametrize(
    ("schedule", "oracle"),
    [
        ("exponential", keras.optimizers.schedules.ExponentialDecay(0.02, STEPS, 0.01)),
        ("cosine", keras.optimizers.schedules.CosineDecay(0.02, STEPS)),
    ],
)
def test_a_schedule_is_kerass(schedule: str, oracle) -> None:
    expected = [float(oracle(step)) for step in range(STEPS + 1)]
    np.testing.assert_allclose(rates(schedule), expected, atol=1e-8)


def test_one_cycle_rises_to_the_highest_rate_and_falls_to_none() -> None:
    found = rates("one-cycle")
    top = int(RISE * STEPS)
    assert found.argmax() == top
    assert found[top] == pytest.approx(0.02)
    assert found[0] == pytest.approx(0.02 / 25)
    assert found[-1] == 0
    assert (np.diff(found[: top + 1]) > 0).all()
    assert (np.diff(found[top:]) < 0).all()


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_no_rate_is_above_the_setting_and_none_of_the_run_is_0(schedule: str) -> None:
    found = rates(schedule)[:-1]  # step 400 is not taken: the last one is 399
    assert found.max() <= 0.02
    assert found.min() > 0


def test_the_latest_change_before_a_step_counts() -> None:
    config = TrainingConfig(learning_rate=0.1)
    history = History()
    for step, rate in ((10, 0.05), (20, 0.01)):
        history.add(RateEvent(step=step, learning_rate=rate))
    assert [changed_by(history.rates, config, step) for step in (9, 10, 19)] == [1.0, 0.5, 0.5]
    assert changed_by(history.rates, config, 20) == pytest.approx(0.1)
    history.add(RateEvent(step=15, learning_rate=0.2))  # the run has gone back to a checkpoint
    assert changed_by(history.rates, config, 25) == pytest.approx(2)
