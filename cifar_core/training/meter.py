"""Figures of the steps since the last look, out of Keras's figures of the epoch so far."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import RunDiverged
from ..runs.events import BatchEvent
from ..runs.history import History

if TYPE_CHECKING:
    import tensorflow as tf

_EVENT_SECONDS = 0.2  # batch events come by the clock, at most five a second


def plain_loss(logs: dict[str, Any], step: int) -> float:
    """The cross-entropy alone, where the loss that is minimised holds more.

    Args:
        logs: Keras's figures.
        step: training steps done.

    Raises:
        RunDiverged: the loss is no number any more.
    """
    if not math.isfinite(float(logs["loss"])):
        raise RunDiverged(
            f"a loss must stay a number. Received: {float(logs['loss'])} by step {step}; choose a "
            f"lower learning rate, a tenth of this run's for a start."
        )
    return float(logs.get("cross_entropy", logs["loss"]))


class Meter:
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
        self._earlier = before.batches.of_epoch(epoch)
        self._called = self.started
        self._seconds_a_batch = _EVENT_SECONDS

    @property
    def is_due(self) -> bool:
        return time.perf_counter() - self._looked >= _EVENT_SECONDS

    def batches_until_due(self) -> int:
        """How many batches are likely to be trained until the next event, at least 1."""
        self._called = time.perf_counter()
        left = _EVENT_SECONDS - (self._called - self._looked)
        return max(1, math.ceil(left / self._seconds_a_batch))

    def note(self, batches: int) -> None:
        """So many batches were trained since `batches_until_due` was asked."""
        self._seconds_a_batch = max(time.perf_counter() - self._called, 1e-6) / batches

    def _images_after(self, batches: int) -> int:
        return min(batches * self._batch_size, self._images)

    def is_behind(self, batches: int) -> bool:
        """Whether images were trained since the last look."""
        return self._images_after(batches) > self._at

    def read(self, logs: dict[str, tf.Tensor], batches: int, step: int) -> BatchEvent:
        """The event for the span that ends after so many batches of the epoch.

        Raises:
            RunDiverged: the loss is no number any more.
        """
        loss, accuracy = plain_loss(logs, step), float(logs["accuracy"])
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
        figures = [(event.loss, event.accuracy) for event in self._earlier]
        figures.append((self._loss, self._accuracy))
        loss, accuracy = np.average(figures, axis=0, weights=weights).tolist()
        return loss, accuracy
