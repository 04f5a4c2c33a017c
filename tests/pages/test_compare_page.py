"""The Compare page: which runs, which columns, what is done with them."""

from __future__ import annotations

import base64
import math
import shutil
import time
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.config import TrainingConfig
from cifar_core.export import FORMS, Form
from cifar_core.runs.events import RunState, StateEvent
from cifar_core.runs.run import Mark
from cifar_core.runs.store import RunStore
from cifar_core.runs.summary import Summary
from tests.conftest import ROOT
from tests.pages.elements import by_label, component, figure, texts
from ui import cached
from ui.session.keys import Key


@pytest.fixture
def store(open_page, trained_copy: RunStore) -> RunStore:
    """Runs to change: 'plain' and 'dropout', 'again' with another seed, 'other' on other images."""
    store = trained_copy
    for copy in ("again", "other"):
        shutil.copytree(store.root / "plain", store.root / copy)
    again, other = store.get("again"), store.get("other")
    again.save_config(replace(again.config(), seed=7))
    data = {**other.environment()["data"], "name": "circles", "checksum": "sha256:other"}
    other.save_environment({**other.environment(), "data": data})
    return store


def open_compare(runs: str) -> AppTest:
    app = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60)
    app.query_params["runs"] = runs
    app.session_state[Key.ADDRESS_KEPT] = True  # as a browser tells it
    app.run()
    app.switch_page("pages/compare.py").run()
    assert not app.exception
    return app


def rows(app: AppTest) -> list[str]:
    return app.dataframe[0].value["Run"].tolist()


def toggle(app: AppTest, label: str) -> None:
    by_label(app.toggle, label).set_value(True).run()
    assert not app.exception


def test_only_settings_that_differ_and_runs_of_one_source_together(store: RunStore, open_page):
    app = open_page("compare")
    table = app.dataframe[0].value
    assert set(rows(app)) == {"plain", "dropout", "again", "other"}
    assert table["Images"].tolist() in (
        ["blobs.npz"] * 3 + ["circles"],
        ["circles"] + ["blobs.npz"] * 3,
    )
    assert {"Dropout", "Seed"} <= set(table.columns)
    assert not {"Epochs", "Mirror"} & set(table.columns)


def test_runs_of_different_images_are_not_ranked_unsaid(store: RunStore, open_page) -> None:
    app = open_page("compare")
    assert "do not measure the same thing" in texts(app)
    select = by_label(app.selectbox, "Trained on")
    select.select_index(select.options.index("blobs.npz")).run()
    assert set(rows(app)) == {"plain", "dropout", "again"}
    assert "do not measure the same thing" not in texts(app)


def test_accuracy_stands_beside_the_run_and_the_gap_is_in_points(store: RunStore, open_page):
    table = open_page("compare").dataframe[0].value.set_index("Run")
    assert table.columns[1] == "Test accuracy"
    summary = Summary.of(store.get("plain"))
    gap = 100 * (summary.train_accuracy - summary.test_accuracy)
    assert table.loc["plain", "Gap, points"] == pytest.approx(gap)


def test_settings_and_accuracy_are_of_the_chosen_runs_images(store: RunStore) -> None:
    assert "Two runs or more" in texts(open_compare("other"))
    app = open_compare("plain,other")
    assert "Runs on blobs" in texts(app)
    names, *settings, accuracy = figure(app, "parallel")["data"][0]["dimensions"]
    assert set(names["ticktext"]) == {"plain", "dropout", "again"}
    assert [axis["label"] for axis in settings] == ["Dropout"]
    assert len(accuracy["values"]) == 3


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("plain", {"plain"}),
        ("dropout=0.4", {"dropout"}),
        ("SEED=7", {"again"}),
        ("dropout=0", {"plain", "again", "other"}),
        ("learning rate=0.001 Seed = 7", {"again"}),
        ("Optimizer=adam Batch normalisation=false dropout=0.4", {"dropout"}),
        ("finished circles", {"other"}),
        ("friday", {"dropout"}),
    ],
)
def test_filter(store: RunStore, open_page, words: str, found: set[str]) -> None:
    store.get("dropout").save_notes("for Friday")
    app = open_page("compare")
    by_label(app.text_input, "Filter").set_value(words).run()
    assert set(rows(app)) == found


def test_what_the_chosen_runs_differ_in_has_an_axis_first(store: RunStore, open_page) -> None:
    """And 0, where it means no limit, stands above what limits."""
    changes = [
        {"train_images": 200},
        {"batch_size": 64, "flip": True, "shift": 2, "cutout": 4, "l2": 0.1, "weight_decay": 0.2},
        {"label_smoothing": 0.1, "patience": 2, "validation": "holdout", "width": 0.5},
    ]
    for number, change in enumerate(changes):
        shutil.copytree(store.root / "plain", store.root / f"extra-{number}")
        run = store.get(f"extra-{number}")
        run.save_config(replace(run.config(), **change))
    app = open_compare("plain,extra-2")
    axes = {one["label"]: one for one in figure(app, "parallel")["data"][0]["dimensions"]}
    assert len(axes) == 10
    assert {"Label smoothing", "Early stopping", "Validation", "Width"} <= set(axes)
    assert axes["Early stopping"]["ticktext"] == ["2", "off"]
    assert "Without an axis: " in texts(app)
    table = app.dataframe[0].value.set_index("Run")["Fewer images"]
    assert table["extra-0"] == 200
    assert math.isnan(table["plain"])


def test_a_filter_that_nothing_passes(store: RunStore, open_page) -> None:
    app = open_page("compare")
    by_label(app.text_input, "Filter").set_value("nothing like it").run()
    assert not app.dataframe
    assert "No run passes" in texts(app)


def test_stars(store: RunStore) -> None:
    app = open_compare("plain,other")
    by_label(app.button, "Star").click().run()
    assert store.get("plain").mark() == store.get("other").mark() == Mark(star=True)
    assert store.get("dropout").mark() == Mark()
    toggle(app, "Starred only")
    assert set(rows(app)) == {"plain", "other"}
    by_label(app.button, "Unstar").click().run()
    assert store.get("plain").mark() == Mark()


def test_name_and_notes(store: RunStore) -> None:
    app = open_compare("plain")
    by_label(app.text_input, "Name").set_value("  Mein <b>bester</b>\tLauf ")
    by_label(app.text_area, "Notes").set_value("for *Friday*\n")
    by_label(app.button, "Save").click().run()
    run = store.get("plain")
    assert (run.mark(), run.notes()) == (Mark("Mein <b>bester</b> Lauf"), "for *Friday*")
    assert "Mein <b>bester</b> Lauf" in app.dataframe[0].value["Name"].tolist()
    assert r"for \*Friday\*" in texts(app)


def test_one_name_for_one_run(store: RunStore) -> None:
    app = open_compare("plain,other")
    assert "Name" not in [widget.label for widget in app.text_input]


def test_delete_asks_and_spares_what_lives(store: RunStore) -> None:
    live = store.get("again")
    with live.working():
        live.append(StateEvent(state=RunState.RUNNING))
        app = open_compare("plain,again")
        assert "cannot be undone" in texts(app)
        assert "that are being trained are left out" in texts(app)
        by_label(app.button, "Delete for good").click().run()
    assert not app.exception
    assert {run.id for run in store.runs()} == {"dropout", "again", "other"}
    assert app.query_params["runs"] == "again"


def test_accuracies_have_two_decimals_always(store: RunStore) -> None:
    columns = open_compare("plain").dataframe[0].proto.columns
    assert '"format": "percent", "step": 0.0001' in columns


def test_groups_are_means(store: RunStore) -> None:
    app = open_compare("again")
    toggle(app, "Group seeds and folds")
    table = app.dataframe[0].value.set_index("Run")
    assert table.loc["plain", "Runs"] == 2
    expected = [Summary.of(store.get(name)).test_accuracy for name in ("plain", "again")]
    assert table.loc["plain", "Test accuracy"] == pytest.approx(sum(expected) / 2)
    deviation = table.loc["plain", "± test accuracy, points"]
    assert deviation == pytest.approx(0), "a copy, but for the seed"
    assert table.loc["other", "Runs"] == 1
    assert "Seed" not in table.columns
    assert "one sample standard deviation" in texts(app)


def test_columns_are_chosen(store: RunStore, open_page) -> None:
    app = open_page("compare")
    by_label(app.multiselect, "Columns").set_value(["run", "batch_size", "device"]).run()
    assert app.dataframe[0].value.columns.tolist() == ["Run", "Batch size", "Device"]


def test_runs_that_ship_can_be_hidden_and_not_be_changed(
    store: RunStore, trained: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR10_REFERENCE_RUNS", str(trained.root))
    app = open_compare("reference/plain")
    assert {"reference/plain", "reference/dropout"} < set(rows(app))
    assert by_label(app.button, "Star").disabled
    assert "Runs that come with the dashboard stay." in texts(app)
    by_label(app.toggle, "Shipped runs").set_value(False).run()
    assert set(rows(app)) == {"plain", "dropout", "again", "other"}


def test_on_an_empty_store_the_runs_that_ship_are_there(
    open_page, trained: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR10_REFERENCE_RUNS", str(trained.root))
    for name in ("compare", "evaluate", "predict"):
        app = open_page(name)
        assert not [info for info in app.info if "Train a network" in info.value]
    assert by_label(app.selectbox, "Run").value == "reference/dropout"
    app.switch_page("pages/train.py").run()
    assert "Nothing has been trained yet" in texts(app)


def test_exports_of_what_the_run_has(store: RunStore) -> None:
    app = open_compare("plain")
    assert by_label(app.selectbox, "Run to export").options == ["plain"]
    form = by_label(app.selectbox, "Form")
    assert len(form.options) == 7
    empty = store.create(TrainingConfig(), "empty")
    empty.append(StateEvent(state=RunState.FAILED))
    app = open_compare("empty")
    assert len(by_label(app.selectbox, "Form").options) == 1
    assert not app.exception


def test_a_form_is_offered_and_made_by_its_entry(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    word = Form("a word", ".txt", at_once=lambda run, _translate: run.id.encode(), needs="epochs")
    monkeypatch.setitem(FORMS, "word", word)
    app = open_compare("plain")
    form = by_label(app.selectbox, "Form")
    assert form.options[-1] == "a word"
    form.select("word").run()
    by_label(app.button, "Download").click().run()
    assert not app.exception
    (handed,) = component(app, "download")
    assert (handed["name"], handed["mime"]) == ("plain.txt", "text/plain")
    assert base64.b64decode(handed["content"]) == b"plain"


def test_a_conversion_ends_in_a_download(store: RunStore) -> None:
    app = open_compare("plain")
    by_label(app.selectbox, "Form").select("tflite").run()
    by_label(app.button, "Convert").click().run()
    conversion = cached.conversion(Summary.of(store.get("plain")), "tflite")
    for _ in range(600):
        if not conversion.is_running:
            break
        time.sleep(0.1)
    app.run()
    assert not app.exception
    assert (conversion.error, conversion.output.name) == ("", "plain.tflite")
    assert "Convert" not in [button.label for button in app.button]
    assert "Download" in [button.label for button in app.button]


def test_a_conversion_that_fails_says_why(store: RunStore) -> None:
    store.get("plain").model_path.write_bytes(b"no network")
    app = open_compare("plain")
    by_label(app.selectbox, "Form").select("savedmodel").run()
    by_label(app.button, "Convert").click().run()
    conversion = cached.conversion(Summary.of(store.get("plain")), "savedmodel")
    for _ in range(600):
        if not conversion.is_running:
            break
        time.sleep(0.1)
    app.run()
    assert [e.value for e in app.error if "network cannot be read" in e.value]
    assert not by_label(app.button, "Convert").disabled
