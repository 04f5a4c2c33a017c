"""load_data's ways that no other file tests: the public names, and the synthetic set's cache."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import cifar_core.data
from cifar_core.data import Dataset, Source, absolute, load_data, sources
from cifar_core.data.sources import DataSource
from cifar_core.data.synthetic import draw as synthetic
from cifar_core.errors import DataFormatError, DataNotFound

DRAW = synthetic.draw_synthetic


def test_public_names() -> None:
    assert sorted(cifar_core.data.__all__) == [
        "CIFAR10_CLASSES",
        "Dataset",
        "IMAGE_SIZE",
        "Progress",
        "Source",
        "absolute",
        "default_cache_dir",
        "is_available",
        "load_data",
        "must_exist",
    ]
    assert all(hasattr(cifar_core.data, name) for name in cifar_core.data.__all__)


def test_synthetic_is_drawn_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Dataset] = []
    told: list[tuple[str, int, int]] = []

    def draw(progress: object) -> Dataset:
        drawn.append(DRAW(train_images=30, test_images=20, progress=progress))
        return drawn[-1]

    monkeypatch.setattr(synthetic, "draw_synthetic", draw)
    for _ in range(2):
        data = load_data("synthetic", cache_dir=tmp_path, progress=lambda *call: told.append(call))
        np.testing.assert_array_equal(data.x_train, drawn[0].x_train)
        assert data.source == drawn[0].source
        assert data.source.kind == "synthetic"
    assert len(drawn) == 1
    assert told[-1] == ("draw", 50, 50)


def test_the_synthetic_sets_cache_changes_with_its_own_code_alone(tmp_path: Path) -> None:
    folder = Path(synthetic.__file__).parent
    assert {file.name for file in folder.glob("*.py")} == {
        "__init__.py",
        "draw.py",
        "pen.py",
        "sketches.py",
    }
    before = synthetic.version(shutil.copytree(folder, tmp_path / "code"))
    assert before == synthetic.version()
    with (tmp_path / "code" / "pen.py").open("a") as file:
        file.write("# a broader stroke\n")
    assert synthetic.version(tmp_path / "code") != before


def test_the_cache_is_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR10_CACHE", str(tmp_path / "cache"))
    images = np.zeros((2, 32, 32, 3), np.uint8)
    labels = np.array([0, 1])
    np.savez(tmp_path / "a.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    load_data(str(tmp_path / "a.npz"))
    assert len(list((tmp_path / "cache").glob("a-*"))) == 1


@pytest.mark.parametrize("path", ["", " ", "nowhere", "~nobody-of-this-name/x", "a\0b", "x" * 5000])
def test_no_path_at_all(path: str, tmp_path: Path) -> None:
    with pytest.raises(DataNotFound, match="path that exists") as caught:
        load_data(path, cache_dir=tmp_path)
    assert "\n" not in str(caught.value)


def test_a_new_source_is_an_entry_in_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder with one pair of .npy files, which serves for training and test alike."""

    def open_pair(path: Path, cache_dir: Path, progress: object) -> Dataset:
        x, y = np.load(path / "x.npy"), np.load(path / "y.npy")
        return Dataset(x, y, x, y, ("cat", "dog"), Source("pair", path.name, str(path), "sha256:0"))

    pair = DataSource(
        open_pair,
        words=("pair",),
        recognises=lambda path: (path / "x.npy").exists(),
        form="a folder of .npy",
    )
    monkeypatch.setattr(sources, "SOURCES", [pair, *sources.SOURCES])
    np.save(tmp_path / "x.npy", np.full((2, 32, 32, 3), 7, np.uint8))
    np.save(tmp_path / "y.npy", np.array([0, 1], np.uint8))
    data = load_data(str(tmp_path), cache_dir=tmp_path / "cache")
    assert (data.source.kind, data.class_names) == ("pair", ("cat", "dog"))
    assert (data.x_test == 7).all()
    assert absolute("pair") == "pair"
    with pytest.raises(DataNotFound, match="'pair', 'auto', 'official', 'synthetic' or a path"):
        load_data("nowhere", cache_dir=tmp_path)
    with pytest.raises(DataFormatError, match=r"a folder of \.npy, a folder, a \.zip, a \.npz or"):
        load_data(str(tmp_path / "x.npy"), cache_dir=tmp_path)
