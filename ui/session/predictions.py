"""What a session looks at on Evaluate and Predict."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import streamlit as st

from cifar_core.data import Dataset
from cifar_core.data.images import Framing
from cifar_core.runs.run import Run
from ui.session.keys import Key, renew


def choose_cell(
    class_names: Sequence[str], labels: tuple[str, str], otherwise: tuple[int, int]
) -> tuple[int, int]:
    """The widgets that choose a cell of the confusion matrix: true and predicted class.

    As with `choose_run`, a cell shown by `show_cell` gets new widgets.
    """
    shown = st.session_state.get(Key.CELL, otherwise)
    if max(shown) >= len(class_names):
        shown = otherwise
    widget = f"{Key.CELL}-{len(class_names)}-{st.session_state.get(Key.CELL_WIDGET, 0)}"
    true, predicted = (
        column.selectbox(
            label,
            range(len(class_names)),
            index=index,
            format_func=class_names.__getitem__,
            key=f"{widget}-{place}",
        )
        for place, (column, label, index) in enumerate(
            zip(st.columns(2, wrap=False), labels, shown, strict=True)
        )
    )
    st.session_state[Key.CELL] = true, predicted
    return true, predicted


def show_cell(true: int, predicted: int) -> None:
    """Choose a cell of the confusion matrix from now on; in a callback."""
    st.session_state[Key.CELL] = true, predicted
    renew(Key.CELL_WIDGET)


def show_test_image(index: int) -> None:
    """Put a test image on the Predict page; before it is drawn."""
    st.session_state[Key.INDEX] = index
    forget_draw()


def draw_test_images(count: int, images: int) -> None:
    """Put test images drawn at random, others than the one on show, on the Predict page.

    In a callback.
    """
    others = [index for index in range(images) if index != st.session_state[Key.INDEX]]
    drawn = secrets.SystemRandom().sample(others, min(count, len(others))) or [0]
    st.session_state[Key.INDEX], st.session_state[Key.DRAWN] = drawn[0], drawn


def show_drawn(index: int) -> None:
    """Show one of the images that were drawn together; in a callback."""
    st.session_state[Key.INDEX] = index


def drawn_test_images() -> list[int]:
    """Indices of the test images on show that were drawn at random; none where one was chosen."""
    return st.session_state.get(Key.DRAWN, [])


def forget_draw() -> None:
    """Show one chosen test image from now on."""
    st.session_state[Key.DRAWN] = []


def tally(run: Run, data: Dataset) -> dict[int, bool]:
    """Whether a run was right about each test image drawn so far, by its index, to be added to."""
    tallies: dict[tuple[str, str], dict[int, bool]] = st.session_state.setdefault(Key.TALLY, {})
    return tallies.setdefault((run.id, data.source.checksum), {})


def shown_upload() -> str:
    """The file among those uploaded that was pressed last, '' before any was."""
    return st.session_state.get(Key.UPLOADED, "")


def show_upload(file: str) -> None:
    """Show one of several uploaded pictures in detail; in a callback."""
    st.session_state[Key.UPLOADED] = file


def framing(picture: str) -> Framing:
    """How an uploaded picture becomes square, as its widgets say wherever they were seen last."""
    value = st.session_state.get
    return Framing(
        value(f"{Key.FRAMING}-{picture}", Framing.kind),
        value(f"{Key.SQUARE_SIZE}-{picture}", Framing.size),
        value(f"{Key.SQUARE_X}-{picture}", Framing.x),
        value(f"{Key.SQUARE_Y}-{picture}", Framing.y),
    )
