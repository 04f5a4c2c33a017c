"""The built-in image set: CIFAR-10's ten classes, drawn by code.

It lets everything run with neither network nor download, and is hard enough that the
tutorial's network overfits on it as it does on photographs. Each picture is a scene, a
subject in one of a few poses and, often, something in front of it, drawn with Pillow at four
times the size; light, blur and grain follow in NumPy, many images at once and in integers.

Two balances keep the story that the tutorial tells. Strong contrast lets the network learn in
ten epochs what it can; light, colour and clutter that differ from image to image give it
something to learn by heart, which dropout then prevents.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, ImageDraw

from ..cache import checksum_of_arrays
from ..dataset import CIFAR10_CLASSES, IMAGE_SIZE, Dataset, Source
from .pen import COATS, PAINTS, WHITE, Colour, Dice, Pen, light, mix, stream
from .sketches import SKETCHES

SUPERSAMPLE = 4
LABELS, DRAWING, FINISH = 1, 2, 3  # the last word of each random stream's seed
BLOCK = 500  # images that are finished together: enough for NumPy, little memory
FIRST = 20
"""Training images that `draw_first` draws."""


# --- scenes ----------------------------------------------------------------------------------


def sky(pen: Pen, dice: Dice, bottom: float = 50) -> None:
    top = dice.near((84, 140, 208), (150, 182, 214), (186, 192, 200), (222, 170, 140))
    low = dice.near(light(top, 50))
    for k in range(5):
        pen.rect(mix(top, low, k * 25), -50, -50 + (bottom + 50) * k / 5, 50, bottom)
    for _ in range(int(dice.between(0, 5))):
        x, y = dice.between(-50, 50), dice.between(-50, bottom)
        pen.oval(light(low, dice.between(10, 60)), x, y, dice.between(8, 30), dice.between(3, 8))


def blotches(pen: Pen, dice: Dice, colour: Colour, y0: float, y1: float, count: int) -> None:
    """Leaves, stones, tufts: what makes ground uneven."""
    for _ in range(count):
        x, y, r = dice.between(-50, 50), dice.between(y0, y1), dice.between(2, 13)
        w = r * dice.between(0.6, 1.6)
        patch = dice.near(colour, spread=34)
        pen.poly(patch, x - w, y, x - w / 2, y - r, x + w / 2, y - r * 0.8, x + w, y, x, y + r)


def field(pen: Pen, dice: Dice) -> None:
    horizon = dice.between(-35, 20)
    sky(pen, dice, horizon)
    ground = dice.near((96, 136, 60), (132, 138, 74), (170, 152, 104), (214, 210, 204))
    if dice.chance(0.6):
        trees = dice.near((62, 84, 50))
        pen.rect(trees, -50, horizon - dice.between(2, 14), 50, 50)
        blotches(pen, dice, trees, horizon - 14, horizon, 5)
    pen.rect(ground, -50, horizon, 50, 50)
    blotches(pen, dice, ground, horizon + 4, 50, 7)


def woods(pen: Pen, dice: Dice) -> None:
    base = dice.near((60, 88, 48), (84, 96, 56), (96, 82, 60), (50, 62, 46))
    pen.rect(base, -50, -50, 50, 50)
    blotches(pen, dice, base, -50, 50, 12)
    for _ in range(int(dice.between(0, 4))):
        x, w = dice.between(-50, 50), dice.between(2, 8)
        trunk = dice.near((92, 72, 54), (56, 44, 38), (150, 140, 126))
        pen.limb(trunk, w, x, 30, x + dice.between(-8, 8), -52)


def road(pen: Pen, dice: Dice) -> None:
    horizon = dice.between(-25, 15)
    sky(pen, dice, horizon)
    for _ in range(int(dice.between(0, 5))):
        x, w = dice.between(-55, 45), dice.between(8, 30)
        wall = dice.near((176, 160, 142), (140, 96, 80), (120, 124, 132), (70, 90, 56))
        pen.rect(wall, x, horizon - dice.between(8, 40), x + w, horizon)
    ground = dice.near((112, 112, 116), (140, 136, 130), (82, 84, 90), (120, 134, 84))
    pen.rect(ground, -50, horizon, 50, 50)
    blotches(pen, dice, ground, horizon + 6, 50, 3)
    y = dice.between(horizon + 8, 50)
    pen.rect(light(ground, 45), -50, y, 50, y + 2)


def water(pen: Pen, dice: Dice) -> None:
    horizon = dice.between(-40, 8)
    sky(pen, dice, horizon)
    if dice.chance(0.6):
        pen.rect(dice.near((88, 104, 88)), -50, horizon - dice.between(2, 12), 50, horizon)
    sea = dice.near((48, 92, 136), (84, 128, 150), (110, 122, 124), (70, 110, 104))
    pen.rect(sea, -50, horizon, 50, 50)
    for _ in range(9):
        x, y, w = dice.between(-55, 45), dice.between(horizon, 50), dice.between(6, 24)
        pen.poly(dice.near(light(sea, 16)), x, y, x + w / 2, y - 2, x + w, y, x + w / 2, y + 1.5)


def indoors(pen: Pen, dice: Dice) -> None:
    wall = dice.near((206, 196, 180), (150, 140, 132), (120, 132, 150), (176, 120, 100))
    floor = dice.near((140, 104, 72), (100, 84, 80), (190, 180, 168), (92, 100, 116))
    pen.rect(wall, -50, -50, 50, 50)
    for _ in range(3):
        x, y = dice.between(-60, 40), dice.between(-60, 20)
        thing = dice.near(wall, floor, *COATS, spread=30)
        pen.rect(thing, x, y, x + dice.between(10, 50), y + dice.between(10, 60))
    pen.poly(floor, -50, dice.between(0, 36), 50, dice.between(0, 36), 50, 50, -50, 50)


def plain(pen: Pen, dice: Dice) -> None:
    pen.rect(dice.near(WHITE, (236, 232, 224), *COATS, *PAINTS), -50, -50, 50, 50)


# --- pictures --------------------------------------------------------------------------------

Scene = Callable[[Pen, Dice], None]
_LAND: tuple[Scene, ...] = (field, field, field, woods, woods, indoors, plain)
_PETS: tuple[Scene, ...] = (field, field, woods, indoors, indoors, indoors, plain)
_STREET: tuple[Scene, ...] = (road, road, road, road, field, plain)
# Where each class is met, and how far it may turn (degrees). Classes share scenes, so that
# the background alone does not give the class away.
HABITS: dict[str, tuple[tuple[Scene, ...], float]] = {
    "airplane": ((sky, sky, sky, field, road, water, plain), 20),
    "automobile": (_STREET, 6),
    "bird": ((sky, sky, field, woods, woods, water, plain), 17),
    "cat": (_PETS, 10),
    "deer": (_LAND, 7),
    "dog": (_PETS, 10),
    "frog": ((woods, woods, field, field, water, indoors, plain), 21),
    "horse": (_LAND, 7),
    "ship": ((water, water, water, water, water, sky, plain), 6),
    "truck": (_STREET, 6),
}


def occlude(pen: Pen, dice: Dice) -> None:
    """Something between the camera and the subject."""
    colour, kind = dice.near(*COATS, *PAINTS), dice.pick(("grass", "post", "leaves", "edge"))
    if kind == "grass":
        for _ in range(9):
            x, y = dice.between(-50, 50), dice.between(0, 36)
            pen.poly(dice.near((84, 112, 52)), x - 3, 52, x + dice.between(-8, 8), y, x + 3, 52)
    elif kind == "post":
        x = dice.between(-40, 40)
        pen.limb(colour, dice.between(3, 10), x, -52, x + dice.between(-15, 15), 52)
    elif kind == "leaves":
        x, y = dice.between(-40, 40), dice.between(-40, 40)
        for _ in range(6):
            pen.oval(
                dice.near(colour), x + dice.between(-14, 14), y + dice.between(-14, 14), 9, 5, 3
            )
    else:
        high, low, side = dice.between(24, 42), dice.between(24, 42), dice.pick((-1, 0, 1))
        if side:
            pen.poly(colour, side * 51, -51, side * high, -51, side * low, 51, side * 51, 51)
        else:
            pen.poly(colour, -51, high, 51, low, 51, 51, -51, 51)


def picture(label: int, dice: Dice) -> np.ndarray:
    """One image before light and grain: uint8, (32, 32, 3)."""
    name, width = CIFAR10_CLASSES[label], IMAGE_SIZE * SUPERSAMPLE
    scenes, turn = HABITS[name]
    image = Image.new("RGB", (width, width))
    canvas = ImageDraw.Draw(image)
    whole = Pen(canvas, width)
    dice.pick(scenes)(whole, dice)
    pen = Pen(
        canvas,
        width,
        size=dice.between(0.62, 1.08),
        degrees=dice.between(-turn, turn),
        stretch=dice.between(0.78, 1.12) * dice.pick((-1, 1)),
        x=dice.between(-10, 10),
        y=dice.between(-9, 9),
    )
    SKETCHES[name](pen, dice)
    if dice.chance(0.6):
        occlude(whole, dice)
    return np.asarray(image.reduce(SUPERSAMPLE))


def _soften(x: np.ndarray) -> np.ndarray:
    """A 1-2-1 blur down and across; int32, (N, H, W, C)."""
    x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    x = x[:, :-2] + 2 * x[:, 1:-1] + x[:, 2:]
    return (x[:, :, :-2] + 2 * x[:, :, 1:-1] + x[:, :, 2:] + 8) >> 4


def finish(images: np.ndarray, *entropy: int) -> np.ndarray:
    """Blur, light, shadow and grain, in integers; uint8 in and out, (N, 32, 32, 3)."""
    rng = stream(*entropy)

    def some(low: int, high: int, *shape: int) -> np.ndarray:
        """Whole numbers from low to high for every image, int32, (N, *shape)."""
        return np.floor(rng.random((len(images), *shape)) * (high - low + 1)).astype(np.int32) + low

    x = images.astype(np.int32)
    x = np.where(some(0, 6, 1, 1, 1) == 0, _soften(x), x)
    gain = some(250, 340, 1, 1, 1)
    x = ((x - 128) * gain >> 8) + 128 + some(-52, 52, 1, 1, 1) + some(-26, 26, 1, 1, 3)
    # Light that falls off across the image, and clouds of shadow made by doubling a 4x4 grid.
    ramp = np.arange(IMAGE_SIZE, dtype=np.int32) * 2 - IMAGE_SIZE
    x += ramp[:, None, None] * some(-200, 200, 1, 1, 1) >> 8
    x += ramp[:, None] * some(-200, 200, 1, 1, 1) >> 8
    shadow = some(-80, 80, 4, 4, 1)
    while shadow.shape[1] < IMAGE_SIZE:
        shadow = _soften(shadow.repeat(2, axis=1).repeat(2, axis=2))
    x += shadow * some(0, 200, 1, 1, 1) >> 8
    # Grain: the sum of four bytes is near enough to a bell curve; its deviation is 148.
    grain = rng.integers(0, 256, (4, *x.shape), dtype=np.uint8).sum(axis=0, dtype=np.int32) - 510
    x += grain * some(2, 14, 1, 1, 1) >> 8
    return np.clip(x, 0, 255).astype(np.uint8)


def version(folder: Path = Path(__file__).parent) -> str:
    """Another text whenever what the images come from has changed: this package's code or Pillow.

    Args:
        folder: where the code lies.
    """
    code = hashlib.sha256(PIL.__version__.encode())
    for file in sorted(folder.glob("*.py")):
        code.update(file.read_bytes())
    return code.hexdigest()


def draw_synthetic(
    seed: int = 0,
    train_images: int = 10_000,
    test_images: int = 2_000,
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """Draw the built-in image set.

    The classes are balanced to within one image. Takes some seven seconds at the default
    size on one core.

    Args:
        seed: any whole number from 0 up; the same seed gives the same bytes.
        train_images: how many images to train on.
        test_images: how many to test on; drawn from other random numbers than the first.
        progress: called with (images drawn, images in all) every few hundred images, and
            at the end.

    Returns:
        Images as uint8, (N, 32, 32, 3), and labels as uint8, (N,), in random order; the
        source's checksum is that of the four arrays' bytes, train before test, images
        before labels.

    Raises:
        ValueError: a negative seed or count.
    """
    arrays = _blank(seed, train_images, test_images)
    done, total = 0, train_images + test_images
    for split in (0, 1):
        images, labels = arrays[2 * split :][:2]
        for start in range(0, len(images), BLOCK):
            block = images[start : start + BLOCK]
            _draw(block, labels[start : start + BLOCK], seed, split, start)
            done += len(block)
            if progress is not None:
                progress(done, total)
    return _dataset(arrays, checksum_of_arrays(*arrays))


def draw_first(seed: int = 0, train_images: int = 10_000, test_images: int = 2_000) -> Dataset:
    """What `draw_synthetic` gives, in a tenth of a second, with most images still black.

    Returns:
        All labels, and the first `FIRST` training images; the source's checksum is ''.
    """
    arrays = _blank(seed, train_images, test_images)
    block = arrays[0][:BLOCK].copy()
    _draw(block, arrays[1][:FIRST], seed, 0, 0)
    arrays[0][:FIRST] = block[:FIRST]
    return _dataset(arrays, checksum="")


def _blank(seed: int, *counts: int) -> list[np.ndarray]:
    """Each split's images, black, and its labels."""
    arrays = []
    for split, count in enumerate(counts):
        order = stream(seed, split, 0, LABELS).random(count)
        labels = (np.argsort(order) % len(CIFAR10_CLASSES)).astype(np.uint8)
        arrays += [np.zeros((count, IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8), labels]
    return arrays


def _dataset(arrays: list[np.ndarray], checksum: str) -> Dataset:
    x_train, y_train, x_test, y_test = arrays
    source = Source("synthetic", "synthetic", "", checksum)
    return Dataset(x_train, y_train, x_test, y_test, CIFAR10_CLASSES, source)


def _draw(block: np.ndarray, labels: np.ndarray, seed: int, split: int, start: int) -> None:
    """Draw the first images of a block, one for each label; light and grain need the whole one."""
    for i, label in enumerate(labels):
        block[i] = picture(int(label), Dice(seed, split, start + i, DRAWING))
    block[:] = finish(block, seed, split, start, FINISH)
