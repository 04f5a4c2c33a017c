"""The fit loop: settings and images in, a stream of events out."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..config import TrainingConfig
from ..data.dataset import Dataset
from ..data.images import to_channels
from ..data.moments import channel_moments
from ..network.build import build_model, input_channels
from ..runs.events import EpochEvent, Event, RateEvent
from ..runs.history import History
from .augment import augment, augments
from .meter import Meter, plain_loss
from .schedule import changed_by, learning_rates
from .split import split

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

_EVALUATION_BATCH = 500


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
        before: the run's events so far, so that the figures of an epoch that was broken off
            are those of the whole epoch; what is later than the checkpoint is dropped.

    Attributes:
        model: the network.
        trained: indices of the training images that train it, int64, sorted.
        step: training steps done.
        last: the last whole epoch; None before the first has ended.
        best: the epoch with the lowest validation loss so far.
        is_finished: whether there is nothing left to do.
        stopped_early: whether that is because validation loss no longer fell.
    """

    def __init__(
        self,
        config: TrainingConfig,
        data: Dataset,
        checkpoint: Path | None = None,
        before: History | None = None,
    ) -> None:
        self.config = config
        self.data = data
        self.trained, self._held = split(len(data.x_train), config)
        self._images = to_channels(data.x_train, input_channels(config))
        moments = channel_moments(self._images[self.trained]) if config.standardise else None
        self.model = build_model(config, len(data.class_names), moments)
        if checkpoint:
            self.model.load_weights(checkpoint)  # the optimiser's, too
        self.step = int(self.model.optimizer.iterations)
        self.is_finished = self.stopped_early = False
        self._before = before or History()
        self._before.forget_after(self.step)
        self.last: EpochEvent | None = None
        self.best: EpochEvent | None = None
        for event in self._before.epochs:
            self._judge(event)
        # A run that stopped early and is asked to go on waits its whole patience again.
        self._counted_from = self._before.finished_epochs
        self._stopping = False

    def stop(self) -> None:
        """End after the step that is running."""
        self._stopping = True

    def change_rate(self, learning_rate: float) -> RateEvent:
        """Let the schedule go on with another highest rate, from the next step on."""
        event = RateEvent(step=self.step, learning_rate=learning_rate)
        self._before.add(event)
        return event

    def events(self) -> Iterator[Event]:
        """Train, and yield a BatchEvent about five times a second, an EpochEvent an epoch.

        Returns early, after the step that is running and a last BatchEvent, once `stop` was
        called; `is_finished` says whether all was done.

        Raises:
            RunDiverged: the loss is no number any more.
        """
        import tensorflow as tf

        config, data = self.config, self.data
        if len(self._held):
            validation = self._images[self._held], data.y_train[self._held]
        else:
            seen = to_channels(data.x_test, input_channels(config))
            validation = seen, np.asarray(data.y_test)
        with tf.device("/CPU:0"):  # the images stay in main memory, whatever the device
            images = tf.constant(self._images)
            labels = tf.constant(data.y_train)
        _set_dropout(self.model, config.seed, self.step)
        self.model.make_train_function()
        steps = math.ceil(len(self.trained) / config.batch_size)
        for epoch in range(self.step // steps + 1, config.epochs + 1):
            if self._has_waited_enough(epoch - 1):
                self.stopped_early = True
                break
            order = np.random.default_rng([config.seed, epoch]).permutation(self.trained)
            started = (epoch - 1) * steps
            skipped = self.step - started
            planned = learning_rates(
                config, np.arange(started, started + steps), steps * config.epochs
            )
            batches = iter(_batches(images, labels, order, epoch, config, skipped))
            self.model.reset_metrics()
            meter = Meter(epoch, config.batch_size, len(order), skipped, self._before)
            logs, rate = None, None
            for number in range(skipped + 1, steps + 1):
                if self._stopping:
                    if logs and meter.is_behind(number - 1):
                        yield meter.read(logs, number - 1, self.step)
                    return
                wanted = planned[number - 1] * changed_by(self._before.rates, config, self.step)
                if wanted != rate:
                    self.model.optimizer.learning_rate = rate = wanted
                logs = self.model.train_function(batches)
                self.step += 1
                if meter.is_due or number == steps:
                    yield meter.read(logs, number, self.step)
            measured = self.model.evaluate(
                *validation, batch_size=_EVALUATION_BATCH, verbose=0, return_dict=True
            )
            loss, accuracy = meter.whole_epoch()
            event = EpochEvent(
                step=self.step,
                epoch=epoch,
                loss=loss,
                accuracy=accuracy,
                val_loss=plain_loss(measured, self.step),
                val_accuracy=measured["accuracy"],
                seconds=time.perf_counter() - meter.started,
            )
            self._judge(event)
            yield event
        self.is_finished = True

    def _judge(self, event: EpochEvent) -> None:
        self.last = event
        if self.best is None or event.val_loss < self.best.val_loss:
            self.best = event

    def _has_waited_enough(self, done: int) -> bool:
        """Whether early stopping ends the run after so many epochs."""
        if not self.config.patience or self.best is None:
            return False
        return done - max(self.best.epoch, self._counted_from) >= self.config.patience


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
