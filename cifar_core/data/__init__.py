"""All ways to images: load_data(spec) gives a Dataset, whatever the source.

'auto', 'official'  CIFAR-10, from Keras's cache or ours, else downloaded
'synthetic'         ten classes drawn by code
a path              a folder, .zip, .npz or cifar-10-python.tar.gz
"""

from __future__ import annotations

from pathlib import Path

from ..errors import DataNotFound, quoted, reason
from . import sources
from .cache import Progress, default_cache_dir
from .dataset import CIFAR10_CLASSES, IMAGE_SIZE, Dataset, Source

__all__ = [
    "CIFAR10_CLASSES",
    "IMAGE_SIZE",
    "Dataset",
    "Progress",
    "Source",
    "absolute",
    "default_cache_dir",
    "is_available",
    "load_data",
    "must_exist",
]


def load_data(
    spec: str = "auto",
    *,
    progress: Progress | None = None,
    cache_dir: Path | None = None,
    fetch: bool = True,
) -> Dataset:
    """Images and labels for training and test.

    Decoded images are cached: the first time takes seconds, later ones milliseconds.

    Args:
        spec: 'auto' or 'official' (CIFAR-10, found or fetched; never anything else in its place),
            'synthetic', or the path of a folder, a .zip, a .npz or the official .tar.gz.
        progress: called as progress(what, done, total) while it is fetched and decoded.
        cache_dir: where decoded images are kept. Default: CIFAR10_CACHE, else the user's cache.
        fetch: False to fail where CIFAR-10 would have to be fetched.

    Returns:
        The data set, its arrays read-only and most often memory-mapped.

    Raises:
        DataNotFound: nothing lies at the path.
        DataFormatError: what lies there is no data set, or damaged.
        DownloadError: CIFAR-10 is nowhere and cannot be fetched.

    Example:
        >>> data = load_data("synthetic")
        >>> data.x_train.shape[1:]
        (32, 32, 3)
    """
    folder = default_cache_dir() if cache_dir is None else cache_dir
    if source := sources.named(spec):
        how = {"fetch": fetch} if source.is_here else {}
        return source.open(Path(), folder, progress, **how)
    path = sources.existing(spec)
    try:
        path = path.resolve()
        return sources.recognise(path).open(path, folder, progress)
    except (PermissionError, FileNotFoundError, NotADirectoryError) as error:
        raise DataNotFound(
            f"data must be readable. Received: {quoted(spec)} ({reason(error)}); give yourself the "
            "right to read it or name another path."
        ) from error


def absolute(spec: str) -> str:
    """The same images as `load_data` takes them, wherever the process that reads them stands."""
    if sources.named(spec):
        return spec
    try:
        return str(Path(spec).expanduser().absolute())
    except RuntimeError:  # '~nobody'
        return spec


def is_available(spec: str, *, cache_dir: Path | None = None) -> bool:
    """Whether load_data(spec) needs no network; looks at names and sizes, so it takes no time."""
    source = sources.named(spec)
    if source is None or source.is_here is None:
        return True
    return source.is_here(default_cache_dir() if cache_dir is None else cache_dir)


def must_exist(spec: str) -> None:
    """See to it that something lies where the images are to be read from, if that is a path.

    Raises:
        DataNotFound: nothing does.
    """
    if not sources.named(spec):
        sources.existing(spec)
