"""Pixels on their way to the browser stay what they are."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from cifar_core.data.images import to_grey
from ui.components import pictures


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (7, 32, 32, 3), dtype=np.uint8)


def test_a_data_uri_holds_the_very_pixels(images: np.ndarray) -> None:
    head, coded = pictures.data_uri(images[0]).split(",")
    assert head == "data:image/png;base64"
    decoded = np.asarray(Image.open(io.BytesIO(base64.b64decode(coded))))
    np.testing.assert_array_equal(decoded, images[0])


@pytest.mark.parametrize("count", [1, 2, 4, 7])
def test_a_sprite_holds_each_image_in_its_place(images: np.ndarray, count: int) -> None:
    sheet, columns = pictures.sprite(images[:count])
    for i in range(count):
        y, x = 32 * (i // columns), 32 * (i % columns)
        np.testing.assert_array_equal(sheet[y : y + 32, x : x + 32], images[i])
    assert sheet.shape[0] <= sheet.shape[1]


def test_channels_add_up_to_the_image(images: np.ndarray) -> None:
    parts = pictures.channels(images[0])
    np.testing.assert_array_equal(sum(parts), images[0])
    assert [np.flatnonzero(part.any(axis=(0, 1))).tolist() for part in parts] == [[0], [1], [2]]


def test_grey_is_the_networks_grey_three_times(images: np.ndarray) -> None:
    grey = pictures.grey(images)
    assert grey.shape == images.shape
    for i in range(3):
        np.testing.assert_array_equal(grey[..., i], to_grey(images)[..., 0])


def test_names_are_text_not_html(images: np.ndarray) -> None:
    name = '<b onclick="x">'
    for html in (pictures.grid([(images[0], name, name)]), pictures.swatches([(name, (1, 2, 3))])):
        assert "<b " not in html
        assert "&lt;b " in html


def test_a_ramp_grows_brighter_all_the_way() -> None:
    brightness = to_grey(pictures.ramp(np.linspace(0, 1, 256)))[:, 0].astype(int)
    assert (np.diff(brightness) >= 0).all()
    assert brightness[0] < 5
    assert brightness[-1] > 235


def test_heat_lies_where_it_is(images: np.ndarray) -> None:
    heat = np.zeros((4, 4), np.float32)
    assert (
        pictures.heat_over(images[0], heat, 2) == pictures.grey(images[0]).repeat(2, 0).repeat(2, 1)
    ).all()
    heat[0, 3] = 1
    over = pictures.heat_over(np.full((32, 32, 3), 128, np.uint8), heat)
    assert over.shape == (320, 320, 3)
    changed = np.abs(over.astype(int) - 128).sum(axis=-1) > 3
    assert changed[:80, 240:].mean() > 0.9
    assert not changed[160:, :160].any()


@pytest.mark.parametrize("count", [3, 8, 12, 64])
def test_a_mosaic_holds_every_tile(count: int) -> None:
    tiles = np.random.default_rng(0).integers(0, 256, (count, 5, 6, 3), dtype=np.uint8)
    found = pictures.mosaic(tiles)
    for number, tile in enumerate(tiles):
        y, x = 6 * (number // 8), 7 * (number % 8)
        np.testing.assert_array_equal(found[y : y + 5, x : x + 6], tile)
    assert (found[5::6] == 128).all()


def test_maps_share_one_scale_and_filters_have_their_own() -> None:
    maps = np.zeros((2, 2, 2), np.float32)
    maps[..., 0], maps[..., 1] = 1, 2
    np.testing.assert_array_equal(pictures.maps(maps)[0, 0], pictures.ramp(np.array(0.5)))
    np.testing.assert_array_equal(pictures.maps(maps)[0, 3], pictures.ramp(np.array(1.0)))
    kernels = np.zeros((1, 1, 3, 2))
    kernels[0, 0, :, 0], kernels[0, 0, :, 1] = (-1, 0, 1), (0.1, 0, 0)
    found = pictures.filters(kernels)
    assert found[0, 0].tolist() == [0, 128, 255]
    assert found[0, 5].tolist() == [255, 128, 128]
    assert pictures.filters(kernels[:, :, :1])[0, 0].tolist() == [0, 0, 0]


def test_a_photo_shows_its_square() -> None:
    html = pictures.photo_with_square(np.zeros((40, 80, 3), np.uint8), (0.25, 0, 0.5, 1), '"x"')
    assert "left:25.00%;top:0.00%;width:50.00%;height:100.00%" in html
    assert "&quot;x&quot;" in html


def test_a_swatch_says_its_colour_and_its_brightness() -> None:
    html = pictures.swatches([("frog", (119.6, 112.2, 88.1))])
    assert "rgb(120,112,88)" in html
    assert "120 112 88 · 112" in html
