"""Runs that are gone, damaged or somebody else's: a sentence on every page, and the others live."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.config import TrainingConfig
from cifar_core.runs.events import BatchEvent, EpochEvent, RunState, StateEvent
from cifar_core.runs.store import RunStore
from cifar_core.runs.summary import Summary
from tests.conftest import ROOT
from tests.disk import full_disk
from tests.pages.elements import by_label, labels, texts
from ui.session.keys import Key

PAGES = ("train", "evaluate", "predict", "compare")
ONE_BY_ONE = ("train", "evaluate", "predict")


@pytest.fixture
def runs(open_page, trained_copy: RunStore) -> RunStore:
    """'plain' and 'dropout', the dashboard's own, to be written to."""
    return trained_copy


def show(page: str, run: str) -> AppTest:
    """A page with a run chosen."""
    app = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60).run()
    app.switch_page(f"pages/{page}.py").run()
    by_label(app.selectbox, "Run").set_value(run).run()
    assert not app.exception
    return app


def unescaped(text: str) -> str:
    """Without what keeps Markdown off."""
    return text.replace("\\", "")


@pytest.mark.parametrize("page", ONE_BY_ONE)
def test_a_run_that_is_deleted_while_it_is_on_show_is_told(runs: RunStore, page: str) -> None:
    app = show(page, "plain")
    shutil.rmtree(runs.get("plain").path)
    app.run()
    assert not app.exception
    assert [unescaped(one.value) for one in app.warning] == [
        "This run is gone: plain. It was deleted or moved. Choose another one."
    ]
    assert by_label(app.selectbox, "Run").value is None, "no other run in its place"
    app.run()
    assert len(app.warning) == 1, "until another one is chosen"
    by_label(app.selectbox, "Run").set_value("dropout").run()
    assert not app.exception
    assert not [one for one in app.warning if "gone" in one.value]
    app.run()
    assert by_label(app.selectbox, "Run").value == "dropout"


@pytest.mark.parametrize("page", ONE_BY_ONE)
def test_a_link_to_a_run_that_is_gone_says_so(runs: RunStore, page: str) -> None:
    app = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60)
    app.query_params["run"] = "[a]_b_"
    app.run()
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    (warning,) = app.warning
    assert r"\[a\]\_b\_" in warning.value
    assert unescaped(warning.value).startswith("This run is gone: [a]_b_.")
    assert by_label(app.selectbox, "Run").value is None


def test_a_run_that_is_deleted_is_asked_for_no_other_answer(runs: RunStore) -> None:
    app = show("predict", "plain")
    app.toggle(key=f"{Key.WHY}-test").set_value(True).run()
    assert not app.exception
    shutil.rmtree(runs.get("plain").path)
    by_label(app.button, "Random test image").click().run()
    assert not app.exception
    assert "This run is gone: plain" in unescaped(texts(app))


def test_a_kernel_of_a_run_that_is_gone_is_told(runs: RunStore) -> None:
    app = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60)
    app.query_params.update({"run": "plain", "part": "convolution"})
    app.run()
    app.switch_page("pages/model.py").run()
    by_label(app.selectbox, "Kernel").set_value("learned").run()
    assert not app.exception
    assert by_label(app.selectbox, "Run").value == "plain"
    shutil.rmtree(runs.get("plain").path)
    app.run()
    assert not app.exception
    assert "This run is gone: plain" in unescaped(texts(app))


def test_compare_tells_of_runs_that_are_gone_and_shows_the_others(runs: RunStore) -> None:
    app = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60)
    app.query_params["runs"] = "plain,lost"
    app.run()
    app.switch_page("pages/compare.py").run()
    assert not app.exception
    assert [unescaped(one.value) for one in app.toast] == [
        "This run is gone: lost. It was deleted or moved. Choose another one."
    ]
    assert app.session_state[Key.RUNS] == ["plain"]
    shutil.rmtree(runs.get("plain").path)
    app.run()
    assert not app.exception
    assert ["plain" in one.value for one in app.toast] == [True]


def test_a_press_on_a_run_that_is_gone_is_a_sentence(runs: RunStore) -> None:
    app = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60)
    app.query_params["runs"] = "plain"
    app.run()
    app.switch_page("pages/compare.py").run()
    shutil.rmtree(runs.get("plain").path)
    by_label(app.button, "Star").click().run()
    assert not app.exception
    assert ["this run is gone" in one.value for one in app.error] == [True]
    assert not (runs.root / "plain").exists(), "no ghost"


@pytest.mark.parametrize("page", PAGES)
def test_a_bad_folder_hurts_no_other_run(runs: RunStore, page: str) -> None:
    (runs.get("plain").path / "notes.md").write_bytes("Größe".encode("latin-1"))
    (runs.get("plain").path / "user.json").write_text("{")
    newer = runs.root / "newer _run_"
    newer.mkdir()
    values = TrainingConfig().to_json() | {"setting_of_tomorrow": 3}
    (newer / "config.json").write_text(json.dumps(values))
    app = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60)
    app.query_params["run" if page != "compare" else "runs"] = "plain"
    app.run()
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    assert "1 run cannot be read" in labels(app.expander)
    told = texts(app)
    assert r"**newer \_run\_**" in told
    assert r"setting\_of\_tomorrow" in told
    assert r"notes\.md is not UTF\-8" in told
    assert r"user\.json cannot be read" in told


def test_evaluate_goes_without_an_environment(runs: RunStore) -> None:
    (runs.get("plain").path / "environment.json").unlink()
    app = show("evaluate", "plain")
    assert by_label(app.metric, "Test accuracy").value.endswith("%")
    for aspect in ("classes", "mistakes", "difference", "calibration"):
        app.segmented_control(key="aspect").set_value(aspect).run()
        assert not app.exception


def test_train_accuracy_says_what_it_is_of(runs: RunStore) -> None:
    app = show("evaluate", "dropout")
    assert by_label(app.metric, "Train accuracy").delta == "on 400 of its images"
    old = runs.create(TrainingConfig(epochs=1), "old")
    figures = {"loss": 1.0, "accuracy": 0.7, "val_loss": 1.0, "val_accuracy": 0.6, "seconds": 1.0}
    old.append(EpochEvent(step=1, epoch=1, **figures))
    old.append(replace(END, train_accuracy=0.7))
    app = show("evaluate", "old")
    assert by_label(app.metric, "Train accuracy").delta == "running mean of epoch 1"
    lost = runs.create(TrainingConfig(epochs=1), "lost")  # its log's line of the epoch is damaged
    lost.append(replace(END, train_accuracy=0.7))
    app = show("evaluate", "lost")
    assert by_label(app.metric, "Train accuracy").delta == "running mean of its epoch"


END = StateEvent(state=RunState.FINISHED, epoch=1, test_accuracy=0.6, test_loss=1.0, seconds=1.0)


def test_a_full_disk_is_a_sentence_and_leaves_nothing(runs: RunStore) -> None:
    app = show("train", "plain")
    before = sorted(runs.root.iterdir())
    for label in ("Start training", "Go on"):
        with full_disk():
            by_label(app.button, label).click().run()
        assert not app.exception
        assert ["must be writable" in one.value for one in app.error] == [True]
        assert sorted(runs.root.iterdir()) == before
        assert [run.state() for run in runs.runs()] == [RunState.FINISHED] * 2


def test_a_run_that_a_page_cannot_show_stays_the_chosen_one(runs: RunStore) -> None:
    live = runs.create(TrainingConfig(), "live")
    with live.working():
        live.append(StateEvent(state=RunState.RUNNING))
        app = show("train", "live")
        app.switch_page("pages/predict.py").run()
        assert by_label(app.selectbox, "Run").value in ("plain", "dropout")
        assert not app.exception
        app.switch_page("pages/train.py").run()
        assert by_label(app.selectbox, "Run").value == "live"


def test_a_damaged_export_is_a_sentence(runs: RunStore) -> None:
    (runs.get("plain").path / "predictions.npz").write_bytes(b"no zip")
    app = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60)
    app.query_params["runs"] = "plain"
    app.run()
    app.switch_page("pages/compare.py").run()
    by_label(app.button, "Download").click().run()
    assert not app.exception
    assert ["predictions cannot be read" in one.value for one in app.error] == [True]
    app = show("evaluate", "dropout")
    app.segmented_control(key="aspect").set_value("difference").run()
    assert not app.exception


def test_going_on_that_failed_is_told_beside_the_result(runs: RunStore) -> None:
    run = runs.get("plain")
    run.append(StateEvent(state=RunState.STARTING))
    run.append(StateEvent(state=RunState.FAILED, message="the images [moved]_away_"))
    accuracy = Summary.of(run).test_accuracy
    told = texts(show("train", "plain"))
    assert f"Finished after 3 epochs · test accuracy {accuracy:.2%}" in told
    assert r"Training longer failed before it began: the images \[moved\]\_away\_" in told


# The live line


def batches(*times: float) -> list[BatchEvent]:
    figures = {"epoch": 1, "loss": 1.0, "accuracy": 0.5, "images_per_second": 100.0}
    return [BatchEvent(time=at, step=10 * (n + 1), **figures) for n, at in enumerate(times)]


def texts_of_progress(app: AppTest) -> str:
    return "\n".join(element.proto.text for element in app.get("progress"))


def test_time_left_is_the_pace_of_the_last_minute(runs: RunStore) -> None:
    """A laptop slept for an hour between two steps, and its clock was set back before."""
    run = runs.create(TrainingConfig(epochs=1, batch_size=1), "live")
    run.save_environment({"train_images": 140})
    run.append(StateEvent(state=RunState.RUNNING, time=99_000.0))
    for event in batches(1000.0, 1001.0, 5000.0, 5002.0, 5004.0):
        run.append(event)
    with run.working():
        assert "step 50 of 140 · 18 s left" in texts_of_progress(show("train", "live"))


def test_a_long_silence_is_told(runs: RunStore) -> None:
    run = runs.create(TrainingConfig(epochs=1, batch_size=1), "live")
    run.save_environment({"train_images": 140})
    run.append(StateEvent(state=RunState.RUNNING))
    for event in batches(1000.0, 1002.0):
        run.append(event)
    with run.working():
        assert "no news" not in texts_of_progress(show("train", "live"))
        log = run.path / "events.jsonl"
        long_ago = log.stat().st_mtime - 3 * 60
        os.utime(log, (long_ago, long_ago))
        assert "no news for 3:0" in texts_of_progress(show("train", "live"))
