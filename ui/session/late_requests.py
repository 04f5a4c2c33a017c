"""What a page asks for after it was left, Streamlit 1.67 takes for a change of the page.

A fragment that runs by itself, or a press in one, may ask on behalf of the page before while the
next one is on its way. The browser would then clear the new page, or the old one would come back.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession

_rerun = AppSession.request_rerun
_asked = WeakKeyDictionary[AppSession, tuple[str, str]]()
"""The page that a session was asked for last, and the one that it was at then."""


def take_on_the_page_on_show() -> None:
    """Run the fragments that are asked for on the page that their session is at."""
    AppSession.request_rerun = _request_rerun  # type: ignore[assignment, method-assign]


def _request_rerun(session: AppSession, state: ClientState | None) -> None:
    if state is not None:
        at = session._pages_manager.current_page_script_hash
        if state.fragment_id:
            asked, before = _asked.get(session, ("", ""))
            state.page_script_hash = (at == before and asked) or at
        else:
            _asked[session] = state.page_script_hash, at
    _rerun(session, state)
