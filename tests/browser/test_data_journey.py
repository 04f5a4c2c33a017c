"""The Data page in a real Chromium, on easy images whose every pixel is known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from cifar_core.data import Dataset
from tests.browser.charts import chart
from tests.conftest import ROOT

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def url(start_dashboard, blobs_npz: Path, tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("dashboard")
    environment = {
        "CIFAR10_DATA": str(blobs_npz),
        "CIFAR10_RUNS": str(folder / "runs"),
        "CIFAR10_CACHE": str(folder / "cache"),
        "KERAS_HOME": str(folder / "keras"),
    }
    with start_dashboard(ROOT / "dashboard.py", env=environment) as address:
        yield address


def drawn(page: Page, images: int) -> Locator:
    """The grid, once it shows so many images."""
    grid = page.locator("[data-testid=image-grid][data-drawn]")
    expect(grid.get_by_role("button")).to_have_count(images)
    return grid


def cell(page: Page, index: int) -> Locator:
    """The button of an image."""
    return page.get_by_role("button", name=re.compile(rf"^#{index:,} "))


def pixels(canvas: Locator) -> np.ndarray:
    """What a canvas shows, (32, 32, 3)."""
    values = canvas.evaluate(
        "node => Array.from(node.getContext('2d').getImageData(0, 0, 32, 32).data)"
    )
    return np.array(values, np.uint8).reshape(32, 32, 4)[..., :3]


def section(page: Page, name: str) -> None:
    page.get_by_test_id("stButtonGroup").get_by_text(name, exact=True).click()


def test_a_hundred_images_come_in_one_picture_pixel_for_pixel(
    url: str, page: Page, blobs: Dataset
) -> None:
    page.goto(url)
    drawn(page, 20)
    requests = []
    page.on("request", lambda request: requests.append(request))
    page.get_by_label("How many").click()
    page.get_by_role("option", name="100").click()
    grid = drawn(page, 100)
    for i in (0, 57, 99):
        np.testing.assert_array_equal(pixels(grid.locator("canvas").nth(i)), blobs.x_train[i])
    expect(grid.locator("figcaption").nth(57)).to_have_text("horse#57")
    expect(cell(page, 57)).to_have_attribute("aria-label", "#57 horse")
    pictures = [request.url for request in requests if request.resource_type == "image"]
    assert all(address.startswith("data:image/png") for address in pictures)
    assert len(pictures) <= 1
    page.get_by_role("button", name="Next page").click()
    expect(grid.locator("figure").first).to_have_attribute("data-index", "100")
    expect(page.get_by_text("101 to 200 of 400 images")).to_be_visible()


def test_columns_follow_the_width_and_nothing_is_cut_off(url: str, page: Page) -> None:
    columns = "node => getComputedStyle(node).gridTemplateColumns.split(' ').length"
    page.goto(url)
    assert drawn(page, 20).evaluate(columns) == 10
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(url)
    assert drawn(page, 20).evaluate(columns) == 4
    assert page.get_by_test_id("stMain").evaluate("node => node.scrollWidth <= node.clientWidth")


def test_an_image_opens_by_keyboard_and_tells_its_pixels(
    url: str, page: Page, blobs: Dataset
) -> None:
    page.goto(url)
    drawn(page, 20)
    cell(page, 3).focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("#3 cat")
    expect(page).to_have_url(re.compile("image=3"))
    expect(dialog.locator("figure")).to_have_count(4)
    plot = dialog.locator(".nsewdrag")
    box = plot.bounding_box()
    row, column = 8, 20
    x, y = box["width"] * (column + 0.5) / 32, box["height"] * (row + 0.5) / 32
    plot.hover(position={"x": x, "y": y})
    red, green, blue = blobs.x_train[3, row, column]
    told = dialog.locator(".hoverlayer .hovertext")
    expect(told).to_contain_text(f"Row {row}, column {column}")
    expect(told).to_contain_text(f"R {red} · G {green} · B {blue}")
    dialog.get_by_role("button", name="Next").click()
    expect(dialog).to_contain_text("#4 deer")
    expect(page).to_have_url(re.compile("image=4"))
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page).not_to_have_url(re.compile("image="))
    cell(page, 7).click()
    expect(dialog).to_contain_text("#7 horse")


def test_a_link_to_an_image_opens_it(url: str, page: Page) -> None:
    page.goto(f"{url}/?split=test&image=12")
    expect(page.get_by_role("dialog")).to_contain_text("#12 bird · Test")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(page).not_to_have_url(re.compile("image="))
    expect(page.get_by_text("1 to 20 of 200 images")).to_be_visible()


def test_from_colour_to_training_on_greyscale(url: str, page: Page) -> None:
    page.goto(url)
    section(page, "Colour and greyscale")
    expect(chart(page, "data-histogram").locator(".scatterlayer .trace")).to_have_count(8)
    expect(chart(page, "data-lost").locator(".bars .point")).to_have_count(10)
    page.get_by_role("button", name="Train on greyscale").click()
    expect(page.get_by_role("heading", name="Train", exact=True)).to_be_visible()
    page.get_by_text("More settings").click()
    page.get_by_role("tab", name="Network").click()
    expect(page.locator("input[aria-label=Colour][value=greyscale]")).to_be_visible()


def test_statistics_show_both_splits(url: str, page: Page) -> None:
    page.goto(f"{url}/?section=statistics")
    expect(chart(page, "data-balance").locator(".bars .point")).to_have_count(20)
    expect(page.locator("figure")).to_have_count(10)


def test_augmentation_is_seen_and_is_the_train_pages(url: str, page: Page) -> None:
    page.goto(url)
    section(page, "Augmentation")
    expect(page.get_by_text("No variation is switched on")).to_be_visible()
    pictures = page.locator("figure img")
    expect(pictures).to_have_count(9)
    as_it_is = pictures.first.get_attribute("src")
    expect(pictures.last).to_have_attribute("src", as_it_is)
    shift = page.get_by_role("slider", name="Shift")
    shift.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(pictures.last).not_to_have_attribute("src", as_it_is)
    expect(shift).to_have_value("4")
    before = pictures.last.get_attribute("src")
    page.get_by_role("button", name="Draw again").click()
    expect(pictures.last).not_to_have_attribute("src", before)
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Train").click()
    expect(page.get_by_role("heading", name="Train", exact=True)).to_be_visible()
    page.get_by_text("More settings").click()
    expect(page.get_by_role("slider", name="Shift")).to_have_value("4")
