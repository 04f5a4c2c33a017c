"""A checkout that cannot be written: a container with another uid, an install that is root's."""

import os
import shutil
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.browser.charts import chart
from tests.browser.conftest import ROOT, run_dashboard

pytestmark = pytest.mark.browser

# Root writes where it may not, unless that right is taken from it.
BY = ("setpriv", "--bounding-set=-dac_override", "--") if os.geteuid() == 0 else ()


@pytest.fixture
def checkout(tmp_path):
    """A copy of the project in which nothing can be written, by the one who has it."""
    copy = tmp_path / "checkout"
    others = (".git", ".venv", ".*_cache", "__pycache__", "docs", "plotly*.js", "test*")

    def left_out(folder, names):
        runs = {"runs"} if folder == str(ROOT) else set()
        return shutil.ignore_patterns(*others)(folder, names) | runs

    shutil.copytree(ROOT, copy, ignore=left_out)
    subprocess.run(["chmod", "-R", "a-w", copy], check=True)
    writes = [*BY, sys.executable, "-c", "open('static/new', 'w')"]
    failed = subprocess.run(writes, cwd=copy, capture_output=True, text=True, check=False)
    assert "PermissionError" in failed.stderr
    return copy


def test_its_charts_are_drawn(page, checkout, built_in_cache, tmp_path):
    environment = {
        "CIFAR10_CACHE": str(built_in_cache),
        "CIFAR10_DATA": "synthetic",
        "CIFAR10_REFERENCE_RUNS": str(checkout / "reference_runs"),
        "CIFAR10_RUNS": str(checkout / "runs"),
        "KERAS_HOME": str(tmp_path / "keras"),
    }
    script = checkout / "dashboard.py"
    with run_dashboard(script, env=environment, root=checkout, by=BY) as url:
        page.goto(f"{url}/evaluate")
        expect(page.get_by_role("heading", name="Evaluate", exact=True)).to_be_visible()
        expect(chart(page, "evaluate-loss").locator(".main-svg").first).to_be_visible()
        expect(page.get_by_text("did not load")).to_have_count(0)
        page.goto("about:blank")
