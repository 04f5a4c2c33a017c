"""Where images may come from: the first of SOURCES that recognises a spec opens it.

A new source is a file beside this one and an entry in the list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..errors import DataFormatError, DataNotFound, quoted
from .cache import Progress, folder_of, open_or_build
from .dataset import Dataset
from .folder import open_folder, open_zip
from .npz import open_npz
from .official import batches_folder, find_official, load_official, open_official
from .synthetic import draw


@dataclass(frozen=True)
class DataSource:
    """One way to images.

    Attributes:
        open: makes the data set, through the cache: open(path, cache_dir, progress). It takes
            fetch=False, too, where there is `is_here`, and no path counts where a word names it.
        words: what names it other than a path.
        recognises: whether it opens what lies at a path, which exists and is resolved.
        form: what lies there, as an error names it: 'a .zip'.
        is_here: whether `open` needs no network, given the cache's folder; None where it never
            does.
    """

    open: Callable[..., Dataset]
    words: tuple[str, ...] = ()
    recognises: Callable[[Path], bool] = lambda path: False
    form: str = ""
    is_here: Callable[[Path], bool] | None = None


def _ends(*endings: str) -> Callable[[Path], bool]:
    return lambda path: path.is_file() and path.name.lower().endswith(endings)


def _open_synthetic(path: Path, cache_dir: Path, progress: Progress | None) -> Dataset:
    def build() -> Dataset:
        return draw.draw_synthetic(progress=partial(progress, "draw") if progress else None)

    return open_or_build("synthetic", draw.version(), build, cache_dir)


def is_drawn(cache_dir: Path) -> bool:
    """Whether the built-in images are in the cache."""
    return folder_of("synthetic", draw.version(), cache_dir).is_dir()


SOURCES = [
    DataSource(
        lambda _, cache_dir, progress, fetch: load_official(cache_dir, progress, fetch=fetch),
        words=("auto", "official"),
        is_here=lambda cache_dir: any(True for _ in find_official(cache_dir)),
    ),
    DataSource(_open_synthetic, words=("synthetic",)),
    DataSource(open_official, recognises=lambda path: batches_folder(path) is not None),
    DataSource(open_folder, recognises=Path.is_dir, form="a folder"),
    DataSource(open_zip, recognises=_ends(".zip"), form="a .zip"),
    DataSource(open_npz, recognises=_ends(".npz"), form="a .npz"),
    DataSource(
        open_official, recognises=_ends(".tar.gz", ".tgz", ".tar"), form="CIFAR-10's own .tar.gz"
    ),
]
"""All sources, in the order in which they are asked."""


def named(spec: str) -> DataSource | None:
    """The source that a word names; None for a path."""
    return next((source for source in SOURCES if spec in source.words), None)


def existing(spec: str) -> Path:
    """The path that a spec names, `~` put in full.

    Raises:
        DataNotFound: nothing lies there.
    """
    try:
        path = Path(spec).expanduser()
        is_there = bool(spec.strip()) and path.exists()
    except PermissionError:
        is_there = True  # perhaps; opening it will say
    except (OSError, RuntimeError, ValueError):  # too long, '~nobody', a null byte
        is_there = False
    if not is_there:
        words = ", ".join(quoted(word) for source in SOURCES for word in source.words)
        raise DataNotFound(
            f"data must be {words} or a path that exists. "
            f"Received: {quoted(spec)}; name one that does."
        )
    return path


def recognise(path: Path) -> DataSource:
    """The source that opens what lies at a path.

    Raises:
        DataFormatError: none does.
    """
    for source in SOURCES:
        if source.recognises(path):
            return source
    *forms, last = (source.form for source in SOURCES if source.form)
    raise DataFormatError(
        f"data must be {', '.join(forms)} or {last}. "
        f"Received: {quoted(path.name)}; name one of those."
    )
