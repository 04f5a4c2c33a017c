"""Runs that differ in seed or fold alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cifar_core.config import TrainingConfig
from cifar_core.runs.events import EpochEvent, RunState, StateEvent
from cifar_core.runs.groups import group_of, spread, validation_accuracy
from cifar_core.runs.run import Run
from cifar_core.runs.store import RunStore
from cifar_core.runs.summary import Summary


def made(
    store: RunStore,
    config: TrainingConfig,
    name: str,
    images: str = "sha256:a",
    state: RunState = RunState.FINISHED,
) -> Run:
    """A run that has ended, as its worker would have written it."""
    run = store.create(config, name)
    if images:
        run.save_environment({"data": {"checksum": images, "name": "some"}})
    run.append(StateEvent(state=state, test_accuracy=0.5))
    return run


def group(store: RunStore, name: str) -> list[str]:
    """Names of the group of a run."""
    return [one.run.id for one in group_of(Summary.of(store.get(name)), store.summaries())]


def test_spread_is_numpys() -> None:
    values = np.random.default_rng(0).random(7)
    found = spread(values.tolist())
    assert found is not None
    assert found.count == 7
    assert found.mean == pytest.approx(values.mean())
    assert found.deviation == pytest.approx(values.std(ddof=1))


def test_spread_of_one_value_and_of_none() -> None:
    one = spread([None, 0.25])
    assert one is not None
    assert (one.count, one.mean, one.deviation) == (1, 0.25, None)
    assert spread([None]) is None


def test_seeds_and_folds_belong_together_and_nothing_else(store: RunStore) -> None:
    folds = TrainingConfig(validation="folds", folds=2)
    for seed in (0, 1):
        for config in replace(folds, seed=seed).runs():
            made(store, config, f"seed{seed}-fold{config.fold}")
    made(store, TrainingConfig(validation="folds", folds=3, fold=1), "three-folds")
    made(store, replace(folds, fold=1, seed=2), "other-images", images="sha256:b")
    assert group(store, "seed1-fold2") == [
        "seed0-fold1",
        "seed0-fold2",
        "seed1-fold1",
        "seed1-fold2",
    ]
    assert group(store, "three-folds") == ["three-folds"]
    assert group(store, "other-images") == ["other-images"]


def test_a_repetition_of_the_same_seed_counts_once_and_a_finished_one_stands_for_it(
    store: RunStore,
) -> None:
    made(store, TrainingConfig(), "finished")
    made(store, TrainingConfig(), "broken", state=RunState.FAILED)
    made(store, TrainingConfig(seed=1), "other")
    assert group(store, "broken") == ["finished", "other"]


def test_a_run_that_waits_belongs_to_the_group(store: RunStore) -> None:
    made(store, TrainingConfig(), "done")
    made(store, TrainingConfig(seed=1), "waits", images="", state=RunState.QUEUED)
    made(store, TrainingConfig(seed=2), "other-images", images="sha256:b")
    assert group(store, "done") == ["done", "waits"]
    assert "waits" in group(store, "other-images")


@pytest.mark.parametrize(("kept", "expected"), [(2, 0.7), (3, 0.6), (None, 0.6)])
def test_validation_accuracy_is_the_kept_epochs(
    store: RunStore, kept: int | None, expected: float
) -> None:
    run = store.create(TrainingConfig(patience=1), "stopped-early")
    for epoch, accuracy in enumerate([0.5, 0.7, 0.6], 1):
        run.append(
            EpochEvent(
                step=epoch,
                epoch=epoch,
                loss=1.0,
                accuracy=0.5,
                val_loss=1 - accuracy,
                val_accuracy=accuracy,
                seconds=1.0,
            )
        )
    run.append(StateEvent(state=RunState.FINISHED, epoch=kept))
    assert validation_accuracy(Summary.of(run)) == expected
