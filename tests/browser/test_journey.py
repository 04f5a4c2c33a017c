"""The main job from end to end in a real Chromium, on the built-in images."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from cifar_core.runs.events import RunState
from cifar_core.runs.store import RunStore
from cifar_core.runs.summary import Summary
from tests.browser.charts import chart, wait_for_points
from tests.browser.widgets import enter, go, set_epochs, start_training

pytestmark = pytest.mark.browser


def below_the_run(page: Page) -> float:
    """How far the loss's chart stands below the run's name, in pixels."""
    chart_box = chart(page, "train-loss").bounding_box()
    return chart_box["y"] - page.locator(".st-key-run-row").bounding_box()["y"]


def test_look_train_evaluate_predict(url: str, page: Page, store: RunStore) -> None:
    page.goto(url)
    expect(page.get_by_role("heading", name="Data", exact=True)).to_be_visible()
    pictures = page.locator("figure")
    expect(pictures).to_have_count(20)
    expect(pictures.first.locator("figcaption")).to_contain_text("#0")
    expect(page.get_by_text("synthetic").first).to_be_visible()

    go(page, "Model")
    expect(page.get_by_text("122,570").first).to_be_visible(timeout=60_000)

    go(page, "Train")
    page.get_by_text("Dropout", exact=True).click()
    set_epochs(page, 40)
    page.get_by_text("More settings").click()
    page.get_by_role("tab", name="Optimiser").click()
    enter(page, "Batch size", 4)  # a first epoch long enough to look at
    page.get_by_role("button", name="Start training").click()
    grown = [0]
    for _ in range(4):
        grown.append(wait_for_points(page, "train-loss", grown[-1]))
    wait_for_points(page, "train-accuracy", 3)
    (run,) = store.runs()
    assert (run.config().dropout, run.config().epochs, run.config().batch_size) == (0.4, 40, 4)
    assert run.history().epochs == [], "the charts have grown within the first epoch"

    page.reload()
    expect(page.get_by_text("images/s")).to_be_visible()
    seen = wait_for_points(page, "train-loss", grown[-1])
    wait_for_points(page, "train-loss", seen)
    assert len(store.runs()) == 1
    place = below_the_run(page)

    validation = page.get_by_test_id("stMetric").filter(has_text="Validation accuracy")
    expect(validation).to_contain_text("%", timeout=90_000)  # an epoch has ended
    page.get_by_test_id("stMain").get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("Stopped after")).to_be_visible(timeout=60_000)
    assert run.state() is RunState.STOPPED
    assert below_the_run(page) == place, "nothing moves, be it for an epoch or the end"
    accuracy = Summary.of(run).test_accuracy
    assert accuracy is not None

    go(page, "Evaluate")
    expect(page.get_by_test_id("stMetric").filter(has_text="Test accuracy")).to_contain_text(
        f"{accuracy:.2%}"
    )
    expect(chart(page, "evaluate-accuracy").locator(".ytitle")).to_have_text("Accuracy")
    expect(chart(page, "evaluate-loss").locator(".ytitle")).to_have_text("Loss")
    expect(chart(page, "evaluate-loss").locator(".xtitle")).to_have_text("Epoch")
    expect(chart(page, "confusion").locator(".ytitle")).to_have_text("True class")

    go(page, "Predict")
    bars = chart(page, "predict-test")
    expect(bars.locator(".bars .point")).to_have_count(10, timeout=60_000)
    shown = set()
    for _ in range(3):
        before = page.get_by_label("Test image index", exact=True).input_value()
        page.get_by_role("button", name="Random test image").click()
        expect(page.get_by_label("Test image index", exact=True)).not_to_have_value(before)
        index = page.get_by_label("Test image index", exact=True).input_value()
        expect(page.get_by_role("img", name=f"Test image {index}:")).to_be_visible()
        shown.add(index)
    assert len(shown) > 1

    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "JPEG")
    upload = page.get_by_test_id("stFileUploaderDropzoneInput")
    upload.set_input_files({"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()})
    expect(page.get_by_role("img", name="What the network sees: 32 × 32 pixels")).to_be_visible()
    expect(chart(page, "predict-upload").locator(".bars .point")).to_have_count(10)

    torn = file.getvalue()[:200]
    upload.set_input_files({"name": "torn.jpg", "mimeType": "image/jpeg", "buffer": torn})
    expect(page.get_by_test_id("stAlert").filter(has_text="torn.jpg")).to_be_visible()
    expect(chart(page, "predict-upload").locator(".bars .point")).to_have_count(10)


def test_a_stopped_run_goes_on_and_a_finished_one_trains_longer(
    url: str, page: Page, store: RunStore
) -> None:
    run = start_training(page, url, store, 3, images=4000)
    page.get_by_test_id("stMain").get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("Stopped after")).to_be_visible(timeout=60_000)
    step = run.history().batches[-1].step
    page.get_by_role("button", name="Resume", exact=True).click()
    expect(page.get_by_text("Finished after 3 epochs")).to_be_visible(timeout=120_000)
    assert [event.epoch for event in run.history().epochs] == [1, 2, 3]
    assert run.history().states[-2].step == step
    page.get_by_role("button", name="Train longer").click()
    enter(page, "Epochs in all", 4)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Finished after 4 epochs")).to_be_visible(timeout=120_000)
    assert len(store.runs()) == 1
    page.wait_for_function(
        """node => {
            const [begin, end] = node._fullLayout.xaxis.range;
            return begin === 0 && end > 4 && end < 4.5;
        }""",
        arg=chart(page, "train-loss").element_handle(),
    )


def test_a_deep_link_to_a_cold_server_keeps_page_and_query(cold_url: str, page: Page) -> None:
    page.goto(f"{cold_url}/compare?note=7")
    expect(page.get_by_role("heading", name="Compare", exact=True)).to_be_visible()
    expect(page.get_by_test_id("stSidebarNav").get_by_role("link")).to_have_count(6)
    assert "note=7" in page.url
    assert page.url.startswith(f"{cold_url}/compare")
    expect(page).to_have_title("CIFAR-10 dashboard")


@pytest.mark.parametrize("path", ["", "/compare"])
def test_a_cold_server_lists_its_own_pages_alone(cold_url: str, page: Page, path: str) -> None:
    """Streamlit's list of the files in pages/ would stand there for a moment, with dead links."""
    page.add_init_script(
        """window.listed = new Set();
        new MutationObserver(() => document.querySelectorAll('[data-testid=stSidebarNav] a')
            .forEach(link => window.listed.add(link.innerText)))
            .observe(document, {subtree: true, childList: true, characterData: true});"""
    )
    page.goto(f"{cold_url}{path}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    listed = page.evaluate("[...window.listed].map(text => text.split('\\n').at(-1))")
    assert listed == ["Data", "Model", "Train", "Evaluate", "Predict", "Compare"]
