"""Augmentation: each variation does what it says and nothing else."""

from dataclasses import dataclass

import keras
import numpy as np
import pytest

from cifar_core.config import TrainingConfig, count
from cifar_core.training.augment import AUGMENTATIONS, Variation, augments, draw, varied


@pytest.fixture
def images() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (64, 32, 32, 3), dtype=np.uint8)


def changed(images: np.ndarray, seed: int = 1, **settings: object) -> np.ndarray:
    before = images.copy()
    plan = draw(TrainingConfig(**settings), len(images), np.random.default_rng(seed))
    out = varied(images, np.arange(len(images)), plan)
    np.testing.assert_array_equal(images, before)
    assert out.shape == images.shape
    assert out.dtype == np.uint8
    return out


def test_off_is_off(images: np.ndarray) -> None:
    assert not augments(TrainingConfig())
    np.testing.assert_array_equal(changed(images), images)


def test_flip_mirrors_about_half(images: np.ndarray) -> None:
    out = changed(images, flip=True)
    mirrored = [np.array_equal(a, b[:, ::-1]) for a, b in zip(out, images, strict=True)]
    same = [np.array_equal(a, b) for a, b in zip(out, images, strict=True)]
    assert all(a != b for a, b in zip(mirrored, same, strict=True))
    assert 16 < sum(mirrored) < 48


def test_shift_moves_each_image_on_its_own(images: np.ndarray) -> None:
    out = changed(images, shift=3)
    moves = set()
    for new, old in zip(out, images, strict=True):
        found = [
            (down, right)
            for down in range(-3, 4)
            for right in range(-3, 4)
            if np.array_equal(
                new[max(down, 0) : 32 + min(down, 0), max(right, 0) : 32 + min(right, 0)],
                old[max(-down, 0) : 32 + min(-down, 0), max(-right, 0) : 32 + min(-right, 0)],
            )
        ]
        assert len(found) == 1
        moves.add(found[0])
    assert len(moves) > 20
    assert max(down for down, _ in moves) == 3


def test_cutout_blanks_one_square(images: np.ndarray) -> None:
    out = changed(np.zeros_like(images), cutout=8)
    sizes = (out[..., 0] == 128).sum(axis=(1, 2))
    assert sizes.max() == 64
    assert sizes.min() >= 16, "at an edge a part of it remains"
    assert set(np.unique(out)) == {0, 128}
    whole = out[sizes.argmax(), ..., 0] == 128
    assert whole.any(axis=0).sum() == whole.any(axis=1).sum() == 8


def test_the_same_draws_give_the_same_images(images: np.ndarray) -> None:
    settings = {"flip": True, "shift": 4, "cutout": 6}
    np.testing.assert_array_equal(changed(images, **settings), changed(images, **settings))
    assert not np.array_equal(changed(images, **settings), changed(images, seed=2, **settings))


def test_one_channel_works_too(images: np.ndarray) -> None:
    changed(images[..., :1], flip=True, shift=2, cutout=4)


def test_pixels_come_from_the_images_that_are_named(images: np.ndarray) -> None:
    which = np.array([5, 5, 60])
    plan = draw(TrainingConfig(flip=True, shift=2), 3, np.random.default_rng(0))
    np.testing.assert_array_equal(
        varied(images, which, plan), varied(images[which], np.arange(3), plan)
    )


def test_a_device_gives_the_pixels_that_numpy_gives(images: np.ndarray) -> None:
    which = np.random.default_rng(3).permutation(64)[:40]
    config = TrainingConfig(flip=True, shift=3, cutout=7)
    plan = draw(config, 40, np.random.default_rng(4))
    found = varied(keras.ops.convert_to_tensor(images), which, plan, keras.ops)
    assert found.dtype == "uint8"
    np.testing.assert_array_equal(np.asarray(found), varied(images, which, plan))


def test_several_variations_join_to_one(images: np.ndarray) -> None:
    config = TrainingConfig(flip=True, shift=3, cutout=7)
    plans = [draw(config, count, np.random.default_rng(count)) for count in (10, 3)]
    whole = varied(images, np.arange(13), Variation.joined(plans))
    np.testing.assert_array_equal(whole[:10], varied(images, np.arange(10), plans[0]))
    np.testing.assert_array_equal(whole[10:], varied(images, np.arange(10, 13), plans[1]))


def test_another_augmentation_is_a_setting_and_an_entry(
    images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dataclass(frozen=True)
    class More(TrainingConfig):
        drop: int = count(0, "Drop", "augmentation", "move images down by this", 8)

    def fall(plan: Variation, by: int, rng: np.random.Generator) -> Variation:
        return plan._replace(rows=np.roll(plan.rows, by, axis=1))

    monkeypatch.setitem(AUGMENTATIONS, "drop", fall)
    assert not augments(More())
    assert augments(More(drop=5))
    plan = draw(More(drop=5), len(images), np.random.default_rng(0))
    out = varied(images, np.arange(len(images)), plan)
    np.testing.assert_array_equal(out, np.roll(images, 5, axis=1))
