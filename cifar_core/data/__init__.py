"""All ways to images: load_data(spec) gives a Dataset, whatever the source.

'auto', 'official'  CIFAR-10, from Keras's cache or ours, else downloaded
'synthetic'         ten classes drawn by code
a path              a folder, .zip, .npz or cifar-10-python.tar.gz
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ..errors import DataFormatError, DataNotFound, quoted
from .cache import Progress, default_cache_dir, fingerprint_files, open_or_build
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

_ARCHIVES = (".tar.gz", ".tgz", ".tar")


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
    if spec in ("auto", "official"):
        from .official import load_official

        return load_official(folder, progress, fetch=fetch)
    if spec == "synthetic":
        return _load_synthetic(folder, progress)
    return _load_path(spec, folder, progress)


def absolute(spec: str) -> str:
    """The same images as `load_data` takes them, wherever the process that reads them stands."""
    if spec in ("auto", "official", "synthetic"):
        return spec
    try:
        return str(Path(spec).expanduser().absolute())
    except RuntimeError:  # '~nobody'
        return spec


def is_available(spec: str, *, cache_dir: Path | None = None) -> bool:
    """Whether load_data(spec) needs no network; looks at names and sizes, so it takes no time."""
    if spec not in ("auto", "official"):
        return True
    from .official import find_official

    folder = default_cache_dir() if cache_dir is None else cache_dir
    return any(True for _ in find_official(folder))


def _load_synthetic(cache_dir: Path, progress: Progress | None) -> Dataset:
    from .synthetic.draw import draw_synthetic, version

    def draw() -> Dataset:
        return draw_synthetic(progress=partial(progress, "draw") if progress else None)

    return open_or_build("synthetic", version(), draw, cache_dir)


def must_exist(spec: str) -> None:
    """See to it that something lies where the images are to be read from, if that is a path.

    Raises:
        DataNotFound: nothing does.
    """
    if spec not in ("auto", "official", "synthetic"):
        _path_of(spec)


def _path_of(spec: str) -> Path:
    try:
        path = Path(spec).expanduser()
        is_there = bool(spec.strip()) and path.exists()
    except PermissionError:
        is_there = True  # for all one knows; told below
    except (OSError, RuntimeError, ValueError):  # too long, '~nobody', a null byte
        is_there = False
    if not is_there:
        raise DataNotFound(
            "data must be 'auto', 'official', 'synthetic' or a path that exists. "
            f"Received: {quoted(spec)}; name one that does."
        )
    return path


def _load_path(spec: str, cache_dir: Path, progress: Progress | None) -> Dataset:
    path = _path_of(spec)
    try:
        return _open(path.resolve(), cache_dir, progress)
    except (PermissionError, FileNotFoundError, NotADirectoryError) as error:
        reason = error.strerror or type(error).__name__
        raise DataNotFound(
            f"data must be readable. Received: {quoted(spec)} ({reason}); give yourself the "
            "right to read it or name another path."
        ) from error


def _open(path: Path, cache_dir: Path, progress: Progress | None) -> Dataset:
    from .folder import list_folder, read_folder, read_zip
    from .npz import read_npz
    from .official import batches_folder, open_official

    if path.is_dir():
        if batches_folder(path):
            return open_official(path, cache_dir, progress)
        pictures = list_folder(path).items()
        # Class folders (names with '/') change whenever a file manager leaves its notes in them.
        files = [(name, status) for name, status in pictures if not name.endswith("/")]
        return open_or_build(
            str(path), fingerprint_files(files), lambda: read_folder(path, progress), cache_dir
        )
    name = path.name.lower()
    if not path.is_file() or not name.endswith((".zip", ".npz", *_ARCHIVES)):
        raise DataFormatError(
            "data must be a folder, a .zip, a .npz or CIFAR-10's own .tar.gz. "
            f"Received: {quoted(path.name)}; name one of those."
        )
    if name.endswith(_ARCHIVES):
        return open_official(path, cache_dir, progress)
    return open_or_build(
        str(path),
        fingerprint_files([(path.name, path.stat())]),
        lambda: read_zip(path, progress) if name.endswith(".zip") else read_npz(path),
        cache_dir,
    )
