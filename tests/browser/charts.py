"""Charts on a page, for all tests in a browser."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


def chart(page: Page, key: str) -> Locator:
    """A chart once it is drawn, also where another one is mounted in its place."""
    found = page.locator(f'[data-testid="live-chart"][data-key="{key}"]:not([data-updates="0"])')
    expect(found).to_be_attached(timeout=60_000)  # TensorFlow may be on its way
    return found
