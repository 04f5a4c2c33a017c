"""Arrays in a .npz: what is taken, and one clear sentence for all else."""

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from cifar_core.data import CIFAR10_CLASSES
from tests.unit.data.loading import load, refused

RNG = np.random.default_rng(0)
X_TRAIN = RNG.integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
X_TEST = RNG.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
GOOD = {
    "x_train": X_TRAIN,
    "y_train": np.array([0, 1, 2, 0, 1, 9]),
    "x_test": X_TEST,
    "y_test": np.array([2, 1, 0]),
}


def write(tmp_path: Path, compressed: bool = False, **arrays: object) -> Path:
    path = tmp_path / "mine.npz"
    save = np.savez_compressed if compressed else np.savez
    save(path, **{name: array for name, array in {**GOOD, **arrays}.items() if array is not None})
    return path


@pytest.mark.parametrize("compressed", [False, True])
def test_arrays_come_as_they_are(compressed: bool, tmp_path: Path) -> None:
    path = write(tmp_path, compressed)
    for _ in range(2):  # the second time from the cache
        data = load(path, tmp_path)
        np.testing.assert_array_equal(data.x_train, X_TRAIN)
        np.testing.assert_array_equal(data.x_test, X_TEST)
        assert data.y_train.tolist() == [0, 1, 2, 0, 1, 9]
        assert data.y_train.dtype == np.uint8
        assert data.class_names == CIFAR10_CLASSES
        assert data.source.kind == "npz"
        assert data.source.name == "mine.npz"
        assert data.source.location == str(path.resolve())
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert data.source.checksum == f"sha256:{digest}"


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "uint64"])
def test_labels_as_keras_has_them(dtype: str, tmp_path: Path) -> None:
    path = write(tmp_path, y_train=GOOD["y_train"].reshape(-1, 1).astype(dtype))
    assert load(path, tmp_path).y_train.tolist() == [0, 1, 2, 0, 1, 9]


def test_names_of_classes(tmp_path: Path) -> None:
    labels = {"y_train": np.array([0, 1, 2, 0, 1, 2])}
    named = write(tmp_path, class_names=np.array(["ant", "bee", "fly"]), **labels)
    assert load(named, tmp_path).class_names == ("ant", "bee", "fly")


def test_more_than_ten_classes_are_numbered(tmp_path: Path) -> None:
    data = load(write(tmp_path, y_test=np.array([0, 1, 10])), tmp_path)
    assert data.class_names == tuple(f"class {label}" for label in range(11))


@pytest.mark.parametrize(
    ("name", "array", "told"),
    [
        ("x_train", None, "no x_train"),
        ("y_test", None, "no y_test"),
        ("x_train", X_TRAIN / 255, "* 255"),
        ("x_train", X_TRAIN.astype(np.int64), "int64"),
        ("x_test", X_TEST.transpose(0, 3, 1, 2), "transpose(0, 2, 3, 1)"),
        ("x_test", X_TEST[:, :28, :28], "(3, 28, 28, 3)"),
        ("x_test", X_TEST[..., 0], "(3, 32, 32)"),
        ("x_test", X_TEST[:0], "at least one"),
        ("x_test", np.uint8(3), "()"),
        ("y_train", np.array([0, 1, 2]), "6 images and 3 labels"),
        ("y_train", np.eye(6), "(6, 6)"),
        ("y_train", np.array([0.0, 1, 2, 0, 1, 9]), "float64"),
        ("y_train", np.array(["a", "b"] * 3), "integers"),
        ("y_train", np.array([True, False] * 3), "bool"),
        ("y_train", np.array([-1, 1, 2, 0, 1, 9]), "from -1 to 9"),
        ("y_train", np.array([0, 1, 2, 0, 1, 256]), "to 256"),
        ("y_train", np.zeros(6, int), "at least two classes"),
        ("y_test", np.array([], int), "3 images and 0 labels"),
        ("class_names", np.array(["ant", "bee"]), "label 9"),
        ("class_names", np.array(["ant"]), "2 to 256"),
        ("class_names", np.array(["ant", "ant"]), "different"),
        ("class_names", np.array(["ant", ""]), "none empty"),
        ("class_names", np.array([1, 2]), "strings"),
        ("class_names", np.array([], "U3"), "2 to 256"),
        ("x_train", np.array([object()]), "pickled"),
    ],
)
def test_what_is_refused(name: str, array: object, told: str, tmp_path: Path) -> None:
    message = refused(write(tmp_path, **{name: array}), tmp_path)
    assert told in message
    if "pickled" not in told:
        assert name in message


def test_no_npz_at_all(tmp_path: Path) -> None:
    path = write(tmp_path)
    whole = path.read_bytes()
    for content in (b"", b"\x93NUMPY", b"hello", whole[: len(whole) // 2]):
        path.write_bytes(content)
        assert "'mine.npz'" in refused(path, tmp_path)


def test_a_damaged_array(tmp_path: Path) -> None:
    path = write(tmp_path)
    content = bytearray(path.read_bytes())
    content[5000] ^= 0xFF
    path.write_bytes(content)
    assert "'mine.npz'" in refused(path, tmp_path)


def test_a_member_that_is_no_array(tmp_path: Path) -> None:
    path = write(tmp_path, x_train=None)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x_train.npy", b"no array")
    assert "Received" in refused(path, tmp_path)


def test_a_file_that_unpacks_to_terabytes(tmp_path: Path) -> None:
    """The size is told by the archive's list, so nothing of it is read."""
    path = write(tmp_path)
    content = bytearray(path.read_bytes())
    entry = content.find(b"PK\1\2")
    content[entry + 24 : entry + 28] = b"\xfe\xff\xff\xff"  # uncompressed size
    second = content.find(b"PK\1\2", entry + 4)
    content[second + 24 : second + 28] = b"\xfe\xff\xff\xff"
    path.write_bytes(content)
    assert "GiB at most" in refused(path, tmp_path)


def test_a_header_that_lies_about_its_shape(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (10**9, 32, 32, 3)}
    )
    path = write(tmp_path, x_train=None)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x_train.npy", header.getvalue() + b"few")
    assert "'mine.npz'" in refused(path, tmp_path)
