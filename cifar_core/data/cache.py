"""Decoded images on disk: written once, then opened memory-mapped in a few milliseconds.

    <cache>/<name>-<where>-<fingerprint>/    one data set
        x_train.npy  y_train.npy  x_test.npy  y_test.npy
        meta.json                            class names, Source
    <cache>/.<name>-<where>.lock             held while one process decodes it

A changed source has another fingerprint, so another folder: arrays that a running training has
mapped are never written over. The folder of the old fingerprint is removed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import platformdirs

from ..files import write_json, write_whole
from ..lock import hold
from .dataset import IMAGE_SIZE, Dataset, Source

Progress = Callable[[str, int, int], None]
"""Called as progress(what, done, total), what being 'download', 'unpack', 'decode' or 'draw';
total is 0 where it is unknown."""

log = logging.getLogger(__name__)

# Part of every fingerprint: to be raised when the same files are to give other arrays.
_VERSION = 1
_ARRAYS = ("x_train", "y_train", "x_test", "y_test")


def default_cache_dir() -> Path:
    """The environment's CIFAR10_CACHE, else the user's cache folder as the system has it."""
    named = os.environ.get("CIFAR10_CACHE", "").strip()
    if named:
        return Path(named).expanduser()
    return platformdirs.user_cache_path("cifar10-dashboard", appauthor=False)


def fingerprint_files(files: Iterable[tuple[str, os.stat_result]]) -> str:
    """Changes when a file is added, removed, renamed or written; reads no content."""
    digest = hashlib.sha256()
    for name, status in sorted(files, key=lambda file: file[0]):
        digest.update(
            f"{name}\0{status.st_size}\0{status.st_mtime_ns}\0".encode("utf-8", "replace")
        )
    return digest.hexdigest()


def checksum_of_file(path: Path) -> str:
    """'sha256:<hex>' of a file's bytes."""
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def checksum_of_arrays(*arrays: np.ndarray) -> str:
    """'sha256:<hex>' of the values of arrays, one after the other."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return "sha256:" + digest.hexdigest()


def open_or_build(
    location: str, fingerprint: str, build: Callable[[], Dataset], cache_dir: Path
) -> Dataset:
    """A data set from the cache; where it is not there, built and put there.

    Only one process builds it, others wait. A damaged cache is built again. Where the cache
    cannot be written, the data set is given from memory and a warning is logged.

    Args:
        location: where the source lies; with the fingerprint, the name in the cache.
        fingerprint: any text that changes when the source does.
        build: decodes the source; what it raises goes to the caller.
        cache_dir: made where it is missing.

    Returns:
        Arrays memory-mapped and read-only.
    """
    name, folder = _name(location), folder_of(location, fingerprint, cache_dir)
    if (dataset := _open(folder)) is not None:
        return dataset
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        lock = hold(cache_dir / f".{name}.lock", timeout=-1)
    except (OSError, NotImplementedError) as error:
        log.warning("images are not cached: %s cannot be written (%s)", cache_dir, error)
        return _read_only(build())
    with lock:
        if (dataset := _open(folder)) is not None:  # another process built it meanwhile
            return dataset
        dataset = build()
        try:
            _write(dataset, folder, name)
        except OSError as error:
            log.warning("images are not cached: %s cannot be written (%s)", folder, error)
            return _read_only(dataset)
        return _open(folder) or _read_only(dataset)


def folder_of(location: str, fingerprint: str, cache_dir: Path) -> Path:
    """Where `open_or_build` keeps a data set; there is no such folder until it has been built."""
    return cache_dir / f"{_name(location)}-{_short(f'{_VERSION} {fingerprint}')}"


def _name(location: str) -> str:
    label = re.sub(r"[^A-Za-z0-9]+", "-", Path(location).stem).strip("-")[:40] or "data"
    return f"{label}-{_short(location)}"


def open_file(path: Path, read: Callable[[], Dataset], cache_dir: Path) -> Dataset:
    """As `open_or_build`, of a single file that `read` decodes."""
    return open_or_build(str(path), fingerprint_files([(path.name, path.stat())]), read, cache_dir)


def _short(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:10]


def _open(folder: Path) -> Dataset | None:
    """The data set in a folder; None where there is none or it is damaged."""
    if not folder.is_dir():
        return None
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        # Plain views: indexing a np.memmap costs more, and makes a memmap of every slice.
        arrays = {
            name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False).view(
                np.ndarray
            )
            for name in _ARRAYS
        }
        class_names = tuple(meta["class_names"])
        dataset = Dataset(**arrays, class_names=class_names, source=Source(**meta["source"]))
        for split in ("train", "test"):
            x, y = dataset.split(split)
            if (
                x.dtype != np.uint8
                or x.shape != (len(y), IMAGE_SIZE, IMAGE_SIZE, 3)
                or y.dtype != np.uint8
                or y.shape != (len(x),)
                or y.max() >= len(class_names)
            ):
                raise ValueError(f"{split} arrays do not fit together")
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        log.warning("the cache in %s is damaged and is built again (%s)", folder, error)
        return None
    return dataset


def _write(dataset: Dataset, folder: Path, name: str) -> None:
    """Write under another name, then rename: a reader sees the whole folder or none.

    The caller holds the lock, so whatever else begins with `name` is left over: from a source
    that has changed, from a process that was killed, or damaged.
    """
    parent = folder.parent
    for pattern in (f"{name}-*", f".{name}-*.part"):
        for old in parent.glob(pattern):
            shutil.rmtree(old, ignore_errors=True)
    part = parent / f".{name}-{os.getpid()}.part"
    try:
        part.mkdir()
        for array in _ARRAYS:
            _save(part / f"{array}.npy", getattr(dataset, array))
        meta = {"class_names": dataset.class_names, "source": dataset.source.to_json()}
        write_json(part / "meta.json", meta)
        part.replace(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _save(path: Path, array: np.ndarray) -> None:
    write_whole(path, lambda new: np.save(new, array, allow_pickle=False))


def _read_only(dataset: Dataset) -> Dataset:
    """The same behaviour from memory as from a mapped file."""
    for name in _ARRAYS:
        getattr(dataset, name).flags.writeable = False
    return dataset
