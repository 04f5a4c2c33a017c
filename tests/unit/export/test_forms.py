"""Every form of a run is read again by another program's means and says the same."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from cifar_core.cli import main
from cifar_core.config import TrainingConfig
from cifar_core.data import Dataset
from cifar_core.errors import ConfigError, RunError
from cifar_core.export import FORMS, Form, export
from cifar_core.network.predict import predict_probabilities, softmax
from cifar_core.runs.run import Run
from cifar_core.runs.store import RunStore
from cifar_core.workers.worker import execute
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def runs(trained: RunStore, blobs_npz: Path, tmp_path_factory: pytest.TempPathFactory):
    """A run of each kind of network: the tutorial's with dropout, and one that has all else."""
    store = RunStore(tmp_path_factory.mktemp("export"))
    config = TrainingConfig(
        epochs=1, colour="grey", standardise=True, batch_norm=True, network="compact"
    )
    execute(store.create(config, "compact"), str(blobs_npz))
    config = TrainingConfig(epochs=1, precision="mixed")
    execute(store.create(config, "mixed"), str(blobs_npz))
    return {
        "mixed": store.get("mixed"),
        "tutorial": trained.get("dropout"),
        "compact": store.get("compact"),
    }


@pytest.fixture(params=["tutorial", "compact"])
def run(request: pytest.FixtureRequest, runs) -> Run:
    return runs[request.param]


@pytest.fixture
def pixels(run: Run, blobs: Dataset) -> np.ndarray:
    """Test images as the run's network takes them, float32."""
    from cifar_core.data.images import to_channels

    channels = 1 if run.config().colour == "grey" else 3
    return np.asarray(to_channels(blobs.x_test, channels), dtype=np.float32)


def assert_same(found: np.ndarray, run: Run) -> None:
    np.testing.assert_allclose(found, run.predictions().probabilities, atol=1e-5)


def test_keras(run: Run, pixels: np.ndarray, tmp_path: Path) -> None:
    import keras

    export(run, "keras", tmp_path / "model.keras")
    model = keras.models.load_model(tmp_path / "model.keras", compile=False)
    assert_same(softmax(model.predict_on_batch(pixels)), run)


def test_savedmodel(run: Run, pixels: np.ndarray, tmp_path: Path) -> None:
    import tensorflow as tf

    export(run, "savedmodel", tmp_path / "model")
    model = tf.saved_model.load(tmp_path / "model")
    assert_same(model.serve(pixels).numpy(), run)
    (served,) = model.signatures["serving_default"](tf.constant(pixels)).values()
    assert_same(served.numpy(), run)


def test_savedmodel_in_a_zip(run: Run, tmp_path: Path) -> None:
    export(run, "savedmodel", tmp_path / "model.zip")
    with zipfile.ZipFile(tmp_path / "model.zip") as archive:
        assert archive.testzip() is None
        assert "model/saved_model.pb" in archive.namelist()
    assert [path.name for path in tmp_path.iterdir()] == ["model.zip"]


@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
def test_tflite(run: Run, pixels: np.ndarray, tmp_path: Path) -> None:
    import tensorflow as tf

    export(run, "tflite", tmp_path / "model.tflite")
    interpreter = tf.lite.Interpreter(str(tmp_path / "model.tflite"))
    (taken,) = interpreter.get_input_details()
    interpreter.resize_tensor_input(taken["index"], pixels.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(taken["index"], pixels)
    interpreter.invoke()
    (given,) = interpreter.get_output_details()
    assert_same(interpreter.get_tensor(given["index"]), run)


@pytest.mark.parametrize("to", ["savedmodel", "tflite", "onnx"])
@pytest.mark.filterwarnings("ignore:In the future `np.object`:FutureWarning")
def test_a_network_of_mixed_precision_computes_in_float32(runs, tmp_path: Path, to: str) -> None:
    export(runs["mixed"], to, tmp_path / "model")
    if to == "savedmodel":
        import tensorflow as tf

        rng = np.random.default_rng(0)
        images = rng.integers(0, 256, (20, 32, 32, 3)).astype(np.float32)
        model = tf.saved_model.load(tmp_path / "model")
        expected = predict_probabilities(runs["mixed"].load_model(), images.astype(np.uint8))
        np.testing.assert_allclose(model.serve(images).numpy(), expected, atol=0.03)


# Keras's own converter asks NumPy for a name that it will have one day.
@pytest.mark.filterwarnings("ignore:In the future `np.object`:FutureWarning")
def test_onnx(run: Run, pixels: np.ndarray, tmp_path: Path) -> None:
    import onnxruntime

    export(run, "onnx", tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(
        tmp_path / "model.onnx", providers=["CPUExecutionProvider"]
    )
    (taken,) = session.get_inputs()
    assert taken.shape[1:] == list(pixels.shape[1:])
    (found,) = session.run(None, {taken.name: pixels})
    assert_same(found, run)


def test_csv(run: Run, tmp_path: Path) -> None:
    export(run, "csv", tmp_path / "history.csv")
    with (tmp_path / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    epochs = run.history().epochs
    assert len(rows) == len(epochs)
    for row, event in zip(rows, epochs, strict=True):
        for name, value in row.items():
            assert float(value) == getattr(event, name)


def test_tensorboard(run: Run, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    export(run, "tensorboard", tmp_path / "logs")
    history = run.history()
    found = {}
    for side in ("train", "validation"):
        found[side] = EventAccumulator(str(tmp_path / "logs" / side))
        found[side].Reload()
    for side, name in (("train", "loss"), ("validation", "val_loss")):
        scalars = found[side].Scalars("epoch_loss")
        assert [scalar.step for scalar in scalars] == [event.epoch for event in history.epochs]
        assert [scalar.wall_time for scalar in scalars] == [event.time for event in history.epochs]
        assert [scalar.value for scalar in scalars] == pytest.approx(
            [getattr(event, name) for event in history.epochs]
        )
    batches = found["train"].Scalars("batch_accuracy")
    assert [scalar.step for scalar in batches] == [event.step for event in history.batches]
    (matrix,) = found["validation"].Images("confusion_matrix")
    (kernels,) = found["train"].Images("first_kernels")
    for image in (matrix, kernels):
        assert image.encoded_image_string.startswith(b"\x89PNG")
        assert min(image.width, image.height) > 10


def test_html_stands_alone(run: Run, tmp_path: Path) -> None:
    export(run, "html", tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("to", FORMS)
def test_what_is_there_stays(runs, tmp_path: Path, to: str) -> None:
    path = tmp_path / "there"
    path.write_text("mine")
    with pytest.raises(ConfigError, match="must be new"):
        export(runs["tutorial"], to, path)
    assert path.read_text() == "mine"


@pytest.mark.parametrize("to", FORMS)
def test_a_run_that_has_nothing_leaves_nothing(tmp_path: Path, to: str) -> None:
    run = RunStore(tmp_path / "runs").create(TrainingConfig(), "empty")
    (tmp_path / "out").mkdir()
    if to == "html":
        export(run, to, tmp_path / "out" / "report.html")
        return
    with pytest.raises(RunError):
        export(run, to, tmp_path / "out" / "new")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(("to", "package"), [("onnx", "tf2onnx"), ("tensorboard", "tensorboard")])
def test_a_package_that_is_missing_is_named(
    runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str, package: str
) -> None:
    import cifar_core.export as module

    monkeypatch.setattr(module, "find_spec", lambda name: None if name == package else name)
    with pytest.raises(ConfigError, match=rf"no {package}; pip install -r requirements-export"):
        export(runs["tutorial"], to, tmp_path / "new")


def test_a_form_is_one_entry(
    trained: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    def fill(run: Run, folder: Path) -> None:
        (folder / "id").write_text(run.id)

    word = Form("a word", ".txt", at_once=lambda run, _translate: run.id.encode())
    monkeypatch.setitem(FORMS, "word", word)
    monkeypatch.setitem(FORMS, "pack", Form("a folder", "-pack.zip", convert=fill))
    monkeypatch.chdir(tmp_path)
    for to in ("word", "pack"):
        assert main(["export", "dropout", "--to", to, "--runs", str(trained.root)]) == 0
    assert capsys.readouterr().out.split() == ["dropout.txt", "dropout-pack.zip"]
    assert Path("dropout.txt").read_text() == "dropout"
    with zipfile.ZipFile("dropout-pack.zip") as archive:
        assert archive.read("dropout-pack/id") == b"dropout"


def test_the_command(trained: RunStore, tmp_path: Path) -> None:
    def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "cifar_core", "export", "dropout", *map(str, arguments)]
        return subprocess.run(
            [*words, "--runs", str(trained.root)],
            cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )

    done = command("--to", "tflite", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    about = json.loads(done.stdout)
    assert (about["run"], about["to"], about["output"]) == ("dropout", "tflite", "dropout.tflite")
    assert about["classes"][3] == "cat"
    assert (tmp_path / "dropout.tflite").stat().st_size > 100_000
    for arguments, named in (
        (("--to", "pdf"), "pdf"),
        (("--to", "csv", "--output", "dropout.tflite"), "must be new"),
        (("--to", "csv", "--output", "dropout.tflite/a.csv"), "place to write to"),
        ((), "--to"),
    ):
        done = command(*arguments)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert named in done.stderr
