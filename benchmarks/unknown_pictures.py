"""Claim: a network's rule for pictures of none of its classes refuses 5 of 100 right answers, and
nearly all noise, text and patterns; how sure the network is, by itself, refuses few of them.

    CIFAR10_DATA=path/to/cifar10-images.zip \\
        python -m benchmarks.unknown_pictures RUN... [--runs DIR]

Every rule is set with one half of the test set, to refuse 5 % of the right answers there. False
alarms are then counted on the other half. Photos come from scikit-image, where it is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.machine import heading
from cifar_core import Dataset, Run, RunStore, load_data
from cifar_core.data.images import fit_to_network_size, read_image, square_at, to_network_size
from cifar_core.network.out_of_distribution import calibrate, channel_figures, is_known
from cifar_core.network.predict import Predictions, softmax
from cifar_core.training import device

COUNT = 1000
REFUSED = 0.05
OUT_OF_CLASS = (
    *("astronaut", "brick", "camera", "cell", "chessboard_GRAY", "chessboard_RGB", "clock_motion"),
    *("coffee", "coins", "color", "grass", "gravel", "hubble_deep_field", "ihc", "logo"),
    *("microaneurysms", "moon", "page", "phantom", "retina", "rocket", "text"),
)


def uniform(rng: np.random.Generator) -> np.ndarray:
    """Every value as likely as any other."""
    return rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)


def gaussian(rng: np.random.Generator) -> np.ndarray:
    """Grey on average, with a deviation of 50."""
    return np.clip(rng.normal(128, 50, (32, 32, 3)), 0, 255).astype(np.uint8)


def smooth(rng: np.random.Generator) -> np.ndarray:
    """Soft blots: a few random pixels stretched over the picture."""
    cells = rng.integers(0, 256, (*[rng.integers(2, 9)] * 2, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(cells).resize((32, 32), Image.Resampling.BICUBIC))


def text(rng: np.random.Generator) -> np.ndarray:
    """Lines of letters, dark on light, in Pillow's default font, 3 to 11 pixels high."""
    colours = [
        tuple(int(value) for value in rng.integers(*ends, 3)) for ends in ((150, 256), (0, 100))
    ]
    picture = Image.new("RGB", (256, 256), colours[0])
    draw = ImageDraw.Draw(picture)
    size = int(rng.integers(24, 90))
    for top in range(4, 256, size * 5 // 4):
        line = "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz     "), 30))
        draw.text((4, top), line, colours[1], ImageFont.load_default(size))
    return to_network_size(np.asarray(picture))


def pattern(rng: np.random.Generator) -> np.ndarray:
    """Stripes, chequers, rings or a gradient in two colours, turned at random."""
    y, x = np.mgrid[:32, :32]
    angle, period = rng.uniform(0, np.pi), rng.uniform(3, 12)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    stripes, others = along % period < period / 2, across % period < period / 2
    rings = np.hypot(x - 16, y - 16) % period < period / 2
    drawn = (stripes, stripes ^ others, rings, np.clip(along / 32, 0, 1))[rng.integers(4)]
    first, second = rng.integers(0, 256, (2, 3))
    return np.rint(first + (second - first) * drawn[..., None].astype(float)).astype(np.uint8)


def plain(rng: np.random.Generator) -> np.ndarray:
    """One colour."""
    return np.broadcast_to(rng.integers(0, 256, 3, dtype=np.uint8), (32, 32, 3))


def crops(photo: np.ndarray, count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Squares of a third to the whole of a photo's shorter side."""
    places = [(rng.uniform(1 / 3, 1), rng.uniform(), rng.uniform()) for _ in range(count)]
    return [to_network_size(photo, square_at(photo, *place)) for place in places]


def unknown_pictures() -> dict[str, np.ndarray]:
    """Groups of pictures of none of the ten classes."""
    rng = np.random.default_rng(0)
    drawn = (uniform, gaussian, smooth, text, pattern, plain)
    groups = {draw.__name__: np.stack([draw(rng) for _ in range(COUNT)]) for draw in drawn}
    spec = importlib.util.find_spec("skimage")
    if spec is None or spec.origin is None:
        print("scikit-image is not installed: no photos")
        return groups
    folder = Path(spec.origin).parent / "data"
    photos = [read_image(next(folder.glob(f"{name}.*")).read_bytes()) for name in OUT_OF_CLASS]
    groups["photos"] = np.stack([to_network_size(photo) for photo in photos])
    groups["parts of them"] = np.stack([part for one in photos for part in crops(one, 20, rng)])
    faces = (np.load(folder / "lfw_subset.npy")[:100] * 255).astype(np.uint8)
    colour = np.repeat(faces[..., None], 3, axis=-1)
    groups["faces, 25x25 grey"] = np.stack([fit_to_network_size(face) for face in colour])
    return groups


def fitted(images: np.ndarray) -> dict[str, np.ndarray]:
    """Images as if they had been wide: squeezed to 24 rows, with bars of some colour."""
    wide = [np.asarray(Image.fromarray(image).resize((32, 24))) for image in images]
    groups = {"mean colour": np.stack([fit_to_network_size(one) for one in wide])}
    for name, value in (("black", 0), ("white", 255)):
        groups[name] = np.pad(wide, ((0, 0), (4, 4), (0, 0), (0, 0)), constant_values=value)
    return groups


def measure(
    run: Run, data: Dataset, groups: dict[str, np.ndarray]
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """What each rule refuses of each group, and how fitted pictures fare; in percent."""
    model = run.load_model()

    def logits(images: np.ndarray) -> np.ndarray:
        parts = range(0, len(images), 500)
        return np.concatenate(
            [model.predict_on_batch(np.asarray(images[i : i + 500], np.float32)) for i in parts]
        )

    half, other = np.sort(np.random.default_rng(1).permutation(len(data.x_test)).reshape(2, -1))
    labels = np.asarray(data.y_test)
    x_set, x_count = data.x_test[half], data.x_test[other]
    set_logits, count_logits = logits(x_set), logits(x_count)
    predictions = Predictions(softmax(set_logits), labels[half])
    rule = calibrate(model, data.x_train, x_set, predictions)
    right = count_logits.argmax(axis=1) == labels[other]
    asked = {
        "right": (x_count[right], count_logits[right]),
        "wrong": (x_count[~right], count_logits[~right]),
        **{name: (images, logits(images)) for name, images in groups.items()},
    }

    # Each gives a score that is high for what is known, from images and logits.
    scores: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
        "share of the likeliest class": lambda _x, z: softmax(z).max(axis=1),
        "its lead over the second": lambda _x, z: np.diff(np.sort(softmax(z))[:, -2:])[:, 0],
        "entropy": lambda _x, z: (softmax(z) * np.log(softmax(z) + 1e-12)).sum(axis=1),
        "energy of the logits": lambda _x, z: np.logaddexp.reduce(z, axis=1),
        "distance of channels": lambda x, _z: -rule.distances(channel_figures(model, x)),
    }
    refused = {}
    for name, score in scores.items():
        limit = np.quantile(score(x_set, set_logits)[predictions.hits], REFUSED)
        refused[name] = [100 * float((score(*one) < limit).mean()) for one in asked.values()]

    def refuses(images: np.ndarray, z: np.ndarray) -> float:
        return 100 * float(1 - is_known(rule, model, images, softmax(z)).mean())

    refused["**the rule**: share and distance"] = [refuses(*one) for one in asked.values()]
    shown, truth = x_count[:COUNT], labels[other][:COUNT]
    fared = {}
    for name, images in {"none, the image itself": shown, **fitted(shown)}.items():
        z = logits(images)
        fared[name] = [100 * float((z.argmax(axis=1) == truth).mean()), refuses(images, z)]
    return refused, fared


def table(heads: list[str], measured: list[dict[str, list[float]]]) -> None:
    """A line for each rule: the mean over the runs, and lowest to highest where there are more."""
    print("\n|", " | ".join(heads), "|\n|" + " --- |" * len(heads))
    for name in measured[0]:
        columns = list(zip(*(one[name] for one in measured), strict=True))
        cells = [f"{np.mean(values):.1f}" for values in columns]
        if len(measured) > 1:
            cells = [
                f"{cell} ({min(values):.0f}–{max(values):.0f})"
                for cell, values in zip(cells, columns, strict=True)
            ]
        print(f"| {name} |", " | ".join(cells), "|", flush=True)


def main() -> None:
    """Measure the runs named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", metavar="RUN")
    parser.add_argument("--runs", type=Path, metavar="DIR")
    options = parser.parse_args()
    device.use_cpu()
    data = load_data(os.environ["CIFAR10_DATA"])
    heading("pictures of none of the ten classes are refused", len(options.names))
    print(f"images: {data.source.name}, {data.source.checksum}")
    groups = unknown_pictures()
    print(", ".join(f"{len(images):,} {name}" for name, images in groups.items()))
    store = RunStore(options.runs)
    found = [measure(store.get(name), data, groups) for name in options.names]
    refused, fared = zip(*found, strict=True)
    print(f"\n{', '.join(options.names)}; refused, in percent")
    table(["by", "right answers", "wrong answers", *groups], list(refused))
    print("\nwide pictures, 24 of 32 rows, fitted; in percent")
    table(["bars", "answered rightly", "refused"], list(fared))


if __name__ == "__main__":
    main()
