"""One's own images as NumPy arrays: x_train, y_train, x_test, y_test in one .npz file."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from ..errors import DataFormatError, counted, quoted, reason
from .cache import Progress, checksum_of_file, open_file
from .dataset import CIFAR10_CLASSES, IMAGE_SIZE, MAX_CLASSES, Dataset, Source

# 1.3 million images. A file of a few MB can declare terabytes of zeros.
_MAX_BYTES = 4 << 30
_IMAGES = f"uint8 of shape (N, {IMAGE_SIZE}, {IMAGE_SIZE}, 3)"


def open_npz(path: Path, cache_dir: Path, progress: Progress | None = None) -> Dataset:
    """A .npz file through the cache; see `read_npz`."""
    return open_file(path, lambda: read_npz(path), cache_dir)


def read_npz(path: Path) -> Dataset:
    """Read a .npz file; what it must hold is stated here.

    x_train, x_test: uint8 (N, 32, 32, 3), 0 to 255.
    y_train, y_test: integers (N,) or (N, 1), 0 to K-1.
    class_names: optional, K strings in label order; without it labels 0 to 9 have CIFAR-10's
        names, and beyond that 'class 0', 'class 1' ...

    Raises:
        DataFormatError: names the array, the rule, what was received and what to do.
    """
    arrays = _load(path)
    splits: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for split in ("train", "test"):
        x, y = _images(arrays, f"x_{split}"), _labels(arrays, f"y_{split}")
        if len(x) != len(y):
            raise DataFormatError(
                f"x_{split} and y_{split} must be of one length. "
                f"Received: {counted(len(x), 'image')} and {counted(len(y), 'label')}; "
                "give each image its label."
            )
        splits[split] = x, y.astype(np.uint8)
    highest = int(max(y.max() for _, y in splits.values()))
    class_names = _class_names(arrays, highest)
    for split, (_, y) in splits.items():
        if y.max() >= len(class_names):
            raise DataFormatError(
                f"y_{split} must be from 0 to {len(class_names) - 1}, as class_names has "
                f"{len(class_names)} names. Received: label {y.max()}; name every class."
            )
    if len(np.unique(splits["train"][1])) < 2:
        raise DataFormatError(
            "y_train must hold at least two classes. "
            f"Received: only label {splits['train'][1][0]}; add images of another class."
        )
    source = Source("npz", path.name, str(path), checksum_of_file(path))
    return Dataset(*splits["train"], *splits["test"], class_names, source)


def _load(path: Path) -> dict[str, np.ndarray]:
    try:
        with zipfile.ZipFile(path) as archive:
            declared = sum(member.file_size for member in archive.infolist())
        if declared > _MAX_BYTES:
            raise DataFormatError(
                f"an npz may hold {_MAX_BYTES >> 30} GiB at most. Received: {quoted(path.name)} "
                f"with {declared / (1 << 30):.1f} GiB; leave some images out."
            )
        wanted = ("x_train", "y_train", "x_test", "y_test", "class_names")
        # allow_pickle=False: an array of objects could run code when it is read.
        with np.load(path, allow_pickle=False) as file:
            # A member that is no array comes as bytes.
            found = {name: file[name] for name in wanted if name in file.files}
            return {name: array for name, array in found.items() if isinstance(array, np.ndarray)}
    except DataFormatError:
        raise
    except Exception as error:
        # zipfile, zlib and NumPy raise many kinds, to MemoryError for a shape that lies.
        raise DataFormatError(
            f"an npz must be readable without pickled objects. Received: {quoted(path.name)} "
            f"({reason(error)}); write it with numpy.savez(path, x_train=..., y_train=..., "
            "x_test=..., y_test=...)."
        ) from error


def _array(arrays: dict[str, np.ndarray], name: str) -> np.ndarray:
    if name not in arrays:
        raise DataFormatError(
            "an npz must hold x_train, y_train, x_test and y_test. "
            f"Received: no {name}, only {', '.join(arrays) or 'other names'}; add {name}."
        )
    return arrays[name]


def _images(arrays: dict[str, np.ndarray], name: str) -> np.ndarray:
    x = _array(arrays, name)
    if x.dtype == np.uint8 and x.shape[1:] == (IMAGE_SIZE, IMAGE_SIZE, 3) and len(x) > 0:
        return x
    if x.ndim == 4 and x.shape[1:] == (3, IMAGE_SIZE, IMAGE_SIZE):
        remedy = f"move the channels last: {name}.transpose(0, 2, 3, 1)"
    elif x.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE, 3):
        remedy = "resize the images, or give them as picture files in a folder"
    elif len(x) == 0:
        remedy = "put at least one image into it"
    elif x.dtype.kind == "f":
        remedy = f"convert: ({name} * 255).astype('uint8') if its values are from 0 to 1"
    else:
        remedy = f"convert: {name}.astype('uint8')"
    raise DataFormatError(f"{name} must be {_IMAGES}. Received: {x.dtype} {x.shape}; {remedy}.")


def _labels(arrays: dict[str, np.ndarray], name: str) -> np.ndarray:
    y = _array(arrays, name)
    if y.dtype.kind not in "iu" or not (y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1)):
        raise DataFormatError(
            f"{name} must be integers of shape (N,) or (N, 1). "
            f"Received: {y.dtype} {y.shape}; give one class index an image."
        )
    y = y.reshape(-1)
    if len(y) and not (y.min() >= 0 and y.max() < MAX_CLASSES):
        raise DataFormatError(
            f"{name} must be from 0 to {MAX_CLASSES - 1}. Received: labels from {y.min()} to "
            f"{y.max()}; number the classes from 0."
        )
    return y


def _class_names(arrays: dict[str, np.ndarray], highest: int) -> tuple[str, ...]:
    if "class_names" not in arrays:
        if highest < len(CIFAR10_CLASSES):
            return CIFAR10_CLASSES
        return tuple(f"class {label}" for label in range(highest + 1))
    given = arrays["class_names"]
    names = tuple(str(name) for name in given.reshape(-1)) if given.dtype.kind == "U" else ()
    if len(names) != given.size or not all(names) or len(set(names)) != len(names):
        raise DataFormatError(
            "class_names must be strings, each different and none empty. "
            f"Received: {given.dtype} {given.shape}; write numpy.array(['cat', 'dog'])."
        )
    if not 2 <= len(names) <= MAX_CLASSES:
        raise DataFormatError(
            f"class_names must hold 2 to {MAX_CLASSES} names. Received: {len(names)}; "
            "name every label."
        )
    return names
