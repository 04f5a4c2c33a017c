"""Runs side by side as Plotly figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any
from zlib import crc32

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from ui.figures.base import BLANK, PALETTE
from ui.text import _

LEAST, MOST = PALETTE[1], PALETTE[0]
"""Colours of the lowest and the highest value; each can be told from white and near-black."""


def mean_and_spread(curves: Sequence[Sequence[float]]) -> tuple[NDArray, NDArray]:
    """Mean and sample standard deviation at each place that all curves reach, (N,) each.

    The deviation is 0 where there is one curve only.
    """
    shortest = min(map(len, curves))
    values = np.array([curve[:shortest] for curve in curves], dtype=float)
    spread = values.std(axis=0, ddof=1) if len(curves) > 1 else np.zeros(shortest)
    return values.mean(axis=0), spread


def add_band(
    figure: go.Figure, name: str, x: Sequence[int], mean: NDArray, spread: NDArray, colour: str
) -> None:
    """Draw what lies around a history figure's curve.

    Args:
        figure: to draw into.
        name: the curve's.
        x: (N,).
        mean, spread: (N,); the band is as wide as the spread to either side.
        colour: as '#rrggbb'.
    """
    name = escape(name, quote=False)
    figure.add_scatter(
        x=[*x, *reversed(x)],
        y=np.concatenate([mean + spread, (mean - spread)[::-1]]),
        name=name,
        uid=f"b{crc32(name.encode()):08x}",
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=colour,
        opacity=0.25,
        hoverinfo="skip",
        showlegend=False,
    )


def parallel_figure(
    settings: Mapping[str, Sequence[object]], accuracy: Sequence[float]
) -> go.Figure:
    """Parallel coordinates: a line a run through its settings to its accuracy.

    A setting's values stand in order at even distances, whatever they are, words after numbers.
    The colour of a line is its accuracy, from the least to the most there is.

    Args:
        settings: name to N values, numbers or words or truth values.
        accuracy: N test accuracies, 0 to 1.
    """
    dimensions: list[dict[str, Any]] = []
    for name, values in settings.items():
        places = {value: place for place, value in enumerate(sorted(set(values), key=_order))}
        shown = list(places)[:: -(-len(places) // 20)]  # more ticks would overlap
        dimensions.append(
            {
                "label": escape(name, quote=False),
                "values": [places[value] for value in values],
                "range": [-0.3, len(places) - 0.7],
                "tickvals": [places[value] for value in shown],
                "ticktext": [_word(value) for value in shown],
            }
        )
    widest = max(len(tick) for tick in dimensions[0]["ticktext"])
    left = min(max(60, 8 * widest), 200)
    last = {"label": _("Test accuracy"), "values": list(accuracy), "tickformat": ".1%"}
    figure = go.Figure(layout={**BLANK, "margin": {"l": left, "r": 48, "t": 64, "b": 24}})
    figure.add_parcoords(
        dimensions=[*dimensions, last],
        line={"color": list(accuracy), "colorscale": [[0, LEAST], [1, MOST]]},
        labelfont={"size": 13},
        labelangle=-12,  # long names side by side
        uid="parallel",
    )
    return figure


def _order(value: object) -> tuple[bool, object]:
    return isinstance(value, str), value


def _word(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else escape(str(value), quote=False)
