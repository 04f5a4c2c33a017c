"""The runs that ship, and how a run becomes one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cifar_core.analysis import evaluation
from cifar_core.config import PRESETS
from cifar_core.data import load_data
from cifar_core.network.predict import predict_probabilities
from cifar_core.runs.events import BatchEvent, RunState
from cifar_core.runs.store import RunStore
from cifar_core.runs.summary import Summary
from reference_runs.add import ROOT, add, add_printed, check_pictures, thin
from tests.conftest import ROOT as PROJECT

SHIPPED = RunStore(ROOT)
WITH_MODEL = [run for run in SHIPPED.runs() if run.has_model()]


def by_name(run) -> str:
    return run.id


def test_the_printed_histories_ship() -> None:
    assert {"printed-baseline", "printed-dropout"} <= {run.id for run in SHIPPED.runs()}
    for name, accuracy in (("baseline", 0.7117), ("dropout", 0.7329)):
        summary = Summary.of(SHIPPED.get(f"printed-{name}"))
        assert summary.config == PRESETS[f"tutorial-{name}"]
        assert summary.epochs == summary.config.epochs
        assert (summary.test_accuracy, summary.data_name) == (accuracy, "CIFAR-10")


def test_they_are_small_and_name_no_path() -> None:
    files = [file for run in SHIPPED.runs() for file in run.path.iterdir()]
    assert sum(file.stat().st_size for file in files) < 6e6
    allowed = {"config.json", "environment.json", "events.jsonl", "model.keras"}
    allowed |= {"predictions.npz", "novelty.npz", "notes.md"}
    assert {file.name for file in files} <= allowed
    for file in files:
        if file.suffix in (".json", ".jsonl", ".md"):
            assert not re.search(r"[\"\s](/|[A-Z]:\\)\w", file.read_text(encoding="utf-8")), file


@pytest.mark.parametrize("run", WITH_MODEL, ids=by_name)
def test_each_network_says_what_is_stored_beside_it(run) -> None:
    found = predict_probabilities(run.load_model(), check_pictures())
    np.testing.assert_allclose(found, run.environment()["check"], atol=1e-4)
    predictions, summary = run.predictions(), Summary.of(run)
    assert evaluation.accuracy(predictions) == summary.test_accuracy
    assert evaluation.cross_entropy(predictions) == pytest.approx(summary.test_loss, abs=1e-6)


@pytest.mark.real_images
@pytest.mark.parametrize("run", WITH_MODEL, ids=by_name)
def test_each_network_has_its_accuracy_on_the_real_images(run, real_zip: Path) -> None:
    data = load_data(str(real_zip))
    assert data.source.checksum == run.environment()["data"]["checksum"]
    found = predict_probabilities(run.load_model(), data.x_test)
    stored = run.predictions()
    np.testing.assert_array_equal(stored.labels, data.y_test)
    np.testing.assert_allclose(found, stored.probabilities, atol=1e-4)
    assert np.mean(found.argmax(axis=1) == data.y_test) == pytest.approx(
        Summary.of(run).test_accuracy, abs=2e-4
    )


def test_a_run_made_to_ship_keeps_what_counts(trained: RunStore, tmp_path: Path) -> None:
    run = trained.get("dropout")
    new = add(run, "best", tmp_path)
    assert sorted(file.name for file in new.path.iterdir()) == [
        "config.json",
        "environment.json",
        "events.jsonl",
        "model.keras",
        "novelty.npz",
        "predictions.npz",
        "status.json",
    ]
    old, summary = Summary.of(run), Summary.of(new)
    assert summary.state is RunState.FINISHED
    for name in ("config", "last", "test_loss", "test_accuracy", "seconds", "kept_epoch"):
        assert getattr(summary, name) == getattr(old, name)
    assert new.history().epochs == run.history().epochs
    environment = new.environment()
    assert (environment["spec"], environment["data"]["location"]) == ("", "")
    assert environment["data"]["checksum"] == run.environment()["data"]["checksum"]
    assert environment["started"] == run.environment()["started"]
    np.testing.assert_array_equal(new.predictions().probabilities, run.predictions().probabilities)
    np.testing.assert_array_equal(
        predict_probabilities(new.load_model(), check_pictures()),
        predict_probabilities(run.load_model(), check_pictures()),
    )


def test_thinned_batches_are_means_by_steps() -> None:
    steps = [1, 2, 4, 7, 8, 11]
    epochs = [1, 1, 1, 1, 2, 2]
    events = [
        BatchEvent(step=s, epoch=e, loss=s, accuracy=s / 20, images_per_second=s)
        for s, e in zip(steps, epochs, strict=True)
    ]
    assert [(event.step, event.epoch) for event in thin(events, 3)] == [(2, 1), (7, 1), (11, 2)]
    assert [event.loss for event in thin(events, 3)] == pytest.approx(
        [1.5, (4 * 2 + 7 * 3) / 5, (8 * 1 + 11 * 3) / 4]
    )
    assert [event.loss for event in thin(events, 6)] == pytest.approx(steps)


def test_printed_histories_are_read_as_printed(tmp_path: Path) -> None:
    path = tmp_path / "printed.csv"
    path.write_text(
        "run,epoch,epochs,seconds,ms_per_step,loss,accuracy,val_loss,val_accuracy\n"
        "baseline,1,10,60,38,1.5249,0.4436,1.2871,0.5290\n"
        "dropout,1,15,51,32,1.5991,0.4103,1.2660,0.5516\n"
        "dropout,2,15,50,32,1.2697,0.5447,1.1952,0.5719\n"
    )
    baseline, dropout = add_printed(path, tmp_path / "runs")
    assert [event.val_accuracy for event in dropout.history().epochs] == [0.5516, 0.5719]
    assert Summary.of(dropout).seconds == 101
    assert Summary.of(baseline).test_accuracy == 0.5290


def test_a_run_that_ships_on_the_command_line(trained: RunStore, tmp_path: Path) -> None:
    from PIL import Image

    add(trained.get("plain"), "best", tmp_path / "shipped")
    photo = tmp_path / "photo.png"
    Image.new("RGB", (80, 60), (200, 30, 30)).save(photo)
    environment = {
        "CIFAR10_REFERENCE_RUNS": str(tmp_path / "shipped"),
        "CIFAR10_RUNS": str(tmp_path / "none"),
    }

    def answer(*arguments: str) -> object:
        command = [sys.executable, "-m", "cifar_core", *arguments, "--json"]
        done = subprocess.run(
            command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)

    (prediction,) = answer("predict", "reference/best", str(photo))
    assert prediction["label"] in prediction["probabilities"]
    assert [run["run"] for run in answer("runs")] == ["reference/best"]
    accuracy = Summary.of(trained.get("plain")).test_accuracy
    assert answer("evaluate", "reference/best")["accuracy"] == accuracy
