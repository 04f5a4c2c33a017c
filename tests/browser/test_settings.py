"""The Train page's controls and their link in a real Chromium, on the built-in images."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Page, expect

from cifar_core.config import TrainingConfig
from cifar_core.runs.events import RunState
from cifar_core.runs.store import RunStore
from tests.browser.widgets import choose, enter

pytestmark = pytest.mark.browser


def open_group(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def expect_query(page: Page, expected: dict[str, str]) -> None:
    """Wait until the address says this, and nothing else."""

    def holds(address: str) -> bool:
        return dict(parse_qsl(urlsplit(address).query)) == expected

    page.wait_for_url(holds, wait_until="commit")


def test_a_link_on_a_cold_server_sets_the_widgets_and_follows_them(
    cold_url: str, page: Page
) -> None:
    page.goto(f"{cold_url}/train?note=7&dropout=0.4&epochs=15&flip=true&optimiser=sgd")
    expect(page.get_by_label("Epochs", exact=True)).to_have_value("15")
    expect(page.get_by_role("switch", name="Dropout")).to_be_checked()
    expect(page.get_by_text("Also set: Mirror · Optimiser SGD with momentum.")).to_be_visible()
    page.get_by_text("More settings").click()
    expect(page.get_by_role("switch", name="Mirror")).to_be_checked()
    link = {"note": "7", "dropout": "0.4", "epochs": "15", "flip": "true", "optimiser": "sgd"}
    expect_query(page, link)

    page.get_by_text("Mirror", exact=True).click()
    del link["flip"]
    expect_query(page, link)
    open_group(page, "Optimiser")
    enter(page, "Batch size", 64)
    enter(page, "Learning rate", 0.05)  # before the page has answered
    choose(page, "Schedule", "cosine")
    link |= {"batch_size": "64", "learning_rate": "0.05", "schedule": "cosine"}
    expect_query(page, link)
    drawn = "document.querySelector('[data-key=\"learning-rate\"]')?._fullData?.[0].y"
    page.wait_for_function(f"() => {{ const y = {drawn}; return y?.at(-1) === 0 && y[0] > 0.04; }}")
    enter(page, "Epochs", 15.5)  # no whole number
    enter(page, "Epochs", 2000)  # too many
    expect(page.get_by_label("Epochs", exact=True)).not_to_have_value("15")
    enter(page, "Epochs", 1000)
    link["epochs"] = "1000"
    expect_query(page, link)

    page.reload()
    expect(page.get_by_label("Epochs", exact=True)).to_have_value("1000")
    page.get_by_text("More settings").click()
    expect(page.get_by_role("switch", name="Mirror")).not_to_be_checked()
    open_group(page, "Optimiser")
    expect(page.get_by_label("Batch size", exact=True)).to_have_value("64")
    expect(page.get_by_label("Learning rate", exact=True)).to_have_value("0.05")
    expect_query(page, link)

    choose(page, "Preset", "tutorial-baseline")
    expect_query(page, {"note": "7"})
    # The widget of the settings before stays a moment, behind the new one.
    expect(page.get_by_label("Learning rate", exact=True).first).to_have_value("0.001")
    expect(page.get_by_text("All other settings are at their defaults.")).to_be_visible()


def test_a_broken_value_in_a_link_is_one_sentence(url: str, page: Page) -> None:
    page.goto(f"{url}/train?dropout=1.2&epochs=4")
    note = page.get_by_test_id("stToast")
    expect(note).to_contain_text("dropout must be in [0, 1). Received: dropout=1.2.")
    expect(page.get_by_label("Epochs", exact=True)).to_have_value("4")
    expect(page.get_by_role("switch", name="Dropout")).not_to_be_checked()
    expect_query(page, {"epochs": "4"})
    note.get_by_role("button").click()
    expect(note).to_have_count(0)


def test_a_cross_validation_is_a_group_of_runs(url: str, page: Page, store: RunStore) -> None:
    page.goto(f"{url}/train?validation=folds&folds=2&epochs=1&train_images=200")
    expect(page.get_by_text("'Start training' begins 2 runs.")).to_be_visible()
    page.get_by_role("button", name="Start training").click()
    figure = r"\d+\.\d\d% ± \d+\.\d\d"
    expect(
        page.get_by_text(
            re.compile(
                f"Group of 2 runs: validation accuracy {figure}, test accuracy {figure} .2 done"
            )
        )
    ).to_be_visible(timeout=180_000)
    found = {run.config().fold: run for run in store.runs()}
    assert set(found) == {1, 2}
    assert all(run.state() is RunState.FINISHED for run in found.values())
    expected = TrainingConfig(validation="folds", folds=2, epochs=1, train_images=200)
    assert {run.config().group() for run in found.values()} == {expected}
    shown = page.get_by_label("Run", exact=True).filter(visible=True)
    expect(shown).to_have_value(found[1].id)


def test_a_page_left_while_it_is_drawn_changes_no_other_setting(url: str, page: Page) -> None:
    page.goto(f"{url}/train")
    said = page.get_by_text("All other settings are at").or_(page.get_by_text("Also set: "))
    expect(said).to_have_text("All other settings are at their defaults.")
    links = page.get_by_test_id("stSidebarNav")
    for _ in range(4):
        links.get_by_role("link", name="Model").click()
        page.get_by_text("Batch normalisation").first.click()
        for name in ("Compare", "Train"):
            links.get_by_role("link", name=name).click()
            expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
        # The click itself may be lost with the page that was left.
        expect(said).to_have_text(re.compile("their defaults.$|^Also set: Batch normalisation.$"))
    expect(page.get_by_label("Epochs", exact=True)).to_have_value("10")
