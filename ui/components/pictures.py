"""Pixels to what a browser draws crisply: PNGs inside one piece of HTML."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np
from PIL import Image

from cifar_core.config import TrainingConfig
from cifar_core.data.images import to_grey


def data_uri(pixels: np.ndarray, kind: str = "png") -> str:
    """uint8 (H, W, 3) as a PNG, or a JPEG ('jpeg'), in a data: address."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, compress_level=1, quality=88)
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"


def enlarged(pixels: np.ndarray, alt: str, width: int = 320) -> str:
    """One image in HTML, its pixels kept square and sharp."""
    return (
        f'<img src="{data_uri(pixels)}" alt="{escape(alt, quote=True)}" '
        f'style="width:{width}px;max-width:100%;image-rendering:pixelated;border-radius:6px">'
    )


def photo_with_square(
    pixels: np.ndarray, square: tuple[float, float, float, float], alt: str
) -> str:
    """A photo in HTML, dimmed outside a square.

    Args:
        pixels: uint8 (H, W, 3).
        square: its left, top, width and height as shares of the photo.
        alt: what is to be seen.
    """
    left, top, width, height = (f"{100 * share:.2f}%" for share in square)
    return (
        '<div style="position:relative;overflow:hidden;line-height:0;border-radius:6px;'
        f'max-width:100%;width:{min(pixels.shape[1], 320)}px">'
        f'<img src="{data_uri(pixels, "jpeg")}" alt="{escape(alt, quote=True)}" '
        'style="width:100%"><div data-testid="square" style="position:absolute;'
        f"box-sizing:border-box;left:{left};top:{top};width:{width};height:{height};"
        'border:2px solid #fff;box-shadow:0 0 0 9999px rgba(0,0,0,0.55)"></div></div>'
    )


def ramp(values: np.ndarray) -> np.ndarray:
    """Numbers of 0 to 1 as colours from black over violet and orange to pale yellow.

    Brightness rises all the way, so that it can be read without seeing colours; after
    matplotlib's inferno.

    Args:
        values: (...).

    Returns:
        uint8 (..., 3).
    """
    stops = np.array(
        [(0, 0, 4), (66, 10, 104), (147, 38, 103), (221, 81, 58), (252, 165, 10), (252, 255, 164)]
    )
    at = np.linspace(0, 1, len(stops))
    parts = [np.interp(values, at, stops[:, channel]) for channel in range(3)]
    return np.rint(np.stack(parts, axis=-1)).astype(np.uint8)


def heat_over(pixels: np.ndarray, heat: np.ndarray, scale: int = 10) -> np.ndarray:
    """An image in grey, enlarged, with a heat map over it.

    Args:
        pixels: uint8 (H, W, 3).
        heat: (h, w), 0 to 1; stretched over the image without steps.
        scale: how often larger.

    Returns:
        uint8 (scale x H, scale x W, 3).
    """
    size = pixels.shape[1] * scale, pixels.shape[0] * scale
    stretched = Image.fromarray(heat.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
    strength = np.clip(np.asarray(stretched), 0, 1)[..., None]
    large = grey(pixels).repeat(scale, axis=0).repeat(scale, axis=1)
    share = 0.75 * strength
    return np.rint((1 - share) * large + share * ramp(strength[..., 0])).astype(np.uint8)


def mosaic(tiles: np.ndarray, columns: int = 8) -> np.ndarray:
    """Small pictures of one size side by side and row by row, on grey, which parts them.

    Args:
        tiles: uint8 (N, H, W, 3).
        columns: in a row; the last row may have fewer.
    """
    missing = -len(tiles) % columns
    framed = np.pad(tiles, ((0, missing), (0, 1), (0, 1), (0, 0)), constant_values=128)
    framed[len(tiles) :] = 128
    return _in_rows(framed, columns)[:-1, :-1]


def maps(values: np.ndarray) -> np.ndarray:
    """Feature maps (H, W, N) as one picture of all, the highest value of all the brightest."""
    highest = max(float(values.max()), 1e-9)
    return mosaic(ramp(np.clip(values / highest, 0, 1)).transpose(2, 0, 1, 3))


def filters(kernels: np.ndarray) -> np.ndarray:
    """Kernels (H, W, C, N) as one picture: grey is 0, more of a colour is above, less below.

    Each is stretched to its own strongest number. A kernel of one channel is grey.
    """
    strongest = np.abs(kernels).max(axis=(0, 1, 2), keepdims=True)
    scaled = 127.5 + 127.5 * kernels / np.maximum(strongest, 1e-9)
    tiles = np.rint(scaled).astype(np.uint8).transpose(3, 0, 1, 2)
    tiles = tiles.repeat(4, axis=1).repeat(4, axis=2)  # so that the lines between them are thin
    return mosaic(np.repeat(tiles, 3, axis=-1) if tiles.shape[-1] == 1 else tiles)


def sprite(images: np.ndarray) -> tuple[np.ndarray, int]:
    """Images of one size side by side and row by row in one, the last row filled up with black.

    Args:
        images: uint8 (N, H, W, 3), N at least 1.

    Returns:
        uint8 (rows x H, columns x W, 3), about square, and how many images are in a row.
    """
    columns = math.ceil(math.sqrt(len(images)))
    filled = np.pad(images, ((0, -len(images) % columns), (0, 0), (0, 0), (0, 0)))
    return _in_rows(filled, columns), columns


def _in_rows(tiles: np.ndarray, columns: int) -> np.ndarray:
    """Pictures (N, H, W, 3) side by side and row by row; N is a multiple of the columns."""
    _n, height, width, channels = tiles.shape
    rows = tiles.reshape(-1, columns, height, width, channels).swapaxes(1, 2)
    return rows.reshape(-1, columns * width, channels)


def channels(pixels: np.ndarray) -> list[np.ndarray]:
    """Red, green and blue apart, uint8 (H, W, 3) each; their sum is `pixels`."""
    return [pixels * np.eye(3, dtype=np.uint8)[i] for i in range(3)]


def grey(images: np.ndarray) -> np.ndarray:
    """Brightness alone, as three equal channels: uint8 (..., 3) to uint8 (..., 3)."""
    return np.repeat(to_grey(images), 3, axis=-1)


def as_seen(images: np.ndarray, config: TrainingConfig) -> np.ndarray:
    """Images, uint8 (..., 3), as a network with these settings sees them: grey or as they are."""
    return grey(images) if config.colour == "grey" else images


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
