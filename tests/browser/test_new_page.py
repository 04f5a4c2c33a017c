"""A new page is a file and a line in dashboard.py: what stands around pages comes by itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.widgets import go
from tests.conftest import ROOT

pytestmark = pytest.mark.browser

PAGE = '''"""Words of the field."""

import streamlit as st

from ui import frame
from ui.text import _

frame.guard("pages/glossary.py")
frame.title(_("Glossary"))
st.write(_("An epoch is one look at all training images."))
'''
LINE = '        st.Page("pages/glossary.py", title=_("Glossary"), icon=":material/menu_book:"),\n'
LAST = '        st.Page("pages/compare.py", '


@pytest.fixture
def url(start_dashboard, environment, store, tmp_path: Path) -> Iterator[str]:
    for folder in (".streamlit", "pages", "static"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "pages" / "glossary.py").write_text(PAGE, encoding="utf-8")
    router = (ROOT / "dashboard.py").read_text(encoding="utf-8")
    assert router.count(LAST) == 1
    (tmp_path / "dashboard.py").write_text(router.replace(LAST, LINE + LAST), encoding="utf-8")
    own = {**environment, "PYTHONPATH": str(ROOT)}
    with start_dashboard(tmp_path / "dashboard.py", env=own, root=tmp_path) as address:
        yield address


def test_a_page(url: str, page: Page) -> None:
    page.goto(f"{url}/glossary")
    words = page.get_by_text("An epoch is one look at all training images.")
    expect(words).to_be_visible()
    expect(page.get_by_text("built-in (synthetic), not CIFAR-10")).to_be_visible()
    images = page.get_by_test_id("stSidebar").get_by_label("Images", exact=True)
    expect(images).to_have_value("Built-in images (synthetic)")
    go(page, "Data")
    go(page, "Glossary")
    expect(words).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Data", exact=True)).to_be_visible()
