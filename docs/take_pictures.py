"""Takes the pictures in docs/ from a real dashboard on the built-in (synthetic) images.

python -m docs.take_pictures        (after `make test`, which installs what it needs)
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from cifar_core import RunStore, TrainingConfig, execute
from tests.browser.conftest import FLAGS, chromium_path, run_dashboard

DOCS = Path(__file__).resolve().parent
SIZE = {"width": 1280, "height": 1040}


def settle(page: Page, heading: str) -> None:
    """Wait until a page is drawn, charts and all."""
    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    charts = page.get_by_test_id("live-chart").filter(visible=True)
    if heading != "Data":  # which has no chart in its first section
        expect(charts.first).to_be_visible()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    for chart in charts.all():
        expect(chart).not_to_have_attribute("data-updates", "0")
    page.get_by_role("heading", name=heading, exact=True).click()  # away from any tooltip
    expect(page.get_by_role("tooltip")).to_have_count(0)


def take(page: Page, url: str, name: str, heading: str) -> None:
    """One picture of one page."""
    page.goto(f"{url}/{name}")
    settle(page, heading)
    page.screenshot(path=DOCS / f"{heading.lower()}.png")


def take_training(page: Page, url: str) -> None:
    """The Train page some epochs into a training."""
    page.goto(f"{url}/train")
    page.get_by_text("Dropout", exact=True).click()
    expect(page.get_by_label("Dropout rate")).to_be_enabled()
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_text("Epoch 7 of")).to_be_visible(timeout=300_000)
    settle(page, "Train")
    page.screenshot(path=DOCS / "train.png")
    page.get_by_test_id("stMain").get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("Stopped after")).to_be_visible(timeout=60_000)


def main() -> None:
    """Train two networks, open the dashboard, and go through its pages."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        store = RunStore(Path(folder) / "runs")
        for name, config in (
            ("baseline", TrainingConfig(epochs=6)),
            ("dropout", TrainingConfig(epochs=6, dropout=0.4)),
        ):
            execute(store.create(config, name), "synthetic")
        environment = {"CIFAR10_RUNS": str(store.root), "CIFAR10_DATA": "synthetic"}
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        page = browser.new_page(viewport=SIZE)
        with run_dashboard(DOCS.parent / "dashboard.py", env=environment) as url:
            take(page, url, "", "Data")
            take(page, url, "model", "Model")
            take(page, url, "evaluate", "Evaluate")
            take(page, url, "predict", "Predict")
            take(page, url, "compare", "Compare")
            take_training(page, url)
            page.goto("about:blank")
        browser.close()


if __name__ == "__main__":
    os.environ.setdefault("KERAS_HOME", tempfile.gettempdir())
    expect.set_options(timeout=60_000)
    main()
