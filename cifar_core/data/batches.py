"""Reading CIFAR-10's pickled batches, without running what a pickle says.

Format: https://www.cs.toronto.edu/~kriz/cifar.html.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

import numpy as np

from ..errors import DataFormatError, quoted, reason
from . import download
from .cache import Progress, checksum_of_arrays, checksum_of_file
from .dataset import CIFAR10_CLASSES, IMAGE_SIZE, Dataset, Source

BATCHES = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
"""The six files and their MD5, as torchvision.datasets.CIFAR10 has them: against damage only."""

_MAX_BATCH_BYTES = 64 << 20  # a real one has 31 MB


def read_batches_folder(
    folder: Path, progress: Progress | None = None, *, must_be_original: bool = False
) -> Dataset:
    """Read an unpacked folder; the checksum is that of the decoded arrays.

    Raises:
        DataFormatError: damaged, or not the published files where they must be.
    """
    pickled: dict[str, bytes] = {}
    original = True
    for name, md5 in BATCHES.items():
        try:
            _check_size(name, (folder / name).stat().st_size, folder)
            pickled[name] = (folder / name).read_bytes()
        except OSError as error:
            raise _damaged(f"{name} in {folder.name}", reason(error)) from error
        found = hashlib.md5(pickled[name], usedforsecurity=False).hexdigest()
        if found != md5:
            original = False
            if must_be_original:
                raise _damaged(str(folder / name), f"md5 {found}, not {md5}")
    arrays = _arrays(pickled, folder, progress)
    name = "CIFAR-10" if original else folder.name
    source = Source("official", name, str(folder), checksum_of_arrays(*arrays))
    return Dataset(*arrays, class_names=CIFAR10_CLASSES, source=source)


def read_archive(
    path: Path, progress: Progress | None = None, *, must_be_original: bool = False
) -> Dataset:
    """Read cifar-10-python.tar.gz straight from the stream; the checksum is the file's.

    Raises:
        DataFormatError: damaged, or not the published archive where it must be.
    """
    pickled: dict[str, bytes] = {}
    try:
        checksum = checksum_of_file(path)
        original = checksum == f"sha256:{download.SHA256}"
        if must_be_original and not original:
            raise _damaged(str(path), f"{checksum}, not {download.SHA256}")
        with tarfile.open(path) as archive:
            for member in archive:
                name = PurePosixPath(member.name).name
                if name in BATCHES and member.isfile():
                    _check_size(name, member.size, path)
                    file = archive.extractfile(member)
                    pickled[name] = file.read() if file else b""
            # Damage shows in gzip's checksum, which is looked at where the stream ends.
            while archive.fileobj and archive.fileobj.read(1 << 20):
                pass
    except DataFormatError:
        raise
    except tarfile.ReadError as error:  # its own text lists what it tried, line by line
        raise _damaged(str(path), "no whole tar archive") from error
    except (OSError, EOFError, tarfile.TarError, zlib.error, ValueError) as error:
        raise _damaged(str(path), reason(error)) from error
    arrays = _arrays(pickled, path, progress)
    name = "CIFAR-10" if original else path.name
    source = Source("official", name, str(path), checksum)
    return Dataset(*arrays, class_names=CIFAR10_CLASSES, source=source)


class _ArraysOnly(pickle.Unpickler):
    """Builds NumPy arrays and plain values; whatever else a pickle asks for is refused."""

    # Taken from NumPy itself, as the module that it lives in has changed its name.
    _RECONSTRUCT = np.empty(0).__reduce__()[0]
    _ALLOWED: ClassVar[dict[tuple[str, str], Any]] = {
        ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
        ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
        ("numpy", "ndarray"): np.ndarray,
        # The NumPy of then wrote align and copy as 0 and 1; 2.4.0 warns of what is no bool.
        ("numpy", "dtype"): lambda name, align, copy: np.dtype(name, bool(align), bool(copy)),
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None


def _arrays(
    pickled: Mapping[str, bytes], where: Path, progress: Progress | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """x_train, y_train, x_test, y_test from the six pickled batches."""
    if missing := [name for name in BATCHES if name not in pickled]:
        raise DataFormatError(
            f"CIFAR-10's archive must hold {', '.join(BATCHES)}. Received: {quoted(where.name)} "
            f"without {missing[0]}; fetch it again, or pack pictures of your own as a .zip."
        )
    parts = {}
    for done, name in enumerate(BATCHES, 1):
        parts[name] = _batch(pickled[name], f"{name} in {where.name}")
        if progress:
            progress("unpack", done, len(BATCHES))
    x_test, y_test = parts.pop("test_batch")
    x_train, y_train = (np.concatenate(part) for part in zip(*parts.values(), strict=True))
    return x_train, y_train, x_test, y_test


def _batch(pickled: bytes, where: str) -> tuple[np.ndarray, np.ndarray]:
    """uint8 (N, 32, 32, 3) and uint8 (N,) of one batch."""
    try:
        # Python 2 wrote them: its strings are bytes.
        batch = _ArraysOnly(io.BytesIO(pickled), encoding="bytes").load()
        x, y = batch[b"data"], np.asarray(batch[b"labels"])
    except Exception as error:  # a damaged pickle raises anything
        raise _damaged(where, reason(error)) from error
    if (
        not isinstance(x, np.ndarray)
        or x.dtype != np.uint8
        or y.ndim != 1
        or x.shape != (len(y), IMAGE_SIZE * IMAGE_SIZE * 3)
        or y.dtype.kind not in "iu"
        or len(y) == 0
        or not (y.min() >= 0 and y.max() < len(CIFAR10_CLASSES))
    ):
        raise _damaged(where, "images or labels of another form")
    # Each row is the red, then the green, then the blue plane.
    x = x.reshape(-1, 3, IMAGE_SIZE, IMAGE_SIZE).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(x), y.astype(np.uint8)


def _check_size(name: str, size: int, where: Path) -> None:
    if size > _MAX_BATCH_BYTES:
        raise DataFormatError(
            f"a batch of CIFAR-10 may have {_MAX_BATCH_BYTES >> 20} MiB at most. "
            f"Received: {name} in {quoted(where.name)} with {size >> 20} MiB; fetch it again."
        )


def _damaged(where: str, why: str) -> DataFormatError:
    return DataFormatError(
        f"CIFAR-10's batches must be as they were published. Received: {quoted(where)} ({why}); "
        "fetch cifar-10-python.tar.gz again."
    )
