"""From the bytes of a picture file, which anyone may have made, to pixels."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ..errors import ImageError, counted, reason
from .dataset import IMAGE_SIZE

MAX_PIXELS = 50_000_000
"""More than any phone's camera in its usual mode; 150 MB once decoded."""

GREY_WEIGHTS = np.array([0.299, 0.587, 0.114])
"""Red's, green's and blue's part in brightness: ITU-R BT.601."""

_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF")
_ORIENTATION = 0x0112


def read_image(data: bytes) -> np.ndarray:
    """Decode one picture: upright, first frame, on white where it is transparent.

    Args:
        data: the whole file: JPEG, PNG, GIF, BMP, WebP or TIFF.

    Returns:
        uint8 (H, W, 3), RGB, 0 to 255.

    Raises:
        ImageError: empty, no picture, damaged, or more than 50 megapixels; one line.
    """
    if not data:
        raise ImageError("a picture must have content. Received: 0 bytes; choose another file.")
    try:
        # open() reads the header alone, so size is known before memory is spent on pixels.
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise ImageError(_too_large(f"{width}x{height}"))
            picture.load()
            return np.asarray(_to_rgb(_upright(picture)))
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(_too_large("far more")) from error
    except UnidentifiedImageError as error:
        raise ImageError(
            "a picture must be a JPEG, PNG, GIF, BMP, WebP or TIFF file. "
            f"Received: {counted(len(data), 'byte')} of another kind; save it as JPEG or PNG first."
        ) from error
    except Exception as error:
        # Pillow's decoders raise whatever the damage leads to: OSError, ValueError, SyntaxError,
        # struct.error, IndexError, MemoryError ... All mean the same to who gave the file.
        raise ImageError(
            f"a picture must be whole. Received: a damaged file ({reason(error)}); save or copy it "
            "again."
        ) from error


@dataclass(frozen=True)
class Square:
    """A part of a picture, in its pixels."""

    left: int
    top: int
    side: int


def square_at(image: np.ndarray, size: float = 1.0, x: float = 0.5, y: float = 0.5) -> Square:
    """A square inside a picture, by default the largest at the centre.

    Args:
        image: (H, W, 3).
        size: its side as a share of the shorter side of the picture, above 0 to 1.
        x: 0 is at the left edge, 1 at the right.
        y: 0 is at the upper edge, 1 at the lower.
    """
    height, width = image.shape[:2]
    side = max(1, round(size * min(height, width)))
    return Square(int(x * (width - side)), int(y * (height - side)), side)


@dataclass(frozen=True)
class Framing:
    """How a picture becomes square.

    Attributes:
        kind: 'centre', the largest square at the centre; 'whole', all of it; 'hand'.
        size: of the square by hand, percent of the picture's shorter side.
        x: where it lies, percent of the way from the left edge to the right.
        y: percent of the way down.
    """

    kind: str = "centre"
    size: int = 60
    x: int = 50
    y: int = 50

    def square(self, image: np.ndarray) -> Square | None:
        """The square of an image (H, W, 3); None where the whole image is taken."""
        if self.kind == "hand":
            return square_at(image, self.size / 100, self.x / 100, self.y / 100)
        return square_at(image) if self.kind == "centre" else None


def to_network_size(image: np.ndarray, square: Square | None = None) -> np.ndarray:
    """A square of an image, resized to 32x32.

    Args:
        image: uint8 (H, W, 3).
        square: without it the largest at the centre.

    Returns:
        uint8 (32, 32, 3); the same array where it has that size already.
    """
    square = square or square_at(image)
    if (square.side, *image.shape[:2]) == (IMAGE_SIZE, IMAGE_SIZE, IMAGE_SIZE):
        return image
    rows = slice(square.top, square.top + square.side)
    crop = np.ascontiguousarray(image[rows, square.left : square.left + square.side])
    # Lanczos averages over the whole source area when it shrinks, so nothing aliases.
    small = Image.fromarray(crop).resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.LANCZOS)
    return np.asarray(small)


def fit_to_network_size(image: np.ndarray) -> np.ndarray:
    """The whole image in 32x32, on its own mean colour where it is not square.

    Black or white bars, which training images have not, would cost far more accuracy
    (docs/none_of_the_ten.md).

    Args:
        image: uint8 (H, W, 3).

    Returns:
        uint8 (32, 32, 3).
    """
    small = resized(image, IMAGE_SIZE)
    height, width = small.shape[:2]
    fitted = np.empty((IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)
    fitted[:] = np.rint(small.mean(axis=(0, 1)))
    top, left = (IMAGE_SIZE - height) // 2, (IMAGE_SIZE - width) // 2
    fitted[top : top + height, left : left + width] = small
    return fitted


def resized(image: np.ndarray, longest: int) -> np.ndarray:
    """An image of uint8 (H, W, 3) at another size, its longer side of so many pixels."""
    height, width = image.shape[:2]
    scale = longest / max(height, width)
    size = max(1, round(scale * width)), max(1, round(scale * height))
    picture = Image.fromarray(np.ascontiguousarray(image))
    return np.asarray(picture.resize(size, Image.Resampling.LANCZOS))


def to_grey(images: np.ndarray) -> np.ndarray:
    """Brightness: uint8 (..., 3) to uint8 (..., 1), 0.299 R + 0.587 G + 0.114 B.

    The weights are taken in 16-bit fixed point, as Pillow's convert("L") has them.
    """
    weights = np.rint(GREY_WEIGHTS * 65536).astype(np.uint32)
    return ((images @ weights + 0x8000) >> 16).astype(np.uint8)[..., None]


def to_channels(images: np.ndarray, channels: int) -> np.ndarray:
    """Images as a network of so many input channels takes them: as they are (3) or grey (1)."""
    return to_grey(images) if channels == 1 else np.asarray(images)


def _too_large(size: str) -> str:
    limit = MAX_PIXELS // 1_000_000
    return f"a picture may have {limit} megapixels at most. Received: {size}; make it smaller."


def _upright(picture: Image.Image) -> Image.Image:
    """Turned as its EXIF data says; damaged EXIF data is no reason to refuse the pixels."""
    try:
        if picture.getexif().get(_ORIENTATION, 1) == 1:
            return picture  # exif_transpose would copy it
        return ImageOps.exif_transpose(picture)
    except Exception:
        return picture


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode == "RGB" and "transparency" not in picture.info:
        return picture  # convert() would copy it
    if picture.mode.startswith("I;16"):
        # convert("RGB") would clip all above 255 to white.
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8)).convert("RGB")
    if picture.mode in ("I", "F"):
        return _rescaled(np.asarray(picture)).convert("RGB")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture).convert("RGB")
    return picture.convert("RGB")


def _rescaled(values: np.ndarray) -> Image.Image:
    """Grey values of 32 bits: 0 to 255 as they are, all others spread over that range.

    A single one that is out of the range, which cannot be spread, becomes its nearer end.
    """
    values = np.nan_to_num(values.astype(np.float64))
    low, high = values.min(), values.max()
    if high > low and (low < 0 or high > 255):
        values = (values - low) * (255 / (high - low))
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))
