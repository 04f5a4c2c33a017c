"""The command line, as a process, the way it is used."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cifar_core.config import PRESETS, TrainingConfig
from cifar_core.data import Dataset
from cifar_core.runs.events import RunState
from cifar_core.runs.store import RunStore
from cifar_core.runs.summary import Summary
from tests.conftest import ROOT


@pytest.fixture
def environment(tmp_path: Path, blobs_npz: Path) -> dict[str, str]:
    return {
        **os.environ,
        "CIFAR10_RUNS": str(tmp_path / "runs"),
        "CIFAR10_CACHE": str(tmp_path / "cache"),
        "CIFAR10_DATA": str(blobs_npz),
    }


def cifar(environment: dict[str, str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cifar_core", *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def answer(environment: dict[str, str], *arguments: str | Path) -> object:
    done = cifar(environment, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_from_training_to_prediction(environment: dict[str, str], tmp_path: Path) -> None:
    done = cifar(environment, "train", "--epochs", "4", "--name", "first", "--json")
    assert done.returncode == 0, done.stderr
    trained = json.loads(done.stdout)
    assert (trained["run"], trained["state"], trained["epochs"]) == ("first", "finished", 4)
    assert trained["test_accuracy"] > 0.5
    assert done.stderr.count("epoch ") == 4
    assert "0000 00:00" not in done.stderr, "TensorFlow's start-up notices are kept away"

    left = {path.name for path in (tmp_path / "runs" / "first").iterdir()}
    assert left >= {"config.json", "environment.json", "events.jsonl", "model.keras"}
    assert left >= {"checkpoint.keras", "predictions.npz"}

    (listed,) = answer(environment, "runs")
    assert listed == trained
    evaluated = answer(environment, "evaluate", "first")
    assert evaluated["accuracy"] == trained["test_accuracy"]
    assert evaluated["loss"] == trained["test_loss"]
    assert np.sum(evaluated["confusion_matrix"]) == 200
    assert len(evaluated["per_class"]) == 10
    low, high = evaluated["interval"]
    assert low < evaluated["accuracy"] <= high  # a perfect one is its own upper end
    assert 0 <= evaluated["calibration_error"] <= 1

    (one,) = answer(environment, "predict", "first", "--index", "3")
    assert (one["image"], one["index"], one["true_label"]) == (None, 3, "cat")
    assert one["known"] is True
    assert sum(one["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert one["label"] == max(one["probabilities"], key=one["probabilities"].get)
    with np.load(tmp_path / "runs" / "first" / "predictions.npz") as saved:
        expected = saved["probabilities"][3]
    np.testing.assert_allclose(list(one["probabilities"].values()), expected, atol=1e-5)

    (drawn,) = answer(environment, "predict", "first", "--random")
    assert 0 <= drawn["index"] < 200

    photos = [tmp_path / "a.png", tmp_path / "b.jpg"]
    for photo in photos:
        Image.new("RGB", (90, 60), (200, 30, 30)).save(photo)
    found = answer(environment, "predict", "first", *photos)
    assert [entry["image"] for entry in found] == [str(photo) for photo in photos]
    assert {entry["true_label"] for entry in found} == {None}
    assert {entry["known"] for entry in found} == {False}, "a plain red picture is none of the ten"


@pytest.mark.slow
def test_ctrl_c_stops_gracefully(environment: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cifar_core", "train", "--epochs", "1000", "--json"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as worker:
        for line in worker.stderr:
            if line.startswith("epoch 2/"):
                break
        worker.send_signal(signal.SIGINT)
        out, _ = worker.communicate(timeout=60)
    assert worker.returncode == 0
    ended = json.loads(out)
    assert ended["state"] == "stopped"
    assert 2 <= ended["epochs"] < 1000
    assert ended["test_accuracy"] is not None
    left = {path.name for path in (tmp_path / "runs" / ended["run"]).iterdir()}
    assert left >= {"model.keras", "checkpoint.keras", "predictions.npz"}


def wrong_npz(folder: Path) -> Path:
    path = folder / "wrong.npz"
    x, y = np.zeros((4, 28, 28), np.uint8), np.arange(4)
    np.savez(path, x_train=x, y_train=y, x_test=x, y_test=y)
    return path


def zip_without_train(folder: Path) -> Path:
    path = folder / "no-train.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("test/cat/1.jpg", b"")
    return path


def zip_with_half_an_image(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    picture = folder / "whole.jpg"
    Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(picture)
    whole = picture.read_bytes()
    path = folder / "half.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for split in ("train", "test"):
            for name in ("cat", "dog"):
                for number in range(2):
                    archive.writestr(f"{split}/{name}/{number}.jpg", whole)
        archive.writestr("train/dog/9.jpg", whole[: len(whole) // 2])
    return path


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda folder: folder / "nowhere.zip", "nowhere.zip"),
        (zip_without_train, "train"),
        (wrong_npz, "x_train"),
        (zip_with_half_an_image, "train/dog/9.jpg"),
    ],
    ids=["missing", "no-train", "wrong-npz", "half-image"],
)
def test_wrong_data_is_one_line_and_leaves_no_run(
    environment: dict[str, str], tmp_path: Path, make, named: str
) -> None:
    done = cifar(environment, "train", "--epochs", "1", "--data", make(tmp_path))
    assert_one_line(done, named)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (["--validation", "holdout"], "Received: 4"),
        (["--validation", "folds"], "folds=5 for 4"),
        (["--validation", "folds", "--fold", "3"], "folds=5 for 4"),
    ],
)
def test_images_too_few_to_share_out_are_one_line_and_leave_no_run(
    environment: dict[str, str], tmp_path: Path, blobs: Dataset, settings: list[str], named: str
) -> None:
    names = ("x_train", "y_train", "x_test", "y_test")
    np.savez(tmp_path / "four.npz", **{name: getattr(blobs, name)[:4] for name in names})
    done = cifar(environment, "train", "--data", tmp_path / "four.npz", *settings)
    assert_one_line(done, named)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["train", "--epochs", "0"], "epochs"),
        (["train", "--dropout", "1.2"], "dropout=1.2"),
        (["train", "--fold", "6"], "fold=6"),
        (["train", "--schedule", "magic"], "schedule='magic'"),
        (["train", "--width", "3"], "width=3.0"),
        (["train", "--epochs", "many"], "many"),
        (["train", "--preset", "magic"], "magic"),
        (["train", "--no-such-option"], "--no-such-option"),
        (["train", "--optimzer", "sgd"], "'--optimizer', which is '--optimiser'"),
        (["train", "--dropuot=0.4"], "Did you mean '--dropout'?"),
        (["train", "-epochs", "3"], "Did you mean '--epochs'?"),
        (["predict", "nobody", "--randon"], "Did you mean '--random'?"),
        (["train", "--optimizer", "nonsense"], "optimiser='nonsense'"),
        (["train", "--color", "graay"], "Did you mean 'gray', which is 'grey'?"),
        (["train", "--no-standardize", "--epochs", "0"], "epochs=0"),
        (["train", "--precision", "mixed_float16"], "'mixed_bfloat16', which is 'mixed'"),
        (["evaluate", "nobody"], "nobody"),
        (["predict", "nobody", "--index", "1"], "nobody"),
        (["predict", "nobody"], "--index"),
        (["predict", "../../etc", "--random"], "../../etc"),
        (["frobnicate"], "frobnicate"),
        ([], "COMMAND"),
    ],
)
def test_wrong_use_is_one_line(
    environment: dict[str, str], arguments: list[str], named: str
) -> None:
    assert_one_line(cifar(environment, *arguments), named)


def assert_one_line(done: subprocess.CompletedProcess[str], named: str) -> None:
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert named in done.stderr


def test_other_spellings_of_settings_are_understood(
    environment: dict[str, str], tmp_path: Path
) -> None:
    words = "--optimizer SGD --Color=Gray --standardize --batch_normalization --batch_size 64"
    words += " --precision mixed_bfloat16 --validation hold-out --schedule one_cycle --preset Best"
    words += " --device CPU --no-batch-normalisation --opt adamw --epochs 1 --name twins"
    ended = answer(environment, "train", *words.split())
    expected = replace(
        PRESETS["best"],
        epochs=1,
        optimiser="adamw",
        colour="grey",
        batch_norm=False,
        batch_size=64,
        precision="mixed",
        validation="holdout",
        device="cpu",
    )
    assert ended["config"] == expected.to_json()
    assert RunStore(tmp_path / "runs").get("twins").config() == expected


@pytest.mark.parametrize("command", ["data", "train", "runs", "evaluate", "predict"])
def test_help_has_an_example(environment: dict[str, str], command: str) -> None:
    done = cifar(environment, command, "--help")
    assert done.returncode == 0
    assert f"example: python -m cifar_core {command}" in done.stdout
    assert "--json" in done.stdout


def test_no_runs_yet_says_the_next_step(environment: dict[str, str]) -> None:
    assert "python -m cifar_core train" in cifar(environment, "runs").stdout
    assert answer(environment, "runs") == []


@pytest.mark.slow
def test_a_run_that_fails_says_so(environment: dict[str, str], tmp_path: Path) -> None:
    run = RunStore(tmp_path / "runs").create(TrainingConfig(epochs=1), "bound-to-fail")
    run.model_path.mkdir()  # what is to be a file
    done = cifar(environment, "train", "--run", run.id)
    assert done.returncode == 1
    summary = Summary.of(run)
    assert summary.state is RunState.FAILED
    assert "model.keras" in summary.message
    assert "\n" not in summary.message


def weights(store: RunStore, name: str) -> list[np.ndarray]:
    return store.get(name).load_model().get_weights()


@pytest.mark.slow
def test_a_run_goes_on_where_it_was_killed_or_ended(
    environment: dict[str, str], tmp_path: Path
) -> None:
    settings = ["--epochs", "4", "--dropout", "0.4", "--seed", "3", "--deterministic"]
    settings += ["--flip", "--schedule", "cosine", "--patience", "4"]
    whole = answer(environment, "train", "--name", "whole", *settings)

    command = [sys.executable, "-m", "cifar_core", "train", "--name", "killed", *settings]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    ) as worker:
        for line in worker.stderr:
            if line.startswith("epoch 2/"):
                break
        worker.kill()
    store = RunStore(tmp_path / "runs")
    assert store.get("killed").state() is RunState.INTERRUPTED
    resumed = answer(environment, "train", "--resume", "killed")
    assert resumed["state"] == "finished"
    assert (resumed["test_loss"], resumed["test_accuracy"]) == (
        whole["test_loss"],
        whole["test_accuracy"],
    )
    for one, other in zip(weights(store, "whole"), weights(store, "killed"), strict=True):
        np.testing.assert_array_equal(one, other)
    figures = [(e.step, e.loss, e.val_loss) for e in store.get("whole").history().epochs]
    again = [(e.step, e.loss, e.val_loss) for e in store.get("killed").history().epochs]
    assert [step for step, _, _ in again] == [step for step, _, _ in figures]
    np.testing.assert_allclose(again, figures, rtol=1e-6)

    longer = answer(environment, "train", "--resume", "whole", "--epochs", "6")
    assert (longer["state"], longer["epochs"], longer["config"]["epochs"]) == ("finished", 6, 6)
    assert longer["seconds"] > whole["seconds"]
    for wrong, named in (
        (["whole"], "6 of 6"),
        (["whole", "--epochs", "2"], "6 of 2"),
        (["whole", "--epochs", "0"], "epochs=0"),
        (["whole", "--dropout", "0.5"], "--dropout"),
        (["nobody"], "nobody"),
    ):
        assert_one_line(cifar(environment, "train", "--resume", *wrong), named)


@pytest.mark.slow
def test_early_stopping_keeps_the_best_epochs_network(
    environment: dict[str, str], tmp_path: Path
) -> None:
    # A rate that grows into nonsense: the best epoch is not the last one.
    settings = ["--epochs", "30", "--patience", "2", "--learning-rate", "0.02"]
    ended = answer(environment, "train", "--name", "early", *settings)
    assert (ended["state"], ended["config"]["patience"]) == ("finished", 2)
    run = RunStore(tmp_path / "runs").get("early")
    summary, epochs = Summary.of(run), run.history().epochs
    assert len(epochs) == summary.kept_epoch + 2 < 30
    kept = epochs[summary.kept_epoch - 1]
    assert kept.val_loss == min(event.val_loss for event in epochs)
    assert summary.test_loss == pytest.approx(kept.val_loss, rel=1e-6)  # the test set validates
    assert summary.status.kept == kept
    assert summary.train_images == 400, "measured on the network that is kept"


@pytest.mark.slow
def test_cross_validation_is_a_run_for_each_fold(
    environment: dict[str, str], tmp_path: Path
) -> None:
    ended = answer(
        environment,
        "train",
        "--epochs",
        "1",
        "--validation",
        "folds",
        "--folds",
        "3",
        "--name",
        "x",
    )
    assert [one["run"] for one in ended["runs"]] == ["x-fold1", "x-fold2", "x-fold3"]
    accuracies = [one["test_accuracy"] for one in ended["runs"]]
    assert ended["test_accuracy"]["mean"] == pytest.approx(np.mean(accuracies))
    assert ended["test_accuracy"]["deviation"] == pytest.approx(np.std(accuracies, ddof=1))
    assert ended["validation_accuracy"]["count"] == 3


@pytest.mark.slow
def test_a_run_that_diverges_fails_with_a_remedy(
    environment: dict[str, str], tmp_path: Path
) -> None:
    done = cifar(environment, "train", "--optimiser", "sgd", "--learning-rate", "10")
    assert done.returncode == 1
    assert "lower learning rate" in done.stderr.splitlines()[-1]
    (run,) = RunStore(tmp_path / "runs").runs()
    assert run.state() is RunState.FAILED


def test_a_gpu_that_is_not_there_is_told(environment: dict[str, str], tmp_path: Path) -> None:
    none = {**environment, "CUDA_VISIBLE_DEVICES": ""}
    done = cifar(none, "train", "--epochs", "1", "--device", "gpu")
    assert done.returncode == 2
    assert "device='gpu'" in done.stderr.splitlines()[-1]
    assert RunStore(tmp_path / "runs").runs() == [], "no run is made for nothing"


def test_what_trains_is_said(environment: dict[str, str]) -> None:
    settings = ["--epochs", "1", "--train-images", "60", "--batch-size", "100"]
    done = cifar(environment, "train", *settings)
    assert done.returncode == 0, done.stderr
    assert "on 60 images" in done.stderr
    assert "finished after 1 epoch: " in done.stdout
    assert "    1 epoch " in cifar(environment, "runs").stdout
    assert "a batch of 100 is more than the 60 images" in done.stderr


def test_runs_lists_what_cannot_be_read(environment: dict[str, str], tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs")
    good = store.create(TrainingConfig(), "good")
    (good.path / "notes.md").write_bytes(b"Gr\xf6\xdfe")
    newer = store.create(TrainingConfig(), "newer")
    values = {**TrainingConfig().to_json(), "setting_of_tomorrow": 3}
    (newer.path / "config.json").write_text(json.dumps(values))
    listed = answer(environment, "runs")
    assert [one["run"] for one in listed] == ["good", "newer"]
    assert listed[1]["state"] == "unreadable"
    assert listed[0]["problems"] == ["notes.md is not UTF-8"]
    assert "setting_of_tomorrow" in listed[1]["problems"][0]
    done = cifar(environment, "runs")
    assert "cannot be read" in done.stdout
    for command in (["evaluate"], ["predict", "--index", "0"], ["train", "--resume"]):
        done = cifar(environment, *command, "newer")
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


def test_a_run_that_a_name_of_any_language_has(environment: dict[str, str]) -> None:
    assert answer(environment, "train", "--epochs", "1", "--name", "猫 1")["run"] == "猫 1"
    assert answer(environment, "evaluate", "猫 1")["run"] == "猫 1"
    assert answer(environment, "train", "--resume", "猫 1", "--epochs", "2")["epochs"] == 2
    done = cifar(environment, "train", "--name", "CON")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


@pytest.mark.slow
def test_a_run_goes_on_with_its_own_images_only(
    environment: dict[str, str], tmp_path: Path, blobs: Dataset
) -> None:
    answer(environment, "train", "--epochs", "1", "--name", "one")
    other = tmp_path / "other.npz"
    names = ("x_train", "y_train", "x_test", "y_test")
    np.savez(other, **{name: getattr(blobs, name)[:100] for name in names})
    done = cifar(environment, "train", "--resume", "one", "--epochs", "2", "--data", other)
    assert done.returncode == 2
    assert "other.npz" in done.stderr.splitlines()[-1]
