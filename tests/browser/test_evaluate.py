"""The Evaluate page in a real Chromium: from a cell of the matrix to its images, and on."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from cifar_core.analysis import evaluation
from cifar_core.config import TrainingConfig
from cifar_core.data import Dataset
from cifar_core.runs.events import RunState, StateEvent
from cifar_core.runs.store import RunStore
from tests.browser.charts import chart
from tests.conftest import ROOT

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def url(
    start_dashboard, blobs_npz: Path, trained: RunStore, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The two trained runs, and one that says it overfits."""
    folder = tmp_path_factory.mktemp("dashboard")
    shutil.copytree(trained.root, folder / "runs")
    run = RunStore(folder / "runs").create(TrainingConfig(epochs=7), "overfitted")
    ended = {"train_accuracy": 0.95, "test_accuracy": 0.7}
    run.append(StateEvent(state=RunState.FINISHED, **ended))
    environment = {
        "CIFAR10_DATA": str(blobs_npz),
        "CIFAR10_RUNS": str(folder / "runs"),
        "CIFAR10_CACHE": str(folder / "cache"),
        "KERAS_HOME": str(folder / "keras"),
    }
    with start_dashboard(ROOT / "dashboard.py", env=environment) as address:
        yield address


def open_evaluation(page: Page, url: str, run: str, aspect: str = "confusions") -> None:
    page.goto(f"{url}/evaluate?run={run}&aspect={aspect}")
    expect(page.get_by_role("heading", name="Evaluate", exact=True)).to_be_visible()


def matrix_chart(page: Page) -> Locator:
    """The confusion matrix, once it is drawn."""
    matrix = chart(page, "confusion")
    expect(matrix.locator(".ytitle")).to_have_text("True class")
    matrix.evaluate("node => node.scrollIntoView({block: 'center'})")
    return matrix


def click_cell(page: Page, chart: Locator, true: int, predicted: int, clicks: int = 1) -> None:
    box = chart.locator(".nsewdrag").bounding_box()
    page.mouse.click(
        box["x"] + (predicted + 0.5) * box["width"] / 10,
        box["y"] + (true + 0.5) * box["height"] / 10,
        click_count=clicks,
    )


def chosen(page: Page, label: str) -> Locator:
    return page.get_by_label(label, exact=True).filter(visible=True)


def test_a_click_on_a_cell_shows_its_images_and_one_of_them_goes_to_predict(
    url: str, page: Page, trained: RunStore, blobs: Dataset
) -> None:
    predictions = trained.get("plain").predictions()
    assert predictions is not None
    matrix = evaluation.confusion_matrix(predictions)
    open_evaluation(page, url, "plain")
    chart = matrix_chart(page)
    grid = page.get_by_test_id("image-grid")
    for true in np.argsort(-matrix.diagonal())[:3].tolist():
        click_cell(page, chart, true, true)
        expect(chosen(page, "True class")).to_have_value(blobs.class_names[true])
        expect(chosen(page, "Predicted class")).to_have_value(blobs.class_names[true])
        shown = evaluation.images_in_cell(predictions, true, true)[:12]
        expect(grid.locator("small")).to_have_text([f"#{index}" for index in shown])

    true, predicted = np.argwhere(matrix == 0)[0].tolist()
    click_cell(page, chart, true, predicted)
    expect(page.get_by_text("No test image of class")).to_be_visible()
    expect(grid).to_have_count(0)

    true = int(matrix.diagonal().argmax())
    click_cell(page, chart, true, true)
    index = int(evaluation.images_in_cell(predictions, true, true)[0])
    page.get_by_role("button", name=re.compile(rf"^#{index} ")).click()
    expect(page.get_by_role("heading", name="Predict", exact=True)).to_be_visible()
    expect(page.get_by_label("Test image index", exact=True)).to_have_value(
        str(index), timeout=60_000
    )


def test_every_click_counts_even_while_the_matrix_is_drawn_anew(
    url: str, page: Page, blobs: Dataset
) -> None:
    open_evaluation(page, url, "plain")
    chart = matrix_chart(page)
    expect(chosen(page, "True class")).to_be_visible()
    for place in (1, 8, 3, 6, 2, 9, 4):
        click_cell(page, chart, place, 9 - place)
    expect(chosen(page, "True class")).to_have_value(blobs.class_names[4])
    expect(chosen(page, "Predicted class")).to_have_value(blobs.class_names[5])
    before = chart.evaluate("node => node._fullLayout.yaxis.range.slice()")
    click_cell(page, chart, 7, 7, clicks=2)  # would zoom a chart out that can be zoomed
    expect(chosen(page, "True class")).to_have_value(blobs.class_names[7])
    assert chart.evaluate("node => node._fullLayout.yaxis.range.slice()") == before


def test_without_a_mouse_two_lists_choose_the_cell(url: str, page: Page, blobs: Dataset) -> None:
    open_evaluation(page, url, "dropout")
    node = matrix_chart(page).element_handle()
    for label, edge in (("True class", "y0"), ("Predicted class", "x0")):
        field = chosen(page, label)
        field.focus()
        field.fill("truck")
        expect(page.get_by_role("option")).to_have_text(["truck"])
        field.press("Enter")
        page.wait_for_function(f"node => node._fullLayout.shapes[0].{edge} === 8.5", arg=node)


def test_a_remedy_opens_the_train_page_ready_set(url: str, page: Page) -> None:
    open_evaluation(page, url, "overfitted")
    page.get_by_role("button", name="Dropout 0.4").click()
    expect(page.get_by_role("heading", name="Train", exact=True)).to_be_visible()
    expect(page.get_by_role("switch", name="Dropout")).to_be_checked()
    expect(page.get_by_label("Epochs", exact=True)).to_have_value("7")
