"""Claim: a page is there 0.3 s after the click on its link, and so is what a control asks for.

In Chromium, on a dashboard that is warm: from the click in the page to the second frame in which
the page has its title, its script has ended, and all its charts, grids, pictures and tables are
drawn. Two networks of one epoch on the built-in images are in the store, beside those that ship.

    python -m benchmarks.pages
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from benchmarks.machine import SHORT, heading, keep, machine
from cifar_core import RunStore, TrainingConfig, execute
from tests.browser.conftest import FLAGS, ROOT, chromium_path, run_dashboard

ROUNDS = 2 if SHORT else 10
PACKAGES = ("streamlit", "plotly", "tensorflow")
PAGES = {
    "Data": '[data-testid="image-grid"]',
    "Model": '[data-key="network-flat"]',
    "Train": '[data-key="train-loss"]',
    "Evaluate": '[data-key="confusion"]',
    "Predict": '[data-key="predict-test"]',
    "Compare": '[data-testid="stDataFrame"]',
}
"""Each page, by its link, and what it is not there without."""

# What was on the page may stay for a while after a click, so a page or an answer is there once it
# is another (`changed`) and all is drawn, in two frames one after the other.
TIMED = """([link, text, title, needs, changed]) => new Promise((resolve, reject) => {
    const all = selector => [...document.querySelectorAll(selector)];
    const look_of = ({ dataset, alt, innerText }) => JSON.stringify([dataset, alt, innerText]);
    const looks = () => changed && all(changed).map(look_of).join();
    const before = looks();
    const target = all(link).findLast(one => one.innerText.includes(text));
    if (!target) return reject(new Error(`there is no ${link} with '${text}'`));
    const began = performance.now();
    let frames = 0;
    const isMissing = () => Object.entries({
        end: all('[data-test-script-state="notRunning"]').length,
        title: document.querySelector("h1")?.innerText.trim() === title,
        part: all(needs).length,
        charts: all(".live-chart[data-key]").every(one => one.dataset.updates !== "0"),
        grids: all('[data-testid="image-grid"]').every(one => one.dataset.drawn),
        tables: all('[data-testid="stDataFrame"]').every(one => one.querySelector("canvas")),
        pictures: all("img").every(one => one.complete),
        change: !changed || looks() !== before,
    }).filter(([name, isThere]) => !isThere).map(([name]) => name);
    const look = () => {
        const [missing, took] = [isMissing(), (performance.now() - began) / 1000];
        if (took > 20) return reject(new Error(`${title}, ${text} lacks ${missing}`));
        frames = missing.length ? 0 : frames + 1;
        if (frames < 2) return requestAnimationFrame(look);
        resolve(took);
    };
    target.click();
    look();
})"""

CONTROLS = (
    ("Data", "a section", "button", ("Statistics", "Look"), "h3"),
    ("Data", "Test or Training", "button", ("Test", "Training"), '[data-testid="image-grid"]'),
    ("Model", "a section", "button", ("Pooling", "Network"), "h3, table"),
    (
        "Model",
        "in three dimensions or flat",
        "button",
        ("In three dimensions", "Flat"),
        ".live-chart",
    ),
    ("Evaluate", "a section", "button", ("Each class", "Confusion matrix"), "h3, table"),
    ("Predict", "a random image", "button", ("Random test image",), "img"),
    ("Predict", "twenty at random", "button", ("Twenty at random",), '[data-testid="image-grid"]'),
    ("Compare", "curves of one side", "button", ("validation", "train"), ".live-chart"),
)
"""Page, what is pressed, and what of the page changes: the presses take turns."""


def switch(page: Page, name: str) -> float:
    """Seconds from the click on a page's link until it is there."""
    link = '[data-testid="stSidebarNavLink"]'
    took: float = page.evaluate(TIMED, [link, name, name, PAGES[name], None])
    return took


def press(page: Page, name: str, selector: str, text: str, changed: str) -> float:
    """Seconds from the press on a page's control until what it asks for is there."""
    took: float = page.evaluate(TIMED, [selector, text, name, "h1", changed])
    return took


def table(found: Mapping[str, Sequence[float]], what: str) -> str:
    """Median and 95th percentile of each, in Markdown."""
    lines = [f"| {what} | median, s | 95th percentile, s |", "| --- | --- | --- |"]
    for name, values in found.items():
        most = sorted(values)[int(0.95 * len(values))]
        lines.append(f"| {name} | {statistics.median(values):.2f} | {most:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Train, warm up, switch and press."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        store = RunStore(Path(folder) / "runs")
        for name in ("one", "two"):
            execute(store.create(TrainingConfig(epochs=1), name), "synthetic")
        environment = {"CIFAR10_RUNS": str(store.root), "CIFAR10_DATA": "synthetic"}
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        with run_dashboard(ROOT / "dashboard.py", env=environment) as url:
            page.goto(url)
            expect(page.get_by_text("Device: CPU")).to_be_visible()  # TensorFlow is there
            heading("a page is there 0.3 s after the click", ROUNDS, PACKAGES)
            pages: dict[str, list[float]] = {name: [] for name in PAGES}
            for number in range(2 + ROUNDS):
                for name in reversed(PAGES):
                    took = switch(page, name)
                    if number >= 2:  # the first rounds warm up
                        pages[name].append(took)
            controls: dict[str, list[float]] = {}
            for name, what, selector, texts, changed in CONTROLS:
                if page.locator("h1").inner_text() != name:  # else there is nothing to wait for
                    switch(page, name)
                took_each = [
                    press(page, name, selector, text, changed)
                    for _ in range(1 + ROUNDS)
                    for text in texts
                ]
                controls[f"{name}: {what}"] = took_each[len(texts) :]
            page.goto("about:blank")
        browser.close()
    keep(
        "Page switches",
        f"`python -m benchmarks.pages`: {machine(ROUNDS, PACKAGES)}.\n\n"
        f"{table(pages, 'from any page to')}\n\n{table(controls, 'control')}",
    )


if __name__ == "__main__":
    os.environ.setdefault("KERAS_HOME", tempfile.gettempdir())
    expect.set_options(timeout=120_000)
    main()
