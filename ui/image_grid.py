"""Many images in one picture, each a button."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from ui.pictures import data_uri, sprite

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
.image-grid canvas { display: block; width: 100%; height: 100%; image-rendering: pixelated; }
.image-grid figcaption { padding-top: 4px; font-size: 0.8rem; line-height: 1.25; }
.image-grid figcaption > * { display: block; overflow: hidden; text-overflow: ellipsis; }
.image-grid small { font-size: inherit; opacity: 0.7; }
.image-grid [data-judged] button { padding: 2px; border: 3px solid #1f9a55; }
.image-grid [data-judged] span::before { content: "✓ "; color: #1f9a55; font-weight: bold; }
.image-grid [data-judged="wrong"] button { border: 3px dashed #d6404f; }
.image-grid [data-judged="wrong"] span::before { content: "✗ "; color: #d6404f; }
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
    indices: Sequence[int],
    names: Sequence[str],
    *,
    key: str,
    label: str,
    hits: Sequence[bool] = (),
    on_open: Callable[[int], None] | None = None,
) -> int | None:
    """Show images with their names and indices under them, as many in a row as fit.

    Args:
        images: uint8 (N, S, S, 3).
        indices: N numbers that say which images these are.
        names: N class names.
        key: unique in the app.
        label: what is shown, for screen readers.
        hits: N answers, right or wrong, where the images are to have frames and signs that say so.
        on_open: a callback that gets the index of the image that was pressed.

    Returns:
        The index of the image just pressed, else None.
    """
    pixels, columns = sprite(images)

    def opened() -> None:
        if on_open and (index := st.session_state[key].get("opened")) is not None:
            on_open(index)

    result = _component(
        key=key,
        data={
            "sprite": data_uri(pixels),
            "columns": columns,
            "side": images.shape[1],
            "cells": [[int(i), name] for i, name in zip(indices, names, strict=True)],
            "judged": ["right" if hit else "wrong" for hit in hits],
            "label": label,
        },
        on_opened_change=opened,
    )
    return result.opened
