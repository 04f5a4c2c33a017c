"""Pooling and convolution to try out by hand, on numbers or an image."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cifar_core.data.images import to_grey
from cifar_core.errors import CifarError
from cifar_core.network import arithmetic
from ui import cached, frame
from ui.components.live_chart import live_chart
from ui.figures.network import number, numbers_figure, picture_figure
from ui.session.images import dataset
from ui.session.keys import Key
from ui.session.navigation import choose_one
from ui.text import _, tell

NUMBERS = np.array(
    [
        [1, 3, 2, 1, 0, 4],
        [4, 6, 0, 5, 1, 2],
        [2, 2, 7, 3, 5, 5],
        [1, 0, 4, 8, 5, 9],
        [0, 7, 3, 3, 6, 1],
        [2, 1, 3, 3, 0, 8],
    ],
    dtype=float,
)
"""To pool at first; the squares differ in what the three kinds make of them."""


def pooling() -> None:
    """Three kinds of pooling side by side, window by window."""
    st.markdown(
        _(
            "Pooling makes one number of each 2 × 2 square. **Max** keeps the strongest, so lines "
            "and texture stay crisp. **Average** keeps the background and softens the rest. Both "
            "trade information for less work. **SoftPool**, a successor, weighs the values by "
            "their exponentials: strong ones count most, and none is lost altogether."
        )
    )
    sources = {"numbers": _("Numbers"), "image": _("An image")}
    row = st.columns(4, vertical_alignment="bottom")
    with row[0]:
        source = choose_one(_("What to pool"), sources, Key.SOURCE)
    draw: Callable[..., go.Figure]
    if source == "image":
        values, draw, strongest = choose_channel(row[1:3])[0], picture_figure, 1.0
    else:
        with row[1]:
            size = choose_one(_("Size"), {side: f"{side} × {side}" for side in (4, 6)}, Key.SIZE)
        values = edit(_("Numbers"), NUMBERS[:size, :size], f"{Key.SOURCE}-{size}")
        draw = numbers_figure
        strongest = float(np.abs(values).max())
    pooled = {kind: arithmetic.pool(values, kind) for kind in arithmetic.POOLING_KINDS}
    place = choose_window(pooled["max"].shape)
    names = {"max": _("Max"), "average": _("Average"), "soft": _("SoftPool")}
    grids = [(_("Before"), values, (2 * place[0], 2 * place[1], 2))]
    grids += [(names[kind], pooled[kind], (*place, 1)) for kind in names]
    for column, (name, grid, marked) in zip(four_columns(), grids, strict=True):
        show(column, name, draw(grid, marked=marked, strongest=strongest))
    window = arithmetic.windows(values)[place]
    factors = [in_brackets(cell) for cell in window.ravel()]
    weights = [number(weight) for weight in arithmetic.soft_weights(window).ravel()]
    results = {kind: number(pooled[kind][place]) for kind in names}
    weighed = " + ".join(f"{one}·{other}" for one, other in zip(weights, factors, strict=True))
    largest = _("the largest of {numbers}").format(
        numbers=", ".join(number(cell) for cell in window.ravel())
    )
    st.markdown(
        f"- **{names['max']}:** {largest} = **{results['max']}**\n"
        f"- **{names['average']}:** ({' + '.join(factors)}) / 4 = **{results['average']}**\n"
        f"- **{names['soft']}:** {weighed} = **{results['soft']}**"
    )
    st.caption(
        _(
            "SoftPool's weights are exp(a) / Σ exp(a) over the square, so they add up to 1 "
            "(Stergiou, Poppe and Kalliatakis, 2021). Three decimal places are shown."
        )
    )


def choose_window(shape: tuple[int, ...]) -> tuple[int, int]:
    """'Window', by a slider or step by step: its row and column among the windows."""
    last = shape[0] * shape[1]
    at = min(st.session_state.get(Key.WINDOW, 1), last)
    if st.session_state.get(Key.WINDOW) != at:
        st.session_state[Key.WINDOW] = at

    def step(by: int) -> None:
        st.session_state[Key.WINDOW] += by

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            _("Previous"), icon=":material/chevron_left:", on_click=step, args=(-1,),
            disabled=at == 1,
        )  # fmt: skip
        st.button(
            _("Next"), icon=":material/chevron_right:", on_click=step, args=(1,),
            disabled=at == last,
        )  # fmt: skip
        at = st.slider(_("Window"), 1, last, key=Key.WINDOW, width=320)
    return divmod(at - 1, shape[1])


def convolution() -> None:
    """A kernel over an image, and the arithmetic of one place."""
    st.markdown(
        _(
            "A convolution lays its kernel on every place of the image, multiplies each pixel by "
            "the number on it and adds the nine products up: a large sum says that the place "
            "looks like the kernel. As in all neural networks the kernel is not turned round, "
            "which mathematicians call cross-correlation, and it stays inside the image: 32 pixels "
            "make 30."
        )
    )
    names = {
        "identity": _("identity"),
        "edges": _("edges"),
        "sobel-x": _("Sobel, left to right"),
        "sobel-y": _("Sobel, top to bottom"),
        "blur": _("blur"),
        "sharpen": _("sharpen"),
        "learned": _("learned by a run"),
    }
    row = st.columns(4, vertical_alignment="bottom")
    image, channel = choose_channel(row[:2])
    kind = row[2].selectbox(
        _("Kernel"),
        list(names),
        index=list(names).index("edges"),
        format_func=names.__getitem__,
        key=Key.KERNEL,
        persist_state="session",
    )
    if kind == "learned":
        try:
            kernel, name = learned_kernel(channel, row[3])
        except CifarError as error:
            tell(error)
            return
    else:
        kernel, name = np.array(arithmetic.KERNELS[kind], dtype=float), kind
    left, middle, right = st.columns([2, 3, 3])
    with left:
        kernel = edit(_("Kernel"), kernel, f"{Key.KERNEL}-{name}")
        result = arithmetic.convolve(image, kernel)
        at = st.columns(2)
        row_at = int(at[0].number_input(_("Row"), 0, len(result) - 1, 12, key=Key.ROW))
        column_at = int(at[1].number_input(_("Column"), 0, len(result) - 1, 12, key=Key.COLUMN))
    products = arithmetic.products(image, kernel)
    marked = (row_at, column_at)
    before = picture_figure(image, marked=(*marked, 3), strongest=1.0)
    show(middle, _("Before"), before, 300)
    after = picture_figure(result, marked=(*marked, 1), products=products)
    show(right, _("After"), after, 300)
    patch = image[row_at : row_at + 3, column_at : column_at + 3]
    pairs = zip(patch.ravel(), kernel.ravel(), strict=True)
    total = " + ".join(f"{number(pixel)}·{in_brackets(weight)}" for pixel, weight in pairs)
    st.markdown(f"{total} = **{number(result[marked])}**")
    grids = [(_("Pixels"), patch), (_("Kernel"), kernel), (_("Products"), products[marked])]
    *columns, last = four_columns()
    last.metric(_("Sum"), number(result[marked]))
    for column, (name, grid) in zip(columns, grids, strict=True):
        show(column, name, numbers_figure(grid), 150, f"factors-{name}")
    st.caption(
        _(
            "Pixels are divided by 255, as in the network's first layer. After: black is 0, "
            "white a large sum, orange is below 0; the network's ReLU would make the orange "
            "black. A network adds the sums of its input channels and a bias before that."
        )
    )


def learned_kernel(channel: str, place: DeltaGenerator) -> tuple[np.ndarray, str]:
    """One kernel of a run's first convolution, and a name for it.

    A grey image has three equal channels to a network of colours, so its kernels add up.
    """
    sentence = _("There is no learned kernel yet: train a network first.")
    run = frame.choose_network(cached.runs(), sentence).run
    try:
        kernels = cached.learned_kernels(run)
    except CifarError as error:
        tell(error)
        st.stop()
    chosen = int(place.number_input(_("Filter"), 0, kernels.shape[-1] - 1, key=Key.FILTER))
    parts = kernels[..., chosen]
    if channel in CHANNELS and parts.shape[-1] == len(CHANNELS):
        parts = parts[..., [CHANNELS.index(channel)]]
    return parts.sum(axis=-1, dtype=float), f"{run.id}-{chosen}-{channel}"


CHANNELS = ("red", "green", "blue")


def choose_channel(columns: Sequence[DeltaGenerator]) -> tuple[np.ndarray, str]:
    """A test image and one of its channels: values of 0 to 1, (H, W), and the channel's name."""
    images = dataset().x_test
    last = len(images) - 1
    if st.session_state.get(Key.PICTURE, 0) > last:
        st.session_state[Key.PICTURE] = last
    index = columns[0].number_input(
        _("Test image index"), 0, last, key=Key.PICTURE, persist_state="session"
    )
    names = {"grey": _("grey"), "red": _("red"), "green": _("green"), "blue": _("blue")}
    channel = columns[1].selectbox(
        _("Channel"), names, format_func=names.__getitem__, key=Key.CHANNEL, persist_state="session"
    )
    image = images[int(index)]
    values = to_grey(image)[..., 0] if channel == "grey" else image[..., CHANNELS.index(channel)]
    return values / 255, channel


def edit(name: str, values: np.ndarray, key: str) -> np.ndarray:
    """A few numbers to change; an emptied cell is 0."""
    st.markdown(f"**{name}**")  # which the editor's own buttons may cover, unlike a widget above
    edited = st.data_editor(
        values,
        column_config={str(i): st.column_config.NumberColumn(width=56) for i in range(8)},
        hide_index=True,
        width="content",
        key=key,
    )
    return np.nan_to_num(np.asarray(edited, dtype=float))


def four_columns() -> list[DeltaGenerator]:
    """Four in a row, two on a phone."""
    return [column for half in st.columns(2) for column in half.columns(2, wrap=False)]


def show(
    place: DeltaGenerator, name: str, figure: go.Figure, height: int = 220, key: str = ""
) -> None:
    """A grid under its name."""
    with place:
        st.markdown(f"**{name}**")
        live_chart(figure, key=key or f"grid-{name}", label=name, height=height)


def in_brackets(value: float) -> str:
    """A number as it is written behind a sign."""
    text = number(value)
    return f"({text})" if value < 0 else text
