"""Pixels to what a browser draws crisply: PNGs inside one piece of HTML."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np
from PIL import Image

from cifar_core.images import to_grey


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


def sprite(images: np.ndarray) -> tuple[np.ndarray, int]:
    """Images of one size side by side and row by row in one, the last row filled up with black.

    Args:
        images: uint8 (N, H, W, 3), N at least 1.

    Returns:
        uint8 (rows x H, columns x W, 3), about square, and how many images are in a row.
    """
    count, height, width, channels = images.shape
    columns = math.ceil(math.sqrt(count))
    rows = -(-count // columns)
    filled = np.zeros((rows * columns, height, width, channels), np.uint8)
    filled[:count] = images
    tiles = filled.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    return tiles.reshape(rows * height, columns * width, channels), columns


def channels(pixels: np.ndarray) -> list[np.ndarray]:
    """Red, green and blue apart, uint8 (H, W, 3) each; their sum is `pixels`."""
    return [pixels * np.eye(3, dtype=np.uint8)[i] for i in range(3)]


def grey(images: np.ndarray) -> np.ndarray:
    """Brightness alone, as three equal channels: uint8 (..., 3) to uint8 (..., 3)."""
    return np.repeat(to_grey(images), 3, axis=-1)


def swatches(colours: Iterable[tuple[str, Sequence[float]]]) -> str:
    """Each colour beside its grey, with a name and the values under it, in one piece of HTML."""
    cells = []
    for name, colour in colours:
        rgb = np.rint(colour).astype(np.uint8)
        brightness = int(to_grey(rgb)[0])
        red, green, blue = (int(value) for value in rgb)
        cells.append(
            '<figure style="margin:0;min-width:0"><div style="height:48px;border-radius:6px;'
            f"background:linear-gradient(90deg,rgb({red},{green},{blue}) 60%,"
            f'rgb({brightness},{brightness},{brightness}) 60%)"></div>'
            f'<figcaption style="font-size:0.8rem;line-height:1.3;overflow-wrap:anywhere">'
            f"{escape(name)}<br><span style='opacity:0.7'>{red} {green} {blue} · {brightness}"
            "</span></figcaption></figure>"
        )
    return _cells("".join(cells), "minmax(112px,1fr)")


def _cells(cells: str, column: str) -> str:
    return (
        '<div style="display:grid;gap:10px;'
        f'grid-template-columns:repeat(auto-fill,{column})">{cells}</div>'
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
        f'<br><span style="opacity:0.7">{escape(note)}</span></figcaption></figure>'
        for pixels, caption, note in images
    )
    return _cells(cells, f"minmax(max(64px, calc(100% / {columns} - 10px)),1fr)")
