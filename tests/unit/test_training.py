"""The fit loop."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from cifar_core.config import TrainingConfig
from cifar_core.data.dataset import CIFAR10_CLASSES, Dataset, Source
from cifar_core.events import BatchEvent, EpochEvent
from cifar_core.history import History
from cifar_core.images import to_grey
from cifar_core.prediction import predict_probabilities
from cifar_core.runs import RunStore
from cifar_core.split import split, steps_per_epoch
from cifar_core.training import Training


def test_200_images_can_be_fitted_whole() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (200, 32, 32, 3), dtype=np.uint8)
    labels = rng.integers(0, 10, 200).astype(np.uint8)  # nothing to learn but by heart
    source = Source("npz", "noise", "", "")
    data = Dataset(images, labels, images, labels, CIFAR10_CLASSES, source)
    config = TrainingConfig(epochs=60, learning_rate=0.002)
    best = max(
        event.val_accuracy
        for event in Training(config, data).events()
        if isinstance(event, EpochEvent)
    )
    assert best == 1.0


def test_events_tell_the_whole_story(blobs: Dataset) -> None:
    config = TrainingConfig(epochs=2, batch_size=30)
    training = Training(config, blobs)
    events = list(training.events())
    epochs = [event for event in events if isinstance(event, EpochEvent)]
    batches = [event for event in events if isinstance(event, BatchEvent)]
    assert training.is_finished
    assert [event.epoch for event in epochs] == [1, 2]
    assert [event.step for event in epochs] == [14, 28]
    assert steps_per_epoch(400, config) == 14
    assert all(a.step < b.step for a, b in pairwise(batches))
    assert batches[-1].step == 28
    # The spans' means, weighted by their images, are the epoch's mean.
    for epoch in epochs:
        spans = [event for event in batches if event.epoch == epoch.epoch]
        ends = [min((event.step - 14 * (epoch.epoch - 1)) * 30, 400) for event in spans]
        sizes = np.diff([0, *ends])
        assert np.average([e.loss for e in spans], weights=sizes) == pytest.approx(epoch.loss, 1e-5)
        assert np.average([e.accuracy for e in spans], weights=sizes) == pytest.approx(
            epoch.accuracy, 1e-5
        )


def test_the_figures_are_the_models_own(blobs: Dataset) -> None:
    training = Training(TrainingConfig(epochs=1), blobs)
    *_, last = training.events()
    logits = np.asarray(training.model(np.asarray(blobs.x_test), training=False))
    hits = logits.argmax(axis=1) == blobs.y_test
    assert isinstance(last, EpochEvent)
    assert last.val_accuracy == pytest.approx(hits.mean())


def losses(config: TrainingConfig, data: Dataset) -> list[tuple[float, float]]:
    return [
        (event.loss, event.val_loss)
        for event in Training(config, data).events()
        if isinstance(event, EpochEvent)
    ]


def test_the_same_seed_gives_the_same_losses(blobs: Dataset) -> None:
    config = TrainingConfig(epochs=2, dropout=0.4, seed=5)
    assert losses(config, blobs) == losses(config, blobs)
    other = TrainingConfig(epochs=2, dropout=0.4, seed=6)
    assert losses(config, blobs) != losses(other, blobs)


def test_stop_ends_after_the_step_that_is_running(blobs: Dataset) -> None:
    training = Training(TrainingConfig(epochs=50, batch_size=1), blobs)
    seen = []
    for event in training.events():
        seen.append(event)
        training.stop()
    assert len(seen) == 1
    assert not training.is_finished
    assert int(training.model.optimizer.iterations.numpy()) == seen[0].step


def test_a_holdout_is_disjoint_and_leaves_the_test_set_alone(blobs: Dataset) -> None:
    config = TrainingConfig(validation="holdout", seed=4)
    trained, held = split(400, config)
    assert len(held) == 40
    assert sorted([*trained, *held]) == list(range(400))
    assert np.array_equal(split(400, config)[1], held)
    garbage = np.zeros_like(blobs.x_test)
    data = Dataset(
        blobs.x_train, blobs.y_train, garbage, blobs.y_test, blobs.class_names, blobs.source
    )
    # With the test set blanked, an untouched hold-out still validates well.
    *_, last = Training(TrainingConfig(epochs=6, validation="holdout"), data).events()
    assert isinstance(last, EpochEvent)
    assert last.val_accuracy > 0.5


def test_the_test_set_validates_by_default() -> None:
    trained, held = split(50, TrainingConfig())
    assert len(trained) == 50
    assert len(held) == 0


def test_augmented_training_is_repeatable_and_differs(blobs: Dataset) -> None:
    plain = TrainingConfig(epochs=2)
    varied = TrainingConfig(epochs=2, flip=True, shift=2, cutout=6)
    assert losses(varied, blobs) == losses(varied, blobs)
    assert losses(varied, blobs)[1] != losses(plain, blobs)[1]


def test_a_grey_network_sees_brightness_only(blobs: Dataset) -> None:
    training = Training(TrainingConfig(epochs=1, colour="grey"), blobs)
    assert training.model.input_shape == (None, 32, 32, 1)
    *_, last = training.events()
    assert isinstance(last, EpochEvent)
    grey = to_grey(blobs.x_test)
    expected = predict_probabilities(training.model, np.repeat(grey, 3, axis=-1))
    found = predict_probabilities(training.model, blobs.x_test)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert last.val_accuracy == pytest.approx((found.argmax(axis=1) == blobs.y_test).mean())


def weights(training: Training) -> list[np.ndarray]:
    variables = [*training.model.trainable_variables, *training.model.optimizer.variables]
    return [variable.numpy() for variable in variables]


@pytest.mark.parametrize("stop_at", [0, 3, 7, 14, 20, 27])
def test_a_training_that_goes_on_ends_as_one_without_a_break(
    blobs: Dataset, tmp_path: Path, stop_at: int
) -> None:
    config = TrainingConfig(epochs=2, dropout=0.4, batch_size=30, flip=True, shift=2)
    whole = Training(config, blobs)
    told = [event for event in whole.events() if isinstance(event, EpochEvent)]

    first = Training(config, blobs)
    run = RunStore(tmp_path).create(config, "run")
    first.model.make_train_function()
    train_step = first.model.train_function

    def counted(iterator):
        logs = train_step(iterator)
        if int(first.model.optimizer.iterations) == stop_at:
            first.stop()
        return logs

    first.model.train_function = counted
    if stop_at == 0:
        first.stop()
    history = History()
    for event in first.events():
        history.add(event)
    assert first.step == stop_at
    assert not first.is_finished
    run.save_checkpoint(first.model)

    second = Training(config, blobs, run.checkpoint_path, history)
    assert second.step == stop_at
    for event in second.events():
        history.add(event)
    assert second.is_finished
    for one, other in zip(weights(whole), weights(second), strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(told, history.epochs, strict=True):
        assert (one.step, one.epoch) == (other.step, other.epoch)
        assert (one.val_loss, one.val_accuracy) == (other.val_loss, other.val_accuracy)
        assert other.loss == pytest.approx(one.loss, 1e-5)
        assert other.accuracy == pytest.approx(one.accuracy, 1e-5)
