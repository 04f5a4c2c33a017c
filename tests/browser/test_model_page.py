"""The Model page in a real Chromium: both pictures, and the two explorers by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import JSHandle, Page, expect

from cifar_core.config import TrainingConfig
from cifar_core.runs.store import RunStore
from cifar_core.workers.worker import execute
from tests.browser.charts import chart
from tests.browser.widgets import choose
from tests.conftest import ROOT

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def url(
    start_dashboard, built_in_cache, blobs_npz, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The dashboard on the built-in images, with one run, which has seen others."""
    folder = tmp_path_factory.mktemp("model-page")
    store = RunStore(folder / "runs")
    execute(store.create(TrainingConfig(epochs=1), "plain"), str(blobs_npz))
    environment = {
        "CIFAR10_RUNS": str(store.root),
        "CIFAR10_CACHE": str(built_in_cache),
        "CIFAR10_DATA": "synthetic",
        "KERAS_HOME": str(folder / "keras"),
    }
    with start_dashboard(ROOT / "dashboard.py", env=environment) as address:
        yield address


def open_section(page: Page, url: str, name: str) -> None:
    page.goto(f"{url}/model?part={name.lower()}")
    expect(page.get_by_role("radio", name=name, exact=True)).to_be_checked(timeout=60_000)


def wait_for(page: Page, key: str, condition: str) -> JSHandle:
    """Wait until an expression about a drawn chart's `node` holds, even if it is mounted anew.

    Returns:
        The expression's value, read in one step with the waiting: the chart may go in the next.
    """
    return page.wait_for_function(
        f"""key => {{
            const node = document.querySelector(`[data-key="${{key}}"]`);
            return node?._fullData && {condition};
        }}""",
        arg=key,
        timeout=60_000,
    )


def switch_dropout(page: Page) -> None:
    page.get_by_test_id("stCheckbox").get_by_text("Dropout", exact=True).click()


# Whether the WebGL canvas shows more than one colour: read at once, before the browser clears it.
PAINTED = """node => new Promise(resolve => {
    const scene = node._fullLayout.scene._scene;
    scene.glplot.redraw();
    const gl = scene.glplot.gl, pixels = new Uint8Array(4 * gl.drawingBufferWidth);
    const colours = new Set();
    for (let y = 0; y < gl.drawingBufferHeight; y += 20) {
        gl.readPixels(0, y, gl.drawingBufferWidth, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
        for (let i = 0; i < pixels.length; i += 40) colours.add(pixels.slice(i, i + 3).join());
    }
    resolve(colours.size);
})"""


def test_the_flat_picture_tells_the_figures_and_grows_with_dropout(url: str, page: Page) -> None:
    open_section(page, url, "Network")
    flat = chart(page, "network-flat")
    boxes = flat.locator(".barlayer .point")
    expect(boxes).to_have_count(10)  # the image and nine layers
    boxes.nth(2).hover(force=True)  # the sensitive layer lies above the boxes
    hover = flat.locator(".hoverlayer")
    expect(hover).to_contain_text("896 = 3·3·3·32 + 32")
    expect(hover).to_contain_text("Multiply-adds: 777,600")
    expect(hover).to_contain_text("Receptive field: 3 × 3")
    switch_dropout(page)
    expect(boxes).to_have_count(11)
    expect(page.get_by_role("cell", name="Dropout", exact=True)).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_picture_in_space_is_drawn_and_keeps_its_view(url: str, page: Page, scheme) -> None:
    page.emulate_media(color_scheme=scheme)
    open_section(page, url, "Network")
    chart(page, "network-flat")
    page.get_by_text("In three dimensions").click()
    deep = chart(page, "network-deep")
    wait_for(page, "network-deep", "node._fullLayout.scene._scene.glplot")
    assert deep.evaluate(PAINTED) > 5
    text, paper = deep.evaluate(
        "node => [node._fullData.at(-1).textfont.color, node._fullLayout.paper_bgcolor]"
    )
    bright = [int(colour[1:3], 16) > 128 for colour in (text, paper)]
    assert bright == ([True, False] if scheme == "dark" else [False, True])
    box = deep.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    eye = "node._fullLayout.scene._scene.getCamera().eye.x"
    before = deep.evaluate(f"node => {eye}")
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 150, middle[1] + 20, steps=8)
    page.mouse.up()
    wait_for(page, "network-deep", f"Math.abs({eye} - {before}) > 0.1")
    turned = deep.evaluate(f"node => {eye}")
    switch_dropout(page)
    wait_for(page, "network-deep", "node._fullData.some(trace => trace.uid === 'boxdropout')")
    assert deep.evaluate(f"node => {eye}") == pytest.approx(turned, abs=0.02)


def test_it_fits_a_phone(url: str, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for name, key in (
        ("Network", "network-flat"),
        ("Pooling", "grid-SoftPool"),
        ("Convolution", "grid-After"),
    ):
        open_section(page, url, name)
        box = chart(page, key).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    open_section(page, url, "Network")
    chart(page, "network-flat")
    page.get_by_text("In three dimensions").click()
    wait_for(page, "network-deep", "node._fullLayout.scene.aspectratio.x < 2")


def test_pooling_step_by_step_and_with_other_numbers(url: str, page: Page) -> None:
    open_section(page, url, "Pooling")
    chart(page, "grid-Before")
    frame = "node._fullLayout.shapes?.[0]"
    expect(page.get_by_text("the largest of 1, 3, 4, 6 = 6")).to_be_visible()
    wait_for(page, "grid-Before", f"{frame}?.x0 === -0.5 && {frame}?.y0 === -0.5")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("the largest of 2, 1, 0, 5 = 5")).to_be_visible()
    wait_for(page, "grid-Before", f"{frame}?.x0 === 1.5 && {frame}?.y0 === -0.5")
    page.get_by_role("button", name="Previous").click()
    expect(page.get_by_text("the largest of 1, 3, 4, 6 = 6")).to_be_visible()
    # The editor draws on a canvas, and heeds no click before it has seen the pointer.
    editor, first_cell = page.get_by_test_id("stDataFrame"), {"x": 25, "y": 52}
    editor.hover(position=first_cell)
    expect(page.get_by_test_id("stElementToolbar").first).to_be_visible()
    editor.click(position=first_cell)
    expect(editor.locator("[aria-selected=true]")).to_have_count(1)
    page.keyboard.type("9")
    expect(page.locator("input.gdg-input")).to_have_value("9")
    page.keyboard.press("Enter")
    expect(page.get_by_text("the largest of 9, 3, 4, 6 = 9")).to_be_visible()
    page.get_by_text("An image", exact=True).click()
    wait_for(page, "grid-Before", "node._fullData?.[0]?.z?.length === 32")
    wait_for(page, "grid-Max", "node._fullData?.[0]?.z?.length === 16")


def test_convolution_under_the_pointer_and_of_a_chosen_pixel(url: str, page: Page) -> None:
    open_section(page, url, "Convolution")
    after = chart(page, "grid-After")
    after.hover(position={"x": 60, "y": 60})
    hover = after.locator(".hoverlayer text").first
    expect(hover).to_contain_text(re.compile(r"row \d, column \d: "))
    total, products = hover.text_content().split(":")[1].replace("−", "-").split("=")
    terms = [float(term) for term in products.split("+")]
    assert len(terms) == 9
    assert sum(terms) == pytest.approx(float(total), abs=0.05)  # of two decimal places
    choose(page, "Kernel", "identity")
    field = page.get_by_label("Row", exact=True)
    field.fill("20")
    field.press("Enter")
    wait_for(page, "grid-Before", "node._fullLayout.shapes?.[0]?.y0 === 19.5")
    wait_for(page, "grid-After", "node._fullLayout.shapes?.[0]?.y0 === 19.5")


def test_a_learned_kernel_can_be_laid_on(url: str, page: Page) -> None:
    open_section(page, url, "Convolution")
    numbers = "node._fullData[1].text.join()"
    given = wait_for(page, "factors-Kernel", numbers).json_value()
    choose(page, "Kernel", "learned by a run")
    expect(page.get_by_label("Filter", exact=True)).to_be_visible(timeout=60_000)
    other = f"{numbers} !== '{given}' && {numbers}"
    first = wait_for(page, "factors-Kernel", other).json_value()
    page.get_by_label("Filter", exact=True).fill("3")
    page.get_by_label("Filter", exact=True).press("Enter")
    wait_for(page, "factors-Kernel", f"{numbers} !== '{first}'")
