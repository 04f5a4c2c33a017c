"""Who trains and who validates."""

from itertools import combinations

import numpy as np
import pytest

from cifar_core.config import TrainingConfig
from cifar_core.errors import ConfigError
from cifar_core.training.split import (
    check,
    is_batch_too_large,
    split,
    steps_per_epoch,
    trained_images,
)


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


@pytest.mark.parametrize(
    ("images", "config", "said"),
    [
        (0, TrainingConfig(), "training needs images. Received: 0"),
        (0, TrainingConfig(validation="holdout"), "must hold one. Received: 0"),
        (1, TrainingConfig(validation="holdout"), "must hold one. Received: 1"),
        (5, TrainingConfig(validation="holdout"), "must hold one. Received: 5"),
        (4, TrainingConfig(validation="folds", fold=1), "folds=5 for 4"),
        (19, TrainingConfig(validation="folds", folds=20, fold=20), "folds=20 for 19"),
    ],
)
def test_a_split_with_an_empty_part_is_refused_in_one_line(
    images: int, config: TrainingConfig, said: str
) -> None:
    for refused in (split, check):
        with pytest.raises(ConfigError) as caught:
            refused(images, config)
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("images", [1, 2, 5, 6, 15, 20, 399])
@pytest.mark.parametrize("train_images", [0, 3])
@pytest.mark.parametrize("validation", ["test", "holdout", "folds"])
def test_no_part_is_empty_and_what_is_counted_is_what_trains(
    images: int, train_images: int, validation: str
) -> None:
    config = TrainingConfig(
        validation=validation, folds=15, train_images=train_images, batch_size=4
    )
    for one in config.runs():
        try:
            check(images, one)
        except ConfigError:
            assert images < (15 if validation == "folds" else 6)
            continue
        trained, held = split(images, one)
        assert len(trained) == trained_images(images, one) > 0
        assert bool(len(held)) == (validation != "test")
        assert steps_per_epoch(images, one) == -(-len(trained) // 4)
        assert is_batch_too_large(images, one) == (len(trained) < 4)


def test_a_batch_of_just_all_images_is_not_too_large() -> None:
    assert not is_batch_too_large(400, TrainingConfig(batch_size=400))
    assert is_batch_too_large(400, TrainingConfig(batch_size=400, validation="holdout"))
    assert is_batch_too_large(400, TrainingConfig(batch_size=32, train_images=31))
