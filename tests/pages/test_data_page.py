"""The Data page: its sections, on easy images and on odd ones."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.data import Dataset
from cifar_core.data.synthetic.draw import draw_first
from tests.conftest import ROOT
from tests.pages.elements import by_label, component, figure, grid, html, texts
from ui import cached
from ui.session.keys import Key

SECTIONS = ("look", "colour", "statistics", "augmentation")


def go(app: AppTest, section: str) -> AppTest:
    app.segmented_control(key="section").set_value(section).run()
    assert not app.exception
    return app


def test_the_first_twenty_then_any_number_paged_and_filtered(open_page, blobs: Dataset) -> None:
    app = open_page("data")
    names = blobs.class_names
    assert grid(app) == [[i, names[blobs.y_train[i]], f"#{i}"] for i in range(20)]
    assert "1 to 20 of 400 images" in texts(app)
    by_label(app.selectbox, "How many").select(100).run()
    assert len(grid(app)) == 100
    app.get("pagination")[0].set_value(4).run()
    assert [index for index, *_ in grid(app)] == list(range(300, 400))
    app.multiselect[0].select("cat").run()
    assert "1 to 40 of 40 images" in texts(app)
    assert {name for _, name, _ in grid(app)} == {"cat"}
    shown = grid(app)
    by_label(app.toggle, "Shuffle").set_value(True).run()
    assert grid(app) != shown
    assert sorted(grid(app)) == shown
    by_label(app.number_input, "Order").set_value(5).run()
    assert sorted(grid(app)) == shown
    app.segmented_control(key="split").set_value("test").run()
    assert "1 to 20 of 20 images" in texts(app)


def test_choices_outlive_another_section_and_another_page(open_page) -> None:
    app = open_page("data")
    by_label(app.selectbox, "How many").select(50).run()
    app.multiselect[0].select("dog").run()
    go(go(app, "statistics"), "look")
    assert "of 40 images" in texts(app)
    app.switch_page("pages/train.py").run()
    app.switch_page("pages/data.py").run()
    assert by_label(app.selectbox, "How many").value == 50
    assert {name for _, name, _ in grid(app)} == {"dog"}


def test_an_image_in_the_address_is_opened(open_page, blobs: Dataset) -> None:
    app = open_page("data")
    app.query_params["image"] = "12"
    app.run()
    assert not app.exception
    assert "#12 bird" in texts(app)
    assert figure(app, "pixels")["data"][0]["z"] == blobs.x_train[12].tolist()
    by_label(app.button, "Next").click().run()
    assert "#13 cat" in texts(app)
    assert app.query_params == {"image": "13", "split": "train", "section": "look"}
    assert html(app).count("<figure") == 4


def test_a_link_says_section_and_split(environment) -> None:
    app = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60)
    app.query_params.update(section="look", split="test", image="12")
    assert "#12 bird** · Test" in texts(app.run())
    app = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60)
    app.query_params.update(section="statistics", split="neither")
    assert figure(app.run(), "data-balance")
    assert not go(app, "look").exception


def test_the_address_says_the_section_once_the_browser_keeps_one_entry_a_page(
    environment: Path,
) -> None:
    app = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60)
    app.query_params.update(section="statistics", note="7")
    go(app.run(), "colour")
    assert app.query_params == {"section": "statistics", "note": "7"}, "Back would need a press"
    app.session_state[Key.ADDRESS_KEPT] = True
    app.run()
    assert app.query_params == {"section": "colour", "note": "7"}
    go(app, "look")
    assert app.query_params == {"section": "look", "note": "7"}


@pytest.mark.parametrize("given", ["400", "-1", "cat", "1e2", "9" * 5000, "", "²"])
def test_an_address_that_names_no_image_opens_none(open_page, given: str) -> None:
    app = open_page("data")
    app.query_params["image"] = given
    app.run()
    assert not app.exception
    assert not component(app, "live_chart")


def test_colour_tells_what_greyscale_takes_and_leads_to_training_on_it(open_page) -> None:
    app = go(open_page("data"), "colour")
    assert html(app).count("<figure") == 10
    assert "The most is lost by" in texts(app)
    assert len(figure(app, "data-histogram")["data"]) == 8
    by_label(app.button, "Train on greyscale").click().run()
    assert not app.exception
    assert [title.value for title in app.title] == ["Train"]
    assert by_label(app.selectbox, "Colour").value == "grey"
    app.switch_page("pages/data.py").run()
    assert not app.exception


def test_statistics_count_both_splits_and_describe_each_class(open_page, blobs: Dataset) -> None:
    app = go(open_page("data"), "statistics")
    assert len(figure(app, "data-balance")["data"]) == 2
    table = app.table[0].value
    assert table["Training images"].tolist() == ["40"] * 10
    cats = blobs.x_train[blobs.y_train == 3].reshape(-1, 3)
    assert table["Mean R, G, B"][3] == "  ".join(f"{value:.1f}" for value in cats.mean(axis=0))
    assert html(app).count("<figure") == 10


def test_augmentation_shows_what_its_settings_draw(open_page) -> None:
    app = go(open_page("data"), "augmentation")
    assert "No variation is switched on" in texts(app)
    plain = html(app)
    assert plain.count("<figure") == 9
    by_label(app.slider, "Shift").set_value(4).run()
    assert "No variation is switched on" not in texts(app)
    shifted = html(app)
    assert shifted != plain
    app.run()
    assert html(app) == shifted
    by_label(app.button, "Draw again").click().run()
    assert html(app) != shifted


def test_any_class_names_and_classes_without_images(
    open_page, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    names = [f"<b>*{i}*</b> :red[{'long ' * 20}] $x$" for i in range(256)]
    rng = np.random.default_rng(0)
    y_train, y_test = np.arange(300) % 255, np.arange(300) % 3
    images = rng.integers(0, 256, (300, 32, 32, 3), dtype=np.uint8)
    path = tmp_path / "odd.npz"
    kinds = {"x_train": images, "y_train": y_train, "x_test": images, "y_test": y_test}
    np.savez(path, **kinds, class_names=np.array(names))
    monkeypatch.setenv("CIFAR10_DATA", str(path))
    app = open_page("data")
    for section in SECTIONS:
        go(app, section)
    go(app, "look")
    app.multiselect[0].select(names[255]).run()
    assert "No image here" in app.info[0].value


def test_the_first_built_in_images_are_there_before_the_others_are_drawn(
    open_page, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, may_end = draw_first(), threading.Event()
    whole = replace(first, source=replace(first.source, checksum="sha256:0"))
    monkeypatch.setenv("CIFAR10_DATA", "synthetic")
    monkeypatch.setattr(cached, "load_data", lambda *_, **__: may_end.wait(60) and whole)
    app = open_page("data")
    shown = component(app, "image_grid")
    assert [cell[0] for cell in grid(app)] == list(range(20))
    assert "1 to 20 of 10,000 images" in texts(app)
    assert "sha256" not in texts(app)
    may_end.set()
    cached.begin_reading("synthetic").result.result(timeout=60)
    app.run()
    assert not app.exception
    assert "sha256" in texts(app)
    assert component(app, "image_grid") == shown
