"""CIFAR-10 fetched from the Data page in a real Chromium; a small archive stands for it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.widgets import go
from tests.conftest import ROOT
from tests.mirrors import Gate, Mirror, SmallCifar10, make_small_cifar10, serving
from tests.processes import processes

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallCifar10:
    return make_small_cifar10(tmp_path_factory.mktemp("small"), images=500)  # 9 MB


@pytest.fixture
def gate() -> Gate:
    return Gate(is_alive=True)


@pytest.fixture
def mirror(small: SmallCifar10, gate: Gate) -> Iterator[Mirror]:
    with serving(small.content, gate) as mirror:
        yield mirror


@pytest.fixture
def url(
    start_dashboard, small: SmallCifar10, mirror: Mirror, built_in_cache: Path, tmp_path: Path
) -> Iterator[str]:
    cache = Path(shutil.copytree(built_in_cache, tmp_path / "cache"))
    environment = {
        **small.environment,
        "CIFAR10_RUNS": str(tmp_path / "runs"),
        "CIFAR10_CACHE": str(cache),
        "CIFAR10_DATA": "",
        "CIFAR10_MIRRORS": mirror.url,
        "KERAS_HOME": str(tmp_path / "keras"),
        "no_proxy": "127.0.0.1",
    }
    with start_dashboard(ROOT / "dashboard.py", env=environment) as address:
        yield address
    for process in processes("cifar_core", "data", "official"):
        with contextlib.suppress(OSError):
            if str(cache) in Path(f"/proc/{process}/environ").read_text():
                os.kill(process, signal.SIGKILL)


def images_choice(page: Page) -> Locator:
    """The 'Images' widget; the one for the choice before stays a moment, behind it."""
    choice = page.get_by_test_id("stSidebar").get_by_label("Images", exact=True)
    return choice.filter(visible=True).first


def test_get_cancel_get_again_and_use(
    url: str, page: Page, chromium: Browser, mirror: Mirror, gate: Gate, small: SmallCifar10
) -> None:
    page.goto(url)
    main, sidebar = page.get_by_test_id("stMain"), page.get_by_test_id("stSidebar")
    images = images_choice(page)
    expect(images).to_have_value("Built-in images (synthetic)")
    expect(sidebar.get_by_text("CIFAR-10 is not on this machine yet")).to_be_visible()
    main.get_by_role("button", name="Get CIFAR-10 (163 MB)").click()
    half = round(len(small.content) / 2 / 2**20)
    total = round(len(small.content) / 2**20)
    running = main.get_by_text(re.compile(rf"^{half} of {total} MB · [\d.–]+ MB/s · .* left$"))
    expect(running).to_be_visible()
    expect(sidebar.get_by_text(f"Fetching CIFAR-10: {half} of {total} MB")).to_be_visible()

    with chromium.new_context() as other:  # who did not begin it sees it, too, and cancels it
        second = other.new_page()
        second.goto(url)
        seen = second.get_by_text(re.compile(rf"^{half} of {total} MB · "))
        expect(seen).to_be_visible(timeout=90_000)  # its first page, while TensorFlow loads
        second.get_by_role("button", name="Cancel").click(timeout=90_000)
        kept = f"{half} of {total} MB are here; the download goes on from there."
        expect(second.get_by_text(kept)).to_be_visible()
        expect(main.get_by_text(kept)).to_be_visible()

    gate.open()
    main.get_by_role("button", name="Get CIFAR-10 (163 MB)").click()
    use = main.get_by_role("button", name="Use CIFAR-10")
    expect(use).to_be_enabled()
    first, second_range = mirror.ranges
    assert first is None
    assert int(second_range.removeprefix("bytes=").removesuffix("-")) >= len(small.content) // 2
    expect(images).to_have_value("Built-in images (synthetic)")
    expect(sidebar.get_by_text("choose it above")).to_be_visible()
    use.click()
    expect(images).to_have_value("CIFAR-10")
    expect(main.get_by_text(re.compile("of 2,500 images"))).to_be_visible()
    expect(page.get_by_text("synthetic")).to_have_count(0)
    expect(use).to_be_disabled()

    go(page, "Train")
    expect(images).to_have_value("CIFAR-10")
    for other in ("Built-in images (synthetic)", "CIFAR-10", "Built-in images (synthetic)"):
        images.click()
        page.get_by_role("option", name=other).click()
        expect(images).to_have_value(other)


def test_a_path(url: str, page: Page, small: SmallCifar10, tmp_path: Path) -> None:
    page.goto(url)
    images = images_choice(page)
    path = page.get_by_label("Path on the machine that runs the dashboard", exact=True)
    path.fill(str(tmp_path / "nowhere.zip"))
    path.press("Enter")
    expect(page.get_by_test_id("stAlert").filter(has_text="nowhere.zip")).to_be_visible()
    expect(images).to_have_value("Built-in images (synthetic)")
    archive = tmp_path / "copy.tar.gz"
    archive.write_bytes(small.content)
    path.fill(str(archive))
    page.get_by_role("button", name="Use these images").click()
    expect(images).to_have_value("CIFAR-10")
    expect(page.get_by_text(re.compile("of 2,500 images"))).to_be_visible()
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
