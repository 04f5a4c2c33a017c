"""A real Chromium, a page that tolerates no console error, and dashboards to point it at."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from cifar_core.runs.store import RunStore
from tests.processes import stop_workers

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "test-results"  # screenshots of failed tests; ignored by git
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

TIMEOUT = 60_000  # ms; two cores, each with more to do than the tests
expect.set_options(timeout=TIMEOUT)


def chromium_path():
    """Chromium on the PATH; None, which stands for Playwright's own, where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="session")
def playwright():
    """What starts browsers."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def chromium(playwright):
    """Chromium from the PATH, else Playwright's own."""
    browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def console_errors():
    """What `page` found wrong so far. A test that breaks something on purpose clears it."""
    return []


@pytest.fixture(scope="session")
def shared_profile(chromium):
    """One profile, which keeps the scripts that it has fetched and compiled."""
    with new_profile(chromium) as profile:
        yield profile


@pytest.fixture
def profile(shared_profile):
    """Where `page` is opened; a module that must have one without a history makes its own."""
    return shared_profile


@contextlib.contextmanager
def new_profile(chromium):
    """A profile without a history."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(TIMEOUT)
    yield context
    context.close()


@pytest.fixture
def page(profile, console_errors, request):
    """A page that remembers nothing; its test fails where anything is logged as an error."""

    def note(message):
        # On a deep link, Streamlit's own client asks under the page's path before the right one.
        probe = "404" in message.text and "/_stcore/" in message.location["url"]
        if message.type == "error" and not probe:
            console_errors.append(f"{message.text} {message.location['url']}")

    page = profile.new_page()
    page.on("pageerror", lambda error: console_errors.append(str(error)))
    page.on("console", note)
    yield page
    if console_errors or getattr(request.node, "failed", False):
        RESULTS.mkdir(exist_ok=True)
        with contextlib.suppress(Exception):  # the page may have crashed
            page.screenshot(path=RESULTS / f"{request.node.name}.png")
    with contextlib.suppress(Exception):  # a page of a browser's own, such as about:blank, has none
        page.evaluate("localStorage.clear()")
    page.close()
    profile.clear_cookies()
    assert not console_errors


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Let the `page` fixture know that its test failed."""
    report = yield
    if call.when == "call":
        item.failed = report.failed
    return report


def free_port() -> int:
    """A port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def run_dashboard(script, env=None, port=None, base_path="", options=(), root=ROOT, by=()):
    """Serve a Streamlit script until the block ends.

    Args:
        script: The main script's path.
        env: Added to the environment.
        port: A free one by default; give one to start a server again where it was.
        base_path: What the server is told to serve under, such as "/class".
        options: More for Streamlit's command line.
        root: The checkout to run.
        by: A command that the server is run by, in front of its own.

    Yields:
        The address, without a slash at its end.
    """
    port = port or free_port()
    url = f"http://127.0.0.1:{port}{base_path}"
    command = [*by, sys.executable, "-m", "streamlit", "run", str(script), "--server.headless=true"]
    command += [f"--server.port={port}", f"--server.baseUrlPath={base_path}"]
    command += options
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen(
            command,
            cwd=root,  # for .streamlit/config.toml
            env={**os.environ, "PYTHONPATH": str(root), **(env or {})},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_until_healthy(server, url)
            yield url
        finally:
            if server.poll() is not None:
                print(f"The server had already ended, with exit status {server.returncode}.")
            _kill_group(server)
            log.seek(0)
            print(log.read()[-10_000:])  # pytest shows it where a test failed


def wait_until_healthy(server, url, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.poll() is None:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=5),
        ):
            return
        time.sleep(0.1)
    raise RuntimeError(f"The dashboard did not start (exit status {server.poll()}); see its log.")


def _kill_group(server):
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(server.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(timeout=10)
            return


@pytest.fixture(scope="session")
def start_dashboard():
    """The context manager `run_dashboard`, as a fixture because tests cannot import conftest."""
    return run_dashboard


@pytest.fixture(scope="session")
def environment(built_in_cache, tmp_path_factory):
    """For a dashboard on the built-in images and the runs of `store`."""
    folder = tmp_path_factory.mktemp("dashboard")
    return {
        "CIFAR10_RUNS": str(folder / "runs"),
        "CIFAR10_CACHE": str(built_in_cache),
        "CIFAR10_DATA": "synthetic",
        "KERAS_HOME": str(folder / "keras"),
    }


@pytest.fixture
def store(environment):
    """The runs of the dashboards in `environment`: none yet."""
    store = RunStore(Path(environment["CIFAR10_RUNS"]))
    yield store
    stop_workers(store)
    shutil.rmtree(store.root, ignore_errors=True)


@pytest.fixture(scope="session")
def warm_url(environment):
    with run_dashboard(ROOT / "dashboard.py", env=environment) as address:
        yield address


@pytest.fixture
def url(warm_url, store):
    """A dashboard, on the runs of `store`, that other tests have used before."""
    return warm_url


@pytest.fixture
def cold_url(environment, store):
    """A dashboard, on the runs of `store`, that nobody has asked for anything yet."""
    with run_dashboard(ROOT / "dashboard.py", env=environment) as address:
        yield address
