"""Images that are named but cannot be read: every page says so, and shows the built-in ones."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.data import Dataset, download
from cifar_core.runs.store import RunStore
from tests.conftest import ROOT
from tests.mirrors import Mirror, missing, serving
from tests.pages.elements import by_label, labels, texts
from ui import cached
from ui.session import settings
from ui.session.keys import Key
from ui.text import plain

PAGES = ("data", "model", "train", "evaluate", "predict", "compare")


def a_path_that_is_gone(folder: Path) -> Path:
    return folder / "gone.zip"


def a_folder_without_classes(folder: Path) -> Path:
    (folder / "photos").mkdir()
    (folder / "photos" / "1.txt").write_text("no picture")
    return folder / "photos"


def a_truncated_zip(folder: Path) -> Path:
    path = folder / "[a]_b_ $x$.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("train/cat/1.png", b"0" * 5000)
    path.write_bytes(path.read_bytes()[:-100])
    return path


def a_damaged_archive_of_keras(folder: Path) -> Path:
    path = folder / "keras" / "datasets" / "cifar-10-batches-py.tar.gz"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(download.SIZE)
    return path


KINDS = [
    a_path_that_is_gone,
    a_folder_without_classes,
    a_truncated_zip,
    a_damaged_archive_of_keras,
]


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    with serving(b"", missing) as mirror:
        yield mirror


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The images that were read, time after time."""
    found: list[str] = []
    real = cached.load_data

    def load(choice: str, **options: object) -> Dataset:
        found.append(choice)
        return real(choice, **options)

    monkeypatch.setattr(cached, "load_data", load)
    return found


@pytest.fixture
def begin(
    environment: Path,
    built_in_cache: Path,
    mirror: Mirror,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    """Makes images of a kind the dashboard's, and gives their path."""
    monkeypatch.setenv("CIFAR10_CACHE", str(built_in_cache))
    monkeypatch.setenv("CIFAR10_MIRRORS", mirror.url)

    def make(kind) -> Path:
        path = kind(tmp_path)
        if kind is a_damaged_archive_of_keras:
            monkeypatch.delenv("CIFAR10_DATA")
        else:
            monkeypatch.setenv("CIFAR10_DATA", str(path))
        return path

    return make


def open_dashboard() -> AppTest:
    app = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60).run()
    assert not app.exception
    return app


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_page_works_and_says_so(
    kind, begin, mirror: Mirror, reads: list[str], trained: RunStore, monkeypatch
) -> None:
    monkeypatch.setenv("CIFAR10_RUNS", str(trained.root))
    path = begin(kind)
    app = open_dashboard()
    (chosen,) = [one for one in app.sidebar.selectbox if one.label == "Images"]
    assert "cannot be read" in chosen.options[0]
    for name in PAGES:
        app.switch_page(f"pages/{name}.py").run()
        assert not app.exception, name
        problem = app.error[0].value
        assert plain(str(path)) in problem, name
        assert "\n" not in problem
        assert "the built-in images are shown instead" in problem.replace("\\", "")
        assert "built-in" in texts(app), "the badge"
    assert len([one for one in reads if one != "synthetic"]) == 1, "not at every look"
    assert not mirror.ranges, "nothing is fetched unasked"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_data_page_has_the_panel_that_helps(kind, begin) -> None:
    begin(kind)
    app = open_dashboard()
    assert "Get CIFAR-10 (163 MB)" in labels(app.button)
    assert "Use these images" in labels(app.button)
    assert app.get("bidi_component"), "the built-in images"


def test_trainings_take_the_images_on_show(begin, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(a_path_that_is_gone)
    taken: list[str] = []

    def start(store, config, data: str):
        taken.append(data)
        return store.create(config)

    monkeypatch.setattr(settings, "start", start)
    app = open_dashboard()
    app.switch_page("pages/train.py").run()
    by_label(app.button, "Start training").click().run()
    assert taken == ["synthetic"]


def test_images_that_can_be_read_again_are_taken(
    begin, blobs: Dataset, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = begin(lambda folder: folder / "later.npz")
    app = open_dashboard()
    assert app.error
    arrays = {name: getattr(blobs, name) for name in ("x_train", "y_train", "x_test", "y_test")}
    np.savez(path, **arrays)
    app.run()
    assert app.error, "not looked at again within moments"
    later = time.monotonic() + 60
    monkeypatch.setattr(cached.time, "monotonic", lambda: later)
    app.run()
    assert not app.exception
    assert not app.error
    assert "of 400 images" in texts(app)
    assert reads.count(str(path)) == 2


def test_other_images_are_taken_and_the_error_goes(begin, blobs_npz: Path) -> None:
    begin(a_folder_without_classes)
    app = open_dashboard()
    by_label(app.text_input, "Path on the machine that runs the dashboard").set_value(
        str(blobs_npz)
    )
    by_label(app.button, "Use these images").click()
    app.run()
    assert not app.exception
    assert not app.error
    assert "of 400 images" in texts(app)


def test_choosing_them_again_tries_them_again(begin, reads: list[str]) -> None:
    path = str(begin(a_truncated_zip))
    app = open_dashboard()
    assert reads.count(path) == 1
    app = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60)
    app.session_state[Key.DATA] = "synthetic"
    app.session_state[Key.DATA_WIDGET] = 0
    app.run()
    assert not app.error
    by_label(app.sidebar.selectbox, "Images").select(path).run()
    assert not app.exception
    assert app.error
    assert reads.count(path) == 2
