"""The Train page while a real training runs: what one does to it survives, and what it offers."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from cifar_core.config import TrainingConfig
from cifar_core.runs.events import RunState, StateEvent
from cifar_core.runs.printed import printed_histories
from cifar_core.runs.run import Run
from cifar_core.runs.store import RunStore
from cifar_core.workers.launch import start
from tests.browser.charts import chart, drag_zoom, wait_for_points, wait_for_updates, x_range
from tests.browser.widgets import enter

pytestmark = pytest.mark.browser

HIDDEN = "node => node._fullData.filter(t => t.visible === 'legendonly').map(t => t.name)"
SCROLLED = "document.querySelector('[data-testid=stMain]').scrollTop"


@pytest.fixture
def live(environment: dict[str, str], store: RunStore, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A training of many epochs, on the dashboard's images, that has just been asked for."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return start(store, TrainingConfig(epochs=200), "synthetic")


@pytest.fixture
def overfitted(store: RunStore) -> Run:
    """A run of another seed, whose figures are those that the tutorial prints."""
    run = store.create(TrainingConfig(epochs=10, seed=7), "overfitted")
    for event in printed_histories()["tutorial-baseline"].epochs:
        run.append(event)
    run.append(StateEvent(state=RunState.FINISHED, test_accuracy=0.7117))
    return run


def metric(page: Page, label: str) -> Locator:
    return page.get_by_test_id("stMetric").filter(has_text=label)


def test_zoom_hidden_traces_hover_and_scroll_survive_a_training(
    url: str, page: Page, live: Run
) -> None:
    page.set_viewport_size({"width": 1280, "height": 620})
    page.goto(f"{url}/train?run={live.id}")
    expect(metric(page, "Validation loss")).to_contain_text(".", timeout=90_000)
    accuracy, loss = chart(page, "train-accuracy"), chart(page, "train-loss")
    page.get_by_text("Log, the latest first").click()
    log = page.get_by_test_id("stCode")
    expect(log).to_contain_text("training 122,570 parameters")
    loss.evaluate("node => node.scrollIntoView({block: 'end'})")
    drag_zoom(page, accuracy)
    zoomed = x_range(accuracy)
    assert zoomed[1] - zoomed[0] < 0.6 * 200
    loss.locator(".legendtoggle").nth(2).click()
    wait_for_updates(page, loss, 2)  # past the time of a double click
    assert loss.evaluate(HIDDEN) == ["validation"]
    loss.evaluate("node => { node.querySelector('svg').mine = true }")
    loss.locator(".nsewdrag").hover(position={"x": 4, "y": 90})
    expect(loss.locator(".hoverlayer .legend")).to_be_visible()
    scrolled = page.evaluate(SCROLLED)
    assert scrolled > 0

    epochs = len(live.history().epochs)
    page.wait_for_function(
        "([node, n]) => node._fullData.find(t => t.name === 'train').x.length > n",
        arg=[loss.element_handle(), epochs],
        timeout=90_000,
    )
    wait_for_updates(page, accuracy)
    assert x_range(accuracy) == zoomed
    assert loss.evaluate(HIDDEN) == ["validation"]
    assert loss.evaluate("node => node.querySelector('svg').mine")
    expect(loss.locator(".hoverlayer .legend")).to_be_visible()
    assert page.evaluate(SCROLLED) == scrolled
    expect(log).to_be_visible()


def test_charts_change_their_view_while_a_run_trains(url: str, page: Page, live: Run) -> None:
    page.goto(f"{url}/train?run={live.id}")
    expect(metric(page, "Validation loss")).to_contain_text(".", timeout=90_000)
    loss = chart(page, "train-loss")
    whole = x_range(loss)
    page.get_by_role("button", name="Curves").click()
    page.get_by_text("Log scale of the loss", exact=True).click()
    page.get_by_label("Curve to beat", exact=True).click()
    page.get_by_role("option", name="the tutorial's dropout, as printed").click()
    node = loss.element_handle()
    page.wait_for_function("node => node._fullLayout.yaxis.type === 'log'", arg=node)
    expect(loss.locator(".legendtext").first).to_have_text(
        "to beat: the tutorial's dropout, as printed (CIFAR-10)"
    )
    slider = page.get_by_role("slider", name="Smoothing")
    slider.focus()
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    page.wait_for_function("node => node._fullData.some(t => t.name === 'train')", arg=node)
    faint = "node => node._fullData.filter(t => t.name.endsWith('as measured')).length === 3"
    page.wait_for_function(faint, arg=node)
    page.get_by_text("by step", exact=True).click()
    page.wait_for_function(
        "([node, end]) => node._fullLayout.xaxis.range[1] > end", arg=[node, 100 * whole[1]]
    )
    wait_for_points(page, "train-loss", 3)
    assert loss.evaluate("node => node._fullLayout.yaxis.type") == "log"
    assert node.evaluate("node => node.isConnected"), "the whole page's drawing keeps the charts"


def test_the_learning_rate_is_changed_while_a_run_trains(url: str, page: Page, live: Run) -> None:
    page.goto(f"{url}/train?run={live.id}")
    expect(page.get_by_text("images/s")).to_contain_text("learning rate 0.001 ", timeout=60_000)
    page.get_by_role("button", name="Learning rate").click()
    enter(page, "New learning rate", 0.0004)
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.get_by_text("images/s")).to_contain_text("learning rate 0.0004 ")
    (event,) = live.history().rates
    assert event.learning_rate == 0.0004
    page.keyboard.press("Escape")
    page.get_by_text("Log, the latest first").click()
    expect(page.get_by_test_id("stCode")).to_contain_text("learning rate changed to 0.0004")
    shapes = "node => node._fullLayout.shapes.map(s => [s.x0, s.label.text])"
    for key in ("train-accuracy", "train-loss"):
        wait_for_updates(page, chart(page, key), 1)
        ((x, text),) = chart(page, key).evaluate(shapes)
        assert x == pytest.approx(event.step / 313)
        assert text == "learning rate 0.0004"


def test_a_remedy_sets_the_page_with_one_click_while_another_run_trains(
    url: str, page: Page, overfitted: Run, live: Run
) -> None:
    page.goto(f"{url}/train?run={overfitted.id}")
    expect(page.get_by_text("Validation loss has been higher for 3 epochs")).to_contain_text(
        "while training loss falls: overfitting"
    )
    page.get_by_role("button", name="Dropout 0.4").click()
    expect(page.get_by_role("switch", name="Dropout")).to_be_checked()
    expect(page.get_by_text("Set above, with this run's settings")).to_be_visible()
    expect(page.get_by_role("button", name="Dropout 0.4")).to_be_disabled()
    epochs = page.get_by_label("Epochs", exact=True)
    expect(epochs.first).to_have_value("10")  # the old one stays a moment, behind it
    page.get_by_role("button", name="Mirror", exact=True).click()
    expect(page.get_by_role("switch", name="Dropout")).not_to_be_checked()
    expect(page.get_by_role("button", name="Dropout 0.4")).to_be_enabled()
    page.get_by_text("More settings").click()
    expect(page.get_by_label("Seed", exact=True)).to_have_value("7")
