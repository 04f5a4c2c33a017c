"""Pictures in class folders, on disk or in a zip: train/cat/1.jpg, test/cat/7.png ...

The classes are the folders' names. Pictures lie directly in their class folder; deeper folders,
hidden files and files that are no pictures by their ending are passed over. A zip may have one
folder around train/ and test/, as many packers make it.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from ..errors import DataFormatError, ImageError, quoted, reason
from .cache import (
    Progress,
    checksum_of_arrays,
    checksum_of_file,
    fingerprint_files,
    open_file,
    open_or_build,
)
from .dataset import CIFAR10_CLASSES, IMAGE_SIZE, MAX_CLASSES, Dataset, Source
from .images import read_image, to_network_size

JPEG_COPY_SHA256 = "05b4c8c8bf43c21250b5d4abc4621c4fed6837d691555b00c9215bfc6b363d11"
"""The zip of all of CIFAR-10 as JPEG files: lossy, so figures on it are not the original's."""

_ENDINGS = ("jpg", "jpeg", "png", "bmp", "gif", "webp", "tif", "tiff")
_SPLITS = ("train", "test")
_MAX_FILE_BYTES = 64 << 20


def open_folder(path: Path, cache_dir: Path, progress: Progress | None = None) -> Dataset:
    """A folder through the cache; see `read_folder`."""
    # Class folders (names with '/') change whenever a file manager leaves its notes in them.
    files = [(name, status) for name, status in list_folder(path).items() if name[-1] != "/"]
    return open_or_build(
        str(path), fingerprint_files(files), lambda: read_folder(path, progress), cache_dir
    )


def open_zip(path: Path, cache_dir: Path, progress: Progress | None = None) -> Dataset:
    """A zip through the cache; see `read_zip`."""
    return open_file(path, lambda: read_zip(path, progress), cache_dir)


def list_folder(root: Path) -> dict[str, os.stat_result]:
    """Every picture below train/ and test/, and every class folder (its name ends in '/').

    Names are relative to root, with forward slashes.
    """
    found: dict[str, os.stat_result] = {}
    for split in _SPLITS:
        if not (root / split).is_dir():
            continue
        with os.scandir(root / split) as classes:
            for folder in classes:
                if _hidden(folder.name) or not folder.is_dir():
                    continue
                found[f"{split}/{folder.name}/"] = folder.stat()
                with os.scandir(folder) as files:
                    for file in files:
                        if _is_picture(file.name) and file.is_file():
                            found[f"{split}/{folder.name}/{file.name}"] = file.stat()
    return found


def read_folder(root: Path, progress: Progress | None = None) -> Dataset:
    """Read a folder; the checksum is that of the decoded arrays.

    Raises:
        DataFormatError: says what is missing or which picture cannot be read.
    """
    listing = list_folder(root)

    def read(name: str) -> bytes:
        _check_size(listing[name].st_size)
        return (root / name).read_bytes()

    (x_train, y_train, x_test, y_test), class_names, resized = _read(
        listing, read, root.name, progress
    )
    checksum = checksum_of_arrays(x_train, y_train, x_test, y_test)
    source = Source("folder", root.name, str(root), checksum, resized)
    return Dataset(x_train, y_train, x_test, y_test, class_names, source)


def read_zip(path: Path, progress: Progress | None = None) -> Dataset:
    """Read a zip in place, unpacking nothing to disk; the checksum is that of the file.

    Raises:
        DataFormatError: no zip, what is missing in it, or which picture cannot be read.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise DataFormatError(
            f"a .zip must be a whole zip archive. Received: {quoted(path.name)} "
            f"({reason(error)}); copy or pack it again."
        ) from error
    with archive:
        members = _members(archive)

        def read(name: str) -> bytes:
            # zipfile never gives more bytes than are declared, so this is the guard
            # against a small archive that unpacks to a huge file.
            _check_size(members[name].file_size)
            return archive.read(members[name])

        (x_train, y_train, x_test, y_test), class_names, resized = _read(
            members, read, path.name, progress
        )
    checksum = checksum_of_file(path)
    known = checksum == f"sha256:{JPEG_COPY_SHA256}"
    name = "JPEG copy of CIFAR-10" if known else path.name
    source = Source("zip", name, str(path), checksum, resized)
    return Dataset(x_train, y_train, x_test, y_test, class_names, source)


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Members by name, from train/ and test/ on."""
    # Some Windows packers write backslashes.
    members = {info.filename.replace("\\", "/"): info for info in archive.infolist()}
    members = {name: info for name, info in members.items() if not _hidden(name.split("/")[0])}
    tops = {name.split("/")[0] for name in members}
    if len(tops) == 1 and not tops & set(_SPLITS):
        around = len(tops.pop()) + 1
        members = {name[around:]: info for name, info in members.items()}
    return members


def _read(
    names: Iterable[str], read: Callable[[str], bytes], where: str, progress: Progress | None
) -> tuple[list[np.ndarray], tuple[str, ...], int]:
    """Decode the pictures among names: x_train, y_train, x_test, y_test; classes; how many resized.

    Pictures are read in the order of names, which is that of the disk, and put where they belong.
    """
    names = list(names)
    files = _by_class(names)
    class_names = _check_classes(files, where)
    place: dict[str, tuple[np.ndarray, int]] = {}
    arrays: list[np.ndarray] = []
    for split in _SPLITS:
        ordered = _round_robin(files[split], class_names)
        x = np.empty((len(ordered), IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)
        y = np.array([label for label, _ in ordered], np.uint8)
        arrays += [x, y]
        place.update((name, (x, index)) for index, (_, name) in enumerate(ordered))
    resized = done = 0
    for name in names:
        if name not in place:
            continue
        x, index = place[name]
        try:
            image = read_image(read(name))
        except (ImageError, OSError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error) as e:
            # RuntimeError and its NotImplementedError: an encrypted or oddly packed member.
            raise DataFormatError(
                f"every picture must be readable. Received: {quoted(name)} in {quoted(where)}, "
                f"which is not ({reason(e).rstrip('.')}); replace or remove it."
            ) from e
        resized += image.shape != (IMAGE_SIZE, IMAGE_SIZE, 3)
        x[index] = to_network_size(image)
        done += 1
        if progress and (done % 500 == 0 or done == len(place)):
            progress("decode", done, len(place))
    return arrays, class_names, resized


def _by_class(names: list[str]) -> dict[str, dict[str, list[str]]]:
    """{split: {class: its pictures}}; a class folder without pictures has an empty list."""
    files: dict[str, dict[str, list[str]]] = {}
    for name in names:
        parts = name.split("/")
        if parts[0] not in _SPLITS or len(parts) < 2:
            continue
        classes = files.setdefault(parts[0], {})
        if len(parts) < 3 or not parts[1] or _hidden(parts[1]):
            continue
        pictures = classes.setdefault(parts[1], [])
        if len(parts) == 3 and _is_picture(parts[2]):
            pictures.append(name)
    return files


def _check_classes(files: dict[str, dict[str, list[str]]], where: str) -> tuple[str, ...]:
    """The class names in label order, or what is wrong with them."""
    for split in _SPLITS:
        if split not in files:
            raise DataFormatError(
                "a folder or zip must hold train/ and test/ with one folder a class in each. "
                f"Received: {quoted(where)} without {split}/; add {split}/."
            )
    train, test = (set(files[split]) for split in _SPLITS)
    for split, other, more in (("train", "test", test - train), ("test", "train", train - test)):
        if more:
            raise DataFormatError(
                f"train/ and test/ must hold the same class folders. Received: {quoted(where)} "
                f"with {quoted(min(more))} in {other}/ but not in {split}/; add or remove it."
            )
    if not 2 <= len(train) <= MAX_CLASSES:
        raise DataFormatError(
            f"train/ must hold 2 to {MAX_CLASSES} class folders. Received: {quoted(where)} with "
            f"{len(train)}; put pictures of each class into a folder of their own."
        )
    for split in _SPLITS:
        for name, pictures in sorted(files[split].items()):
            if not pictures:
                raise DataFormatError(
                    f"each class folder must hold pictures ({', '.join(_ENDINGS)}). "
                    f"Received: {quoted(where)} with none in {quoted(f'{split}/{name}')}; "
                    "add some or remove the folder."
                )
    return CIFAR10_CLASSES if train == set(CIFAR10_CLASSES) else tuple(sorted(train))


def _round_robin(
    classes: dict[str, list[str]], class_names: tuple[str, ...]
) -> list[tuple[int, str]]:
    """(label, picture): the first picture of every class, then the second of every class ...

    So the first 20 images show each of ten classes twice, however the files are named.
    """
    ranked = []
    for label, name in enumerate(class_names):
        pictures = sorted(classes[name], key=lambda file: (file.rpartition(".")[0], file))
        ranked += [(rank, label, picture) for rank, picture in enumerate(pictures)]
    return [(label, picture) for _, label, picture in sorted(ranked)]


def _is_picture(name: str) -> bool:
    return not _hidden(name) and name.rpartition(".")[2].lower() in _ENDINGS


def _hidden(name: str) -> bool:
    """What systems and packers leave behind: .DS_Store, ._photo.jpg, __MACOSX/."""
    return name.startswith(".") or name == "__MACOSX"


def _check_size(size: int) -> None:
    if size > _MAX_FILE_BYTES:
        raise ImageError(
            f"a picture may have {_MAX_FILE_BYTES >> 20} MiB at most. "
            f"Received: {size >> 20} MiB; make it smaller."
        )
