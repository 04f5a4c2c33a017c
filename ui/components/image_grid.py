"""Many images in one picture, each a button."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from ui.components.pictures import data_uri, sprite

_CSS = """
.image-grid {
  display: grid; gap: 10px;
  grid-template-columns: repeat(auto-fill, minmax(max(72px, calc(10% - 10px)), 1fr));
}
.image-grid figure { margin: 0; min-width: 0; text-align: center; cursor: pointer; }
.image-grid button {
  display: block; width: 100%; padding: 0; border: 0; border-radius: 4px; background: none;
  aspect-ratio: 1; overflow: hidden; cursor: pointer;
}
.image-grid figure:hover button, .image-grid button:focus-visible {
  outline: 2px solid var(--st-primary-color); outline-offset: 2px;
}
.image-grid button[aria-pressed="true"] {
  outline: 3px solid var(--st-text-color); outline-offset: 2px;
}
.image-grid canvas { display: block; width: 100%; height: 100%; image-rendering: pixelated; }
.image-grid figcaption { padding-top: 4px; font-size: 0.8rem; line-height: 1.25; }
.image-grid figcaption > * { display: block; overflow: hidden; text-overflow: ellipsis; }
.image-grid small { font-size: inherit; opacity: 0.7; }
.image-grid [data-judged] { --judged: #1f9a55; }
.image-grid [data-judged="wrong"] { --judged: #d6404f; }
.image-grid [data-judged="unknown"] { --judged: #8a7a12; }
.image-grid [data-judged] button { padding: 2px; border: 3px solid var(--judged); }
.image-grid [data-judged="wrong"] button { border-style: dashed; }
.image-grid [data-judged="unknown"] button { border-style: dotted; }
.image-grid [data-judged] span::before { content: "✓ "; color: var(--judged); font-weight: bold; }
.image-grid [data-judged="wrong"] span::before { content: "✗ "; }
.image-grid [data-judged="unknown"] span::before { content: "? "; }
"""

_component = st.components.v2.component(
    "image_grid",
    html='<div class="image-grid" data-testid="image-grid" role="group"></div>',
    css=_CSS,
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def image_grid(
    images: np.ndarray,
    indices: Sequence[int] | NDArray[np.integer],
    names: Sequence[str],
    *,
    key: str,
    label: str,
    notes: Sequence[str] | None = None,
    judged: Sequence[str] = (),
    chosen: int | None = None,
    on_open: Callable[[int], None] | None = None,
) -> int | None:
    """Show images with their names and notes under them, as many in a row as fit.

    Args:
        images: uint8 (N, S, S, 3).
        indices: N numbers that say which images these are.
        names: N class names or answers.
        key: unique in the app.
        label: what is shown, for screen readers.
        notes: N words to stand below the names; else the indices do.
        judged: 'right', 'wrong', 'unknown' or '' for each of the N, which frame and sign tell.
        chosen: the index of the image to be marked, such as one that is shown elsewhere.
        on_open: a callback that gets the index of the image that was pressed.

    Returns:
        The index of the image just pressed, else None.
    """
    pixels, columns = sprite(images)
    notes = notes or [f"#{index:,}" for index in indices]

    def opened() -> None:
        if on_open and (index := st.session_state[key].get("opened")) is not None:
            on_open(index)

    result = _component(
        key=key,
        data={
            "sprite": data_uri(pixels),
            "columns": columns,
            "side": images.shape[1],
            "cells": [list(cell) for cell in zip(map(int, indices), names, notes, strict=True)],
            "judged": list(judged),
            "chosen": chosen,
            "label": label,
        },
        on_opened_change=opened,
    )
    return result.opened
