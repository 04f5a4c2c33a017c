"""The rule for pictures of none of the classes: its arithmetic, its limits, and what it finds."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from scipy.spatial.distance import mahalanobis

from cifar_core.config import TrainingConfig
from cifar_core.data import Dataset
from cifar_core.data.images import to_grey
from cifar_core.errors import RunError
from cifar_core.network.build import build_model
from cifar_core.network.out_of_distribution import (
    NoveltyRule,
    calibrate,
    channel_figures,
    from_predictions,
    is_known,
)
from cifar_core.network.predict import Predictions, predict_probabilities
from cifar_core.runs.run import Run
from cifar_core.runs.store import RunStore


@pytest.fixture(scope="module")
def run(trained: RunStore) -> Run:
    return trained.get("plain")


@pytest.fixture(scope="module")
def model(run: Run) -> keras.Model:
    return run.load_model()


def known(run: Run, model: keras.Model, images: np.ndarray) -> np.ndarray:
    return is_known(run.novelty(), model, images, predict_probabilities(model, images))


def figures_of(model: keras.Model, name: str, images: np.ndarray) -> np.ndarray:
    """The same figures from Keras's functional graph, image by image, in NumPy."""
    inner = keras.Model(model.inputs, model.get_layer(name).output)
    seen = images if model.input_shape[-1] == 3 else to_grey(images)
    rows = []
    for image, maps in zip(seen, inner.predict_on_batch(seen.astype(np.float32)), strict=True):
        row = []
        for values in (image.astype(np.float64) / 255, np.asarray(maps, np.float64)):
            channels = [values[..., i] for i in range(values.shape[-1])]
            row += [channel.mean() for channel in channels]
            row += [channel.std() for channel in channels]
            row += [
                sum(np.abs(np.diff(channel, axis=axis)).mean() for axis in (0, 1))
                for channel in channels
            ]
        rows.append(row)
    return np.log(np.array(rows) + 0.01)


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (TrainingConfig(), "conv1"),
        (TrainingConfig(colour="grey"), "conv1"),
        (TrainingConfig(network="compact", convolutions=4, batch_norm=True), "relu1"),
    ],
    ids=["tutorial", "grey", "compact"],
)
def test_figures_are_logarithms_of_means_deviations_and_steps(
    config: TrainingConfig, name: str, blobs: Dataset
) -> None:
    model, images = build_model(config), blobs.x_test[:7]
    expected = figures_of(model, name, images)
    np.testing.assert_allclose(channel_figures(model, images), expected, atol=1e-3)


def test_distances_are_mahalanobiss(model: keras.Model, blobs: Dataset, run: Run) -> None:
    rule = run.novelty()
    figures = figures_of(model, "conv1", np.asarray(blobs.x_train))
    covariance = np.cov(figures, rowvar=False)
    ridge = 1e-3 * covariance.diagonal().mean()
    precision = np.linalg.inv(covariance + ridge * np.eye(len(covariance)))
    shown = channel_figures(model, blobs.x_test[:5])
    expected = [mahalanobis(one, figures.mean(axis=0), precision) for one in shown]
    np.testing.assert_allclose(rule.distances(shown), expected, rtol=0.01)


def test_19_of_20_right_answers_are_believed(model: keras.Model, blobs: Dataset, run: Run) -> None:
    right = run.predictions().hits
    assert 0.93 <= known(run, model, blobs.x_test)[right].mean() <= 0.98


def test_noise_text_and_patterns_are_not_believed(model: keras.Model, run: Run) -> None:
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (50, 32, 32, 3), dtype=np.uint8)
    text = Image.new("RGB", (32, 32), "white")
    ImageDraw.Draw(text).text((1, 8), "text", "black", ImageFont.load_default(14))
    stripes = np.zeros((1, 32, 32, 3), np.uint8)
    stripes[:, ::4] = 255
    assert not known(run, model, noise).any()
    assert not known(run, model, np.asarray(text)[None]).any()
    assert not known(run, model, stripes).any()


def test_without_likeness_19_of_20_right_answers_are_believed(run: Run) -> None:
    predictions = run.predictions()
    rule = from_predictions(predictions)
    shares = predictions.probabilities[predictions.hits].max(axis=1)
    assert (shares >= rule.least_share).mean() == pytest.approx(0.95, abs=0.01)
    answers = np.array([[rule.least_share, 1 - rule.least_share], [0.5, 0.5]])
    pictures = np.zeros((2, 32, 32, 3), np.uint8)
    sure = is_known(NoveltyRule(least_share=0.6), None, pictures, answers)
    np.testing.assert_array_equal(sure, answers.max(axis=1) >= 0.6)


def test_a_network_that_is_never_right_has_a_rule(model: keras.Model, blobs: Dataset) -> None:
    probabilities = np.full((200, 10), 0.1, np.float32)
    predictions = Predictions(probabilities, np.full(200, 9))
    rule = calibrate(model, blobs.x_train, blobs.x_test, predictions)
    assert rule.least_share == pytest.approx(0.1)
    assert np.isfinite(rule.greatest_distance)


def test_a_run_keeps_its_rule(run: Run, tmp_path: Path) -> None:
    copy = RunStore(tmp_path).create(TrainingConfig(), "copy")
    assert copy.novelty().least_share == 0, "with nothing to go by, every answer is believed"
    copy.save_predictions(run.predictions())
    assert copy.novelty().least_share == from_predictions(run.predictions()).least_share
    copy.save_novelty(run.novelty())
    for name, value in vars(run.novelty()).items():
        np.testing.assert_array_equal(getattr(copy.novelty(), name), value)


def test_a_damaged_rule_is_one_sentence(run: Run, tmp_path: Path) -> None:
    copy = RunStore(tmp_path).create(TrainingConfig(), "copy")
    copy.save_novelty(run.novelty())
    path = copy.path / "novelty.npz"
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(RunError) as caught:
        copy.novelty()
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
