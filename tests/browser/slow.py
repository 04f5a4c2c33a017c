"""A server that is slow to answer, or to hear."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, WebSocketRoute
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.processes import wait_for


class SlowServer:
    """Stands between a page and its server, and holds back what the one tells the other.

    Args:
        page: before it is opened.
        holds: which of its requests are held back until `ask`.
    """

    def __init__(self, page: Page, holds: Callable[[BackMsg], bool] = lambda asked: False) -> None:
        self.asked: list[str | bytes] = []
        self.told: list[str | bytes] = []
        self._page = page
        self._holds = holds
        self._is_holding = False
        page.route_web_socket("**/_stcore/stream", self._connect)

    def _connect(self, browser: WebSocketRoute) -> None:
        self._browser, self._server = browser, browser.connect_to_server()
        self._browser.on_message(self._ask)
        self._server.on_message(self._tell)

    def _ask(self, message: str | bytes) -> None:
        if isinstance(message, bytes) and self._holds(BackMsg.FromString(message)):
            self.asked.append(message)
        else:
            self._server.send(message)

    def _tell(self, message: str | bytes) -> None:
        if self._is_holding:
            self.told.append(message)
        else:
            self._browser.send(message)

    def hold(self) -> None:
        """From now on, hold back what the server tells."""
        self._is_holding = True

    def wait_for(self, kind: str) -> None:
        """Wait until the server has told something of this kind since."""

        def is_told() -> bool:
            self._page.title()  # only while it is asked for something, we are told of messages
            kinds = [
                ForwardMsg.FromString(message).WhichOneof("type")
                for message in self.told
                if isinstance(message, bytes)
            ]
            return kind in kinds

        wait_for(is_told)

    def ask(self) -> None:
        """Pass on what the page has asked for."""
        self._holds = lambda asked: False
        while self.asked:
            self._server.send(self.asked.pop(0))

    def release(self) -> None:
        """Pass on what the server has told."""
        while self.told:  # meanwhile, more may come
            self._browser.send(self.told.pop(0))
        self._is_holding = False
