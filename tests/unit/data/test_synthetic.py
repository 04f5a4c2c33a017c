"""The built-in image set: the same everywhere, balanced, visible and not too easy."""

import hashlib

import numpy as np
import pytest
from PIL import Image, ImageDraw

from cifar_core.data.dataset import CIFAR10_CLASSES, Dataset
from cifar_core.data.synthetic.draw import FIRST, draw_first, draw_synthetic
from cifar_core.data.synthetic.pen import Dice, Pen
from cifar_core.data.synthetic.sketches import SKETCHES

# Figures of runs on this set are compared across machines, so no upgrade may change it unseen.
# Seen the same with Pillow 11.3, 12.0 and 13.0 and NumPy 2.0 and 2.4.
CHECKSUM_OF_200 = "sha256:ec1cd0f3f25ffd97d7c9b30747d5854fedcb05d86a41396abf2178ad141fed0d"


@pytest.fixture(scope="module")
def images() -> Dataset:
    return draw_synthetic(seed=0, train_images=800, test_images=300)


@pytest.fixture(scope="module")
def few() -> Dataset:
    return draw_synthetic(seed=3, train_images=150, test_images=50)


def test_arrays_have_the_promised_form(images: Dataset) -> None:
    assert images.class_names == CIFAR10_CLASSES
    for (x, y), count in ((images.split("train"), 800), (images.split("test"), 300)):
        assert (x.shape, x.dtype) == ((count, 32, 32, 3), np.uint8)
        assert (y.shape, y.dtype) == ((count,), np.uint8)
        assert np.bincount(y, minlength=10).tolist() == [count // 10] * 10
        assert len(set(y[:20])) >= 6, "the first images show a mix of classes"


def test_a_count_that_ten_does_not_divide_is_balanced_to_one() -> None:
    counts = np.bincount(draw_synthetic(0, 23, 7).y_train, minlength=10)
    assert sorted(counts.tolist()) == [2] * 7 + [3] * 3


def test_bytes_are_the_pinned_ones(few: Dataset) -> None:
    assert few.source.checksum == CHECKSUM_OF_200


def test_the_checksum_is_that_of_the_arrays(few: Dataset) -> None:
    arrays = (few.x_train, few.y_train, few.x_test, few.y_test)
    digest = hashlib.sha256(b"".join(a.tobytes() for a in arrays)).hexdigest()
    assert few.source.checksum == f"sha256:{digest}"
    assert (few.source.kind, few.source.name, few.source.location) == ("synthetic", "synthetic", "")


def test_same_seed_same_images_whatever_numpys_global_state(few: Dataset) -> None:
    np.random.seed(1)
    again = draw_synthetic(seed=3, train_images=150, test_images=50)
    np.testing.assert_array_equal(again.x_train, few.x_train)
    np.testing.assert_array_equal(again.x_test, few.x_test)
    np.testing.assert_array_equal(again.y_train, few.y_train)


def test_another_seed_draws_other_images(few: Dataset) -> None:
    other = draw_synthetic(seed=4, train_images=150, test_images=50)
    assert (other.y_train != few.y_train).any()
    assert not {x.tobytes() for x in other.x_train} & {x.tobytes() for x in few.x_train}


def test_no_image_comes_twice_in_or_across_the_splits(images: Dataset) -> None:
    every = [x.tobytes() for x in (*images.x_train, *images.x_test)]
    assert len(set(every)) == len(every)


def test_progress_counts_up_to_the_total() -> None:
    seen: list[tuple[int, int]] = []
    draw_synthetic(0, 30, 20, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(30, 50), (50, 50)]


@pytest.mark.parametrize("seed_and_counts", [(-1, 5, 5), (0, -5, 5)])
def test_negative_numbers_are_refused(seed_and_counts: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="negative"):
        draw_synthetic(*seed_and_counts)


def least_squares_accuracy(images: Dataset, blocks: int) -> float:
    """Test accuracy of a linear classifier on the mean colours of blocks x blocks squares."""

    def features(x: np.ndarray) -> np.ndarray:
        side = 32 // blocks
        means = x.reshape(-1, blocks, side, blocks, side, 3).mean(axis=(2, 4)).reshape(len(x), -1)
        return np.column_stack([means / 255 - 0.5, np.ones(len(x))])

    weights, *_ = np.linalg.lstsq(features(images.x_train), np.eye(10)[images.y_train], rcond=None)
    guesses = (features(images.x_test) @ weights).argmax(axis=1)
    return float((guesses == images.y_test).mean())


def test_colour_and_coarse_layout_do_not_give_the_class_away(images: Dataset) -> None:
    assert least_squares_accuracy(images, blocks=1) < 0.3
    assert 0.15 < least_squares_accuracy(images, blocks=4) < 0.45


@pytest.mark.parametrize("name", CIFAR10_CLASSES)
def test_every_pose_is_seen_and_leaves_room_for_the_scene(name: str) -> None:
    for trial in range(20):
        image = Image.new("RGB", (128, 128), (255, 0, 255))
        SKETCHES[name](Pen(ImageDraw.Draw(image), 128), Dice(trial))
        covered = (np.asarray(image) != (255, 0, 255)).any(axis=2).mean()
        assert 0.06 < covered < 0.75


def test_a_pen_with_negative_stretch_mirrors() -> None:
    drawn = []
    for stretch in (1, -1):
        image = Image.new("L", (100, 100))
        Pen(ImageDraw.Draw(image), 100, stretch=stretch).poly(255, 0, 0, 30, -20, 30, 20)  # type: ignore
        drawn.append(np.asarray(image) > 0)
    assert (drawn[0] != drawn[1][:, ::-1]).mean() < 0.02  # but for the pixels on the edge
    assert drawn[0][50, 75]
    assert not drawn[0][50, 25]


def test_the_first_images_are_those_of_the_whole_set(images: Dataset) -> None:
    first = draw_first(seed=0, train_images=800, test_images=300)
    np.testing.assert_array_equal(first.x_train[:FIRST], images.x_train[:FIRST])
    assert not first.x_train[FIRST:].any()
    np.testing.assert_array_equal(first.y_train, images.y_train)
    np.testing.assert_array_equal(first.y_test, images.y_test)
    assert first.x_test.shape == images.x_test.shape
    assert first.source.checksum == ""
