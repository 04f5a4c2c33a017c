"""Many images in one picture, each a button."""

from __future__ import annotations

from collections.abc import Sequence
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
"""

_component = st.components.v2.component(
    "image_grid",
    html='<div class="image-grid" data-testid="image-grid" role="group"></div>',
    css=_CSS,
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def image_grid(
    images: np.ndarray, indices: Sequence[int], names: Sequence[str], *, key: str, label: str
) -> int | None:
    """Show images with their names and indices under them, as many in a row as fit.

    Args:
        images: uint8 (N, S, S, 3).
        indices: N numbers that say which images these are.
        names: N class names.
        key: unique in the app.
        label: what is shown, for screen readers.

    Returns:
        The index of the image just pressed, else None.
    """
    pixels, columns = sprite(images)
    result = _component(
        key=key,
        data={
            "sprite": data_uri(pixels),
            "columns": columns,
            "side": images.shape[1],
            "cells": [[int(i), name] for i, name in zip(indices, names, strict=True)],
            "label": label,
        },
        on_opened_change=lambda: None,
    )
    return result.opened
