"""Which page is on show, and what its address says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui.session.keys import Key, renew

T = TypeVar("T")


def router_has_run() -> bool:
    """Whether dashboard.py has run in this session."""
    return Key.ROUTED in st.session_state


def note_router(page: str | None = None, query: dict[str, str] | None = None) -> None:
    """Remember that dashboard.py ran or, from a page that was opened before it, where to return."""
    if page is None:
        st.session_state[Key.ROUTED] = True
    else:
        st.session_state[Key.DEEP_LINK] = (page, query or {})


def take_deep_link() -> tuple[str, dict[str, str]] | None:
    """The page to return to, once."""
    link: tuple[str, dict[str, str]] | None = st.session_state.pop(Key.DEEP_LINK, None)
    return link


def address_is_kept() -> bool:
    """Whether the browser has said that a page replaces its entry in the history."""
    return st.session_state.get(Key.ADDRESS_KEPT, False)


def keep_address() -> None:
    """The browser has said so: write what has waited for it."""
    st.session_state[Key.ADDRESS_KEPT] = True
    write_address({})


def begin_page(page: str, is_history: bool) -> None:
    """A page, known by its address, is drawn: on Back and Forward, it shows what that says.

    The settings stay as they are: they are one for all pages.
    """
    if st.session_state.get(Key.ADDRESS_PAGE) != page:
        st.session_state[Key.ADDRESS_PAGE] = page
        st.session_state[Key.ADDRESS] = {}  # what waits is another page's
    st.session_state[Key.FOLLOWED] = is_history
    for key, widget in ((Key.RUN, Key.RUN_WIDGET), (Key.RUNS, Key.TABLE)):
        if is_history and st.query_params.get(key):
            st.session_state.pop(key, None)
            renew(widget)


def address() -> dict[str, str | None]:
    """What the address says, or will say."""
    return st.query_params.to_dict() | st.session_state.get(Key.ADDRESS, {})


def write_address(values: Mapping[str, str | None]) -> None:
    """Let the address say what a page shows; None takes a key out of it.

    Before the browser replaces entries, Back would need a press for this: so it waits.
    """
    wanted = {**address(), **values}
    if not address_is_kept():
        st.session_state[Key.ADDRESS] = {**st.session_state.get(Key.ADDRESS, {}), **values}
        return
    st.session_state[Key.ADDRESS] = {}
    said = {key: value for key, value in wanted.items() if value is not None}
    # On Back, what the page that was left had still to say may have taken this one's place.
    if said != st.query_params.to_dict() or st.session_state.get(Key.FOLLOWED):
        st.query_params.from_dict(said)


def rerun() -> None:
    """Run the page again from a fragment that runs by itself, once nothing else runs beside it.

    A press in another fragment, which is taken in the same run, would be lost.
    """
    context = get_script_run_ctx()
    if context and len(context.fragment_ids_this_run or ()) == 1:
        st.rerun()


def choose_section(key: Key, label: str, sections: Mapping[str, tuple[str, T]]) -> T:
    """The widget of a page's sections; the address says which one is chosen.

    Args:
        key: the widget's, and the address's.
        label: the widget's, for screen readers.
        sections: name to words and what draws it.

    Returns:
        What draws the chosen one.
    """
    words = {name: word for name, (word, _draw) in sections.items()}
    chosen = choose_one(label, words, key, is_labelled=False, is_in_link=True)
    write_address({key: chosen})
    return sections[chosen][1]


def choose_one(
    label: str,
    words: Mapping[T, str],
    key: Key,
    *,
    is_labelled: bool = True,
    is_in_link: bool = False,
) -> T:
    """The widget that chooses one of a few things, by their words; the first until another is.

    One that is in the link, where each is a word, begins with what the link says, and on Back and
    Forward shows it.
    """
    first = next(iter(words))
    if is_in_link:
        given = st.query_params.get(key, "")
        if given in words and (key not in st.session_state or st.session_state.get(Key.FOLLOWED)):
            st.session_state[key] = given
        st.session_state.setdefault(key, first)
    chosen: T | None = st.segmented_control(
        label,
        list(words),
        format_func=words.__getitem__,
        default=None if is_in_link else first,
        required=True,
        key=key,
        persist_state="session",
        label_visibility="visible" if is_labelled else "collapsed",
    )
    return first if chosen is None else chosen
