"""Charts on a page, for all tests in a browser."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


def chart(page: Page, key: str) -> Locator:
    """A chart once it is drawn, also where another one is mounted in its place."""
    found = page.locator(f'[data-testid="live-chart"][data-key="{key}"]:not([data-updates="0"])')
    expect(found).to_be_attached(timeout=60_000)  # TensorFlow may be on its way
    return found


# Of all traces together; what was drawn, not what was sent.
POINTS = "node => (node._fullData || []).reduce((sum, trace) => sum + trace.x.length, 0)"


def points(page: Page, key: str) -> int:
    return chart(page, key).evaluate(POINTS)


def wait_for_points(page: Page, key: str, more_than: int) -> int:
    """Wait until more were drawn, in whatever chart stands there then: a page that is drawn anew
    while a run begins may mount another."""
    page.wait_for_function(
        f"""([key, n]) => {{
            const node = document.querySelector(`[data-testid="live-chart"][data-key="${{key}}"]`);
            return node && ({POINTS})(node) > n;
        }}""",
        arg=[key, more_than],
        timeout=120_000,
    )
    return points(page, key)


def wait_for_updates(page, chart, count=3):
    """Wait until `count` more figures were drawn."""
    node = chart.element_handle()
    target = int(chart.get_attribute("data-updates")) + count
    page.wait_for_function("([node, n]) => Number(node.dataset.updates) >= n", arg=[node, target])


def x_range(chart):
    return chart.evaluate("node => node._fullLayout.xaxis.range.slice()")


def drag_zoom(page, chart):
    box = chart.locator(".nsewdrag").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.2 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], middle, steps=5)
    page.mouse.up()
