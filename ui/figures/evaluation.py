"""What a network gets right and wrong, as figures."""

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from cifar_core.analysis.calibration import Reliability
from cifar_core.analysis.evaluation import Confusion
from cifar_core.percent import percent, rounded
from ui.figures.base import (
    LEGEND,
    MARGIN,
    ON_COLOUR,
    PALETTE,
    QUIET,
    bare,
    with_legend,
    write_in_cells,
)
from ui.text import _


def _still(**layout: object) -> go.Figure:
    """An empty figure that is seen whole at once: nothing to zoom into."""
    fixed = {"fixedrange": True}
    return bare(**{"xaxis": fixed, "yaxis": fixed, **layout})


def ranking_figure(
    ranked: Sequence[Confusion],
    class_names: Sequence[str],
    *,
    chosen: tuple[int, int] | None = None,
) -> go.Figure:
    """Confusions as bars, in the order they come, the first at the top.

    Args:
        ranked: At least one.
        class_names: K names.
        chosen: True and predicted class of the bar to mark.
    """
    names = [escape(name, quote=False) for name in class_names]
    hover = _("{true}, taken for {predicted}: {images} images, {share} of the class")
    figure = _still(margin={"l": 8, "r": 56, "t": 8, "b": 48})
    figure.add_bar(
        orientation="h",
        x=[one.images for one in ranked],
        y=np.arange(len(ranked)),
        marker_color=[
            PALETTE[1] if (one.true, one.predicted) == chosen else PALETTE[0] for one in ranked
        ],
        text=[f"{one.images:,}" for one in ranked],
        textposition="outside",
        cliponaxis=False,
        hovertext=[
            hover.format(
                true=names[one.true],
                predicted=names[one.predicted],
                images=f"{one.images:,}",
                share=percent(one.share),
            )
            for one in ranked
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )
    figure.update_xaxes(title_text=_("Test images"), rangemode="tozero", tickformat=",d")
    figure.update_yaxes(
        tickvals=np.arange(len(ranked)),
        ticktext=[f"{names[one.true]} → {names[one.predicted]}" for one in ranked],
        autorange="reversed",
        showgrid=False,
    )
    return figure


def intervals_figure(
    names: Sequence[str], shares: Sequence[float], intervals: Sequence[tuple[float, float]]
) -> go.Figure:
    """Accuracies as points with their intervals as lines, one below the other.

    Args:
        names: N runs.
        shares: N accuracies, 0 to 1.
        intervals: N times the low and the high end; the axis shows only the part between them.
    """
    middle = np.asarray(shares, dtype=float)
    low, high = np.asarray(intervals, dtype=float).T
    places = np.arange(len(middle))
    hover = _("{share}, 95% interval {low} to {high}")
    figure = _still(margin={"l": 8, "r": 16, "t": 8, "b": 48})
    figure.add_scatter(
        x=middle,
        y=places,
        mode="markers",
        marker={"size": 12, "color": [PALETTE[i] for i in places]},
        error_x={
            "array": high - middle,
            "arrayminus": middle - low,
            "thickness": 2,
            "width": 8,
            "color": PALETTE[4],
        },
        hovertext=[
            hover.format(share=percent(share), low=percent(down), high=percent(up))
            for share, down, up in zip(middle, low, high, strict=True)
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )
    room = 0.15 * (high.max() - low.min())
    figure.update_xaxes(
        title_text=_("Test accuracy with its 95% interval"),
        range=[low.min() - room, high.max() + room],
        tickformat=".1~%",
        zeroline=False,
    )
    figure.update_yaxes(
        tickvals=places,
        ticktext=[escape(name, quote=False) for name in names],
        range=[len(middle) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
    )
    return figure


def agreement_figure(parts: Sequence[tuple[str, int]]) -> go.Figure:
    """How two runs' hits overlap: one bar of four parts.

    Args:
        parts: Names and numbers of images: both right, only the first, only the second, neither.
    """
    figure = _still(
        barmode="stack",
        margin={"l": 8, "r": 16, "t": 8, "b": 8},
        legend={**LEGEND, "y": 1.05, "traceorder": "normal"},
    )
    colours = (PALETTE[2], PALETTE[0], PALETTE[1], QUIET)
    for (name, images), colour in zip(parts, colours, strict=True):
        figure.add_bar(
            orientation="h",
            x=[images],
            y=[0],
            name=escape(name, quote=False),
            marker_color=colour,
            hovertemplate="%{x:,d}",
        )
    figure.update_xaxes(title_text=_("Test images"), tickformat=",d")
    figure.update_yaxes(visible=False)
    return figure


def reliability_figure(found: Reliability) -> go.Figure:
    """A reliability diagram: accuracy in each bin of confidence, and how many images are in each.

    A mark lies at a bin's mean confidence, where the bar of a network that is right as often as it
    is sure ends.
    """
    filled = found.images > 0
    width = found.edges[1] - found.edges[0]
    middle = ((found.edges[:-1] + found.edges[1:]) / 2)[filled]
    hover = _("{images} images, on average {confidence} sure and {accuracy} right")
    hovers = [
        hover.format(images=f"{images:,}", confidence=percent(sure), accuracy=percent(right))
        for images, sure, right in zip(
            found.images[filled], found.confidence[filled], found.accuracy[filled], strict=True
        )
    ]
    figure = _still(margin=MARGIN, legend=LEGEND, bargap=0.06)
    y_title, images_title = _("Share right"), _("Images")
    for axis, heights, colour, name in (
        ("y", found.accuracy[filled], PALETTE[0], y_title),
        ("y2", found.images[filled], QUIET, images_title),
    ):
        figure.add_bar(
            x=middle,
            y=heights,
            width=0.94 * width,
            yaxis=axis,
            name=name,
            marker_color=colour,
            hovertext=hovers,
            hovertemplate="%{hovertext}<extra></extra>",
            showlegend=axis == "y",
        )
    apart = np.full(len(middle), np.nan)
    figure.add_scatter(
        x=np.stack([middle - width / 2, middle + width / 2, apart], axis=1).ravel(),
        y=np.stack([found.confidence[filled]] * 2 + [apart], axis=1).ravel(),
        mode="lines",
        name=_("How sure, on average"),
        line={"color": PALETTE[1], "width": 3},
        hoverinfo="skip",
    )
    figure.update_layout(
        yaxis={
            "fixedrange": True,
            "domain": [0.32, 1],
            "range": [0, 1.02],
            "title": {"text": y_title},
            "tickformat": ".0%",
        },
        yaxis2={
            "fixedrange": True,
            "domain": [0, 0.22],
            "title": {"text": images_title},
            "nticks": 4,
        },
    )
    figure.update_xaxes(
        title_text=_("Confidence: the probability of the answer"),
        range=[0, 1.005],
        dtick=0.2,
        tickformat=".0%",
        anchor="y2",
    )
    return figure


def confusion_figure(
    matrix: ArrayLike,
    class_names: Sequence[str],
    *,
    normalise: bool,
    chosen: tuple[int, int] | None = None,
) -> go.Figure:
    """A confusion matrix as a heat map, the first class at the top.

    Args:
        matrix: Counts, shape (K, K): a row for each true class, a column for each predicted one.
        class_names: K names.
        normalise: Write each row's shares instead of counts; the colours are shares always.
        chosen: Row and column of a cell to frame.
    """
    counts = np.asarray(matrix)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    names = [escape(name, quote=False) for name in class_names]
    x_title, y_title = _("Predicted class"), _("True class")
    text, hover = [], []
    for (i, j), count in np.ndenumerate(counts):
        share = percent(shares[i, j])
        text.append(percent(shares[i, j], 0) if normalise else f"{count:,}")
        hover.append(f"{y_title}: {names[i]}<br>{x_title}: {names[j]}<br>{count:,} ({share})")
    ticks = {
        "tickvals": np.arange(len(names)),
        "ticktext": names,
        "ticks": "",
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
    }
    edge = [-0.5, len(names) - 0.5]
    figure = with_legend(
        dragmode=False,
        margin_t=8,
        xaxis={"title": {"text": x_title}, "range": edge, **ticks},
        yaxis={"title": {"text": y_title}, "range": edge[::-1], **ticks},
    )
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
    write_in_cells(figure, text, counts.shape)
    if chosen:
        row, column = chosen
        frame = {"x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5}
        figure.add_shape(**frame, line={"color": PALETTE[1], "width": 2})
    return figure


def probability_figure(
    probabilities: ArrayLike,
    class_names: Sequence[str],
    *,
    predicted: int,
    true: int | None,
    known: bool = True,
) -> go.Figure:
    """All classes' probabilities as bars, in the order of the classes.

    The predicted and the true class stand out by colour and by a word behind the percentage,
    which stands in a bar that leaves no room beside it.

    Args:
        probabilities: Shape (K,), in [0, 1].
        class_names: K names.
        predicted: Index of the predicted class.
        true: Index of the true class, None where it is not known.
        known: Whether the image is likely of a class; else the predicted one is but the nearest.
    """
    values = np.asarray(probabilities, dtype=float)
    words: dict[int, list[str]] = {index: [] for index in range(len(values))}
    colours = [QUIET] * len(values)
    if true is not None:
        colours[true] = PALETTE[2]
        words[true].append(_("true"))
    if true != predicted:
        colours[predicted] = PALETTE[0] if true is None else PALETTE[1]
    words[predicted].insert(0, _("predicted") if known or true is not None else _("nearest"))
    names = [escape(name, quote=False) for name in class_names]
    figure = with_legend(margin_t=8)
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
    figure.update_xaxes(
        title_text=_("Probability"), range=[0, 1.02], tickvals=shares, tickformat=".0%"
    )
    bold = [f"<b>{name}</b>" if words[i] else name for i, name in enumerate(names)]
    figure.update_yaxes(
        tickvals=np.arange(len(values)), ticktext=bold, autorange="reversed", showgrid=False
    )
    return figure
