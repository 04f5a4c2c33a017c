"""What a page asks for after it was left, Streamlit 1.67 takes for a change of the page.

A fragment that runs by itself, or a press in one, may ask on behalf of the page before while the
next one is on its way. The browser would then clear the new page, or the old one would come back.
"""

from __future__ import annotations

from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner import get_script_run_ctx

_rerun = AppSession.request_rerun
_on_its_way: dict[str, str] = {}
"""The page that a session was asked for and has not begun to draw, by the session's name."""


def take_on_the_page_on_show() -> None:
    """Run the fragments that are asked for on the page that their session is at.

    Called where a page begins to be drawn.
    """
    AppSession.request_rerun = _request_rerun  # type: ignore[assignment, method-assign]
    context = get_script_run_ctx()
    if context and _on_its_way.get(context.session_id) == context.page_script_hash:
        del _on_its_way[context.session_id]


def _request_rerun(session: AppSession, state: ClientState | None) -> None:
    if state is not None and state.fragment_id:
        at = session._pages_manager.current_page_script_hash
        state.page_script_hash = _on_its_way.get(session.id, at)
    elif state is not None and state.page_script_hash:
        _on_its_way[session.id] = state.page_script_hash
    _rerun(session, state)
