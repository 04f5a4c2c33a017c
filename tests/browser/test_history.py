"""Back and Forward in a real Chromium: each page once, and as its address says."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from cifar_core.runs.store import RunStore
from tests.browser.slow import SlowServer
from tests.browser.widgets import enter, go, settle
from tests.processes import wait_for

pytestmark = pytest.mark.browser

# The titles that a page has shown since; '' is none.
WATCH_TITLE = """() => {
  window.titles = [];
  const look = () => {
    const title = document.querySelector("h1")?.textContent ?? "";
    if (title !== titles.at(-1)) titles.push(title);
  };
  look();
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
}"""


@pytest.fixture
def store(trained_copy: RunStore) -> RunStore:
    return trained_copy


def is_shown(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", name=name, exact=True, level=1)).to_be_visible()


def run(page: Page):
    return page.locator("input[aria-label=Run]")


def choose(page: Page, label: str, option: str) -> None:
    page.locator(f"input[aria-label={label}]").click()
    page.get_by_role("option", name=option).click()


def test_back_and_forward_show_each_page_once(url: str, page: Page) -> None:
    page.goto("about:blank")
    page.goto(f"{url}/?section=colour")
    is_shown(page, "Data")
    page.get_by_test_id("stMain").get_by_text("Statistics", exact=True).click()
    expect(page).to_have_url(re.compile("section=statistics"))
    go(page, "Train")
    expect(page).to_have_url(re.compile("run=dropout"))
    enter(page, "Epochs", 7)
    expect(page).to_have_url(re.compile("epochs=7"))
    enter(page, "Epochs", 8)
    expect(page).to_have_url(re.compile("epochs=8"))
    go(page, "Evaluate")
    expect(page).to_have_url(re.compile("run=dropout"))
    choose(page, "Run", "plain")
    expect(page).to_have_url(re.compile("run=plain"))
    page.get_by_test_id("stMain").get_by_text("Each class", exact=True).click()
    expect(page).to_have_url(re.compile("aspect=classes"))
    go(page, "Compare")
    expect(page).to_have_url(re.compile("runs="))

    page.go_back()
    is_shown(page, "Evaluate")
    expect(run(page)).to_have_value("plain")
    expect(page).to_have_url(re.compile("aspect=classes"))
    page.go_back()
    is_shown(page, "Train")
    expect(run(page)).to_have_value("dropout")
    expect(page.get_by_label("Epochs", exact=True)).to_have_value("8")
    page.go_back()
    is_shown(page, "Data")
    expect(page.get_by_text("Images of each class").first).to_be_visible()
    page.go_forward()
    is_shown(page, "Train")
    expect(run(page)).to_have_value("dropout")
    page.go_forward()
    is_shown(page, "Evaluate")
    expect(run(page)).to_have_value("plain")
    page.go_forward()
    is_shown(page, "Compare")
    for name in ("Evaluate", "Train", "Data"):
        page.go_back()
        is_shown(page, name)
    page.go_back()
    expect(page).to_have_url("about:blank")


def test_back_while_the_page_that_is_left_is_still_being_drawn(url: str, page: Page) -> None:
    server = SlowServer(page)
    page.goto(f"{url}/train")
    is_shown(page, "Train")
    go(page, "Evaluate")
    choose(page, "Run", "plain")
    expect(page).to_have_url(re.compile("run=plain"))
    go(page, "Compare")
    expect(page).to_have_url(re.compile("runs="))
    settle(page)

    server.hold()
    page.get_by_text("Starred only", exact=True).click()
    server.wait_for("navigation")
    page.go_back()
    server.release()
    is_shown(page, "Evaluate")
    expect(run(page)).to_have_value("plain")
    settle(page)
    page.go_back()
    is_shown(page, "Train")


def test_back_before_the_page_that_is_left_has_said_all(url: str, page: Page) -> None:
    server = SlowServer(page)
    page.goto(f"{url}/train")
    expect(page).to_have_url(re.compile("run=dropout"))
    go(page, "Evaluate")
    expect(page).to_have_url(re.compile("aspect=confusions"))
    settle(page)

    server.hold()
    page.get_by_test_id("stMain").get_by_text("Each class", exact=True).click()
    server.wait_for("page_info_changed")
    page.go_back()
    server.release()
    is_shown(page, "Train")
    settle(page)
    expect(page).to_have_url(f"{url}/train?run=dropout")


def test_a_page_that_was_left_asks_for_something_late(url: str, page: Page) -> None:
    server = SlowServer(page, holds=lambda asked: bool(asked.rerun_script.fragment_id))
    page.goto(f"{url}/train")
    is_shown(page, "Train")
    wait_for(lambda: page.title() and server.asked)
    go(page, "Model")
    settle(page)
    server.hold()
    server.ask()
    server.wait_for("script_finished")
    page.evaluate(WATCH_TITLE)
    server.release()
    page.get_by_role("radio", name="Pooling").click()
    expect(page).to_have_url(f"{url}/model?part=pooling")
    settle(page)
    assert page.evaluate("titles") == ["Model"]


def test_back_from_a_press_that_leads_to_another_page(url: str, page: Page) -> None:
    page.goto(f"{url}/?section=colour")
    page.get_by_role("button", name="Train on greyscale").click()
    is_shown(page, "Train")
    expect(page).to_have_url(re.compile("colour=grey"))
    page.go_back()
    is_shown(page, "Data")
    expect(page.get_by_role("button", name="Train on greyscale")).to_be_visible()
    expect(page).to_have_url(re.compile("section=colour"))


def test_a_reload_and_a_link_show_the_same(url: str, page: Page) -> None:
    page.goto(f"{url}/evaluate")
    is_shown(page, "Evaluate")
    expect(page).to_have_url(re.compile("run=dropout"))
    choose(page, "Run", "plain")
    page.get_by_test_id("stMain").get_by_text("Each class", exact=True).click()
    expect(page).to_have_url(re.compile("run=plain.*aspect=classes|aspect=classes.*run=plain"))
    page.reload()
    is_shown(page, "Evaluate")
    expect(run(page)).to_have_value("plain")
    expect(page.get_by_text("Recall", exact=True).first).to_be_visible()
    expect(page).to_have_url(re.compile("run=plain"))
