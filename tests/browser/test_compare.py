"""Compare in a real Chromium: choose, star, filter, export and delete runs."""

from __future__ import annotations

import csv
import os
import re
import shutil
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from cifar_core.runs.store import RunStore
from tests.browser.charts import chart
from tests.browser.widgets import choose, settle

pytestmark = pytest.mark.browser


@pytest.fixture
def store(trained_copy: RunStore) -> RunStore:
    """'dropout', 'plain' and, newest, 'spare'."""
    root = trained_copy.root
    shutil.copytree(root / "plain", root / "spare")
    now = time.time()
    for age, name in enumerate(("spare", "dropout", "plain")):
        os.utime(root / name / "config.json", (now - 60 * age,) * 2)
    return trained_copy


COLOURS = "node => Object.fromEntries(node._fullData.map(t => [t.name, t.line.color]))"


def colours(page: Page) -> dict[str, str]:
    return chart(page, "compare-loss").evaluate(COLOURS)


def wait_for_runs(page: Page, *expected: str) -> None:
    page.wait_for_function(
        """names => {
            const traces = document.querySelector('[data-key="compare-loss"]')?._fullData || [];
            const drawn = new Set(traces.map((trace) => trace.name.split(" ")[0]));
            return JSON.stringify([...drawn].sort()) === JSON.stringify(names.sort());
        }""",
        arg=list(expected),
        timeout=60_000,  # the first time TensorFlow is being imported, too
    )


def tick(page: Page, row: int) -> None:
    """Click on the box at the left of a row, from 0; the table is drawn on a canvas."""
    page.get_by_test_id("stDataFrame").locator(".dvn-scroller").click(
        position={"x": 16, "y": 35 + 35 * row + 17}
    )


def expect_rows(page: Page, number: int, words: str) -> None:
    """So many rows, one of which has these words in a cell, as a screen reader is told."""
    table = page.get_by_test_id("stDataFrame")
    expect(table.locator("canvas tbody tr")).to_have_count(number)
    expect(table.locator("canvas tbody td").filter(has_text=words).first).to_be_attached()


def test_compare_runs(url: str, page: Page, store: RunStore, tmp_path: Path) -> None:
    page.goto(f"{url}/compare?runs=dropout")
    wait_for_runs(page, "dropout")
    of_dropout = colours(page)["dropout train"]

    # A second run is chosen; the first keeps its colour.
    tick(page, 2)
    expect(page.get_by_text("2 chosen")).to_be_visible()
    wait_for_runs(page, "dropout", "plain")
    assert colours(page)["dropout train"] == of_dropout
    assert colours(page)["plain train"] != of_dropout
    tick(page, 1)
    expect(page.get_by_text("1 chosen")).to_be_visible()
    wait_for_runs(page, "plain")
    tick(page, 1)
    wait_for_runs(page, "dropout", "plain")
    assert colours(page)["dropout train"] == of_dropout
    tick(page, 1)
    wait_for_runs(page, "plain")

    # A star and a name, and the table narrowed to them.
    page.get_by_role("button", name="Star", exact=True).click()
    expect(page.get_by_role("button", name="Unstar")).to_be_visible()
    settle(page)  # a popover that is opened while the page is made anew closes again
    page.get_by_role("button", name="Name and notes").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("first-try")
    page.get_by_role("textbox", name="Notes").fill("the tutorial's first")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("first-try: the tutorial's first")).to_be_visible()
    page.keyboard.press("Escape")
    assert store.get("plain").mark().name == "first-try"
    page.get_by_text("Starred only").click()
    expect_rows(page, 1, "first-try")
    page.get_by_text("Starred only").click()
    field = page.get_by_label("Filter", exact=True)
    field.fill("dropout=0.4")
    field.press("Enter")
    expect(page.get_by_text("0 chosen")).to_be_visible()
    expect_rows(page, 1, "dropout")
    field.fill("")
    field.press("Enter")
    expect(page.get_by_text("1 chosen")).to_be_visible()

    # Exports of the chosen run: at once, and by a conversion.
    choose(page, "Form", "history", exact=False)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    assert download.value.suggested_filename == "plain.csv"
    with Path(download.value.path()).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["val_loss"]) for row in rows] == [
        event.val_loss for event in store.get("plain").history().epochs
    ]
    choose(page, "Form", "Keras", exact=False)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    assert Path(download.value.path()).read_bytes() == store.get("plain").model_path.read_bytes()
    choose(page, "Form", "TFLite", exact=False)
    page.get_by_role("button", name="Convert").click()
    with page.expect_download(timeout=90_000) as download:
        page.get_by_role("button", name="Download", exact=True).click(timeout=90_000)
    assert download.value.suggested_filename == "plain.tflite"
    assert Path(download.value.path()).read_bytes()[4:8] == b"TFL3"

    # Delete asks; what is deleted is gone.
    tick(page, 0)
    wait_for_runs(page, "first-try", "spare")
    tick(page, 2)
    wait_for_runs(page, "spare")
    settle(page)
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("cannot be undone")).to_be_visible()
    assert store.get("spare").has_model()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("0 chosen")).to_be_visible()
    assert {run.id for run in store.runs()} == {"plain", "dropout"}
    page.goto("about:blank")  # before the server stops


def test_a_press_before_the_page_has_answered_gets_what_was_chosen(
    url: str, page: Page, store: RunStore
) -> None:
    held: list[tuple[WebSocketRoute, str | bytes]] = []
    is_busy = False

    def relay(browser: WebSocketRoute) -> None:
        def on_message(message: str | bytes) -> None:
            if is_busy:
                held.append((browser, message))
            else:
                browser.send(message)

        browser.connect_to_server().on_message(on_message)

    page.route_web_socket(re.compile("/_stcore/stream"), relay)
    page.goto(f"{url}/compare?runs=plain")
    wait_for_runs(page, "plain")
    # Until then the page looks for it once a second, and may be at it when answers are held back.
    expect(page.get_by_text("Device: CPU")).to_be_visible()
    for words, suffix in (("history", ".csv"), ("Keras", ".keras"), ("report", ".html")):
        settle(page)
        is_busy = True
        choose(page, "Form", words, exact=False)
        with page.expect_download() as download:
            page.get_by_role("button", name="Download", exact=True).click()
            is_busy = False
            for browser, message in held:
                browser.send(message)
            held.clear()
        assert download.value.suggested_filename == f"plain{suffix}"
    assert Path(download.value.path()).read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
