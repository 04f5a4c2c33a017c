"""Claim: images are on the first page 3 s after `streamlit run`, whatever is in the cache.

From the start of the server's process to the frame in which the browser, which runs already and
has nothing in its cache, shows twenty images. The peer is what a person writes: one file that
imports TensorFlow and shows the same images by `st.image`.

    python -m benchmarks.cold_start
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, expect, sync_playwright

from benchmarks.machine import SHORT, Cost, heading, in_turn, keep, machine, table
from cifar_core.data import load_data
from tests.browser.conftest import FLAGS, ROOT, chromium_path, run_dashboard

TRIALS = 1 if SHORT else 4
PACKAGES = ("streamlit", "tensorflow", "numpy")
EMPTY = "import streamlit as st\n\nst.title('Images')\n"
PEER = """
import numpy as np
import streamlit as st
import tensorflow as tf


@st.cache_resource
def load():
    with np.load("images.npz") as file:
        return file["x_train"], file["y_train"]


st.title("Images")
images, labels = load()
st.caption(f"TensorFlow {tf.__version__}")
for row in range(0, 20, 10):
    for column, index in zip(st.columns(10), range(row, row + 10)):
        column.image(images[index], caption=str(labels[index]))
"""
GRID = '[data-testid="image-grid"][data-drawn]'
# The time of the frame, by the clock that Python has, too.
DRAWN = """([selector, count]) => new Promise(resolve => {
    const look = () => {
        const found = [...document.querySelectorAll(selector)];
        const isThere = found.length >= count &&
            found.every(one => one.tagName !== "IMG" || one.complete && one.naturalWidth);
        if (!isThere) return requestAnimationFrame(look);
        requestAnimationFrame(() => resolve(Date.now() / 1000));
    };
    look();
})"""


def cold(browser: Browser, script: Path, selector: str, count: int, cache: Path | None) -> Cost:
    """From the start of a server to what it shows; an empty cache where none is given."""
    with tempfile.TemporaryDirectory() as empty:
        environment = {
            "CIFAR10_CACHE": str(cache or empty),
            "CIFAR10_RUNS": f"{empty}/runs",
            "CIFAR10_DATA": "synthetic",
        }
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        began = time.time()
        with (
            contextlib.redirect_stdout(None),  # of the server's log
            run_dashboard(script, env=environment, root=script.parent) as url,
        ):
            page.goto(url, wait_until="commit")
            drawn = page.evaluate(DRAWN, [selector, count])
            page.context.close()
    return Cost(drawn - began, 0.0)


def main() -> None:
    """Start all in turn."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        cache, peer, empty = (Path(folder) / name for name in ("cache", "peer.py", "empty.py"))
        data = load_data("synthetic", cache_dir=cache)
        np.savez(Path(folder) / "images.npz", x_train=data.x_train, y_train=data.y_train)
        peer.write_text(PEER)
        empty.write_text(EMPTY)
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        heading("images 3 s after the start", TRIALS, PACKAGES)
        ours = ROOT / "dashboard.py"
        found = in_turn(
            {
                "peer: one file": lambda: cold(browser, peer, "img", 20, cache),
                "dashboard": lambda: cold(browser, ours, GRID, 1, cache),
                "dashboard, cache empty": lambda: cold(browser, ours, GRID, 1, None),
                "an empty Streamlit page": lambda: cold(browser, empty, "h1", 1, cache),
            },
            TRIALS,
        )
        browser.close()
    keep(
        "A cold start",
        f"`python -m benchmarks.cold_start`: {machine(TRIALS, PACKAGES)}.\n\n{table(found)}",
    )


if __name__ == "__main__":
    expect.set_options(timeout=120_000)
    main()
