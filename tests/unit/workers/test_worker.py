"""What a worker does with Ctrl-C; tests/unit/test_cli.py carries runs out."""

from __future__ import annotations

import shutil
import signal

import pytest

from cifar_core.config import TrainingConfig
from cifar_core.runs.store import RunStore
from cifar_core.workers.worker import _stop_on_interrupt


def test_the_first_ctrl_c_asks_for_a_stop_and_the_second_ends(store: RunStore) -> None:
    run = store.create(TrainingConfig())
    with _stop_on_interrupt(run):
        signal.raise_signal(signal.SIGINT)
        assert run.stop_requested()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_ctrl_c_of_a_run_that_is_gone(store: RunStore) -> None:
    run = store.create(TrainingConfig())
    shutil.rmtree(run.path)
    with _stop_on_interrupt(run):
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
