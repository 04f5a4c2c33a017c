"""A run's events to the curves of its loss and accuracy."""

from __future__ import annotations

from typing import Literal

import plotly.graph_objects as go

from cifar_core.history import History
from cifar_core.runs import Run
from cifar_core.split import steps_per_epoch
from ui.charts import Series, history_figure
from ui.text import _

Metric = Literal["loss", "accuracy"]
Axis = Literal["epoch", "step"]
METRICS: tuple[Metric, Metric] = ("accuracy", "loss")


def title(metric: Metric) -> str:
    """A metric's name on an axis or over a chart."""
    return {"loss": _("Loss"), "accuracy": _("Accuracy")}[metric]


def curves(
    run: Run,
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
        run: whose settings tell how many steps an epoch has.
        history: its events.
        metric: 'loss' or 'accuracy'.
        by: what the x axis counts.
        batches: with the values within epochs, as a faint line.
        name: before each curve's name, to tell runs apart.
        colour: of both curves; by default train and validation differ.
    """
    train = " ".join(filter(None, [name, _("train")]))
    validation = " ".join(filter(None, [name, _("validation")]))
    x = [event.epoch if by == "epoch" else event.step for event in history.epochs]
    found = []
    if batches and history.batches:
        images = run.environment.get("train_images")
        steps = steps_per_epoch(images, run.config) if images and by == "epoch" else 1
        found.append(
            Series(
                _("train, last batches"),
                [event.step / steps for event in history.batches],
                [getattr(event, metric) for event in history.batches],
                style="raw",
                colour=colour,
            )
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


def figure(
    series: list[Series], metric: Metric, by: Axis = "epoch", x_max: float | None = None
) -> go.Figure:
    """The chart of one metric, its axes named."""
    return history_figure(
        series,
        metric=metric,
        by=by,
        x_title={"epoch": _("Epoch"), "step": _("Step")}[by],
        y_title=title(metric),
        x_max=x_max,
    )
