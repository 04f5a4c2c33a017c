"""The Predict page in a real Chromium: twenty at once, uploads of every kind, and why."""

from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from cifar_core.data import Dataset
from cifar_core.runs.store import RunStore
from tests.browser.widgets import choose
from tests.conftest import ROOT

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def url(
    start_dashboard, trained: RunStore, blobs_npz: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The dashboard on the easy images and the two runs that know them."""
    folder = tmp_path_factory.mktemp("predict")
    environment = {
        "CIFAR10_RUNS": str(trained.root),
        "CIFAR10_REFERENCE_RUNS": "",
        "CIFAR10_CACHE": str(folder / "cache"),
        "CIFAR10_DATA": str(blobs_npz),
        "KERAS_HOME": str(folder / "keras"),
    }
    with start_dashboard(ROOT / "dashboard.py", env=environment) as address:
        yield address


def bars(page: Page, key: str) -> Locator:
    return page.locator(f'[data-key="{key}"] .bars .point')


def open_page(page: Page, url: str) -> None:
    """The page, once TensorFlow is loaded and the first answer drawn."""
    page.goto(f"{url}/predict?run=dropout")
    expect(bars(page, "predict-test")).to_have_count(10, timeout=90_000)


def picture(pixels: np.ndarray, name: str) -> dict:
    """A file to upload."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": file.getvalue()}


def uploader(page: Page) -> Locator:
    return page.get_by_test_id("stFileUploaderDropzoneInput")


def pixels_of(image: Locator) -> np.ndarray:
    """What an image with a data: address shows."""
    coded = image.get_attribute("src").split(",")[1]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(coded))).convert("RGB"))


def test_twenty_at_once_with_frames_words_and_a_tally(
    url: str, page: Page, trained: RunStore, blobs: Dataset
) -> None:
    open_page(page, url)
    page.get_by_role("button", name="Twenty at random").click()
    shown = page.get_by_role("group", name="Random test images with answers").locator("figure")
    expect(shown).to_have_count(20)
    expect(page.get_by_text("drawn so far: 20,")).to_be_visible()
    hits = trained.get("dropout").predictions().hits
    right = 0
    for figure in shown.all():
        index = int(figure.get_attribute("data-index"))
        judged = "right" if hits[index] else "wrong"
        right += hits[index]
        expect(figure).to_have_attribute("data-judged", judged)
        line = "solid" if hits[index] else "dashed"  # not by colour alone
        expect(figure.get_by_role("button")).to_have_css("border-style", line)
    expect(page.get_by_text(f"{right} of 20 right.")).to_be_visible()

    # One that is pressed is shown with all its bars, and the others stay.
    last = shown.last
    index = int(last.get_attribute("data-index"))
    last.get_by_role("button").click()
    seen = page.get_by_role("img", name=f"Test image {index}: ")
    assert (pixels_of(seen) == blobs.x_test[index]).all()
    expect(bars(page, "predict-test")).to_have_count(10)
    expect(shown).to_have_count(20)
    expect(last.get_by_role("button")).to_have_attribute("aria-pressed", "true")
    expect(shown.get_by_role("button", pressed=True)).to_have_count(1)
    expect(page.get_by_text("drawn so far: 20,")).to_be_visible()
    page.get_by_role("button", name="Random test image").click()
    expect(shown).to_have_count(0)
    expect(bars(page, "predict-test")).to_have_count(10)
    expect(page.get_by_text(re.compile("drawn so far: 2[01],"))).to_be_visible()


def test_three_files_of_which_one_is_torn_and_their_csv(
    url: str, page: Page, blobs: Dataset
) -> None:
    open_page(page, url)
    torn = picture(blobs.x_test[0], "torn.png")
    torn["buffer"] = torn["buffer"][:300]
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    files = [picture(blobs.x_test[3], "cat.png"), torn, picture(noise, "noise.png")]
    uploader(page).set_input_files(files)
    alerts = page.get_by_test_id("stAlert")
    expect(alerts.filter(has_text="torn.png")).to_contain_text("a picture must be whole")
    shown = page.get_by_role("group", name="Your pictures as the network sees them")
    expect(shown.locator("figure")).to_have_count(2)
    expect(bars(page, "predict-upload")).to_have_count(10)
    expect(page.get_by_text("Predicted: cat")).to_be_visible()
    noisy = shown.get_by_role("button", name="noise.png none of these")
    expect(noisy).to_have_css("border-style", "dotted")
    noisy.click()
    expect(alerts.filter(has_text="none of the 10 classes")).to_be_visible()

    with page.expect_download() as download:
        page.get_by_role("button", name="Answers as CSV").click()
    rows = list(csv.DictReader(download.value.path().read_text(encoding="utf-8").splitlines()))
    assert [row["picture"] for row in rows] == ["cat.png", "noise.png"]
    assert [row["known"] for row in rows] == ["true", "false"]
    assert rows[0]["label"] == "cat"
    for row in rows:
        shares = {name: float(row[name]) for name in list(row)[3:]}
        assert len(shares) == 10
        assert sum(shares.values()) == pytest.approx(1, abs=1e-4)
        assert max(shares, key=shares.get) == row["label"]


def test_a_square_by_hand_follows_its_sliders(url: str, page: Page, blobs: Dataset) -> None:
    open_page(page, url)
    wide = np.concatenate([blobs.x_test[3], blobs.x_test[8]], axis=1)
    uploader(page).set_input_files([picture(wide, "both.png")])
    expect(bars(page, "predict-upload")).to_have_count(10)
    choose(page, "Part of the picture", "Square by hand")
    left = page.get_by_role("slider", name="From left, %")
    expect(left).to_have_value("50")
    square = page.get_by_test_id("square")
    seen = page.get_by_role("img", name="What the network sees: 32 × 32 pixels")
    before = seen.get_attribute("src"), square.bounding_box()["x"]
    left.focus()
    page.keyboard.press("End")
    expect(left).to_have_value("100")
    expect(seen).not_to_have_attribute("src", before[0])
    expect(page.get_by_role("img", name="the highest is ship")).to_be_visible()
    assert square.bounding_box()["x"] > before[1] + 20
    photo = page.get_by_role("img", name="both.png").bounding_box()
    edge = square.bounding_box()["x"] + square.bounding_box()["width"]
    assert edge == pytest.approx(photo["x"] + photo["width"], abs=2)


def test_a_copied_picture_is_pasted(url: str, page: Page, blobs: Dataset) -> None:
    open_page(page, url)
    page.get_by_role("heading", name="Predict").click()
    content = base64.b64encode(picture(blobs.x_test[3], "")["buffer"]).decode()
    page.evaluate(
        """async content => {
            const blob = await (await fetch(`data:image/png;base64,${content}`)).blob();
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([blob], "pasted.png", { type: "image/png" }));
            const options = { clipboardData, bubbles: true, cancelable: true };
            document.activeElement.dispatchEvent(new ClipboardEvent("paste", options));
        }""",
        content,
    )
    expect(page.get_by_test_id("stFileUploader")).to_contain_text("pasted.png")
    expect(page.get_by_text("Predicted: cat")).to_be_visible()


def test_why_for_test_images_and_uploads(url: str, page: Page, blobs: Dataset) -> None:
    open_page(page, url)
    page.get_by_text("Why this answer?").click()
    heat = page.get_by_role("img", name=re.compile("^Grad-CAM"))
    expect(heat).to_have_count(1)
    first = pixels_of(heat)
    assert first.shape == (320, 320, 3)
    predicted = page.get_by_role("combobox", name="What speaks for").input_value()
    other = "truck" if predicted != "truck" else "cat"
    choose(page, "What speaks for", other)
    expect(page.get_by_role("img", name=f"Grad-CAM: what speaks for {other}")).to_be_visible()
    maps = page.get_by_role("img", name="Feature maps of conv1")
    assert pixels_of(maps).shape == (4 * 31 - 1, 8 * 31 - 1, 3)  # 32 maps of 30 by 30
    choose(page, "Layer", "pool2: 64 maps")
    expect(page.get_by_role("img", name="Feature maps of pool2")).to_be_visible()
    choose(page, "Layer", "The first layer's filters")
    expect(page.get_by_role("img", name="The first layer's filters")).to_be_visible()
    uploader(page).set_input_files([picture(blobs.x_test[3], "cat.png")])
    expect(bars(page, "predict-upload")).to_have_count(10)
    page.get_by_text("Why this answer?").nth(1).click()
    expect(heat).to_have_count(2)


def test_the_camera_is_asked_for_only_when_switched_on(url: str, chromium: Browser) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.add_init_script(
        """window.asked = 0;
        const devices = navigator.mediaDevices;
        const ask = devices.getUserMedia.bind(devices);
        devices.getUserMedia = (...given) => { window.asked += 1; return ask(...given); };"""
    )
    open_page(page, url)
    assert page.evaluate("window.asked") == 0
    page.get_by_text("Use the camera").click()
    expect(page.get_by_test_id("stCameraInput")).to_be_visible()
    page.wait_for_function("window.asked > 0")
    context.close()


def test_it_fits_narrow_windows(url: str, page: Page, blobs: Dataset) -> None:
    for width in (800, 390):
        page.set_viewport_size({"width": width, "height": 900})
        open_page(page, url)
        page.get_by_text("Why this answer?").click()
        uploader(page).set_input_files([picture(blobs.x_test[i], f"{i}.png") for i in range(3)])
        expect(bars(page, "predict-upload")).to_have_count(10)
        page.get_by_role("button", name="Twenty at random").click()
        expect(page.locator("figure")).to_have_count(23)
        main = page.get_by_test_id("stMain")
        assert main.evaluate("node => node.scrollWidth <= node.clientWidth"), width
