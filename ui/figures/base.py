"""What all figures have in common: their colours and the bare figure.

A figure is made of numbers; colours of text and grid stay open: `live_chart` adds the page's theme.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

# Plotly looks at pandas where it finds it, even half imported by another session's thread.
import pandas  # noqa: F401
import plotly.graph_objects as go

PALETTE = ("#1a7fc1", "#d55e00", "#009e73", "#b8659a", "#7a7a7a", "#8a7a12", "#6a6fd8")
"""After Okabe and Ito's colour-blind-safe set, each 3:1 or more against white and near-black."""

ON_COLOUR = "#000000"
"""Of words on a bar in one of the first three colours: 4.5:1 or more."""

ROLE_COLOURS = {"train": PALETTE[0], "validation": PALETTE[1]}
CHANNEL_COLOURS = ("#d6404f", "#1f9a55", "#3a7bd5", "#7a7a7a")
"""Red, green, blue and brightness."""

QUIET = "rgba(128,128,128,0.55)"
CLEAR = "rgba(0,0,0,0)"

BLANK = {"template": "none", "uirevision": "constant", "plot_bgcolor": CLEAR}
"""Layout of every figure: without Plotly's default template, which is 7 kB in every message."""

LEGEND = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}
MARGIN = {"l": 56, "r": 16, "t": 40, "b": 48}


def with_legend(traces: Sequence[dict] = (), **layout: Any) -> go.Figure:
    """A figure, empty by default, with room for a legend."""
    return go.Figure(traces, {**BLANK, "legend": LEGEND, "margin": MARGIN, **layout})


def write_in_cells(figure: go.Figure, text: Sequence[str], shape: tuple[int, ...]) -> None:
    """Write into a heat map's cells, row by row, in the theme's colour.

    The map's own text would be black or white as if the page were white behind it.
    """
    rows, columns = np.indices(shape).reshape(2, -1)
    figure.add_scatter(
        x=columns, y=rows, mode="text", text=text, hoverinfo="skip", showlegend=False
    )


def bare(**layout: Any) -> go.Figure:
    """A figure without room for a legend, in which nothing is dragged.

    With a drag mode, a finger on it would not scroll the page.
    """
    return go.Figure(layout={**BLANK, "dragmode": False, **layout})
