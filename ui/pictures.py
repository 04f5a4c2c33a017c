"""Pixels to what a browser draws crisply: PNGs inside one piece of HTML."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from html import escape

import numpy as np
from PIL import Image


def data_uri(pixels: np.ndarray) -> str:
    """uint8 (H, W, 3) as a PNG in a data: address."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def enlarged(pixels: np.ndarray, alt: str, width: int = 320) -> str:
    """One image in HTML, its pixels kept square and sharp."""
    return (
        f'<img src="{data_uri(pixels)}" alt="{escape(alt, quote=True)}" '
        f'style="width:{width}px;max-width:100%;image-rendering:pixelated;border-radius:6px">'
    )


def grid(images: Iterable[tuple[np.ndarray, str, str]], columns: int = 10) -> str:
    """Images with a caption and a lesser note under each, all in one piece of HTML.

    Args:
        images: pixels, uint8 (H, W, 3); caption; note.
        columns: images in a row where the window is wide enough.
    """
    cells = "".join(
        '<figure style="margin:0;text-align:center">'
        f'<img src="{data_uri(pixels)}" alt="{escape(caption, quote=True)}" '
        'style="width:100%;image-rendering:pixelated;border-radius:4px">'
        f'<figcaption style="font-size:0.8rem;line-height:1.2">{escape(caption)}'
        f'<br><span style="opacity:0.6">{escape(note)}</span></figcaption></figure>'
        for pixels, caption, note in images
    )
    smallest = f"max(64px, calc(100% / {columns} - 10px))"
    return (
        f'<div style="display:grid;gap:10px;'
        f'grid-template-columns:repeat(auto-fill,minmax({smallest},1fr))">{cells}</div>'
    )
