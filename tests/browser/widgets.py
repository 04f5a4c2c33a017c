"""What a person does on a page, for all tests in a browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from cifar_core.runs.run import Run
from cifar_core.runs.store import RunStore

NEXT_FRAME = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def go(page: Page, name: str) -> None:
    """Click through to a page and wait until it is there."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def enter(page: Page, label: str, number: float) -> None:
    field = page.get_by_label(label, exact=True)
    field.fill(str(number))
    field.press("Enter")


def choose(page: Page, label: str, option: str, *, exact: bool = True) -> None:
    """Choose from a list that closes when the page scrolls, as its end does when it grows."""
    settle(page)
    box = page.get_by_role("combobox", name=label, exact=True).filter(visible=True)
    box.scroll_into_view_if_needed()
    page.evaluate(NEXT_FRAME)  # by then the browser has told the page that it scrolled
    box.click()
    page.get_by_role("option", name=option, exact=exact).click()


def settle(page: Page) -> None:
    """Wait until the script has run to its end."""
    app = page.get_by_test_id("stApp")
    expect(app).to_have_attribute("data-test-script-state", "notRunning")


def set_epochs(page: Page, epochs: int) -> None:
    enter(page, "Epochs", epochs)
    expect(page.locator("input[aria-label=Preset][value=custom]")).to_be_visible()


def start_training(page: Page, url: str, store: RunStore, epochs: int, images: int = 0) -> Run:
    """Press 'Start training' and wait for the first figures.

    Args:
        images: how many train; 0 for all.
    """
    page.goto(f"{url}/train?train_images={images}")
    set_epochs(page, epochs)
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_text("images/s")).to_be_visible(timeout=60_000)
    return store.runs()[0]
