"""The network drawn flat and in space, and grids of numbers, as Plotly figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import nan, sqrt

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from ui.figures.base import CLEAR, PALETTE, bare, write_in_cells
from ui.text import _

_WINDOW = "#e0a100"  # a window that slides; 2:1 or more against boxes, black and white
_COLOURS = {
    "Conv2D": PALETTE[0],
    "MaxPooling2D": PALETTE[2],
    "AveragePooling2D": PALETTE[2],
    "Dropout": PALETTE[3],
    "Dense": PALETTE[1],
}
_OTHER = "#8c949e"


@dataclass(frozen=True, slots=True)
class Box:
    """What is drawn for a layer, or for the image that goes in.

    Args:
        name: Written beside the box.
        kind: Keras's class name; chooses the colour.
        shape: (height, width, channels), or (units,).
        hover: In HTML, for the pointer.
        window: Pixels a side of the window that slides over the box before, 0 without one.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    hover: str
    window: int = 0

    @property
    def side(self) -> float:
        """Height in pixels; n units without places stand in a bar of the square root of n."""
        return self.shape[0] if len(self.shape) == 3 else sqrt(self.shape[0])

    @property
    def depth(self) -> int:
        """Channels; 1 for units without places."""
        return self.shape[2] if len(self.shape) == 3 else 1


def flat_figure(boxes: Sequence[Box]) -> go.Figure:
    """The network from the side: a box's height is the picture's, its width the channels'.

    A window is drawn on the box it slides over, with the output that it makes.

    Args:
        boxes: From the image to the last layer.
    """
    widest = max(box.depth for box in boxes)
    widths = np.array([0.06 + 0.72 * box.depth / widest for box in boxes])
    sides = np.array([box.side for box in boxes])
    places = np.arange(len(boxes))
    figure = bare(showlegend=False, margin={"l": 0, "r": 0, "t": 8, "b": 8}, bargap=0)
    figure.add_bar(
        x=places,
        y=sides,
        base=-sides / 2,
        width=widths,
        uid="boxes",
        marker={
            "color": [_COLOURS.get(box.kind, _OTHER) for box in boxes],
            # Part of a dropout's values are gone: it is dotted.
            "pattern": {"shape": ["." if box.kind == "Dropout" else "" for box in boxes]},
        },
        customdata=[box.hover for box in boxes],
        hovertemplate="%{customdata}<extra></extra>",
    )
    lines: list[tuple[float, float]] = []
    for place in places[1:]:
        if half := boxes[place].window / 2:
            left, right = (place - 1 + sign * widths[place - 1] / 2 for sign in (-1, 1))
            tip = place - widths[place] / 2
            lines += [(left, half), (right, half), (tip, 0), (right, -half), (left, -half)]
            lines += [(left, half), (nan, nan), (right, half), (right, -half), (nan, nan)]
    figure.add_scatter(
        x=[x for x, _y in lines],
        y=[y for _x, y in lines],
        uid="windows",
        mode="lines",
        line={"color": _WINDOW, "width": 2},
        hoverinfo="skip",
    )
    names = [f"<b>{escape(box.name, quote=False)}</b><br>{_times(box.shape)}" for box in boxes]
    figure.update_xaxes(
        tickvals=places,
        ticktext=names,
        autotickangles=[0, 90],
        range=[-0.6, len(boxes) - 0.4],
        ticks="",
        showgrid=False,
        zeroline=False,
        fixedrange=True,
    )
    edge = sides.max() / 2 * 1.04
    figure.update_yaxes(visible=False, range=[-edge, edge], fixedrange=True)
    return figure


def deep_figure(boxes: Sequence[Box]) -> go.Figure:
    """The network in space, to be turned: height and width in pixels, 8 channels as deep as one.

    Args:
        boxes: From the image to the last layer.
    """
    figure = bare(showlegend=False, margin={"l": 0, "r": 0, "t": 0, "b": 0})
    edges: list[tuple[float, float, float]] = []
    rays: list[tuple[float, float, float]] = []
    names: list[tuple[float, float, float]] = []
    x, gap, stop = 0.0, 6.0, (nan, nan, nan)
    for i, box in enumerate(boxes):
        deep = max(box.depth / 8, 0.5)
        half = box.side / 2
        across = half if len(box.shape) == 3 else 0.5
        corners = np.array(
            [(x + a * deep, b * across, c * half) for a in (0, 1) for b in (-1, 1) for c in (-1, 1)]
        )
        if reach := box.window / 2:
            face = x - gap
            square = [(face, b * reach, c * reach) for b, c in _ROUND]
            rays += [*square, square[0], stop]
            for corner in square:
                rays += [corner, (x, 0.0, 0.0), stop]
        figure.add_mesh3d(
            **_columns(corners),
            **dict(zip("ijk", zip(*_FACES, strict=True), strict=True)),
            uid=f"box{box.name}",
            color=_COLOURS.get(box.kind, _OTHER),
            opacity=0.45 if box.kind == "Dropout" else 1,
            flatshading=True,
            lighting={"ambient": 0.75, "diffuse": 0.5, "specular": 0.05},
            hovertemplate=f"{box.hover}<extra></extra>",
        )
        for line in _EDGES:
            edges += [*(tuple(corners[j]) for j in line), stop]
        # By turns nearer and farther, so that neighbours do not cover each other.
        names.append((x + deep / 2, -across - 4, -half - (8 if i % 2 else 3)))
        x += deep + gap
    for points, uid, colour, width in (
        (edges, "edges", "rgba(20,20,20,0.6)", 2),
        (rays, "windows", _WINDOW, 4),
    ):
        figure.add_scatter3d(
            **_columns(np.array(points)),
            uid=uid,
            mode="lines",
            line={"color": colour, "width": width},
            hoverinfo="skip",
        )
    figure.add_scatter3d(
        **_columns(np.array(names)),
        uid="names",
        mode="text",
        text=[escape(box.name, quote=False) for box in boxes],
        hoverinfo="skip",
    )
    # Without perspective, what is equal looks equal; then the aspect ratio alone sets the size.
    span = np.ptp(np.nan_to_num(edges), axis=0)
    hidden = {"visible": False}
    figure.update_layout(
        scene={
            "xaxis": hidden,
            "yaxis": hidden,
            "zaxis": hidden,
            "aspectmode": "manual",
            "aspectratio": dict(zip("xyz", (3.9 * span / span[0]).tolist(), strict=True)),
            "bgcolor": CLEAR,
            "dragmode": "orbit",
            "camera": {
                "projection": {"type": "orthographic"},
                "eye": {"x": 0.6, "y": -1.6, "z": 0.55},
                "center": {"x": -0.05, "y": 0, "z": 0.08},
            },
        }
    )
    return figure


def numbers_figure(
    values: ArrayLike, *, marked: Sequence[int] = (), strongest: float | None = None
) -> go.Figure:
    """A few numbers as a grid: blue above 0, orange below, with a frame round some of them.

    Args:
        values: Shape (H, W).
        marked: Row, column and side of the framed square; nothing is framed without.
        strongest: What is darkest, for several grids to share; the largest value without.
    """
    values = np.asarray(values, dtype=float)
    figure = _grid(values, marked, np.abs(values).max() if strongest is None else strongest)
    # Never so strong that the theme's text could not be read on it.
    figure.update_traces(
        colorscale=[
            [0, "rgba(213,94,0,0.6)"],
            [0.5, "rgba(128,128,128,0.1)"],
            [1, "rgba(26,127,193,0.6)"],
        ],
        xgap=2,
        ygap=2,
    )
    write_in_cells(figure, [number(value, 2) for value in values.ravel()], values.shape)
    return figure


def picture_figure(
    values: ArrayLike,
    *,
    marked: Sequence[int] = (),
    strongest: float | None = None,
    products: np.ndarray | None = None,
) -> go.Figure:
    """One channel as a picture: 0 is black, strong values white, negative ones orange.

    Args:
        values: Shape (H, W).
        marked: As of `numbers_figure`.
        strongest: What is white; without, what one value in a hundred exceeds.
        products: What each value is the sum of, for the hover text, shape (H, W, 3, 3).
    """
    values = np.asarray(values, dtype=np.float32)
    if strongest is None:
        strongest = float(np.percentile(np.abs(values), 99))
    figure = _grid(values, marked, strongest)
    figure.update_traces(colorscale=[[0, PALETTE[1]], [0.5, "#000000"], [1, "#ffffff"]])
    if products is not None:
        terms = [f"%{{customdata[{i}]:.2f}}" for i in range(9)]
        lines = " +<br>".join(" + ".join(terms[start : start + 3]) for start in (0, 3, 6))
        figure.update_traces(
            customdata=products.reshape(*values.shape, 9).astype(np.float32),
            hovertemplate=f"{_hover()} =<br>{lines}<extra></extra>",
        )
    return figure


def number(value: float, places: int = 3) -> str:
    """A number without needless zeros, with a real minus."""
    text = f"{value:.{places}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text.replace("-", "−")


def _times(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


_ROUND = ((-1, -1), (1, -1), (1, 1), (-1, 1))
# Of a box whose corners are counted in binary, depth first: its faces in triangles, its edges.
_FACES = [
    *((0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1)),
    *((2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4), (1, 5, 7), (1, 7, 3)),
]
_EDGES = ((0, 1, 3, 2, 0, 4, 5, 7, 6, 4), (1, 5), (3, 7), (2, 6))


def _columns(points: np.ndarray) -> dict[str, list]:
    """Points (N, 3) as Plotly's x, y and z; a NaN, which ends a line, is None in JSON."""
    rounded = [
        [None if value != value else round(value, 3) for value in p] for p in points.tolist()
    ]
    return {
        axis: list(column) for axis, column in zip("xyz", zip(*rounded, strict=True), strict=True)
    }


def _hover() -> str:
    return _("row {row}, column {column}: {value}").format(
        row="%{y}", column="%{x}", value="%{z:.3~f}"
    )


def _grid(values: np.ndarray, marked: Sequence[int], strongest: float) -> go.Figure:
    """A heat map of square cells without axes, the first row at the top."""
    figure = bare(showlegend=False, margin={"l": 2, "r": 2, "t": 2, "b": 2})
    figure.add_heatmap(
        z=values,
        zmin=-max(strongest, 1e-6),
        zmax=max(strongest, 1e-6),
        showscale=False,
        hovertemplate=f"{_hover()}<extra></extra>",
    )
    height, width = values.shape
    bounds = {"visible": False, "constrain": "domain", "fixedrange": True}
    figure.update_xaxes(range=[-0.5, width - 0.5], constraintoward="left", **bounds)
    figure.update_yaxes(
        range=[height - 0.5, -0.5], scaleanchor="x", constraintoward="top", **bounds
    )
    if marked:
        row, column, side = (int(one) for one in marked)
        figure.add_shape(
            type="rect",
            x0=column - 0.5,
            y0=row - 0.5,
            x1=column + side - 0.5,
            y1=row + side - 0.5,
            line={"color": _WINDOW, "width": 3},
        )
    return figure
