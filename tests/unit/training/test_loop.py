"""The fit loop."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from cifar_core.analysis.evaluation import cross_entropy
from cifar_core.config import TrainingConfig
from cifar_core.data.dataset import CIFAR10_CLASSES, Dataset, Source
from cifar_core.data.images import to_grey
from cifar_core.errors import RunDiverged
from cifar_core.network.predict import Predictions, predict_logits, predict_probabilities
from cifar_core.runs.events import BatchEvent, EpochEvent, RateEvent, RunState, StateEvent
from cifar_core.runs.history import History
from cifar_core.runs.store import RunStore
from cifar_core.training import loop
from cifar_core.training.loop import Training
from cifar_core.training.meter import Meter
from cifar_core.training.schedule import learning_rates
from cifar_core.training.split import split, steps_per_epoch

pytestmark = pytest.mark.slow


def weights(training: Training) -> list[np.ndarray]:
    variables = [*training.model.trainable_variables, *training.model.optimizer.variables]
    return [variable.numpy() for variable in variables]


PLAIN = TrainingConfig(epochs=2, dropout=0.4, batch_size=30, flip=True, shift=2)
RICH = TrainingConfig(
    epochs=2,
    batch_size=30,
    network="compact",
    convolutions=4,
    batch_norm=True,
    standardise=True,
    optimiser="sgd",
    learning_rate=0.05,
    schedule="one-cycle",
    weight_decay=0.005,
    label_smoothing=0.1,
    cutout=6,
)
CHANGE = RateEvent(step=9, learning_rate=0.01)


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


def figures(training: Training) -> list[tuple[float, float]]:
    return [
        (event.loss, event.val_loss) for event in training.events() if isinstance(event, EpochEvent)
    ]


def losses(config: TrainingConfig, data: Dataset) -> list[tuple[float, float]]:
    return figures(Training(config, data))


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


@pytest.fixture
def by_heart(blobs: Dataset) -> Dataset:
    """Labels without sense: nothing learned holds elsewhere, so validation loss soon rises."""
    rng = np.random.default_rng(0)
    return replace(blobs, y_train=rng.permutation(blobs.y_train))


EAGER = TrainingConfig(epochs=60, train_images=100, learning_rate=0.003)


@pytest.mark.parametrize(
    "chosen", [{"validation": "holdout"}, {"validation": "folds", "folds": 4, "fold": 2}]
)
def test_early_stopping_on_training_images_never_sees_the_test_set(
    by_heart: Dataset, chosen: dict
) -> None:
    config = replace(EAGER, patience=2, **chosen)
    blank = replace(by_heart, x_test=np.zeros_like(by_heart.x_test))
    one, other = Training(config, by_heart), Training(config, blank)
    assert figures(one) == figures(other)
    assert one.stopped_early
    assert one.best.epoch == other.best.epoch
    for a, b in zip(weights(one), weights(other), strict=True):
        np.testing.assert_array_equal(a, b)


def test_early_stopping_ends_when_the_validation_loss_no_longer_falls(by_heart: Dataset) -> None:
    training = Training(replace(EAGER, patience=3), by_heart)
    epochs = [event for event in training.events() if isinstance(event, EpochEvent)]
    assert training.is_finished
    assert training.stopped_early
    losses = [event.val_loss for event in epochs]
    assert training.best == epochs[int(np.argmin(losses))]
    assert len(epochs) == training.best.epoch + 3 < 60


def test_patience_begins_anew_when_a_finished_run_trains_longer(
    by_heart: Dataset, tmp_path: Path
) -> None:
    config = replace(EAGER, patience=2)
    first, history = Training(config, by_heart), History()
    for event in first.events():
        history.add(event)
    assert first.stopped_early
    run = RunStore(tmp_path).create(config, "run")
    run.save_checkpoint(first.model)

    again = Training(config, by_heart, run.checkpoint_path, history)
    assert list(again.events()) == [], "a run killed at its end stays at its end"

    history.add(StateEvent(state=RunState.FINISHED))
    longer = Training(config, by_heart, run.checkpoint_path, history)
    assert len([event for event in longer.events() if isinstance(event, EpochEvent)]) >= 2


def test_a_loss_that_is_no_number_ends_the_run(blobs: Dataset) -> None:
    config = TrainingConfig(optimiser="sgd", learning_rate=10.0)
    with pytest.raises(RunDiverged, match="lower learning rate"):
        list(Training(config, blobs).events())


def test_the_rate_follows_the_schedule_and_its_changes(
    blobs: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[float] = []
    unwatched = loop.many_steps

    def noting(model, batch_size):
        train = unwatched(model, batch_size)

        def noted(images, labels, rates):
            told.extend(rates)
            return train(images, labels, rates)

        return noted

    monkeypatch.setattr(loop, "many_steps", noting)
    config = TrainingConfig(epochs=1, batch_size=4, schedule="cosine")
    training = Training(config, blobs)
    changed = None
    for event in training.events():
        if changed is None and isinstance(event, BatchEvent):
            changed = training.change_rate(0.0001)
            assert changed.step == event.step
    expected = learning_rates(config, np.arange(100), 100)
    expected[changed.step :] /= 10
    np.testing.assert_allclose(told, expected, rtol=1e-5)


@pytest.mark.parametrize("config", [PLAIN, RICH], ids=["plain", "rich"])
def test_how_many_steps_a_call_takes_changes_nothing(
    blobs: Dataset, config: TrainingConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = []
    for count in (1, 5, 1000):
        monkeypatch.setattr(Meter, "batches_until_due", lambda meter, count=count: count)
        training = Training(config, blobs, before=History(rates=[CHANGE]))
        told = [event for event in training.events() if isinstance(event, EpochEvent)]
        ended.append((weights(training), [(event.loss, event.val_loss) for event in told]))
    for state, figures in ended[1:]:
        for one, other in zip(ended[0][0], state, strict=True):
            np.testing.assert_array_equal(one, other)
        assert figures == ended[0][1]


def test_loss_is_the_cross_entropy_alone(blobs: Dataset) -> None:
    training = Training(TrainingConfig(epochs=1, l2=0.1, label_smoothing=0.2), blobs)
    *_, last = training.events()
    logits = predict_logits(training.model, blobs.x_test)
    predictions = Predictions.from_logits(logits, blobs.y_test)
    assert last.val_loss == pytest.approx(cross_entropy(predictions), rel=1e-6)


def test_pixels_are_standardised_by_the_images_that_train(blobs: Dataset) -> None:
    config = TrainingConfig(standardise=True, validation="holdout", train_images=100)
    training = Training(config, blobs)
    trained, _ = split(400, config)
    seen = np.asarray(training.model.get_layer("normalise")(blobs.x_train[trained]))
    np.testing.assert_allclose(seen.mean(axis=(0, 1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(seen.std(axis=(0, 1, 2)), 1, atol=1e-4)


def test_augmented_training_is_repeatable_and_differs(blobs: Dataset) -> None:
    plain = TrainingConfig(epochs=2)
    varied = TrainingConfig(epochs=2, flip=True, shift=2, cutout=6)
    assert losses(varied, blobs) == losses(varied, blobs)
    assert losses(varied, blobs)[1] != losses(plain, blobs)[1]


@pytest.mark.parametrize(
    "change",
    [
        {"optimiser": "adamw", "weight_decay": 0.01},
        {"optimiser": "sgd", "learning_rate": 0.05, "batch_norm": True},
        {"optimiser": "adagrad", "learning_rate": 0.01},
        {"optimiser": "rmsprop"},
        {"precision": "mixed"},
        {"network": "whitened", "batch_norm": True, "optimiser": "muon", "learning_rate": 0.1},
        {"network": "compact", "convolutions": 4, "batch_norm": True, "standardise": True},
        {"l2": 0.0005, "label_smoothing": 0.1, "pooling": "average", "colour": "grey"},
    ],
    ids=lambda change: next(iter(change)) + str(next(iter(change.values()))),
)
def test_each_way_of_training_learns(blobs: Dataset, change: dict) -> None:
    training = Training(TrainingConfig(epochs=8, batch_size=20, **change), blobs)
    *_, last = training.events()
    assert last.accuracy > 0.5


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


@pytest.mark.parametrize("config", [PLAIN, RICH], ids=["plain", "rich"])
@pytest.mark.parametrize("stop_at", [0, 3, 14, 20, 27])
def test_a_training_that_goes_on_ends_as_one_without_a_break(
    blobs: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stop_at: int,
    config: TrainingConfig,
) -> None:
    whole = Training(config, blobs, before=History(rates=[CHANGE]))
    told = [event for event in whole.events() if isinstance(event, EpochEvent)]

    history = History(rates=[CHANGE])
    first = Training(config, blobs, before=history)
    run = RunStore(tmp_path).create(config, "run")

    def stop(meter: Meter, batches: int) -> None:
        if first.step == stop_at:
            first.stop()

    if stop_at == 0:
        first.stop()
    with monkeypatch.context() as patch:
        patch.setattr(Meter, "batches_until_due", lambda meter: min(4, stop_at - first.step))
        patch.setattr(Meter, "note", stop)
        for event in list(first.events()):
            history.add(event)
    assert first.step == stop_at
    assert not first.is_finished
    run.save_checkpoint(first.model)

    second = Training(config, blobs, run.checkpoint_path, history)
    assert second.step == stop_at
    for event in list(second.events()):
        history.add(event)
    assert second.is_finished
    for one, other in zip(weights(whole), weights(second), strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(told, history.epochs, strict=True):
        assert (one.step, one.epoch) == (other.step, other.epoch)
        assert (one.val_loss, one.val_accuracy) == (other.val_loss, other.val_accuracy)
        assert other.loss == pytest.approx(one.loss, 1e-5)
        assert other.accuracy == pytest.approx(one.accuracy, 1e-5)


def test_the_way_of_a_gpu_gives_what_the_processor_s_gives(
    blobs: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Images held on the device and varied there: all but XLA, which determinism forbids."""
    config = TrainingConfig(epochs=2, batch_size=30, flip=True, shift=2, cutout=5)
    expected = losses(config, blobs)
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: ["a GPU"])
    np.testing.assert_allclose(losses(config, blobs), expected, rtol=1e-3)
