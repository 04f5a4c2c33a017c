"""The panel that gets other images, and the hint in the sidebar."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.data import Dataset, download, fetch
from cifar_core.data.fetch import FetchState
from tests.conftest import ROOT
from tests.mirrors import make_small_cifar10
from tests.pages.elements import by_label, labels, texts
from ui.data import source as data_source
from ui.session import settings
from ui.session.keys import Key

MB = 2**20


def images(app: AppTest) -> str:
    """The session's choice; AppTest's later runs are of the page alone, without the sidebar."""
    return app.session_state[Key.DATA]


def use_path(app: AppTest, path: Path | str) -> AppTest:
    by_label(app.text_input, "Path on the machine that runs the dashboard").set_value(str(path))
    by_label(app.button, "Use these images").click()
    app.run()
    assert not app.exception
    return app


def progress(place) -> list[str]:
    return [element.proto.text for element in place.get("progress")]


@pytest.fixture
def dashboard(environment: Path) -> AppTest:
    """The dashboard with its frame around the Data page, not yet run."""
    return AppTest.from_file(ROOT / "dashboard.py", default_timeout=60)


@pytest.fixture
def fetching(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the page asked for; the state of fetching follows it."""
    asked: list[str] = []

    def now() -> FetchState:
        is_live = asked[-1:] == ["start"]
        return FetchState(is_live, False, 41 * MB if asked else 0, download.SIZE, "")

    monkeypatch.setattr(fetch, "state", now)
    monkeypatch.setattr(fetch, "start", lambda: asked.append("start"))
    monkeypatch.setattr(fetch, "cancel", lambda: asked.append("cancel"))
    return asked


def test_get_cancel_and_get_again(dashboard: AppTest, fetching: list[str], tmp_path: Path) -> None:
    app = dashboard.run()
    assert str(tmp_path / "keras" / "datasets" / "cifar-10-batches-py") in app.code[0].value
    by_label(app.button, "Get CIFAR-10 (163 MB)").click().run()
    assert progress(app) == ["41 of 163 MB · – MB/s · – left"]
    assert "Get CIFAR-10 (163 MB)" not in labels(app.button)
    by_label(app.button, "Cancel").click().run()
    assert "41 of 163 MB are here" in texts(app)
    by_label(app.button, "Get CIFAR-10 (163 MB)").click().run()
    assert fetching == ["start", "cancel", "start"]


def test_the_last_error_is_shown(dashboard: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = FetchState(False, False, 0, download.SIZE, "It broke off; try again later.")
    monkeypatch.setattr(fetch, "state", lambda: failed)
    app = dashboard.run()
    assert [error.value.replace("\\", "") for error in app.error] == [failed.error]


def test_the_hint_in_the_sidebar(
    dashboard: AppTest, fetching: list[str], monkeypatch: pytest.MonkeyPatch, built_in_cache: Path
) -> None:
    monkeypatch.setenv("CIFAR10_DATA", "synthetic")
    monkeypatch.setenv("CIFAR10_CACHE", str(built_in_cache))
    app = dashboard.run()
    assert "CIFAR-10 is not on this machine yet" in app.sidebar.caption[0].value
    fetching.append("start")
    app = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60).run()
    assert progress(app.sidebar) == ["Fetching CIFAR-10: 41 of 163 MB"]


def test_the_hint_names_other_images_that_are_here(
    dashboard: AppTest, blobs_npz: Path, monkeypatch: pytest.MonkeyPatch, built_in_cache: Path
) -> None:
    monkeypatch.setenv("CIFAR10_DATA", "synthetic")
    monkeypatch.setenv("CIFAR10_CACHE", str(built_in_cache))
    dashboard.session_state[Key.PATHS] = [str(blobs_npz)]
    app = dashboard.run()
    assert r"blobs\.npz is on this machine: choose it above" in app.sidebar.caption[0].value


def test_one_click_moves_the_session_over(
    dashboard: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = dashboard.run()
    before = images(app)
    small = make_small_cifar10(tmp_path)
    monkeypatch.setattr(download, "SIZE", len(small.content))
    monkeypatch.setattr(download, "SHA256", small.sha256)
    (tmp_path / "cache" / "cifar-10-python.tar.gz").write_bytes(small.content)
    app.run()
    assert images(app) == before, "not unasked"
    by_label(app.button, "Use CIFAR-10").click().run()
    assert not app.exception
    assert images(app) == "official"
    assert by_label(app.button, "Use CIFAR-10").disabled


def test_a_path_becomes_a_choice_that_trainings_take(
    dashboard: AppTest, blobs: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.npz"
    arrays = {name: getattr(blobs, name)[:50] for name in ("x_train", "y_train", "x_test")}
    np.savez(path, **arrays, y_test=blobs.y_test[:50])
    app = use_path(dashboard.run(), f" {path} ")
    assert images(app) == str(path)
    assert "of 50 images" in texts(app)
    use_path(app, path)
    assert app.session_state[Key.PATHS] == [str(path)], "not twice"

    taken: list[str] = []

    def start(store, config, data: str):
        taken.append(data)
        return store.create(config)

    monkeypatch.setattr(settings, "start", start)
    app.switch_page("pages/train.py").run()
    by_label(app.button, "Start training").click().run()
    assert taken == [str(path)]


def test_two_of_one_name_are_told_apart(
    dashboard: AppTest, blobs_npz: Path, tmp_path: Path
) -> None:
    path = tmp_path / blobs_npz.name
    path.write_bytes(blobs_npz.read_bytes())
    dashboard.session_state[Key.PATHS] = [str(path)]
    shown = by_label(dashboard.run().sidebar.selectbox, "Images").options
    assert len(set(shown)) == len(shown) == 3


@pytest.mark.parametrize("path", ["/nowhere/at/all", "official", "", "~nobody-of-this-name/x"])
def test_a_wrong_path_is_one_sentence(dashboard: AppTest, path: str) -> None:
    app = dashboard.run()
    before = images(app)
    use_path(app, path)
    (error,) = app.error
    assert "\n" not in error.value
    assert images(app) == before


@pytest.mark.parametrize("word", ["no", "No", "0", "false", "FALSE", "off", " Off "])
def test_no_paths_where_they_are_switched_off(
    dashboard: AppTest, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setenv("CIFAR10_PATHS", word)
    app = dashboard.run()
    assert not app.text_input
    assert "Get CIFAR-10 (163 MB)" in labels(app.button)


@pytest.mark.parametrize("word", ["", "yes", "1", "true", "on"])
def test_paths_are_taken_where_they_are_not_switched_off(
    monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setenv("CIFAR10_PATHS", word)
    assert data_source.takes_paths()
