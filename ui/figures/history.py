"""A run's events to the curves of its loss and accuracy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import plotly.graph_objects as go

from cifar_core.analysis.diagnosis import best_epoch
from cifar_core.runs.events import EpochEvent
from cifar_core.runs.history import History
from cifar_core.runs.summary import Summary
from cifar_core.training.meter import without_stubs
from cifar_core.training.split import steps_per_epoch
from ui.figures.curves import Mark, Series, history_figure
from ui.text import _

Metric = Literal["loss", "accuracy"]
Axis = Literal["epoch", "step"]
METRICS: tuple[Metric, Metric] = ("accuracy", "loss")


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


def title(metric: Metric) -> str:
    """A metric's name on an axis or over a chart."""
    return {"loss": _("Loss"), "accuracy": _("Accuracy")}[metric]


def curves(
    summary: Summary,
    history: History,
    metric: Metric,
    by: Axis = "epoch",
    *,
    batches: bool = False,
    name: str = "",
    colour: str | None = None,
) -> list[Series]:
    """Training and validation curves of a run.

    Args:
        summary: of the run, whose settings tell how many steps an epoch has.
        history: its events.
        metric: 'loss' or 'accuracy'.
        by: what the x axis counts.
        batches: with the values within epochs, as a faint line.
        name: before each curve's name, to tell runs apart.
        colour: of both curves; by default train and validation differ.
    """
    train = " ".join(filter(None, [name, _("train")]))
    validation = " ".join(filter(None, [name, _("validation")]))
    x = [_at(event, by) for event in history.epochs]
    found = []
    if batches and history.batches:
        steps = _steps(summary, by)
        at, values = without_stubs(history.batches, metric)
        found.append(
            Series(_("train, last batches"), at / steps, values, style="raw", colour=colour)
        )
    found.append(
        Series(train, x, [getattr(event, metric) for event in history.epochs], colour=colour)
    )
    found.append(
        Series(
            validation,
            x,
            [getattr(event, f"val_{metric}") for event in history.epochs],
            role="validation",
            colour=colour,
            dash="dash" if colour else "solid",
        )
    )
    return found


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
    series += curves(summary, history, metric, by, batches=True)
    if best := best_epoch(history.epochs):
        at = _at(best, by), getattr(best, f"val_{metric}")
        series.append(Series(_("best epoch"), [at[0]], [at[1]], role="validation", style="best"))
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
        x_title=_axis_title(by),
        y_title=title(metric),
        x_max=x_max,
        smoothing=view.smoothing,
        measured=_("as measured"),
        log=view.log and metric == "loss",
        marks=marks,
        subject=summary.run.id,
    )


def figure(
    series: list[Series], metric: Metric, by: Axis = "epoch", x_max: float | None = None
) -> go.Figure:
    """The chart of one metric, its axes named."""
    return history_figure(
        series,
        metric=metric,
        by=by,
        x_title=_axis_title(by),
        y_title=title(metric),
        x_max=x_max,
    )


def _steps(summary: Summary, by: Axis) -> int:
    """Steps in one unit of the x axis."""
    images = summary.environment.get("train_images")
    return steps_per_epoch(images, summary.config) if images and by == "epoch" else 1


def _at(event: EpochEvent, by: Axis) -> int:
    return event.epoch if by == "epoch" else event.step


def _axis_title(by: Axis) -> str:
    return {"epoch": _("Epoch"), "step": _("Step")}[by]
