"""CIFAR-10 as its author publishes it: found in Keras's cache, in ours or at a path, or fetched."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

from ..errors import DataFormatError, DataNotFound
from . import download
from .batches import BATCHES, read_archive, read_batches_folder
from .cache import Progress, fingerprint_files, open_file, open_or_build
from .dataset import Dataset

_FOLDER = "cifar-10-batches-py"
_ARCHIVE = "cifar-10-python.tar.gz"
# Within Keras's datasets folder: Keras 2 and the first Keras 3; a later one; today's.
_KERAS_FOLDERS = (_FOLDER, f"{_FOLDER}/{_FOLDER}", f"{_FOLDER}-target/{_FOLDER}")
_KERAS_ARCHIVES = (f"{_FOLDER}.tar.gz", f"{_FOLDER}-target_archive", f"{_FOLDER}-target.tar.gz")

log = logging.getLogger(__name__)


def find_official(cache_dir: Path) -> Iterator[Path]:
    """Where CIFAR-10 lies without fetching it, likeliest first: unpacked folders and archives.

    Looks at names and sizes alone, so that what is found may still turn out to be damaged.
    """
    for path in filter(Path.exists, official_places(cache_dir)):
        # Keras downloads under the final name: the size shows an incomplete one.
        is_archive = path.is_file() and path.stat().st_size == download.SIZE
        if is_archive or batches_folder(path) == path:
            yield path


def official_places(cache_dir: Path) -> list[Path]:
    """Where CIFAR-10 is looked for, in this order."""
    keras = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "datasets"
    folders = [keras / name for name in _KERAS_FOLDERS]
    archives = [keras / name for name in (*_KERAS_ARCHIVES, _ARCHIVE)]
    return [*folders, archive_path(cache_dir), *archives]


def archive_path(cache_dir: Path) -> Path:
    """Where a downloaded archive is put."""
    return cache_dir / _ARCHIVE


def load_official(
    cache_dir: Path, progress: Progress | None = None, *, fetch: bool = True
) -> Dataset:
    """CIFAR-10 from where it lies, else, unless `fetch` is False, downloaded into cache_dir.

    Raises:
        DownloadError: it is nowhere and cannot be fetched.
        DataFormatError: what lies there is damaged, and it is not to be fetched.
        DataNotFound: it is nowhere, and it is not to be fetched.
    """
    damage: DataFormatError | None = None
    for place in find_official(cache_dir):
        try:
            return open_official(place, cache_dir, progress, must_be_original=True)
        except DataFormatError as error:
            damage = damage or error
            log.warning("passed over: %s", error)
    if not fetch:
        raise damage or DataNotFound(
            "CIFAR-10 must be on this machine. Received: none of the places where it is looked "
            "for has it; fetch it."
        )
    archive = download.download(archive_path(cache_dir), progress=progress)
    return open_official(archive, cache_dir, progress)


def open_official(
    place: Path,
    cache_dir: Path,
    progress: Progress | None = None,
    *,
    must_be_original: bool = False,
) -> Dataset:
    """CIFAR-10 from an archive or a folder of batches, through the cache.

    Args:
        place: the archive, the folder of batches, or the folder around that.
        cache_dir: of the decoded arrays.
        progress: called with 'unpack', batches so far, 6.
        must_be_original: refuse what does not have the checksums of the published files.

    Raises:
        DataFormatError: damaged, incomplete, or something else.
    """
    folder = batches_folder(place)
    if folder is not None:
        files = [(name, (folder / name).stat()) for name in BATCHES]
        return open_or_build(
            str(folder),
            fingerprint_files(files),
            lambda: read_batches_folder(folder, progress, must_be_original=must_be_original),
            cache_dir,
        )
    return open_file(
        place, lambda: read_archive(place, progress, must_be_original=must_be_original), cache_dir
    )


def batches_folder(path: Path) -> Path | None:
    """The folder that holds the six batches: path itself or the one in it; None if neither."""
    for folder in (path, path / _FOLDER):
        if all((folder / name).is_file() for name in BATCHES):
            return folder
    return None
