"""The fit loop: settings and images in, a stream of events out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..config import TrainingConfig
from ..data.dataset import Dataset, sample
from ..data.images import to_channels
from ..data.moments import channel_moments
from ..network.build import build_model, input_channels, is_whitened
from ..network.whitening import IMAGES as WHITENING_IMAGES
from ..runs.events import EpochEvent, Event, RateEvent
from ..runs.history import History
from .augment import Variation, augments, draw, varied
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
        moments = channel_moments(self._images, self.trained) if config.standardise else None
        some = None
        if is_whitened(config):
            some = self._images[sample(self.trained, WHITENING_IMAGES)]
        self.model = build_model(config, len(data.class_names), moments, some)
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
        config, data = self.config, self.data
        if len(self._held):
            validation = self._images[self._held], data.y_train[self._held]
        else:
            seen = to_channels(data.x_test, input_channels(config))
            validation = seen, np.asarray(data.y_test)
        take = _on_device(self._images)
        train = many_steps(self.model, config.batch_size)
        _set_dropout(self.model, config.seed, self.step)
        steps = math.ceil(len(self.trained) / config.batch_size)
        for epoch in range(self.step // steps + 1, config.epochs + 1):
            if self._has_waited_enough(epoch - 1):
                self.stopped_early = True
                break
            order = np.random.default_rng([config.seed, epoch]).permutation(self.trained)
            started = (epoch - 1) * steps
            skipped = done = self.step - started
            self.model.reset_metrics()
            meter = Meter(epoch, config.batch_size, len(order), skipped, self._before)
            logs = None
            while done < steps:
                if self._stopping:
                    if logs and meter.is_behind(done):
                        yield meter.read(logs, done, self.step)
                    return
                numbers = np.arange(done, min(done + meter.batches_until_due(), steps))
                which = order[done * config.batch_size : (numbers[-1] + 1) * config.batch_size]
                images = take(which, self._variation(epoch, numbers, len(which)))
                rates = self._rates(started + numbers, steps * config.epochs)
                logs = train(images, data.y_train[which], rates)
                done += len(numbers)
                self.step = started + done
                meter.note(len(numbers))
                if meter.is_due or done == steps:
                    yield meter.read(logs, done, self.step)
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

    def _rates(self, steps: np.ndarray, in_all: int) -> np.ndarray:
        """The learning rate at each of some steps, float32, with the changes made so far."""
        config, changes = self.config, self._before.rates
        factors = [changed_by(changes, config, int(step)) for step in steps]
        return (learning_rates(config, steps, in_all) * factors).astype(np.float32)

    def _variation(self, epoch: int, numbers: np.ndarray, images: int) -> Variation | None:
        """The augmentation of some batches of an epoch, each drawn from (seed, epoch, number)."""
        config, size = self.config, self.config.batch_size
        if not augments(config):
            return None
        plans = []
        for number in numbers:
            rng = np.random.default_rng([config.seed, epoch, int(number)])
            left = images - (number - numbers[0]) * size
            plans.append(draw(config, min(size, left), rng))
        return Variation.joined(plans)

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


def _on_device(images: np.ndarray) -> Callable[[np.ndarray, Variation | None], Any]:
    """What takes images by index and varies them, on a GPU where there is one."""
    import keras
    import tensorflow as tf

    has_gpu = tf.config.get_visible_devices("GPU")
    held, xp = (tf.constant(images), keras.ops) if has_gpu else (images, np)

    def take(which: np.ndarray, variation: Variation | None) -> Any:
        return varied(held, which, variation, xp) if variation else xp.take(held, which, axis=0)

    return take


def many_steps(model: keras.Model, batch_size: int) -> Callable[..., dict[str, tf.Tensor]]:
    """Training steps in one call of TensorFlow, as a function of

    - images, uint8 (N, 32, 32, C), batch after batch,
    - labels, uint8 (N,),
    - learning rates, float32 (S,), of as many steps as N images make.

    It returns Keras's figures of the epoch so far.
    """
    import tensorflow as tf

    any_images = tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8)
    any_labels, any_rates = tf.TensorSpec((None,), tf.uint8), tf.TensorSpec((None,), tf.float32)
    step = tf.function(model.train_step, jit_compile=model.jit_compile)

    def steps(images: tf.Tensor, labels: tf.Tensor, rates: tf.Tensor) -> dict[str, tf.Tensor]:
        for number in tf.range(tf.size(rates)):
            batch = slice(number * batch_size, (number + 1) * batch_size)
            model.optimizer.learning_rate.assign(rates[number])
            step((images[batch], labels[batch]))
        return model.get_metrics_result()

    return tf.function(steps, input_signature=(any_images, any_labels, any_rates))
