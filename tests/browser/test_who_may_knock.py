"""What the server refuses and keeps to itself, seen from outside."""

import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.browser.conftest import FLAGS, ROOT, chromium_path, run_dashboard

pytestmark = pytest.mark.browser

FAILING = Path(__file__).parent / "apps" / "error_app.py"


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A dashboard with an empty folder of runs."""
    folder = tmp_path_factory.mktemp("knock")
    environment = {
        "CIFAR10_DATA": "synthetic",
        "CIFAR10_RUNS": str(folder / "runs"),
        "KERAS_HOME": str(folder),
    }
    with run_dashboard(ROOT / "dashboard.py", env=environment) as address:
        yield address


def is_let_in(url: str, host: str) -> bool:
    """Whether the server at `url` opens a session for who calls it `host`."""
    port = urlsplit(url).port
    door = socket.create_connection(("127.0.0.1", port))
    address = f"ws://{host.format(port=port)}/_stcore/stream"
    try:
        with connect(address, sock=door, origin=f"http://{urlsplit(address).netloc}"):
            return True
    except InvalidStatus as answer:
        if answer.response.status_code != 403:
            raise
        return False


@pytest.mark.parametrize(
    "host",
    ["localhost:{port}", "127.0.0.1:{port}", "[::1]:{port}", "LOCALHOST", "localhost.:{port}"],
)
def test_this_machines_own_names_are_let_in(url, host):
    assert is_let_in(url, host)


@pytest.mark.parametrize(
    "host",
    ["evil.test:{port}", "localhost.evil.test:{port}", "evil.localhost.test", "192.0.2.7:{port}"],
)
def test_another_name_that_leads_here_is_refused(url, host):
    assert not is_let_in(url, host)


def test_a_server_in_a_class_goes_by_the_names_it_was_given():
    options = ["--server.allowedHosts=teacher", "--server.allowedHosts=192.0.2.7"]
    with run_dashboard(FAILING, options=options) as url:
        for host in ("teacher", "teacher:{port}", "192.0.2.7:{port}"):
            assert is_let_in(url, host)
        assert not is_let_in(url, "evil.test:{port}")


def test_a_page_whose_name_is_bound_anew_to_this_machine_gets_no_dashboard(playwright, url):
    """DNS rebinding, in Chromium."""
    browser = playwright.chromium.launch(
        executable_path=chromium_path(),
        args=[*FLAGS, "--host-resolver-rules=MAP evil.test 127.0.0.1"],
    )
    try:
        page = browser.new_page()
        with page.expect_console_message(lambda said: "Unexpected response code: 403" in said.text):
            page.goto(url.replace("127.0.0.1", "evil.test"))
        expect(page.get_by_role("button")).to_have_count(0)
        page.goto(url)
        expect(page.get_by_role("heading", name="Data", exact=True)).to_be_visible()
    finally:
        browser.close()


def test_an_error_tells_the_console_alone_what_it_is(page, capsys):
    with run_dashboard(FAILING) as url:
        page.goto(url)
        shown = page.get_by_test_id("stException")
        expect(shown).to_contain_text("This app has encountered an error")
        words = page.locator("body").inner_text()
        for secret in ("RuntimeError", "only the console", "Traceback", "error_app", str(ROOT)):
            assert secret not in words
        expect(shown.get_by_role("link")).to_have_count(0)
        page.goto("about:blank")
    console = capsys.readouterr().out
    for words in ("Traceback", "RuntimeError", "what only the console may tell"):
        assert words in console
