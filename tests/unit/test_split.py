"""Who trains and who validates."""

from itertools import combinations

import numpy as np
import pytest

from cifar_core.config import TrainingConfig
from cifar_core.errors import ConfigError
from cifar_core.split import split, steps_per_epoch


@pytest.mark.parametrize(("images", "folds"), [(400, 5), (401, 4), (7, 7), (50, 20)])
def test_folds_are_disjoint_and_cover_the_set(images: int, folds: int) -> None:
    runs = TrainingConfig(validation="folds", folds=folds, seed=3).runs()
    assert [config.fold for config in runs] == list(range(1, folds + 1))
    parts = [split(images, config) for config in runs]
    for trained, held in parts:
        assert sorted([*trained, *held]) == list(range(images))
    held = [set(one) for _, one in parts]
    assert not any(a & b for a, b in combinations(held, 2))
    assert set().union(*held) == set(range(images))
    sizes = [len(one) for one in held]
    assert max(sizes) - min(sizes) <= 1


def test_one_run_of_a_cross_validation_needs_its_fold() -> None:
    with pytest.raises(ConfigError, match="fold=0"):
        split(400, TrainingConfig(validation="folds"))


def test_a_holdout_is_a_tenth_that_the_seed_draws() -> None:
    trained, held = split(400, TrainingConfig(validation="holdout", seed=4))
    assert len(held) == 40
    assert sorted([*trained, *held]) == list(range(400))
    again = split(400, TrainingConfig(validation="holdout", seed=4))[1]
    other = split(400, TrainingConfig(validation="holdout", seed=5))[1]
    assert np.array_equal(held, again)
    assert not np.array_equal(held, other)


def test_the_test_set_validates_by_default() -> None:
    trained, held = split(50, TrainingConfig())
    assert np.array_equal(trained, np.arange(50))
    assert len(held) == 0


@pytest.mark.parametrize("validation", ["test", "holdout"])
def test_fewer_images_are_some_of_the_more(validation: str) -> None:
    few, held = split(400, TrainingConfig(validation=validation, train_images=50))
    more, _ = split(400, TrainingConfig(validation=validation, train_images=100))
    assert (len(few), len(more)) == (50, 100)
    assert set(few) < set(more)
    assert not set(more) & set(held)
    assert steps_per_epoch(400, TrainingConfig(train_images=50)) == 2
    assert len(split(400, TrainingConfig(train_images=1000))[0]) == 400
