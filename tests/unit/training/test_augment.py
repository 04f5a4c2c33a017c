"""Augmentation: each variation does what it says and nothing else."""

from dataclasses import dataclass

import numpy as np
import pytest

from cifar_core.config import TrainingConfig, count
from cifar_core.training.augment import AUGMENTATIONS, augment, augments


@pytest.fixture
def images() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (64, 32, 32, 3), dtype=np.uint8)


def varied(images: np.ndarray, seed: int = 1, **settings: object) -> np.ndarray:
    before = images.copy()
    out = augment(images, TrainingConfig(**settings), np.random.default_rng(seed))
    np.testing.assert_array_equal(images, before)
    assert out.shape == images.shape
    assert out.dtype == np.uint8
    return out


def test_off_is_off(images: np.ndarray) -> None:
    assert not augments(TrainingConfig())
    np.testing.assert_array_equal(varied(images), images)


def test_flip_mirrors_about_half(images: np.ndarray) -> None:
    out = varied(images, flip=True)
    mirrored = [np.array_equal(a, b[:, ::-1]) for a, b in zip(out, images, strict=True)]
    same = [np.array_equal(a, b) for a, b in zip(out, images, strict=True)]
    assert all(a != b for a, b in zip(mirrored, same, strict=True))
    assert 16 < sum(mirrored) < 48


def test_shift_moves_each_image_on_its_own(images: np.ndarray) -> None:
    out = varied(images, shift=3)
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
    out = varied(np.zeros_like(images), cutout=8)
    sizes = (out[..., 0] == 128).sum(axis=(1, 2))
    assert sizes.max() == 64
    assert sizes.min() >= 16, "at an edge a part of it remains"
    assert set(np.unique(out)) == {0, 128}
    whole = out[sizes.argmax(), ..., 0] == 128
    assert whole.any(axis=0).sum() == whole.any(axis=1).sum() == 8


def test_the_same_draws_give_the_same_images(images: np.ndarray) -> None:
    settings = {"flip": True, "shift": 4, "cutout": 6}
    np.testing.assert_array_equal(varied(images, **settings), varied(images, **settings))
    assert not np.array_equal(varied(images, **settings), varied(images, seed=2, **settings))


def test_one_channel_works_too(images: np.ndarray) -> None:
    varied(images[..., :1], flip=True, shift=2, cutout=4)


def test_another_augmentation_is_a_setting_and_an_entry(
    images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dataclass(frozen=True)
    class More(TrainingConfig):
        brighter: int = count(0, "Brighter", "augmentation", "add this to pixels", 255)

    def brighten(images: np.ndarray, by: int, rng: np.random.Generator) -> np.ndarray:
        return np.where(images < 256 - by, images + np.uint8(by), 255).astype(np.uint8)

    monkeypatch.setitem(AUGMENTATIONS, "brighter", brighten)
    assert not augments(More())
    assert augments(More(brighter=5))
    out = augment(images, More(brighter=5), np.random.default_rng(0))
    np.testing.assert_array_equal(out, np.minimum(images.astype(int) + 5, 255))
