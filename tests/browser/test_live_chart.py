"""The live chart in a real Chromium: what one does to it survives its updates."""

from pathlib import Path

import plotly
import pytest
from playwright.sync_api import expect

from tests.browser.charts import chart, drag_zoom, wait_for_updates, x_range
from tests.browser.conftest import new_profile

pytestmark = pytest.mark.browser

APP = Path(__file__).parent / "apps" / "live_chart_app.py"


@pytest.fixture
def profile(chromium):
    """One that has not kept Plotly.js yet."""
    with new_profile(chromium) as profile:
        yield profile


@pytest.fixture(scope="module")
def url(start_dashboard):
    with start_dashboard(APP) as address:
        yield address


def open_chart(page, url, key="loss"):
    page.goto(url)
    found = chart(page, key)
    expect(found.locator(".legendtext").first).to_be_visible()
    return found


def plotly_js(page):
    """Each request for Plotly.js on this page: its address, and if the browser had it."""
    return page.evaluate("""() => performance.getEntriesByType("resource")
        .filter(({ name }) => name.includes("plotly.min.js"))
        .map(({ name, transferSize }) => [name, transferSize === 0])""")


SHOWS_ALL = "node => node._fullLayout.xaxis.range[1] > 61"


def test_it_updates_the_same_node_at_a_fixed_height(page, url):
    chart = open_chart(page, url)
    chart.evaluate("node => { node.mine = true; node.querySelector('svg').mine = true }")
    expect(chart).to_have_attribute("role", "img")
    expect(chart).to_have_attribute("aria-label", "Loss by epoch")
    height = chart.bounding_box()["height"]
    points = "node => node._fullData[0].x.length"
    before = chart.evaluate(points)
    wait_for_updates(page, chart)
    assert chart.evaluate("node => node.mine && node.querySelector('svg').mine")
    assert chart.evaluate(points) > before
    assert chart.bounding_box()["height"] == height == 360
    assert [kept for _, kept in plotly_js(page)] == [False]  # asked for once, by two charts
    expect(chart.locator(".modebar-btn")).to_have_count(2)


def test_zoom_survives_updates_and_can_be_reset(page, url):
    chart = open_chart(page, url)
    page.wait_for_function(SHOWS_ALL, arg=chart.element_handle())  # at first it shows less
    whole = x_range(chart)
    drag_zoom(page, chart)
    zoomed = x_range(chart)
    assert zoomed[1] - zoomed[0] < 0.6 * (whole[1] - whole[0])
    wait_for_updates(page, chart)
    assert x_range(chart) == zoomed
    chart.hover()
    chart.locator('[data-title="Reset the axes"]').click()
    page.wait_for_function(SHOWS_ALL, arg=chart.element_handle())
    wait_for_updates(page, chart)
    drag_zoom(page, chart)
    assert x_range(chart)[0] > 0
    chart.locator(".nsewdrag").dblclick()
    page.wait_for_function(SHOWS_ALL, arg=chart.element_handle())
    wait_for_updates(page, chart)
    assert x_range(chart) == [0, 61.2], "the figure's range now, not the first one drawn"


def test_a_hidden_trace_stays_hidden_even_when_another_comes_before_it(page, url):
    chart = open_chart(page, url)
    names = chart.locator(".legendtext")
    page.get_by_text("Validation", exact=True).first.click()
    expect(names).to_have_text(["Train, batches", "Train"])
    chart.locator(".legendtoggle").nth(1).click()
    hidden = """node => node._fullData.filter(t => t.visible === 'legendonly').map(t => t.name)"""
    expect(chart.locator(".scatterlayer .trace")).to_have_count(1)
    page.get_by_text("Validation", exact=True).first.click()
    expect(names).to_have_text(["Train, batches", "Validation", "Train"])
    wait_for_updates(page, chart)
    assert chart.evaluate(hidden) == ["Train"]


def test_hover_and_scroll_position_survive_updates(page, url):
    page.set_viewport_size({"width": 1280, "height": 500})
    chart = open_chart(page, url, "accuracy")
    chart.scroll_into_view_if_needed()
    chart.locator(".nsewdrag").hover(position={"x": 30, "y": 100})
    expect(chart.locator(".hoverlayer .legend")).to_be_visible()
    top = chart.bounding_box()["y"]
    wait_for_updates(page, chart)
    expect(chart.locator(".hoverlayer .legend")).to_be_visible()
    assert chart.bounding_box()["y"] == top


def test_it_follows_the_width_and_cleans_up_when_taken_away(page, url):
    chart = open_chart(page, url, "accuracy")
    fits = "node => Math.abs(node.querySelector('.main-svg').clientWidth - node.clientWidth) < 2"
    page.set_viewport_size({"width": 700, "height": 900})
    page.wait_for_function(fits, arg=chart.element_handle())
    node = chart.element_handle()
    page.get_by_text("Second chart").click()
    expect(chart).to_have_count(0)
    page.wait_for_function("node => node._fullLayout === undefined", arg=node)


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_text_is_readable_in_both_themes_and_follows_a_switch(page, url, scheme, dark):
    page.emulate_media(color_scheme=scheme)
    node = open_chart(page, url).element_handle()
    page.wait_for_function(CONTRAST, arg=[node, dark])
    page.emulate_media(color_scheme="light" if dark else "dark")
    page.wait_for_function(CONTRAST, arg=[node, not dark])


CONTRAST = """([node, dark]) => {
    const bright = (element, what) => {
        const [r, g, b] = getComputedStyle(element)[what].match(/\\d+/g).map(Number);
        return (r + g + b) / 3;
    };
    const text = bright(node.querySelector('.xtitle'), 'fill');
    const page = bright(document.querySelector('.stApp'), 'backgroundColor');
    return dark ? text > 200 && page < 50 : text < 50 && page > 200;
}"""


def test_it_works_under_a_base_path(page, start_dashboard):
    with start_dashboard(APP, base_path="/cifar") as url:
        chart = open_chart(page, url)
        wait_for_updates(page, chart)
        page.goto("about:blank")  # before the server goes, which would be an error


def test_the_browser_keeps_plotly_of_this_version(page, url):
    open_chart(page, url)
    ((address, kept),) = plotly_js(page)
    assert not kept
    assert address.endswith(f"plotly.min.js?{plotly.__version__}")
    for _ in range(2):
        open_chart(page, url)
        assert plotly_js(page) == [[address, True]]


def test_a_refusal_that_the_browser_keeps_is_asked_again(page, url, console_errors):
    refusals = []

    def refuse_once(route):
        if refusals:
            route.continue_()
        else:
            refusals.append(route.request.url)
            route.fulfill(status=404)

    page.route("**/plotly.min.js?*", refuse_once)
    open_chart(page, url)
    assert refusals
    assert all("404" in error for error in console_errors)
    console_errors.clear()


def test_it_says_so_where_plotly_cannot_be_loaded(page, url, console_errors):
    page.route("**/plotly.min.js?*", lambda route: route.abort())
    page.goto(url)
    expect(page.get_by_test_id("live-chart").first).to_contain_text("Reload the page")
    assert all("ERR_FAILED" in error for error in console_errors)
    console_errors.clear()
