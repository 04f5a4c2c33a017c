"""Class folders on disk and in a zip, and the whole way through load_data."""

import hashlib
import io
import os
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cifar_core.data import CIFAR10_CLASSES, folder, load_data
from cifar_core.errors import CifarError, DataFormatError, DataNotFound
from tests.unit.data.loading import load, refused


def png(value: int, size: tuple[int, int] = (32, 32)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (value, value, value)).save(buffer, "PNG")
    return buffer.getvalue()


def small_set() -> dict[str, bytes]:
    """Two classes; the file of each is told by its grey value."""
    return {
        "train/dog/1.png": png(11),
        "train/dog/2.png": png(12),
        "train/dog/3.png": png(13),
        "train/cat/1.png": png(1),
        "train/cat/2.png": png(2),
        "test/dog/1.png": png(21),
        "test/cat/1.png": png(22),
    }


def write_folder(path: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            (path / name).write_bytes(content)
        else:
            (path / name).mkdir(exist_ok=True)
    path.mkdir(exist_ok=True)
    return path


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    path = path.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


Write = Callable[[Path, dict[str, bytes]], Path]
both = pytest.mark.parametrize("write", [write_folder, write_zip])


@both
def test_images_labels_and_classes(write: Write, tmp_path: Path) -> None:
    data = load(write(tmp_path / "pets", small_set()), tmp_path)
    assert data.class_names == ("cat", "dog")
    # round robin: the first of every class, then the second ...
    assert data.x_train[:, 0, 0, 0].tolist() == [1, 11, 2, 12, 13]
    assert data.y_train.tolist() == [0, 1, 0, 1, 1]
    assert data.x_test[:, 5, 5, 2].tolist() == [22, 21]
    assert data.y_test.tolist() == [0, 1]
    assert data.x_train.dtype == data.y_train.dtype == np.uint8
    assert data.x_train.shape == (5, 32, 32, 3)
    assert not data.x_train.flags.writeable
    assert data.source.resized == 0


def test_folder_and_zip_give_the_same(tmp_path: Path) -> None:
    on_disk = load(write_folder(tmp_path / "pets", small_set()), tmp_path)
    zipped = load(write_zip(tmp_path / "pets", small_set()), tmp_path)
    for split in ("train", "test"):
        for one, other in zip(on_disk.split(split), zipped.split(split), strict=True):
            np.testing.assert_array_equal(one, other)
    assert (on_disk.source.kind, zipped.source.kind) == ("folder", "zip")


def test_source_tells_name_place_and_checksum(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "my pets", small_set())
    source = load(path, tmp_path).source
    assert source.name == "my pets.zip"
    assert source.location == str(path.resolve())
    assert source.checksum == "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()


def test_checksum_of_a_folder_is_that_of_its_images(tmp_path: Path) -> None:
    one = load(write_folder(tmp_path / "one", small_set()), tmp_path).source
    files = small_set()
    other = load(write_folder(tmp_path / "other", files), tmp_path).source
    files["train/cat/2.png"] = png(3)
    changed = load(write_folder(tmp_path / "changed", files), tmp_path).source
    assert one.checksum == other.checksum != changed.checksum
    assert one.checksum.startswith("sha256:")


@both
def test_cifar_names_have_cifar_labels(write: Write, tmp_path: Path) -> None:
    files = {
        f"{split}/{name}/{number:04}.png": png(10 * label + number)
        for split in ("train", "test")
        for label, name in reversed(list(enumerate(CIFAR10_CLASSES)))
        for number in range(2)
    }
    data = load(write(tmp_path / "set", files), tmp_path)
    assert data.class_names == CIFAR10_CLASSES
    assert data.y_train[:20].tolist() == [*range(10), *range(10)]
    assert data.x_train[:3, 0, 0, 0].tolist() == [0, 10, 20]


@both
def test_other_sizes_are_cropped_resized_and_counted(write: Write, tmp_path: Path) -> None:
    files = small_set()
    files["train/cat/1.png"] = png(1, (100, 50))
    files["test/cat/1.png"] = png(22, (16, 16))
    data = load(write(tmp_path / "pets", files), tmp_path)
    assert data.source.resized == 2
    assert (data.x_train[0] == 1).all()


@both
def test_what_is_no_picture_is_passed_over(write: Write, tmp_path: Path) -> None:
    files = small_set() | {
        "README.md": b"",
        "train/list.txt": b"",
        "train/cat/notes.txt": b"",
        "train/cat/.DS_Store": b"",
        "train/cat/._1.png": b"",
        "train/.ipynb_checkpoints/x.png": b"",
        "train/cat/old/1.png": b"",
        "__MACOSX/train/cat/._1.png": b"",
        "other/cat/1.png": b"",
    }
    data = load(write(tmp_path / "pets", files), tmp_path)
    assert data.class_names == ("cat", "dog")
    assert len(data.x_train) == 5


def test_endings_in_capitals_count(tmp_path: Path) -> None:
    files = small_set()
    files["train/cat/1.PNG"] = files.pop("train/cat/1.png")
    assert len(load(write_folder(tmp_path / "pets", files), tmp_path).x_train) == 5


def test_zip_with_a_folder_around(tmp_path: Path) -> None:
    files = {f"pets/{name}": content for name, content in small_set().items()}
    files["__MACOSX/pets/._x"] = b""
    assert len(load(write_zip(tmp_path / "pets", files), tmp_path).x_train) == 5


def test_zip_with_backslashes(tmp_path: Path) -> None:
    files = {name.replace("/", "\\"): content for name, content in small_set().items()}
    assert len(load(write_zip(tmp_path / "pets", files), tmp_path).x_train) == 5


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    path = write_folder(tmp_path / "pets", small_set())
    load_data(str(path), cache_dir=tmp_path / "cache", progress=lambda *call: told.append(call))
    assert told[-1] == ("decode", 7, 7)


def test_a_changed_folder_is_read_anew(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "pets", small_set())
    assert len(load(path, tmp_path).x_train) == 5
    (path / "train/cat/9.png").write_bytes(png(9))
    assert len(load(path, tmp_path).x_train) == 6


def test_a_changed_zip_is_read_anew(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "pets", small_set())
    first = load(path, tmp_path)
    write_zip(tmp_path / "pets", small_set() | {"train/cat/9.png": png(9)})
    assert len(load(path, tmp_path).x_train) == 6
    assert first.x_train[0, 0, 0, 0] == 1  # what is open stays as it was


@both
@pytest.mark.parametrize("missing", ["train", "test"])
def test_a_missing_split(write: Write, missing: str, tmp_path: Path) -> None:
    files = {name: data for name, data in small_set().items() if not name.startswith(missing)}
    message = refused(write(tmp_path / "pets", files), tmp_path)
    assert f"without {missing}/" in message
    assert "pets" in message


@both
def test_nothing_in_it(write: Write, tmp_path: Path) -> None:
    assert "train/" in refused(write(tmp_path / "empty", {}), tmp_path)


@both
def test_class_folders_without_pictures(write: Write, tmp_path: Path) -> None:
    files = small_set() | {"train/bird/": b"", "test/bird/": b""}
    assert "'train/bird'" in refused(write(tmp_path / "pets", files), tmp_path)


@both
@pytest.mark.parametrize(("lacks", "has"), [("train", "test"), ("test", "train")])
def test_classes_that_differ(write: Write, lacks: str, has: str, tmp_path: Path) -> None:
    files = small_set() | {f"{has}/bird/1.png": png(0)}
    message = refused(write(tmp_path / "pets", files), tmp_path)
    assert f"'bird' in {has}/ but not in {lacks}/" in message


@both
def test_one_class_only(write: Write, tmp_path: Path) -> None:
    files = {name: data for name, data in small_set().items() if "dog" not in name}
    assert "2 to 256" in refused(write(tmp_path / "pets", files), tmp_path)


@both
def test_257_classes(write: Write, tmp_path: Path) -> None:
    files = {f"{split}/{n}/1.png": b"" for split in ("train", "test") for n in range(257)}
    assert "257" in refused(write(tmp_path / "pets", files), tmp_path)


@both
@pytest.mark.parametrize(
    "content", [b"", b"no picture", png(5)[:-40]], ids=["empty", "text", "cut"]
)
def test_a_broken_picture_is_named(write: Write, content: bytes, tmp_path: Path) -> None:
    files = small_set() | {"train/cat/2.png": content}
    message = refused(write(tmp_path / "pets", files), tmp_path)
    assert "'train/cat/2.png'" in message
    assert "replace or remove" in message
    assert not list((tmp_path / "cache").glob("pets-*"))


def test_names_with_newlines_stay_on_one_line(tmp_path: Path) -> None:
    files = small_set() | {"train/cat/a\nb.png": b""}
    assert "a\\nb" in refused(write_folder(tmp_path / "line\nbreak", files), tmp_path)


def damage_member(path: Path, name: str) -> None:
    """Change a byte of a member's content, which its checksum then tells."""
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(name)
    content = bytearray(path.read_bytes())
    content[info.header_offset + 30 + len(name) + info.compress_size // 2] ^= 0xFF
    path.write_bytes(content)


def test_a_damaged_member_is_named(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "pets", small_set())
    damage_member(path, "train/dog/3.png")
    assert "'train/dog/3.png'" in refused(path, tmp_path)


def test_an_encrypted_member_is_named(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "pets", small_set())
    content = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        struct.pack_into("<H", content, content.find(signature) + flags, 1)
    path.write_bytes(content)
    assert "'train/dog/1.png'" in refused(path, tmp_path)


def test_a_member_that_unpacks_to_a_huge_file(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "pets", small_set() | {"train/cat/2.png": bytes(65 << 20)})
    assert path.stat().st_size < 1 << 20
    message = refused(path, tmp_path)
    assert "64 MiB" in message
    assert "'train/cat/2.png'" in message


def test_a_huge_file_in_a_folder(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "pets", small_set())
    with (path / "train/cat/2.png").open("wb") as file:
        file.truncate(65 << 20)
    assert "64 MiB" in refused(path, tmp_path)


def test_no_zip_at_all(tmp_path: Path) -> None:
    path = tmp_path / "pets.zip"
    for content in (b"", b"<html>not found</html>", write_zip(path, small_set()).read_bytes()[:-9]):
        path.write_bytes(content)
        assert "'pets.zip'" in refused(path, tmp_path)


@pytest.mark.parametrize("spec", ["nowhere", "nowhere.zip", "oficial", "", "  ", "a\0b", "x\ny"])
def test_a_missing_path(spec: str, tmp_path: Path) -> None:
    with pytest.raises(DataNotFound) as caught:
        load_data(spec, cache_dir=tmp_path)
    assert "synthetic" in str(caught.value)
    assert repr(spec) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_ending(tmp_path: Path) -> None:
    path = tmp_path / "pets.rar"
    path.write_bytes(b"Rar!")
    assert "'pets.rar'" in refused(path, tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pets.zip")
    assert "'pets.zip'" in refused(tmp_path / "pets.zip", tmp_path)


def test_a_path_may_start_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    write_folder(tmp_path / "pets", small_set())
    assert len(load_data("~/pets", cache_dir=tmp_path / "cache").x_train) == 5


def test_all_are_cifar_errors() -> None:
    assert issubclass(DataFormatError, CifarError)
    assert issubclass(DataNotFound, CifarError)


@pytest.mark.real_images
def test_the_real_zip(real_zip: Path, tmp_path: Path) -> None:
    data = load(real_zip, tmp_path)
    assert data.source.name == "JPEG copy of CIFAR-10"
    assert data.source.checksum == f"sha256:{folder.JPEG_COPY_SHA256}"
    assert data.source.resized == 0
    assert data.class_names == CIFAR10_CLASSES
    assert data.x_train.shape == (50_000, 32, 32, 3)
    assert data.x_test.shape == (10_000, 32, 32, 3)
    assert np.bincount(data.y_train).tolist() == [5000] * 10
    assert np.bincount(data.y_test).tolist() == [1000] * 10
    assert data.y_train[:20].tolist() == [*range(10), *range(10)]
    with zipfile.ZipFile(real_zip) as archive:  # Pillow by itself, at a few places
        for index in (0, 7, 25_003, 49_999):
            name = f"train/{CIFAR10_CLASSES[data.y_train[index]]}/{index // 10:04}.jpg"
            with Image.open(archive.open(name)) as picture:
                np.testing.assert_array_equal(data.x_train[index], np.asarray(picture))
    told: list[str] = []
    again = load_data(
        str(real_zip), cache_dir=tmp_path / "cache", progress=lambda *step: told.append(step[0])
    )
    assert again.source == data.source
    assert told == [], "the second time nothing is decoded"


@pytest.mark.real_images
def test_the_real_pictures_in_folders(real_zip: Path, tmp_path: Path) -> None:
    """A few hundred of them, unpacked: the same pixels as from the zip."""
    kept = {f"{number:04}.jpg" for number in range(10)}
    with zipfile.ZipFile(real_zip) as archive:
        names = [name for name in archive.namelist() if name.rpartition("/")[2] in kept]
        archive.extractall(tmp_path / "set", names)
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as some:
        for name in names:
            some.write(tmp_path / "set" / name, name)
    on_disk = load(tmp_path / "set", tmp_path)
    zipped = load(tmp_path / "set.zip", tmp_path)
    shutil.rmtree(tmp_path / "set")
    assert len(on_disk.x_train) == len(on_disk.x_test) == 100
    np.testing.assert_array_equal(on_disk.x_train, zipped.x_train)
    np.testing.assert_array_equal(on_disk.x_test, zipped.x_test)
