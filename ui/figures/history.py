"""A run's events to the curves of its loss and accuracy."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import plotly.graph_objects as go

from cifar_core.analysis.diagnosis import best_epoch
from cifar_core.runs.batches import Curve
from cifar_core.runs.events import EpochEvent
from cifar_core.runs.history import History
from cifar_core.runs.summary import Summary
from cifar_core.training.split import steps_per_epoch
from ui.figures.curves import Axis, Mark, Means, Metric, Series, history_figure
from ui.text import _


@dataclass(frozen=True)
class Reference:
    """A curve to beat.

    Attributes:
        name: in the legend; says of which images, where they are others.
        history: its epochs.
    """

    name: str
    history: History = field(hash=False)


@dataclass(frozen=True)
class View:
    """How curves are looked at.

    Attributes:
        axis: what the x axis counts.
        smoothing: weight of what came before, 0 for none.
        log: the loss on a logarithmic scale.
        reference: a curve to beat.
    """

    axis: Axis = "epoch"
    smoothing: float = 0.0
    log: bool = False
    reference: Reference | None = None


def run_figure(
    summary: Summary, history: History, metric: Metric, view: View, x_max: float | None = None
) -> go.Figure:
    """The chart of one metric of a run, with all that the live page shows in it.

    The best epoch, by validation loss, and changes of the learning rate are marked.
    """
    by = view.axis
    series = []
    if view.reference:
        x = [_at(event, by) for event in view.reference.history.epochs]
        y = [getattr(event, f"val_{metric}") for event in view.reference.history.epochs]
        series.append(Series(view.reference.name, x, y, role="validation", style="reference"))
    x = [_at(event, by) for event in history.epochs]
    train, validation = (
        [getattr(event, name) for event in history.epochs] for name in (metric, f"val_{metric}")
    )
    if history.batches:
        series.append(_of_batches(history.batches.curve(metric), _steps(summary, by)))
    series.append(Series(_("train"), x, train))
    series.append(Series(_("validation"), x, validation, role="validation"))
    if best := best_epoch(history.epochs):
        x, y = [_at(best, by)], [getattr(best, f"val_{metric}")]
        series.append(Series(_("best epoch"), x, y, role="validation", style="best"))
    marks = [
        Mark(
            event.step / _steps(summary, by),
            _("learning rate {rate:g}").format(rate=event.learning_rate),
        )
        for event in history.rates
    ]
    return history_figure(
        series,
        metric=metric,
        by=by,
        x_max=x_max,
        smoothing=view.smoothing,
        log=view.log and metric == "loss",
        marks=marks,
        subject=summary.run.id,
    )


def _of_batches(curve: Curve, steps: int) -> Series:
    """The lowest and the highest of each span, between which a spike is seen."""
    x = curve.step / steps
    drawn = np.stack([np.ones(len(x), bool), curve.count > 1], axis=1)
    return Series(
        _("train, last batches"),
        np.stack([x, x], axis=1)[drawn],
        np.stack([curve.low, curve.high], axis=1)[drawn],
        style="raw",
        means=Means(x, curve.mean, curve.count),
    )


def _steps(summary: Summary, by: Axis) -> int:
    """Steps in one unit of the x axis."""
    images = summary.environment.get("train_images")
    return steps_per_epoch(images, summary.config) if images and by == "epoch" else 1


def _at(event: EpochEvent, by: Axis) -> int:
    return event.epoch if by == "epoch" else event.step
