"""A dashboard that is stopped while it imports TensorFlow in the background."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.Selectbox_pb2 import Selectbox
from websockets.sync.client import ClientConnection, connect

from tests.browser.conftest import ROOT, free_port, wait_until_healthy

pytestmark = pytest.mark.browser

# One file of TensorFlow's after the other, as the import comes to them.
FILES = ("libtensorflow_framework", "_pywrap_tensorflow_internal", "_pywrap_dtensor", "h5py")


class Dashboard:
    """A server as a person starts it in a console."""

    def __init__(self, folder: Path, built_in_cache: Path) -> None:
        self.console = folder / "console"
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        port = free_port()
        self.url = f"127.0.0.1:{port}"
        command = [sys.executable, "-m", "streamlit", "run", "dashboard.py"]
        command += ["--server.headless=true", f"--server.port={port}"]
        environment = {
            "CIFAR10_CACHE": str(built_in_cache),
            "CIFAR10_DATA": "synthetic",
            "CIFAR10_REFERENCE_RUNS": str(ROOT / "reference_runs"),
            "CIFAR10_RUNS": str(folder / "runs"),
            "KERAS_HOME": str(folder),
            "TMPDIR": str(self.temporary),
        }
        with self.console.open("w") as console:
            self.server = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **environment},
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until_healthy(self.server, f"http://{self.url}")

    def open(self, page: str = "", **choices: str) -> None:
        """Open a page as a browser does, choose from lists by label, and wait until it is drawn."""
        with connect(f"ws://{self.url}/_stcore/stream", max_size=None) as session:
            ask = BackMsg()
            ask.rerun_script.page_name = page
            lists = self._ask(session, ask)
            for label, start in choices.items():
                (option,) = [one for one in lists[label].options if one.startswith(start)]
                chosen = ask.rerun_script.widget_states.widgets.add()
                chosen.id, chosen.string_value = lists[label].id, option
                self._ask(session, ask)

    def _ask(self, session: ClientConnection, ask: BackMsg) -> dict[str, Selectbox]:
        """Have a page drawn; its lists by their labels."""
        lists = {}
        session.send(ask.SerializeToString())
        while True:
            heard = ForwardMsg.FromString(session.recv(timeout=60))
            element = heard.delta.new_element
            if element.HasField("selectbox"):
                lists[element.selectbox.label] = element.selectbox
            if heard.WhichOneof("type") == "script_finished" and not heard.script_finished:
                return lists

    def wait_until_it_has_loaded(self, file: str) -> None:
        if sys.platform != "linux":  # where files in memory are not told
            time.sleep(0.4 * FILES.index(file))
            return
        server = psutil.Process(self.server.pid)
        deadline = time.monotonic() + 60
        while not any(file in loaded.path for loaded in server.memory_maps()):
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def stop(self, sign: signal.Signals) -> float:
        """Stop it; how many seconds that took."""
        begun = time.monotonic()
        self.server.send_signal(sign)
        self.server.wait(timeout=60)
        return time.monotonic() - begun


@pytest.fixture
def dashboard(built_in_cache, tmp_path):
    made = Dashboard(tmp_path, built_in_cache)
    yield made
    made.server.kill()
    made.server.wait()


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM], ids=lambda sign: sign.name)
@pytest.mark.parametrize("file", FILES)
def test_it_ends_at_once_and_in_silence(dashboard, sign, file):
    dashboard.open()
    dashboard.wait_until_it_has_loaded(file)
    seconds = dashboard.stop(sign)
    said = dashboard.console.read_text()
    print(f"{file} {sign.name}: {seconds:.2f} s\n{said}")
    assert seconds < 5  # 0.3 to 0.7 s at a load of 18 on 2 cores
    assert dashboard.server.returncode == 0
    assert said.strip().endswith("Stopping...")
    for word in ("0000 00:00", "absl", "CUDA", "Traceback", "terminate", "Fatal"):
        assert word not in said


def test_what_is_left_to_do_at_the_end_is_done(dashboard):
    dashboard.open("compare", Form="network: TensorFlow SavedModel")
    assert list(dashboard.temporary.glob("cifar10-export-*"))
    dashboard.wait_until_it_has_loaded(FILES[0])
    dashboard.stop(signal.SIGTERM)
    assert not list(dashboard.temporary.glob("cifar10-export-*"))
