"""CIFAR-10's own files, found and read in every form they come in."""

import hashlib
import logging
import pickle
import tarfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from cifar_core.data import CIFAR10_CLASSES, Dataset, batches, download, is_available, load_data
from cifar_core.errors import DataFormatError, DataNotFound, DownloadError
from tests.archives import LABELS, PER_BATCH, PIXELS, batch, write_archive, write_folder
from tests.unit.data.loading import load, refused


def check(data: Dataset) -> None:
    names = [name for name in batches.BATCHES if name != "test_batch"]
    x_train = np.concatenate([PIXELS[name] for name in names])
    assert data.x_train.shape == (5 * PER_BATCH, 32, 32, 3)
    # pixel by pixel, as the author describes the rows: red plane, green plane, blue plane
    for image, row, column, channel in [(0, 0, 0, 0), (7, 3, 30, 1), (19, 31, 31, 2)]:
        place = channel * 1024 + row * 32 + column
        assert data.x_train[image, row, column, channel] == x_train[image, place]
    assert data.y_train.tolist() == [label for name in names for label in LABELS[name]]
    assert data.x_test[1, 2, 3].tolist() == PIXELS["test_batch"][1, 67::1024].tolist()
    assert data.y_test.tolist() == LABELS["test_batch"]
    assert data.y_train.dtype == data.y_test.dtype == data.x_test.dtype == np.uint8
    assert data.class_names == CIFAR10_CLASSES
    assert data.source.kind == "official"


@pytest.fixture
def keras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of Keras's; its 'datasets' folder."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(download, "MIRRORS", ("http://127.0.0.1:9/cifar-10-python.tar.gz",))
    monkeypatch.setattr(download, "_PAUSE", 0.0)
    md5 = {name: hashlib.md5(batch(name)).hexdigest() for name in batches.BATCHES}
    monkeypatch.setattr(batches, "BATCHES", md5)
    sample = write_archive(tmp_path / "sample.tar.gz")
    monkeypatch.setattr(download, "SIZE", sample.stat().st_size)
    monkeypatch.setattr(download, "SHA256", hashlib.sha256(sample.read_bytes()).hexdigest())
    return tmp_path / "keras" / "datasets"


def put_archive(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((tmp_path / "sample.tar.gz").read_bytes())


@pytest.mark.filterwarnings("ignore:dtype")  # NumPy 2.4.0, of align=0
def test_the_pickles_are_as_python_2_wrote_them() -> None:
    """An oracle: Python's own unpickler reads what this file wrote as Keras has it."""
    content = pickle.loads(batch("data_batch_1"), encoding="bytes")
    np.testing.assert_array_equal(content[b"data"], PIXELS["data_batch_1"])


@pytest.mark.parametrize("spec", ["auto", "official"])
@pytest.mark.parametrize(
    "place",
    [
        "cifar-10-batches-py",
        "cifar-10-batches-py/cifar-10-batches-py",
        "cifar-10-batches-py-target/cifar-10-batches-py",
    ],
)
def test_unpacked_in_keras_cache(place: str, spec: str, keras: Path, tmp_path: Path) -> None:
    assert not is_available(spec, cache_dir=tmp_path / "cache")
    write_folder(keras / place)
    assert is_available(spec, cache_dir=tmp_path / "cache")
    for _ in range(2):
        data = load(spec, tmp_path)
        check(data)
        assert data.source.name == "CIFAR-10"
        assert data.source.location == str(keras / place)


@pytest.mark.parametrize(
    "name", ["cifar-10-batches-py.tar.gz", "cifar-10-batches-py-target_archive"]
)
def test_packed_in_keras_cache(name: str, keras: Path, tmp_path: Path) -> None:
    put_archive(keras / name, tmp_path)
    assert is_available("auto", cache_dir=tmp_path / "cache")
    data = load("auto", tmp_path)
    check(data)
    assert data.source.name == "CIFAR-10"
    assert data.source.checksum == f"sha256:{download.SHA256}"


def test_keras_home_is_the_users_without_the_variable(
    keras: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KERAS_HOME")
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    write_folder(tmp_path / ".keras/datasets/cifar-10-batches-py")
    assert is_available("auto", cache_dir=tmp_path / "cache")


def test_half_unpacked_is_not_taken(keras: Path, tmp_path: Path) -> None:
    folder = write_folder(keras / "cifar-10-batches-py")
    (folder / "test_batch").unlink()
    assert not is_available("auto", cache_dir=tmp_path / "cache")


def test_half_downloaded_is_not_taken(keras: Path, tmp_path: Path) -> None:
    put_archive(keras / "cifar-10-batches-py-target_archive", tmp_path)
    with (keras / "cifar-10-batches-py-target_archive").open("r+b") as file:
        file.truncate(1000)
    assert not is_available("auto", cache_dir=tmp_path / "cache")


def test_damaged_is_passed_over_with_a_warning(
    keras: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write_folder(keras / "cifar-10-batches-py")
    (folder / "data_batch_3").write_bytes(batch("data_batch_1"))  # readable, and not it
    put_archive(keras / "cifar-10-batches-py-target_archive", tmp_path)
    with caplog.at_level(logging.WARNING):
        check(load("auto", tmp_path))
    assert "data_batch_3" in caplog.text


def test_auto_never_gives_other_images(keras: Path, tmp_path: Path) -> None:
    folder = write_folder(keras / "cifar-10-batches-py")
    (folder / "data_batch_3").write_bytes(batch("data_batch_1"))
    with pytest.raises(DownloadError) as caught:
        load("auto", tmp_path)
    for way in ("CIFAR10_DATA", "--data", "synthetic"):
        assert way in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_is_fetched_where_that_is_not_wanted(
    keras: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "download", None)  # whoever called it would fail
    with pytest.raises(DataNotFound, match="fetch it"):
        load_data("official", cache_dir=tmp_path / "cache", fetch=False)
    damaged = keras / "cifar-10-batches-py.tar.gz"
    damaged.parent.mkdir(parents=True, exist_ok=True)
    damaged.write_bytes(bytes(download.SIZE))
    with pytest.raises(DataFormatError, match=str(damaged)):
        load_data("official", cache_dir=tmp_path / "cache", fetch=False)


def test_downloaded_once_then_found(
    keras: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    told: list[str] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(download, "MIRRORS", (f"{url}/none", f"{url}/sample.tar.gz"))
        check(
            load_data(
                "auto", cache_dir=tmp_path / "cache", progress=lambda *call: told.append(call[0])
            )
        )
        server.shutdown()
    assert list(dict.fromkeys(told)) == ["download", "unpack"]
    assert is_available("auto", cache_dir=tmp_path / "cache")
    check(load("auto", tmp_path))


@pytest.mark.parametrize("name", ["cifar-10-python.tar.gz", "mine.tgz", "Plain.TAR.GZ"])
def test_an_archive_at_a_path(name: str, keras: Path, tmp_path: Path) -> None:
    path = write_archive(tmp_path / name)
    data = load(path, tmp_path)
    check(data)
    assert data.source.name in (name, "CIFAR-10")
    assert data.source.checksum == "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("inner", ["", "cifar-10-batches-py"])
def test_a_folder_at_a_path(inner: str, tmp_path: Path) -> None:
    write_folder(tmp_path / "here" / inner)
    data = load(tmp_path / "here", tmp_path)
    check(data)
    assert data.source.name != "CIFAR-10"  # by its checksums it is not


class Hostile:
    def __init__(self, function: object, *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple:
        return self.call


def test_a_hostile_pickle_runs_nothing(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    for number, attack in enumerate(
        [
            Hostile(Path.touch, touched),
            Hostile(eval, f"__import__('pathlib').Path({str(touched)!r}).touch()"),
            Hostile(exec, f"open({str(touched)!r}, 'w').close()"),
            Hostile(np.save, str(touched), np.zeros(1)),
            Hostile(getattr, np.ndarray, "tofile"),
        ]
    ):
        for protocol in (0, 2, 4):
            content = pickle.dumps({b"data": attack, b"labels": [0]}, protocol)
            folder = write_folder(tmp_path / f"{number}-{protocol}", data_batch_2=content)
            message = refused(folder, tmp_path)
            assert "data_batch_2" in message
            assert "it asks for" in message
    assert not list(tmp_path.glob("touched*"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no pickle",
        batch("test_batch")[:-5000],
        b"\x80\x02}.",
        b"\x80\x02N.",
        batch("test_batch", labels=[0, 1]),
        batch("test_batch", labels=[0, 1, 2, 10]),
        batch("test_batch", labels=[0, 1, 2, -1]),
        batch("test_batch", labels=3),
        batch("test_batch", labels=[]),
        batch("test_batch", labels=[b"a"] * 4),
        batch("test_batch", data=PIXELS["test_batch"][:, :3000]),
        batch("test_batch", data=PIXELS["test_batch"].reshape(4, 32, 96)),
        batch("test_batch", data=b"0" * 12288),
    ],
)
def test_a_damaged_batch_is_named(content: bytes, tmp_path: Path) -> None:
    assert "test_batch" in refused(write_folder(tmp_path / "x", test_batch=content), tmp_path)


def test_an_archive_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "cifar-100-python.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("cifar-100-python/train"))
    assert "without data_batch_1" in refused(path, tmp_path)


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08\0\0\0\0\0\0\0"])
def test_no_archive_at_all(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "cifar.tar.gz"
    path.write_bytes(content)
    assert "cifar.tar.gz" in refused(path, tmp_path)


def test_a_truncated_or_damaged_archive(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "cifar.tar.gz")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "cifar.tar.gz" in refused(path, tmp_path)
    path.write_bytes(whole[:20_000] + bytes(100) + whole[20_100:])
    assert "Received:" in refused(path, tmp_path)


def test_a_batch_of_absurd_size(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "x")
    with (folder / "data_batch_5").open("r+b") as file:
        file.truncate(65 << 20)
    assert "64 MiB" in refused(folder, tmp_path)
    path = tmp_path / "x.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        archive.add(folder, "cifar-10-batches-py")
    assert "64 MiB" in refused(path, tmp_path)


def test_all_but_cifar_10_is_available() -> None:
    assert is_available("synthetic")
    assert is_available("/some/path.zip")
