"""A press loses nothing to a fragment that runs by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

APP = Path(__file__).parent / "apps" / "rerun_app.py"


@pytest.fixture
def url(start_dashboard) -> Iterator[str]:
    with start_dashboard(APP) as address:
        yield address


def test_a_press_while_a_fragment_wants_the_page_again(url: str, page: Page) -> None:
    page.goto(url)
    expect(page.get_by_text("Works")).to_be_visible()
    page.get_by_role("button", name="Work").click()
    page.get_by_role("button", name="Press").click()
    expect(page.get_by_text("The page has wished: True")).to_be_visible()
    expect(page.get_by_text("Pressed 1 times")).to_be_visible()
