"""Figures of images: how many, how bright, and which pixels."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from cifar_core.percent import rounded
from ui.figures.base import CHANNEL_COLOURS, PALETTE, with_legend
from ui.text import _


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
    figure = with_legend(barmode="group", showlegend=len(values) > 1)
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


def histogram_figure(chosen: ArrayLike, everything: ArrayLike, chosen_name: str) -> go.Figure:
    """How often each pixel value occurs, a row a channel: one class filled, all as a line.

    The rows end a little above their highest share within the ends: many pixels are clipped to
    0 or 255, and the peaks there would press everything else down to the axis.

    Args:
        chosen: Counts, shape (4, 256): red, green, blue, brightness.
        everything: Counts of all classes, of the same shape.
        chosen_name: In the legend.
    """
    figure = with_legend(hovermode="x unified")
    values = np.arange(256).reshape(64, 4).mean(axis=1)
    names = (_("Red"), _("Green"), _("Blue"), _("Brightness"))
    for row, (name, colour) in enumerate(zip(names, CHANNEL_COLOURS, strict=True)):
        axis, inner = str(row + 1) if row else "", 0.0
        for who, counts, style in (
            (chosen_name, chosen, {"fill": "tozeroy", "line": {"color": colour, "width": 1}}),
            (_("all classes"), everything, {"line": {"color": CHANNEL_COLOURS[3], "dash": "dot"}}),
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
            "title": {"text": name},
            "range": [0, 1.4 * inner or 1],
        }
    figure.update_yaxes(tickformat=".1~%", nticks=4)
    figure.update_xaxes(title_text=_("Pixel value"), range=[0, 255], anchor="y4")
    figure.update_xaxes(tickvals=[0, 64, 128, 192, 255], hoverformat=".0f")
    return figure


def pixel_figure(pixels: NDArray) -> go.Figure:
    """An image, uint8 (H, W, 3), enlarged, with the values of the pixel under the pointer."""
    hover = _("Row %{y}, column %{x}<br>R %{z[0]} · G %{z[1]} · B %{z[2]}")
    figure = with_legend(margin={"l": 0, "r": 0, "t": 0, "b": 0}, dragmode=False)
    figure.add_image(z=pixels.tolist(), hovertemplate=f"{hover}<extra></extra>")
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(visible=False, constrain="domain", scaleanchor="x")
    return figure
