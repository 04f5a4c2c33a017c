"""Trainings and the processes that carry them out, as a real Chromium shows them."""

from __future__ import annotations

import os
import select
import signal

import pytest
from playwright.sync_api import Browser, Page, expect

from cifar_core.runs.events import RunState
from cifar_core.runs.store import RunStore
from tests.browser.charts import points, wait_for_points
from tests.browser.widgets import go, start_training
from tests.conftest import ROOT
from tests.processes import has_ended, processes, wait_for, warm_workers, workers

pytestmark = pytest.mark.browser


def test_runs_wait_in_line_and_can_be_cancelled(url: str, page: Page, store: RunStore) -> None:
    first = start_training(page, url, store, 60)
    waiting = page.get_by_role("button", name="Cancel", exact=True)
    page.get_by_role("button", name="Start training").click()
    expect(waiting).to_have_count(1)
    page.get_by_role("button", name="Start training").click()
    expect(waiting).to_have_count(2)
    third, second, _ = store.runs()
    expect(page.get_by_label("Run", exact=True).filter(visible=True)).to_have_value(third.id)
    expect(page.get_by_text("Waiting in line until")).to_be_visible()
    page.get_by_role("button", name="Move up").nth(1).click()
    expect(page.get_by_test_id("stMarkdown").filter(has_text="-custom").first).to_have_text(
        third.id
    )
    page.reload()  # the order is kept, and no button is being put in another's place
    page.locator(f".st-key-cancel-{second.id} button").click()
    expect(waiting).to_have_count(1)
    wait_for(lambda: second.state() is RunState.STOPPED)
    first.request_stop()
    expect(waiting).to_have_count(0, timeout=60_000)
    assert third.state() is RunState.RUNNING


def test_two_tabs_and_two_dashboards_show_one_run(
    url: str,
    page: Page,
    chromium: Browser,
    store: RunStore,
    start_dashboard,
    environment: dict[str, str],
) -> None:
    run = start_training(page, url, store, 60)
    with (
        start_dashboard(ROOT / "dashboard.py", env=environment) as elsewhere,
        chromium.new_context() as other,
    ):
        tab, dashboard = other.new_page(), other.new_page()
        for second, address in ((tab, url), (dashboard, elsewhere)):
            second.goto(f"{address}/train")
            expect(second.get_by_text("images/s")).to_be_visible()
            shown = second.get_by_label("Run", exact=True).filter(visible=True)
            expect(shown).to_have_value(run.id)
            wait_for_points(second, "train-loss", points(second, "train-loss"))
        # Asked for on one dashboard, waiting and cancelled on the other.
        dashboard.get_by_role("button", name="Start training").click()
        expect(page.get_by_text("Waiting in line", exact=True)).to_be_visible()
        page.get_by_role("button", name="Cancel", exact=True).click()
        expect(dashboard.get_by_text("Waiting in line", exact=True)).to_have_count(0)
        tab.get_by_test_id("stMain").get_by_role("button", name="Stop", exact=True).click()
        for one in (page, tab):
            expect(one.get_by_text("Stopped after")).to_be_visible(timeout=60_000)
        assert run.state() is RunState.STOPPED


def test_a_run_outlives_the_dashboard(
    page: Page, start_dashboard, environment: dict[str, str], store: RunStore
) -> None:
    with start_dashboard(ROOT / "dashboard.py", env=environment) as url:
        run = start_training(page, url, store, 3, images=4000)
        page.goto("about:blank")
        (worker,) = workers(run)
        (server,) = processes("streamlit", f"--server.port={url.rsplit(':', 1)[1]}")
        os.kill(server, signal.SIGKILL)
    step = run.history().batches[-1].step
    assert run.state() is RunState.RUNNING
    ended, _, _ = select.select([os.pidfd_open(worker)], [], [], 180)
    assert ended, "the worker goes on and comes to its end"
    assert run.state() is RunState.FINISHED
    assert run.history().batches[-1].step > step
    with start_dashboard(ROOT / "dashboard.py", env=environment) as url:
        page.goto(f"{url}/train")
        expect(page.get_by_text("Finished after 3 epochs")).to_be_visible()
        page.goto("about:blank")  # before the server goes


def test_a_worker_waits_for_the_next_run(
    page: Page, start_dashboard, environment: dict[str, str], store: RunStore
) -> None:
    with start_dashboard(
        ROOT / "dashboard.py", env={**environment, "CIFAR10_WARM_WORKER": "1"}
    ) as url:
        (server,) = processes("streamlit", f"--server.port={url.rsplit(':', 1)[1]}")
        page.goto(f"{url}/train")
        wait_for(lambda: len(warm_workers(server)) == 1)
        (worker,) = warm_workers(server)
        run = start_training(page, url, store, 60)
        assert warm_workers(server) == [worker]
        assert workers(run) == []
        page.get_by_test_id("stMain").get_by_role("button", name="Stop", exact=True).click()
        expect(page.get_by_text("Stopped after")).to_be_visible(timeout=60_000)
        assert has_ended(worker, 60)
        wait_for(lambda: len(warm_workers(server)) == 1)
        (waits,) = warm_workers(server)
        page.goto("about:blank")
        os.kill(server, signal.SIGKILL)
        assert has_ended(waits, 60)


def test_a_killed_worker_shows_as_interrupted(url: str, page: Page, store: RunStore) -> None:
    run = start_training(page, url, store, 60)
    for worker in workers(run):
        os.kill(worker, signal.SIGKILL)
    expect(page.get_by_text("Interrupted")).to_be_visible(timeout=3_000)
    assert run.state() is RunState.INTERRUPTED
    expect(page.get_by_role("button", name="Start training")).to_be_enabled()
    go(page, "Compare")
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
