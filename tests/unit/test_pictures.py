"""Pixels on their way to the browser stay what they are."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from cifar_core.images import to_grey
from ui import pictures


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


def test_a_swatch_says_its_colour_and_its_brightness() -> None:
    html = pictures.swatches([("frog", (119.6, 112.2, 88.1))])
    assert "rgb(120,112,88)" in html
    assert "120 112 88 · 112" in html
