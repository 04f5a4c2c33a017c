"""Curves over epochs or steps, one laid over another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any, Literal
from zlib import crc32

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from cifar_core.percent import rounded
from ui.figures.base import PALETTE, QUIET, ROLE_COLOURS, with_legend
from ui.text import _

Metric = Literal["loss", "accuracy"]
Axis = Literal["epoch", "step"]
METRICS: tuple[Metric, Metric] = ("accuracy", "loss")

_ROLE_SYMBOLS = {"train": "circle", "validation": "diamond"}  # not by colour alone


@dataclass(frozen=True, slots=True)
class Means:
    """What is smoothed where a curve stands for more values than it has points.

    Attributes:
        x, y: as of a series.
        count: how many values each is the mean of.
    """

    x: ArrayLike
    y: ArrayLike
    count: ArrayLike


@dataclass(frozen=True, slots=True)
class Series:
    """One curve of a history figure.

    Args:
        name: In the legend and the hover text; unique in a figure together with `style`.
        x: Epochs (fractions for values within one) or steps.
        y: Losses, or accuracies in [0, 1]. NaN makes a gap.
        role: Which data the values come from; chooses colour and marker.
        style: `raw` for many noisy values (a faint line), `epoch` for a few (line and markers),
            `reference` for another run's (a faint dotted line, never smoothed), `best` for the
            one point that stands out (a ring).
        colour: Instead of the role's, to tell runs apart.
        dash: Plotly's `solid`, `dot`, `dash`, ...
        means: What is smoothed, where it is not the values.
    """

    name: str
    x: ArrayLike
    y: ArrayLike
    role: Literal["train", "validation"] = "train"
    style: Literal["raw", "epoch", "reference", "best"] = "epoch"
    colour: str | None = None
    dash: str = "solid"
    means: Means | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical line across a history figure.

    Args:
        x: Where, in the unit of the x axis.
        text: Beside the line, at its top.
    """

    x: float
    text: str


def thin(x: ArrayLike, y: ArrayLike, limit: int = 2000) -> tuple[NDArray, NDArray]:
    """Keep at most `limit` points, among them every bucket's lowest and highest.

    The first and the last point stay, and so does the order. A bucket's NaNs are left out, unless
    it holds nothing else: then one of them stays and draws the gap.

    Args:
        x: Shape (N,).
        y: Shape (N,).
        limit: At least 4.

    Returns:
        The points that stay, as two arrays of one length.

    Raises:
        ValueError: The lengths differ, or the limit is below 4.
    """
    x, y = np.asarray(x), np.asarray(y)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"`x` and `y` must be (N,) alike. Received: {x.shape} and {y.shape}.")
    if limit < 4:
        raise ValueError(f"`limit` must be at least 4. Received: limit={limit}.")
    if len(y) <= limit:
        return x, y
    inner = np.asarray(y[1:-1], dtype=float)
    buckets = (limit - 2) // 2
    width = -(-len(inner) // buckets)
    padded: NDArray = np.full(buckets * width, np.nan)
    padded[: len(inner)] = inner
    padded = padded.reshape(buckets, width)
    gaps = np.isnan(padded)
    low = np.where(gaps, np.inf, padded).argmin(axis=1)
    high = np.where(gaps, -np.inf, padded).argmax(axis=1)
    picked = np.concatenate([low, high]) + np.tile(np.arange(buckets) * width, 2) + 1
    kept = np.unique(np.concatenate([[0], np.minimum(picked, len(y) - 1), [len(y) - 1]]))
    return x[kept], y[kept]


def smooth(y: ArrayLike, weight: float, count: ArrayLike = 1) -> NDArray:
    """Exponential moving average without the bias of its start, as TensorBoard draws it.

    The n-th value is the mean of the first n, each weighted `weight` times the one after it
    (Kingma and Ba, "Adam", 2015, section 3, for the correction).

    Args:
        y: Shape (N,). A NaN stays one and counts for nothing.
        weight: In [0, 1); 0 leaves the values as they are.
        count: How many values each stands for, shape (N,): it weighs as that many of its size, so
            that a curve looks as smooth however many points it is drawn with.

    Returns:
        float64, shape (N,).
    """
    values = np.asarray(y, dtype=float)
    pasts = np.broadcast_to(weight ** np.asarray(count, dtype=float), values.shape)
    smoothed, total, norm = [], 0.0, 0.0
    for value, past in zip(values.tolist(), pasts.tolist(), strict=True):
        if value == value:
            total, norm = past * total + (1 - past) * value, past * norm + (1 - past)
        smoothed.append(total / norm if value == value else value)
    return np.array(smoothed)


def title(metric: Metric) -> str:
    """A metric's name on an axis or over a chart."""
    return {"loss": _("Loss"), "accuracy": _("Accuracy")}[metric]


def history_figure(
    series: Sequence[Series],
    *,
    metric: Metric,
    by: Axis,
    x_max: float | None = None,
    smoothing: float = 0.0,
    log: bool = False,
    marks: Sequence[Mark] = (),
    subject: str = "",
) -> go.Figure:
    """Training curves, by epoch or by step.

    Args:
        series: The curves; longer ones than `thin`'s limit are thinned.
        metric: `accuracy` puts 0 to 100 % on the y axis.
        by: `epoch` puts ticks on whole epochs only.
        x_max: Where the x axis ends, such as the epochs planned; by default where the data do.
        smoothing: `smooth`'s weight; above 0 the values as measured stay behind, faintly.
        log: A logarithmic y axis.
        marks: Lines to draw across.
        subject: Whose curves they are; another subject's begin without the old zoom.

    Returns:
        A figure whose zoom and hidden traces `live_chart` keeps while points are added.
    """
    longest = max([x_max or 0.0, *(end for one in series for end in np.asarray(one.x, float)[-1:])])
    if metric == "accuracy":  # the browser would round halves in its own way
        series = [_rounded(one) for one in series]
    x_title = {"epoch": _("Epoch"), "step": _("Step")}[by]
    x_axis: dict[str, Any] = {
        "title": {"text": x_title},
        "rangemode": "tozero",
        "hoverformat": ",.2~f",
        "unifiedhovertitle": {"text": f"{x_title} %{{x:,.2~f}}"},
        # Given always: of one that comes and goes, Plotly forgets where the data end.
        "range": [0, 1.02 * (longest or 1)],
        "uirevision": f"{subject}/{by}",
    }
    if by == "epoch":
        x_axis |= {"dtick": _whole_tick(longest), "tickformat": ",d"}
    y_axis: dict[str, Any] = {
        "title": {"text": title(metric)},
        "rangemode": "tozero",
        "hoverformat": ".4f",
        "uirevision": f"{subject}/{log}",
    }
    if metric == "accuracy":
        y_axis |= {"range": [0, 1.02], "dtick": 0.2, "tickformat": ".0%", "hoverformat": ".2%"}
    if log:
        y_axis |= {"type": "log", "tickformat": ".3~g", "dtick": "D2"}  # 1, 2, 5, 10, ...
    # In one go: each `update_xaxes` and the like takes as long as all of this.
    return with_legend(
        [trace for one in series for trace in _curves(one, smoothing)],
        hovermode="x unified",
        xaxis=x_axis,
        yaxis=y_axis,
        shapes=[_line(mark, longest) for mark in marks],
    )


def _rounded(one: Series) -> Series:
    means = one.means and replace(one.means, y=rounded(one.means.y))
    return replace(one, y=rounded(one.y), means=means)


def _curves(one: Series, smoothing: float) -> list[dict]:
    """A series as drawn: as it is or, smoothed, before the faint values as measured."""
    if not smoothing or one.style in ("reference", "best"):
        return [_trace(one, one.y)]
    # In one group, so that a click in the legend hides both.
    group = {"legendgroup": _uid(one)}
    behind = _trace(one, one.y, " ".join([one.name, _("as measured")])) | group
    means = one.means or Means(one.x, one.y, 1)
    smoothed = _trace(replace(one, x=means.x), smooth(means.y, smoothing, means.count)) | group
    return [
        behind | {"opacity": 0.2, "showlegend": False, "uid": f"{_uid(one)}m"},
        smoothed | {"mode": "lines"},
    ]


def _trace(one: Series, y: ArrayLike, name: str = "") -> dict:
    x, y = thin(one.x, y)
    is_line = one.style in ("raw", "reference")
    colour = one.colour or ROLE_COLOURS[one.role]
    return {
        "x": np.asarray(x, dtype=np.float32),  # half the message; pixels are coarser
        "y": np.asarray(y, dtype=np.float32),
        "name": escape(name or one.name, quote=False),
        "uid": _uid(one),
        "mode": "markers" if one.style == "best" else "lines" if is_line else "lines+markers",
        "opacity": {"raw": 0.55, "reference": 0.9}.get(one.style, 1),
        "line": {
            "color": PALETTE[4] if one.style == "reference" else colour,
            "width": {"raw": 1, "reference": 1.5}.get(one.style, 2),
            "dash": "dot" if one.style == "reference" else one.dash,
        },
        "marker": (
            {"symbol": "circle-open", "size": 14, "color": colour, "line": {"width": 2}}
            if one.style == "best"
            else {"symbol": _ROLE_SYMBOLS[one.role], "size": 7}
        ),
        "cliponaxis": one.style != "best",  # which may lie at the very end
        "hovertemplate": "%{y}",
        "type": "scatter",
    }


def _line(mark: Mark, longest: float) -> dict:
    return {
        "type": "line",
        "xref": "x",
        "x0": mark.x,
        "x1": mark.x,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "layer": "below",
        "line": {"color": QUIET, "width": 1.5, "dash": "dash"},
        "label": {
            "text": escape(mark.text, quote=False),
            "textposition": "end",
            "textangle": 0,
            "xanchor": "left" if mark.x < longest / 2 else "right",  # where there is room
            "yanchor": "top",
            "font": {"size": 11},
        },
    }


def schedule_figure(epochs: ArrayLike, rates: ArrayLike) -> go.Figure:
    """The learning rate over a run that is planned.

    Args:
        epochs: Where the rates hold, shape (N,), from 0 to the last epoch's end.
        rates: Shape (N,).
    """
    x_title, y_title = _("Epoch"), _("Learning rate")
    figure = with_legend(dragmode=False, margin={"l": 64, "r": 8, "t": 8, "b": 40})
    figure.add_scatter(
        x=np.asarray(epochs),
        y=np.asarray(rates),
        uid="rate",
        mode="lines",
        fill="tozeroy",
        fillcolor="rgba(26,127,193,0.15)",
        line={"color": PALETTE[0], "width": 2},
        hovertemplate=f"{x_title} %{{x:.1f}}<br>{y_title} %{{y:.3~g}}<extra></extra>",
    )
    figure.update_xaxes(title_text=x_title, fixedrange=True, range=[0, np.max(epochs)])
    figure.update_xaxes(dtick=_whole_tick(float(np.max(epochs))), tickformat=",d")
    figure.update_yaxes(title_text=y_title, fixedrange=True, tickformat=".3~g", nticks=5)
    figure.update_yaxes(range=[0, np.max(rates) * 1.08])
    return figure


def _uid(series: Series) -> str:
    """What a trace is known by over updates; Plotly makes a CSS class of it, so no free text."""
    return f"t{crc32(f'{series.name}/{series.style}'.encode()):08x}"


def _whole_tick(longest: float) -> int:
    """The least of 1, 2, 5, 10, 20, ... that leaves at most ten ticks."""
    tick = 1
    while longest / tick > 10:
        tick = tick * 5 // 2 if str(tick)[0] == "2" else tick * 2
    return tick
