"""From pixels to probabilities, against Keras's own softmax; and what a damaged run says."""

from __future__ import annotations

import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

from cifar_core.analysis.evaluation import cross_entropy
from cifar_core.config import TrainingConfig
from cifar_core.data import Dataset
from cifar_core.data.images import to_grey
from cifar_core.errors import RunError
from cifar_core.network.build import build_model
from cifar_core.network.predict import Predictions, predict_logits, predict_probabilities
from cifar_core.runs.run import Run
from cifar_core.runs.store import RunStore
from cifar_core.runs.summary import Summary
from cifar_core.workers.worker import execute


@pytest.mark.parametrize("colour", ["rgb", "grey"])
def test_probabilities_are_kerass(colour: str, blobs: Dataset) -> None:
    model = build_model(TrainingConfig(colour=colour))
    images = np.concatenate([blobs.x_train, blobs.x_test])[:530]  # more than one batch
    found = predict_probabilities(model, images)
    seen = to_grey(images) if colour == "grey" else images
    expected = keras.ops.softmax(model.predict(seen.astype(np.float32), verbose=0))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.asarray(expected), atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("factor", [1, 1000])
def test_the_loss_is_kerass_however_large_the_logits(factor: float, blobs: Dataset) -> None:
    model = build_model(TrainingConfig(seed=2))
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([kernel * factor, bias])
    labels = (blobs.y_test + 1) % 10  # mostly wrong, and very sure
    logits = predict_logits(model, blobs.x_test)
    expected = model.evaluate(
        blobs.x_test.astype(np.float32), labels, batch_size=200, verbose=0, return_dict=True
    )["loss"]
    assert (np.abs(logits).max() > 100) == (factor > 1)
    found = cross_entropy(Predictions.from_logits(logits, labels))
    assert found == pytest.approx(expected, rel=1e-5)


def test_a_run_that_is_sure_and_wrong_has_one_loss(blobs: Dataset, tmp_path: Path) -> None:
    arrays = {name: getattr(blobs, name) for name in ("x_train", "y_train", "x_test")}
    np.savez(tmp_path / "wrong.npz", **arrays, y_test=(blobs.y_test + 1) % 10)
    config = TrainingConfig(epochs=4, batch_norm=True, standardise=True, learning_rate=0.01)
    run = RunStore(tmp_path / "runs").create(config)
    execute(run, str(tmp_path / "wrong.npz"))
    validated = run.history().epochs[-1].val_loss  # on the test set, by Keras
    assert validated > 20, "beyond what a probability in float32 tells from 0"
    assert Summary.of(run).test_loss == pytest.approx(validated, rel=1e-5)
    assert cross_entropy(run.predictions()) == pytest.approx(validated, rel=1e-5)


def test_a_saved_network_gives_the_predictions_stored_beside_it(
    trained: RunStore, blobs: Dataset
) -> None:
    for run in trained.runs():
        found = predict_probabilities(run.load_model(), blobs.x_test)
        np.testing.assert_allclose(found, run.predictions().probabilities, atol=1e-5)


def test_a_run_without_a_network_says_so(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(TrainingConfig(), "new")
    with pytest.raises(RunError, match="new") as caught:
        run.load_model()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kept", [0, 100, -20])
def test_a_torn_network_is_one_sentence(kept: int, trained: RunStore, tmp_path: Path) -> None:
    torn = Run(Path(shutil.copytree(trained.get("plain").path, tmp_path / "torn")))
    torn.model_path.write_bytes(torn.model_path.read_bytes()[:kept])
    with pytest.raises(RunError, match="train it again") as caught:
        torn.load_model()
    assert "\n" not in str(caught.value)
