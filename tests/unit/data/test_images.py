"""cifar_core.data.images: whatever a person or a stranger gives, pixels or one clear sentence."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from cifar_core.data import images
from cifar_core.data.images import (
    Square,
    fit_to_network_size,
    read_image,
    resized,
    square_at,
    to_grey,
    to_network_size,
)
from cifar_core.errors import ImageError


def encode(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def refused(data: bytes) -> str:
    with pytest.raises(ImageError) as caught:
        read_image(data)
    message = str(caught.value)
    assert "\n" not in message
    assert "Received:" in message
    return message


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_lossless_formats_give_their_pixels(kind: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    read = read_image(encode(Image.fromarray(pixels), kind))
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, pixels)


@pytest.mark.parametrize(("kind", "options"), [("JPEG", {}), ("WEBP", {}), ("GIF", {})])
def test_lossy_formats_come_close(kind: str, options: dict) -> None:
    read = read_image(encode(Image.new("RGB", (40, 24), (200, 40, 90)), kind, **options))
    assert read.shape == (24, 40, 3)
    assert np.abs(read.astype(int) - (200, 40, 90)).max() <= 6


def test_transparent_pixels_lie_on_white() -> None:
    picture = Image.new("RGBA", (2, 1), (255, 0, 0, 255))
    picture.putpixel((1, 0), (0, 0, 0, 0))
    assert read_image(encode(picture)).tolist() == [[[255, 0, 0], [255, 255, 255]]]


def test_half_transparent_black_is_grey() -> None:
    read = read_image(encode(Image.new("RGBA", (1, 1), (0, 0, 0, 128))))
    assert read.tolist() == [[[127, 127, 127]]]


def test_transparent_palette_and_grey_with_alpha() -> None:
    palette = Image.new("P", (2, 1), 1)
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putpixel((0, 0), 0)
    assert read_image(encode(palette)).tolist() == [[[10, 20, 30], [40, 50, 60]]]
    read = read_image(encode(palette, transparency=0))
    assert read.tolist() == [[[255, 255, 255], [40, 50, 60]]]
    assert read_image(encode(Image.new("LA", (1, 1), (9, 0)))).tolist() == [[[255] * 3]]


@pytest.mark.parametrize(("mode", "colour", "grey"), [("L", 77, 77), ("1", 1, 255)])
def test_grey_and_black_and_white(mode: str, colour: int, grey: int) -> None:
    assert read_image(encode(Image.new(mode, (1, 2), colour))).tolist() == [[[grey] * 3]] * 2


def test_cmyk_jpeg() -> None:
    read = read_image(encode(Image.new("CMYK", (8, 8), (0, 0, 0, 0)), "JPEG"))
    assert read.min() >= 250


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_not_clipped(kind: str) -> None:
    values = np.array([[0, 256, 32768, 65535]], dtype=np.uint16)
    read = read_image(encode(Image.fromarray(values), kind))
    assert read[0, :, 0].tolist() == [0, 1, 128, 255]


def test_float_tiff_is_spread_over_the_range() -> None:
    values = np.array([[-1.0, 0.0, 1.0, np.nan]], dtype=np.float32)
    read = read_image(encode(Image.fromarray(values), "TIFF"))
    assert read[0, :, 0].tolist() == [0, 127, 255, 127]


@pytest.mark.parametrize(("value", "grey"), [(-7.0, 0), (0.0, 0), (9.0, 9), (1e6, 255)])
def test_a_float_tiff_of_one_value_is_plain(value: float, grey: int) -> None:
    values = np.full((2, 3), value, dtype=np.float32)
    read = read_image(encode(Image.fromarray(values), "TIFF"))
    assert np.asarray(read).tolist() == [[[grey] * 3] * 3] * 2


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation(orientation: int) -> None:
    upright = Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4) * 20).convert("RGB")
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    np.testing.assert_array_equal(read_image(encode(stored, exif=exif)), np.asarray(upright))


def test_damaged_exif_is_no_reason_to_refuse() -> None:
    picture = Image.new("RGB", (4, 4), (1, 2, 3))
    read = read_image(encode(picture, exif=b"Exif\x00\x00II*\x00\xff\xff\xff\x7f"))
    assert read.shape == (4, 4, 3)


def test_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (5, 5), colour) for colour in ("red", "lime", "blue")]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(read_image(data), np.asarray(frames[0]))


def png_header(width: int, height: int) -> bytes:
    """A PNG that declares its size and holds next to nothing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b""))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


# 51 megapixels; above Pillow's limit for a warning; above that for an error.
@pytest.mark.parametrize("side", [7142, 10_000, 60_000])
def test_too_many_pixels_are_refused_by_the_header(
    side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    assert "50 megapixels" in refused(png_header(side, side))


def test_the_largest_that_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_PIXELS", 100)
    assert read_image(encode(Image.new("RGB", (10, 10)))).shape == (10, 10, 3)
    refused(encode(Image.new("RGB", (10, 11))))


def test_nothing() -> None:
    assert "0 bytes" in refused(b"")


@pytest.mark.parametrize(
    "data",
    [b"hello, this is no picture", b"%PDF-1.7 ", b"\0" * 100, b"<svg></svg>", b"P5 1 1 255 a"],
)
def test_other_files(data: bytes) -> None:
    assert "JPEG" in refused(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"])
def test_truncated_anywhere(kind: str) -> None:
    """Every cut gives pixels or one sentence, and most give the sentence."""
    noise = np.random.default_rng(1).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    whole = encode(Image.fromarray(noise), kind)
    sentences = []
    for cut in range(1, len(whole) - 1, max(1, len(whole) // 60)):
        try:
            read_image(whole[:cut])
        except ImageError as error:
            sentences.append(str(error))
    assert len(sentences) > 40
    assert not any("\n" in sentence for sentence in sentences)
    refused(whole[: len(whole) // 2])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"])
@pytest.mark.filterwarnings("ignore")
def test_bytes_changed_at_random(kind: str) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    whole = encode(Image.fromarray(noise), kind)
    rng = np.random.default_rng(3)
    sentences = []
    for _ in range(150):
        broken = bytearray(whole)
        for place in rng.integers(0, len(broken), 4):
            broken[place] = rng.integers(0, 256)
        try:
            read = read_image(bytes(broken))
        except ImageError as error:
            sentences.append(str(error))
        else:
            assert read.dtype == np.uint8
            assert read.ndim == 3
    assert not any("\n" in sentence for sentence in sentences)


@pytest.mark.parametrize("shape", [(32, 32), (64, 64), (33, 100), (100, 33), (1, 50), (8, 8)])
def test_to_network_size_always_gives_32(shape: tuple[int, int]) -> None:
    image = np.full((*shape, 3), (10, 100, 250), np.uint8)
    small = to_network_size(image)
    assert small.dtype == np.uint8
    assert small.shape == (32, 32, 3)
    assert (small == (10, 100, 250)).all()


def test_to_network_size_takes_the_centre() -> None:
    image = np.zeros((64, 128, 3), np.uint8)
    image[:, 32:96] = 255
    assert (to_network_size(image) == 255).all()


def test_to_network_size_averages() -> None:
    image = np.zeros((256, 256, 3), np.uint8)
    image[::2] = 255  # stripes; a filter that only picks pixels would give black or white
    assert np.abs(to_network_size(image)[4:-4].astype(int) - 127).max() < 12


def test_to_network_size_leaves_32_alone() -> None:
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    assert to_network_size(image) is image


@pytest.mark.parametrize("shape", [(40, 100), (100, 40), (64, 64), (1, 50), (3, 2)])
@pytest.mark.parametrize("size", [0.01, 0.5, 1.0])
def test_a_square_lies_inside_and_reaches_the_edges(shape: tuple[int, int], size: float) -> None:
    image = np.zeros((*shape, 3), np.uint8)
    height, width = shape
    for x, y in [(0, 0), (1, 1), (0.5, 0.5), (1, 0)]:
        square = square_at(image, size, x, y)
        assert square.side == max(1, round(size * min(shape)))
        assert 0 <= square.left <= width - square.side
        assert 0 <= square.top <= height - square.side
        assert to_network_size(image, square).shape == (32, 32, 3)
        assert (square.left == 0) >= (x == 0)
        assert (square.left + square.side == width) >= (x == 1)
        assert (square.top + square.side == height) >= (y == 1)


def test_a_chosen_square_is_what_the_network_gets() -> None:
    image = np.random.default_rng(0).integers(0, 256, (80, 120, 3), dtype=np.uint8)
    found = to_network_size(image, Square(left=70, top=10, side=32))
    np.testing.assert_array_equal(found, image[10:42, 70:102])
    small = np.zeros((32, 32, 3), np.uint8)
    small[:16, :16] = 255
    assert (to_network_size(small, Square(0, 0, 16)) == 255).all()


@pytest.mark.parametrize("shape", [(64, 128), (128, 64)])
def test_a_fitted_picture_is_whole_on_its_mean_colour(shape: tuple[int, int]) -> None:
    image = np.full((*shape, 3), (40, 80, 120), np.uint8)
    fitted = fit_to_network_size(image)
    assert (fitted == (40, 80, 120)).all()
    image[: shape[0] // 2, : shape[1] // 2] = 255
    fitted = fit_to_network_size(image)
    inner = fitted[8:24] if shape[0] < shape[1] else fitted[:, 8:24]
    np.testing.assert_array_equal(inner, resized(image, 32))
    assert tuple(fitted[31, 31]) == (94, 124, 154)  # a quarter white


@pytest.mark.parametrize("shape", [(1, 5000), (5000, 1), (5, 7), (32, 32)])
def test_every_shape_can_be_fitted(shape: tuple[int, int]) -> None:
    assert fit_to_network_size(np.zeros((*shape, 3), np.uint8)).shape == (32, 32, 3)


def test_grey_is_pillows() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    found = to_grey(colours)
    assert (found.shape, found.dtype) == ((2, 32, 32, 1), np.uint8)
    for one, colour in zip(found, colours, strict=True):
        np.testing.assert_array_equal(one[..., 0], np.asarray(Image.fromarray(colour).convert("L")))
