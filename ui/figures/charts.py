"""Numbers to Plotly figures. Words come in as arguments; colours of text and grid stay open.

Nothing here knows Streamlit: `live_chart` or `st.plotly_chart` add the page's theme.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any, Literal
from zlib import crc32

import numpy as np

# Plotly looks at pandas where it finds it, even half imported by another session's thread.
import pandas  # noqa: F401
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from cifar_core.percent import percent, rounded

PALETTE = ("#1a7fc1", "#d55e00", "#009e73", "#b8659a", "#7a7a7a", "#8a7a12", "#6a6fd8")
"""After Okabe and Ito's colour-blind-safe set, each 3:1 or more against white and near-black."""

ON_COLOUR = "#000000"
"""Of words on a bar in one of the first three colours: 4.5:1 or more."""

ROLE_COLOURS = {"train": PALETTE[0], "validation": PALETTE[1]}
CHANNEL_COLOURS = ("#d6404f", "#1f9a55", "#3a7bd5", "#7a7a7a")
"""Red, green, blue and brightness."""

_ROLE_SYMBOLS = {"train": "circle", "validation": "diamond"}  # not by colour alone
_QUIET = "rgba(128,128,128,0.55)"
CLEAR = "rgba(0,0,0,0)"

BLANK = {
    "template": "none",
    "uirevision": "constant",
    "paper_bgcolor": CLEAR,
    "plot_bgcolor": CLEAR,
}
"""Layout of every figure: without Plotly's default template, which is 7 kB in every message."""


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
    """

    name: str
    x: ArrayLike
    y: ArrayLike
    role: Literal["train", "validation"] = "train"
    style: Literal["raw", "epoch", "reference", "best"] = "epoch"
    colour: str | None = None
    dash: str = "solid"


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


def smooth(y: ArrayLike, weight: float) -> NDArray:
    """Exponential moving average without the bias of its start, as TensorBoard draws it.

    The n-th value is the mean of the first n, each weighted `weight` times the one after it
    (Kingma and Ba, "Adam", 2015, section 3, for the correction).

    Args:
        y: Shape (N,). A NaN stays one and counts for nothing.
        weight: In [0, 1); 0 leaves the values as they are.

    Returns:
        float64, shape (N,).
    """
    smoothed, total, weights = [], 0.0, 0.0
    for value in np.asarray(y, dtype=float).tolist():
        if value == value:
            total = weight * total + (1 - weight) * value
            weights = weight * weights + (1 - weight)
        smoothed.append(total / weights if value == value else value)
    return np.array(smoothed)


def history_figure(
    series: Sequence[Series],
    *,
    metric: Literal["loss", "accuracy"],
    by: Literal["epoch", "step"],
    x_title: str,
    y_title: str,
    title: str = "",
    x_max: float | None = None,
    smoothing: float = 0.0,
    measured: str = "",
    log: bool = False,
    marks: Sequence[Mark] = (),
    subject: str = "",
) -> go.Figure:
    """Training curves, by epoch or by step.

    Args:
        series: The curves; longer ones than `thin`'s limit are thinned.
        metric: `accuracy` puts 0 to 100 % on the y axis.
        by: `epoch` puts ticks on whole epochs only.
        x_title: Under the x axis.
        y_title: Beside the y axis.
        title: Above the legend.
        x_max: Where the x axis ends, such as the epochs planned; by default where the data do.
        smoothing: `smooth`'s weight; above 0 the values as measured stay behind, faintly.
        measured: What those are called in the hover text, after the curve's name.
        log: A logarithmic y axis.
        marks: Lines to draw across.
        subject: Whose curves they are; another subject's begin without the old zoom.

    Returns:
        A figure whose zoom and hidden traces `live_chart` keeps while points are added.
    """
    longest = max([x_max or 0.0, *(end for one in series for end in np.asarray(one.x, float)[-1:])])
    if metric == "accuracy":  # the browser would round halves in its own way
        series = [replace(one, y=rounded(one.y)) for one in series]
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
        "title": {"text": y_title},
        "rangemode": "tozero",
        "hoverformat": ".4f",
        "uirevision": f"{subject}/{log}",
    }
    if metric == "accuracy":
        y_axis |= {"range": [0, 1.02], "dtick": 0.2, "tickformat": ".0%", "hoverformat": ".2%"}
    if log:
        y_axis |= {"type": "log", "tickformat": ".3~g", "dtick": "D2"}  # 1, 2, 5, 10, ...
    # The title is the legend's, so that a legend of several rows pushes it up, not over it.
    heading = {"text": title, "side": "top", "font": {"size": 16}} if title else {}
    # In one go: each `update_xaxes` and the like takes as long as all of this.
    return _figure(
        "" if series else title,
        [trace for one in series for trace in _curves(one, smoothing, measured)],
        hovermode="x unified",
        legend={**_LEGEND, "title": heading, "titleclick": False},
        margin={**_MARGIN, "t": 40},
        xaxis=x_axis,
        yaxis=y_axis,
        shapes=[_line(mark, longest) for mark in marks],
    )


def _curves(one: Series, smoothing: float, measured: str) -> list[dict]:
    """A series as drawn: as it is or, smoothed, before the faint values as measured."""
    if not smoothing or one.style in ("reference", "best"):
        return [_trace(one, one.y)]
    # In one group, so that a click in the legend hides both.
    group = {"legendgroup": _uid(one)}
    behind = _trace(one, one.y, " ".join([one.name, measured])) | group
    smoothed = _trace(one, smooth(one.y, smoothing)) | group
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
        "line": {"color": _QUIET, "width": 1.5, "dash": "dash"},
        "label": {
            "text": escape(mark.text, quote=False),
            "textposition": "end",
            "textangle": 0,
            "xanchor": "left" if mark.x < longest / 2 else "right",  # where there is room
            "yanchor": "top",
            "font": {"size": 11},
        },
    }


def confusion_figure(
    matrix: ArrayLike,
    class_names: Sequence[str],
    *,
    normalise: bool,
    x_title: str,
    y_title: str,
    title: str = "",
    chosen: tuple[int, int] | None = None,
) -> go.Figure:
    """A confusion matrix as a heat map, the first class at the top.

    Args:
        matrix: Counts, shape (K, K): a row for each true class, a column for each predicted one.
        class_names: K names.
        normalise: Write each row's shares instead of counts; the colours are shares always.
        x_title: For the predicted classes.
        y_title: For the true classes.
        title: Above the map.
        chosen: Row and column of a cell to frame.
    """
    counts = np.asarray(matrix)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    names = [escape(name, quote=False) for name in class_names]
    places = np.arange(len(names))
    text, hover = [], []
    for (i, j), count in np.ndenumerate(counts):
        share = percent(shares[i, j])
        text.append(percent(shares[i, j], 0) if normalise else f"{count:,}")
        hover.append(f"{y_title}: {names[i]}<br>{x_title}: {names[j]}<br>{count:,} ({share})")
    figure = _figure(title, dragmode=False, margin_t=72 if title else 8)
    # From clear to blue, never so strong that the theme's text colour could not be read on it.
    figure.add_heatmap(
        z=shares,
        zmin=0,
        zmax=1,
        colorscale=[[0, "rgba(26,127,193,0)"], [1, "rgba(26,127,193,0.7)"]],
        showscale=False,
        text=np.reshape(hover, counts.shape),
        hovertemplate="%{text}<extra></extra>",
    )
    # The map's own text would be black or white as if the page were white behind it.
    rows, columns = np.indices(counts.shape).reshape(2, -1)
    figure.add_scatter(
        x=columns, y=rows, mode="text", text=text, hoverinfo="skip", showlegend=False
    )
    ticks = {
        "tickvals": places,
        "ticktext": names,
        "ticks": "",
        "showgrid": False,
        "zeroline": False,
    }
    if chosen:
        row, column = chosen
        frame = {"x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5}
        figure.add_shape(**frame, line={"color": PALETTE[1], "width": 2})
    edge = [-0.5, len(names) - 0.5]
    figure.update_xaxes(title_text=x_title, range=edge, fixedrange=True, **ticks)
    figure.update_yaxes(title_text=y_title, range=edge[::-1], fixedrange=True, **ticks)
    return figure


def probability_figure(
    probabilities: ArrayLike,
    class_names: Sequence[str],
    *,
    predicted: int,
    true: int | None,
    x_title: str,
    predicted_word: str,
    true_word: str,
) -> go.Figure:
    """All classes' probabilities as bars, in the order of the classes.

    The predicted and the true class stand out by colour and by a word behind the percentage,
    which stands in a bar that leaves no room beside it.

    Args:
        probabilities: Shape (K,), in [0, 1].
        class_names: K names.
        predicted: Index of the predicted class.
        true: Index of the true class, None where nobody knows it.
        x_title: Under the bars.
        predicted_word: Marks the predicted class, such as "predicted".
        true_word: Marks the true class.
    """
    values = np.asarray(probabilities, dtype=float)
    words: dict[int, list[str]] = {index: [] for index in range(len(values))}
    colours = [_QUIET] * len(values)
    if true is not None:
        colours[true] = PALETTE[2]
        words[true].append(true_word)
    if true != predicted:
        colours[predicted] = PALETTE[0] if true is None else PALETTE[1]
    words[predicted].insert(0, predicted_word)
    names = [escape(name, quote=False) for name in class_names]
    figure = _figure("")
    figure.add_bar(
        orientation="h",
        x=rounded(values),
        y=np.arange(len(values)),
        marker={"color": colours},
        text=[" · ".join([percent(value), *words[i]]) for i, value in enumerate(values)],
        textposition=["inside" if value > 0.5 else "outside" for value in values],
        insidetextanchor="end",
        insidetextfont={"color": ON_COLOUR},
        cliponaxis=False,
        customdata=names,
        hovertemplate="%{customdata}: %{x:.2%}<extra></extra>",
    )
    shares = [0, 0.25, 0.5, 0.75, 1]
    figure.update_xaxes(title_text=x_title, range=[0, 1.02], tickvals=shares, tickformat=".0%")
    bold = [f"<b>{name}</b>" if words[i] else name for i, name in enumerate(names)]
    figure.update_yaxes(tickvals=np.arange(len(values)), ticktext=bold, autorange="reversed")
    figure.update_yaxes(showgrid=False)
    figure.update_layout(margin_t=8)
    return figure


def class_bars_figure(
    values: Mapping[str, ArrayLike],
    class_names: Sequence[str],
    *,
    y_title: str,
    number: str,
    highest: float | None = None,
) -> go.Figure:
    """Bars for each class, one beside the other where there are several values.

    Args:
        values: Name to values of shape (K,); NaN leaves a gap.
        class_names: K names, written under the bars as far as there is room.
        y_title: Beside the y axis.
        number: Plotly's format of the values, `,d` or, for shares, `.2%`.
        highest: Where the y axis ends, that figures can be compared; else as the values need it.
    """
    names = [escape(name, quote=False) for name in class_names]
    places = np.arange(len(names))
    figure = _figure("", barmode="group", showlegend=len(values) > 1)
    for (name, heights), colour in zip(values.items(), PALETTE, strict=False):
        figure.add_bar(
            x=places,
            y=rounded(heights) if number.endswith("%") else np.asarray(heights, dtype=float),
            name=escape(name, quote=False),
            marker_color=colour,
            customdata=names,
            hovertemplate=f"%{{customdata}}: %{{y:{number}}}",
        )
    labelled = places[:: -(-len(names) // 40)]
    cut = [one if len(one) <= 24 else one[:23] + "…" for one in class_names]
    short = [escape(cut[i], quote=False) for i in labelled]
    figure.update_xaxes(tickvals=labelled, ticktext=short, showgrid=False)
    figure.update_yaxes(
        title_text=y_title, rangemode="tozero", tickformat=number.replace("%", "~%")
    )
    if highest:
        figure.update_yaxes(range=[0, 1.02 * highest])
    return figure


def histogram_figure(
    chosen: ArrayLike,
    everything: ArrayLike,
    *,
    channel_names: Sequence[str],
    chosen_name: str,
    everything_name: str,
    x_title: str,
) -> go.Figure:
    """How often each pixel value occurs, a row a channel: one class filled, all as a line.

    The rows end a little above their highest share within the ends: many pixels are clipped to
    0 or 255, and the peaks there would press everything else down to the axis.

    Args:
        chosen: Counts, shape (4, 256): red, green, blue, brightness.
        everything: Counts to compare with, of the same shape.
        channel_names: Four words, beside the rows.
        chosen_name: In the legend.
        everything_name: In the legend.
        x_title: Under the lowest row.
    """
    figure = _figure("", hovermode="x unified")
    values = np.arange(256).reshape(64, 4).mean(axis=1)
    for row, (name, colour) in enumerate(zip(channel_names, CHANNEL_COLOURS, strict=True)):
        axis, inner = str(row + 1) if row else "", 0.0
        for who, counts, style in (
            (chosen_name, chosen, {"fill": "tozeroy", "line": {"color": colour, "width": 1}}),
            (everything_name, everything, {"line": {"color": CHANNEL_COLOURS[3], "dash": "dot"}}),
        ):
            binned = np.asarray(counts)[row].reshape(64, 4).sum(axis=1)
            figure.add_scatter(
                x=values,
                y=binned / max(binned.sum(), 1),
                yaxis=f"y{axis}",
                name=escape(who, quote=False),
                mode="lines",
                line_shape="hvh",
                showlegend=row == 3,
                hovertemplate="%{y:.1%}",
                **style,
            )
            inner = max(inner, (binned[1:-1] / max(binned.sum(), 1)).max())
        low = 0.26 * (3 - row)
        figure.layout[f"yaxis{axis}"] = {
            "domain": [low, low + 0.22],
            "title": {"text": escape(name, quote=False)},
            "range": [0, 1.4 * inner or 1],
        }
    figure.update_yaxes(tickformat=".1~%", nticks=4)
    figure.update_xaxes(title_text=x_title, range=[0, 255], tickvals=[0, 64, 128, 192, 255])
    figure.update_xaxes(anchor="y4", hoverformat=".0f")
    return figure


def pixel_figure(pixels: NDArray, *, hover: str) -> go.Figure:
    """An image enlarged, with the values of the pixel under the pointer.

    Args:
        pixels: uint8 (H, W, 3).
        hover: With Plotly's placeholders `%{y}` (row), `%{x}` (column) and `%{z[0]}` to
            `%{z[2]}` (red, green, blue).
    """
    figure = _figure("", margin={"l": 0, "r": 0, "t": 0, "b": 0}, dragmode=False)
    figure.add_image(z=pixels.tolist(), hovertemplate=f"{hover}<extra></extra>")
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(visible=False, constrain="domain", scaleanchor="x")
    return figure


def schedule_figure(
    epochs: ArrayLike, rates: ArrayLike, *, x_title: str, y_title: str
) -> go.Figure:
    """The learning rate over a run that is planned.

    Args:
        epochs: Where the rates hold, shape (N,), from 0 to the last epoch's end.
        rates: Shape (N,).
        x_title: Under the x axis.
        y_title: Beside the y axis.
    """
    figure = _figure("", dragmode=False, margin={"l": 64, "r": 8, "t": 8, "b": 40})
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


_LEGEND = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}
_MARGIN = {"l": 56, "r": 16, "b": 48}


def _figure(title: str, traces: Sequence[dict] = (), **layout: Any) -> go.Figure:
    """A figure, empty by default, with room for a title and a legend."""
    return go.Figure(
        traces,
        {
            **BLANK,
            "title": {"text": title, "x": 0, "xref": "paper", "font": {"size": 16}},
            "legend": _LEGEND,
            "margin": {**_MARGIN, "t": 72 if title else 40},
            **layout,
        },
    )


def _uid(series: Series) -> str:
    """What a trace is known by over updates; Plotly makes a CSS class of it, so no free text."""
    return f"t{crc32(f'{series.name}/{series.style}'.encode()):08x}"


def _whole_tick(longest: float) -> int:
    """The least of 1, 2, 5, 10, 20, ... that leaves at most ten ticks."""
    tick = 1
    while longest / tick > 10:
        tick = tick * 5 // 2 if str(tick)[0] == "2" else tick * 2
    return tick
