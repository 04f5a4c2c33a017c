"""Names, paths and messages in a real Chromium: as they are, wherever Markdown is rendered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

APP = Path(__file__).parent / "apps" / "plain_text_app.py"
TEXTS = [
    r"C:\Users\me\.runs\[a]_b_ $x$ :red[c] <b>",
    "a -> b <- c -- d >= <= ~= <-> ---",
    ":smile: :material/home: :streamlit: :blue-badge[x] :small[y]",
    "http://example.com/x_y_ WWW.example.com me@example.com <https://a.b> mailto:a@b.co",
    "*a* **b** ~~c~~ `d` ![e](f) [^1] ^g^ ==h==",
    "$$x$$ $1 and $2",
    "# one",
    "1. one",
    "1) one",
    "- one",
    "+ one",
    "> one",
    "===",
    "| a | b |",
    "&amp; &#35; x<br>y <!-- z -->",
    "trailing\\",
    r"\(a\) \[b\]",
    "--data synthetic",
]
KINDS = ("markdown", "item", "caption", "error", "button", "metric", "progress", "table")
RENDERED = "[data-testid=stMarkdownContainer], [data-testid=stCaptionContainer]"
MARKED_UP = "a, em, code, del, sup, blockquote, hr, h1, img:not([alt='']), .katex, li li"


@pytest.fixture(scope="module")
def url(start_dashboard) -> Iterator[str]:
    lines = ["    one\n\n    two"]
    with start_dashboard(APP, env={"TEXTS": json.dumps([*TEXTS, *lines])}) as address:
        yield address


def test_texts_are_shown_as_they_are(url: str, page: Page) -> None:
    page.goto(url)
    expect(page.get_by_test_id("end")).to_be_attached()
    for number, text in enumerate(TEXTS):
        for kind in KINDS:
            place = page.locator(f".st-key-{kind}-{number}")
            found = place.locator(RENDERED).first
            expect(found, f"{kind}: {text}").to_have_text(text, use_inner_text=True)
            expect(found.locator(MARKED_UP), f"{kind}: {text}").to_have_count(0)
        toast = page.get_by_test_id("stToast").get_by_text(text, exact=True)
        expect(toast, f"toast: {text}").to_have_count(1)
    lines = page.locator(f".st-key-error-{len(TEXTS)}").locator(RENDERED).first
    assert lines.inner_text().split() == ["one", "two"]
    expect(lines.locator("pre")).to_have_count(0)
