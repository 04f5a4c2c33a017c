"""The fit loop: settings and images in, a stream of events out."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .augment import augment, augments
from .config import HOLDOUT_SHARE, TrainingConfig
from .data.dataset import Dataset
from .events import BatchEvent, EpochEvent, Event
from .history import History
from .images import to_channels
from .model import build_model

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

_EVENT_SECONDS = 0.2  # batch events come by the clock, at most five a second
_EVALUATION_BATCH = 500


def split_holdout(images: int, config: TrainingConfig) -> tuple[np.ndarray, np.ndarray]:
    """Which training images train and which validate, by `config.validation`.

    Args:
        images: how many training images there are.

    Returns:
        Two int64 arrays of indices without a common element. The second is empty when the
        test set validates; else it is a tenth, drawn with the seed.
    """
    order = np.random.default_rng([config.seed, 0]).permutation(images)
    held = round(images * HOLDOUT_SHARE) if config.validation == "holdout" else 0
    return np.sort(order[held:]), np.sort(order[:held])


def steps_per_epoch(images: int, config: TrainingConfig) -> int:
    """Training steps in an epoch over a training set of so many images."""
    trained = len(split_holdout(images, config)[0])
    return math.ceil(trained / config.batch_size)


class Training:
    """One training, from first weights or a checkpoint to the last epoch.

    All that is random is drawn from the seed and the step alone: the order of the images and
    their augmentation from (seed, epoch), dropout's masks from (seed, step). So a training that
    goes on from a checkpoint does, bit for bit on a CPU, what it would have done without the
    break.

    Args:
        config: the settings.
        data: the images; they stay uint8 until the model.
        checkpoint: a file that `Run.save_checkpoint` wrote, to go on from.
        before: the events up to that checkpoint, so that the figures of an epoch that was
            broken off are those of the whole epoch.

    Attributes:
        model: the network.
        step: training steps done.
        is_finished: whether all epochs were done.
    """

    def __init__(
        self,
        config: TrainingConfig,
        data: Dataset,
        checkpoint: Path | None = None,
        before: History | None = None,
    ) -> None:
        import keras

        self.config = config
        self.data = data
        self.model = (
            keras.models.load_model(checkpoint)
            if checkpoint
            else build_model(config, len(data.class_names))
        )
        self.step = int(self.model.optimizer.iterations)
        self.is_finished = False
        self._before = before or History()
        self._stopping = False

    def stop(self) -> None:
        """End after the step that is running."""
        self._stopping = True

    def events(self) -> Iterator[Event]:
        """Train, and tell: a BatchEvent about five times a second, an EpochEvent an epoch.

        Returns early, after the step that is running and a last BatchEvent, once `stop` was
        called; `is_finished` tells whether all epochs were done.
        """
        import tensorflow as tf

        config, data = self.config, self.data
        channels = self.model.input_shape[-1]
        trained, held = split_holdout(len(data.x_train), config)
        if len(held):
            validation = data.x_train[held], data.y_train[held]
        else:
            validation = np.asarray(data.x_test), np.asarray(data.y_test)
        validation = to_channels(validation[0], channels), validation[1]
        with tf.device("/CPU:0"):  # the images stay in main memory, whatever the device
            images = tf.constant(to_channels(data.x_train, channels))
            labels = tf.constant(data.y_train)
        _set_dropout(self.model, config.seed, self.step)
        self.model.make_train_function()
        steps = steps_per_epoch(len(data.x_train), config)
        for epoch in range(self.step // steps + 1, config.epochs + 1):
            order = np.random.default_rng([config.seed, epoch]).permutation(trained)
            skipped = self.step - (epoch - 1) * steps
            batches = iter(_batches(images, labels, order, epoch, config, skipped))
            self.model.reset_metrics()
            meter = _Meter(epoch, config.batch_size, len(order), skipped, self._before)
            logs = None
            for number in range(skipped + 1, steps + 1):
                if self._stopping:
                    if logs and meter.is_behind(number - 1):
                        yield meter.read(logs, number - 1, self.step)
                    return
                logs = self.model.train_function(batches)
                self.step += 1
                if meter.is_due or number == steps:
                    yield meter.read(logs, number, self.step)
            measured = self.model.evaluate(
                *validation, batch_size=_EVALUATION_BATCH, verbose=0, return_dict=True
            )
            loss, accuracy = meter.whole_epoch()
            yield EpochEvent(
                step=self.step,
                epoch=epoch,
                loss=loss,
                accuracy=accuracy,
                val_loss=measured["loss"],
                val_accuracy=measured["accuracy"],
                seconds=time.perf_counter() - meter.started,
            )
        self.is_finished = True


def _set_dropout(model: keras.Model, seed: int, step: int) -> None:
    """Set dropout's generator as it is after so many steps: Keras's files do not keep it."""
    for layer in model.layers:
        if generator := getattr(layer, "seed_generator", None):
            generator.state.assign([seed, step])


def _batches(
    images: tf.Tensor,
    labels: tf.Tensor,
    order: np.ndarray,
    epoch: int,
    config: TrainingConfig,
    skipped: int,
) -> tf.data.Dataset:
    """The images in this order, batch by batch: uint8 (B, 32, 32, C) and labels (B,).

    Augmentation draws from (seed, epoch, number of the batch) alone, as the order does.
    """
    import tensorflow as tf

    def vary(batch: np.ndarray, number: np.ndarray) -> np.ndarray:
        return augment(batch, config, np.random.default_rng([config.seed, epoch, int(number)]))

    def take(number: tf.Tensor, index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        batch = tf.gather(images, index)
        if augments(config):
            shape = batch.shape
            batch = tf.numpy_function(vary, [batch, number], tf.uint8, stateful=False)
            batch.set_shape(shape)
        return batch, tf.gather(labels, index)

    dataset = tf.data.Dataset.from_tensor_slices(order).batch(config.batch_size)
    return dataset.enumerate().skip(skipped).map(take).prefetch(2)


class _Meter:
    """Turns Keras's means over the epoch so far into means over the span since the last look.

    Args:
        epoch: the epoch that runs.
        batch_size, images: of its training images.
        skipped: batches of the epoch that were trained before the break, if there was one.
        before: the events until then, which have their figures.
    """

    def __init__(
        self, epoch: int, batch_size: int, images: int, skipped: int, before: History
    ) -> None:
        self.started = self._looked = time.perf_counter()
        self._epoch, self._batch_size, self._images = epoch, batch_size, images
        self._first = self._at = min(skipped * batch_size, images)
        self._loss = self._accuracy = 0.0
        self._earlier = [event for event in before.batches if event.epoch == epoch]

    @property
    def is_due(self) -> bool:
        return time.perf_counter() - self._looked >= _EVENT_SECONDS

    def _images_after(self, batches: int) -> int:
        return min(batches * self._batch_size, self._images)

    def is_behind(self, batches: int) -> bool:
        """Whether images were trained since the last look."""
        return self._images_after(batches) > self._at

    def read(self, logs: dict[str, tf.Tensor], batches: int, step: int) -> BatchEvent:
        """The event for the span that ends after so many batches of the epoch."""
        loss, accuracy = float(logs["loss"]), float(logs["accuracy"])
        now, end = time.perf_counter(), self._images_after(batches)
        done, before, span = end - self._first, self._at - self._first, end - self._at
        event = BatchEvent(
            step=step,
            epoch=self._epoch,
            loss=(loss * done - self._loss * before) / span,
            accuracy=(accuracy * done - self._accuracy * before) / span,
            images_per_second=span / max(now - self._looked, 1e-9),
        )
        self._loss, self._accuracy, self._at, self._looked = loss, accuracy, end, now
        return event

    def whole_epoch(self) -> tuple[float, float]:
        """Mean loss and accuracy of the epoch, with what was trained before a break."""
        if not self._earlier:
            return self._loss, self._accuracy
        steps = math.ceil(self._images / self._batch_size) * (self._epoch - 1)
        ends = [self._images_after(event.step - steps) for event in self._earlier]
        weights = [*np.diff([0, *ends]), self._at - self._first]
        losses = [*(event.loss for event in self._earlier), self._loss]
        accuracies = [*(event.accuracy for event in self._earlier), self._accuracy]
        return (
            float(np.average(losses, weights=weights)),
            float(np.average(accuracies, weights=weights)),
        )
