"""The main job from end to end in a real Chromium, on the built-in images."""

from __future__ import annotations

import io
import os
import select
import signal

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from cifar_core.runs.events import RunState
from cifar_core.runs.run import Run
from cifar_core.runs.store import RunStore
from cifar_core.runs.summary import Summary
from tests.browser.charts import chart, points, wait_for_points
from tests.browser.widgets import enter, go
from tests.conftest import ROOT
from tests.processes import processes, workers

pytestmark = pytest.mark.browser


def below_the_run(page: Page) -> float:
    """How far the loss's chart stands below the run's name, in pixels."""
    chart_box = chart(page, "train-loss").bounding_box()
    return chart_box["y"] - page.locator(".st-key-run-row").bounding_box()["y"]


def set_epochs(page: Page, epochs: int) -> None:
    enter(page, "Epochs", epochs)
    expect(page.locator("input[aria-label=Preset][value=custom]")).to_be_visible()


def start_training(page: Page, store: RunStore, epochs: int) -> Run:
    """Press 'Start training' and wait for the first figures."""
    go(page, "Train")
    set_epochs(page, epochs)
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_text("images/s")).to_be_visible(timeout=60_000)
    return store.runs()[0]


def test_look_train_evaluate_predict(url: str, page: Page, store: RunStore) -> None:
    page.goto(url)
    expect(page.get_by_role("heading", name="Data", exact=True)).to_be_visible()
    pictures = page.locator("figure")
    expect(pictures).to_have_count(20)
    expect(pictures.first.locator("figcaption")).to_contain_text("#0")
    expect(page.get_by_text("synthetic").first).to_be_visible()

    go(page, "Model")
    expect(page.get_by_text("122,570").first).to_be_visible(timeout=60_000)

    go(page, "Train")
    page.get_by_text("Dropout", exact=True).click()
    set_epochs(page, 40)
    page.get_by_text("More settings").click()
    page.get_by_role("tab", name="Optimiser").click()
    enter(page, "Batch size", 4)  # a first epoch long enough to look at
    page.get_by_role("button", name="Start training").click()
    grown = [0]
    for _ in range(4):
        grown.append(wait_for_points(page, "train-loss", grown[-1]))
    wait_for_points(page, "train-accuracy", 3)
    (run,) = store.runs()
    assert (run.config().dropout, run.config().epochs, run.config().batch_size) == (0.4, 40, 4)
    assert run.history().epochs == [], "the charts have grown within the first epoch"

    page.reload()
    expect(page.get_by_text("images/s")).to_be_visible()
    seen = wait_for_points(page, "train-loss", grown[-1])
    wait_for_points(page, "train-loss", seen)
    assert len(store.runs()) == 1
    place = below_the_run(page)

    validation = page.get_by_test_id("stMetric").filter(has_text="Validation accuracy")
    expect(validation).to_contain_text("%", timeout=90_000)  # an epoch has ended
    page.get_by_test_id("stMain").get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("Stopped after")).to_be_visible(timeout=60_000)
    assert run.state() is RunState.STOPPED
    assert below_the_run(page) == place, "nothing moves, be it for an epoch or the end"
    accuracy = Summary.of(run).test_accuracy
    assert accuracy is not None

    go(page, "Evaluate")
    expect(page.get_by_test_id("stMetric").filter(has_text="Test accuracy")).to_contain_text(
        f"{accuracy:.2%}"
    )
    expect(chart(page, "evaluate-accuracy").locator(".ytitle")).to_have_text("Accuracy")
    expect(chart(page, "evaluate-loss").locator(".ytitle")).to_have_text("Loss")
    expect(chart(page, "evaluate-loss").locator(".xtitle")).to_have_text("Epoch")
    expect(chart(page, "confusion").locator(".ytitle")).to_have_text("True class")

    go(page, "Predict")
    bars = chart(page, "predict-test")
    expect(bars.locator(".bars .point")).to_have_count(10, timeout=60_000)
    shown = set()
    for _ in range(3):
        before = page.get_by_label("Test image index", exact=True).input_value()
        page.get_by_role("button", name="Random test image").click()
        expect(page.get_by_label("Test image index", exact=True)).not_to_have_value(before)
        index = page.get_by_label("Test image index", exact=True).input_value()
        expect(page.get_by_role("img", name=f"Test image {index}:")).to_be_visible()
        shown.add(index)
    assert len(shown) > 1

    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "JPEG")
    upload = page.get_by_test_id("stFileUploaderDropzoneInput")
    upload.set_input_files({"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()})
    expect(page.get_by_role("img", name="What the network sees: 32 × 32 pixels")).to_be_visible()
    expect(chart(page, "predict-upload").locator(".bars .point")).to_have_count(10)

    torn = file.getvalue()[:200]
    upload.set_input_files({"name": "torn.jpg", "mimeType": "image/jpeg", "buffer": torn})
    expect(page.get_by_test_id("stAlert").filter(has_text="torn.jpg")).to_be_visible()
    expect(chart(page, "predict-upload").locator(".bars .point")).to_have_count(10)


def test_a_stopped_run_goes_on_and_a_finished_one_trains_longer(
    url: str, page: Page, store: RunStore
) -> None:
    page.goto(url)
    run = start_training(page, store, 3)
    page.get_by_test_id("stMain").get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("Stopped after")).to_be_visible(timeout=60_000)
    step = run.history().batches[-1].step
    page.get_by_role("button", name="Resume", exact=True).click()
    expect(page.get_by_text("Finished after 3 epochs")).to_be_visible(timeout=120_000)
    assert [event.epoch for event in run.history().epochs] == [1, 2, 3]
    assert run.history().states[-2].step == step
    page.get_by_role("button", name="Train longer").click()
    enter(page, "Epochs in all", 4)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Finished after 4 epochs")).to_be_visible(timeout=120_000)
    assert len(store.runs()) == 1
    page.wait_for_function(
        """node => {
            const [begin, end] = node._fullLayout.xaxis.range;
            return begin === 0 && end > 4 && end < 4.5;
        }""",
        arg=chart(page, "train-loss").element_handle(),
    )


def test_runs_wait_in_line_and_can_be_cancelled(url: str, page: Page, store: RunStore) -> None:
    page.goto(url)
    first = start_training(page, store, 60)
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
    assert second.state() is RunState.STOPPED
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
    page.goto(url)
    run = start_training(page, store, 60)
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
        page.goto(url)
        run = start_training(page, store, 3)
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


def test_a_killed_worker_shows_as_interrupted(url: str, page: Page, store: RunStore) -> None:
    page.goto(url)
    run = start_training(page, store, 60)
    for worker in workers(run):
        os.kill(worker, signal.SIGKILL)
    expect(page.get_by_text("Interrupted")).to_be_visible(timeout=3_000)
    assert run.state() is RunState.INTERRUPTED
    expect(page.get_by_role("button", name="Start training")).to_be_enabled()
    go(page, "Compare")
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()


def test_a_deep_link_to_a_cold_server_keeps_page_and_query(url: str, page: Page) -> None:
    page.goto(f"{url}/compare?note=7")
    expect(page.get_by_role("heading", name="Compare", exact=True)).to_be_visible()
    expect(page.get_by_test_id("stSidebarNav").get_by_role("link")).to_have_count(6)
    assert "note=7" in page.url
    assert page.url.startswith(f"{url}/compare")
    expect(page).to_have_title("CIFAR-10 dashboard")


@pytest.mark.parametrize("path", ["", "/compare"])
def test_a_cold_server_lists_its_own_pages_alone(url: str, page: Page, path: str) -> None:
    """Streamlit's list of the files in pages/ would stand there for a moment, with dead links."""
    page.add_init_script(
        """window.listed = new Set();
        new MutationObserver(() => document.querySelectorAll('[data-testid=stSidebarNav] a')
            .forEach(link => window.listed.add(link.innerText)))
            .observe(document, {subtree: true, childList: true, characterData: true});"""
    )
    page.goto(f"{url}{path}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    listed = page.evaluate("[...window.listed].map(text => text.split('\\n').at(-1))")
    assert listed == ["Data", "Model", "Train", "Evaluate", "Predict", "Compare"]
