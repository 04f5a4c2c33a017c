"""The fit loop: settings and images in, a stream of events out."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from .augment import augment, augments
from .config import HOLDOUT_SHARE, TrainingConfig
from .data.dataset import Dataset
from .events import BatchEvent, EpochEvent, Event
from .images import to_channels
from .model import build_model

if TYPE_CHECKING:
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
    """One training, from first weights to the last epoch.

    The order of the images is drawn anew each epoch from (seed, epoch) alone, so that it can
    be drawn again by whoever goes on from there.

    Args:
        config: the settings.
        data: the images; they stay uint8 until the model.
    """

    def __init__(self, config: TrainingConfig, data: Dataset) -> None:
        self.config = config
        self.data = data
        self.model = build_model(config, len(data.class_names))
        self.is_finished = False
        self._stopping = False

    def stop(self) -> None:
        """End after the step that is running."""
        self._stopping = True

    def events(self) -> Iterator[Event]:
        """Train, and tell: a BatchEvent about five times a second, an EpochEvent an epoch.

        Returns early, after the step that is running, once `stop` was called; `is_finished`
        tells whether all epochs were done.
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
        self.model.make_train_function()
        step = 0
        for epoch in range(1, config.epochs + 1):
            order = np.random.default_rng([config.seed, epoch]).permutation(trained)
            batches = iter(_batches(images, labels, order, epoch, config))
            self.model.reset_metrics()
            meter = _Meter()
            for first in range(0, len(order), config.batch_size):
                if self._stopping:
                    return
                logs = self.model.train_function(batches)
                step += 1
                done = min(first + config.batch_size, len(order))
                if meter.is_due or done == len(order):
                    yield meter.read(logs, done, step, epoch)
            measured = self.model.evaluate(
                *validation, batch_size=_EVALUATION_BATCH, verbose=0, return_dict=True
            )
            yield EpochEvent(
                step=step,
                epoch=epoch,
                loss=meter.loss,
                accuracy=meter.accuracy,
                val_loss=measured["loss"],
                val_accuracy=measured["accuracy"],
                seconds=time.perf_counter() - meter.started,
            )
        self.is_finished = True


def _batches(
    images: tf.Tensor, labels: tf.Tensor, order: np.ndarray, epoch: int, config: TrainingConfig
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
    return dataset.enumerate().map(take).prefetch(2)


class _Meter:
    """Turns Keras's means over the epoch so far into means over the span since the last look."""

    def __init__(self) -> None:
        self.started = self._looked = time.perf_counter()
        self._images = 0
        self.loss = self.accuracy = 0.0

    @property
    def is_due(self) -> bool:
        return time.perf_counter() - self._looked >= _EVENT_SECONDS

    def read(self, logs: dict[str, tf.Tensor], images: int, step: int, epoch: int) -> BatchEvent:
        """The event for the span that ends after `images` images of the epoch."""
        loss, accuracy = float(logs["loss"]), float(logs["accuracy"])
        now, span = time.perf_counter(), images - self._images
        event = BatchEvent(
            step=step,
            epoch=epoch,
            loss=(loss * images - self.loss * self._images) / span,
            accuracy=(accuracy * images - self.accuracy * self._images) / span,
            images_per_second=span / max(now - self._looked, 1e-9),
        )
        self.loss, self.accuracy, self._images, self._looked = loss, accuracy, images, now
        return event
