"""What a person does on a page, for all tests in a browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def go(page: Page, name: str) -> None:
    """Click through to a page and wait until it is there."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def enter(page: Page, label: str, number: float) -> None:
    field = page.get_by_label(label, exact=True)
    field.fill(str(number))
    field.press("Enter")


def settle(page: Page) -> None:
    """Wait until the script has run to its end."""
    app = page.get_by_test_id("stApp")
    expect(app).to_have_attribute("data-test-script-state", "notRunning")
