"""What stands around every page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from cifar_core.runs.store import Listing
from cifar_core.runs.summary import Summary
from ui import cached
from ui.components import address
from ui.components.live_chart import load_ahead
from ui.data import source as data_source
from ui.session.images import choose_data, data_choice, data_problem, dataset
from ui.session.late_requests import take_on_the_page_on_show
from ui.session.navigation import begin_page, note_router, rerun, router_has_run, take_deep_link
from ui.session.runs import choose_run
from ui.session.settings import begin_settings
from ui.text import _, ngettext, plain, tell


def guard(page: str) -> None:
    """Opens every page: sends a session that came in past dashboard.py through it first.

    With a folder named pages, Streamlit runs a page by itself when the first request to a fresh
    server is a deep link: without the frame and with another name.

    Args:
        page: the page's own path from the project's root.
    """
    if not router_has_run():
        note_router(page, st.query_params.to_dict())
        st.switch_page("dashboard.py")


def enter(page: str) -> None:
    """Begin the frame: back to the page a deep link asked for, and the sidebar.

    Args:
        page: the address of the page that is drawn.
    """
    note_router()
    if link := take_deep_link():
        wanted, query = link
        st.switch_page(wanted, query_params=query)
    take_on_the_page_on_show()
    context = get_script_run_ctx()
    begin_page(page, bool(context and context.is_history_navigation))
    st.html(Path(__file__).with_suffix(".css"))
    begin_settings()
    with st.sidebar:
        load_ahead()
        choose_data(_("Images"), help=_("What the pages show and new trainings learn from."))
        data_source.hint()
        _device()
        address.keep()


def _device() -> None:
    """The device that trainings get, once TensorFlow in the background knows it."""

    is_known = cached.device() is not None

    @st.fragment(run_every=None if is_known else 1.0)
    def show() -> None:
        found = cached.device()
        if found and not is_known:
            rerun()  # which ends the looking; else it would go on as long as the page is open
        name = plain(str(found)) if found else _("being looked up")
        st.caption(_("Device: {device}").format(device=name))

    show()


def title(text: str) -> None:
    """A page's title, with the images that its figures speak of.

    Those that may be damaged are read here, before anything that they decide.
    """
    st.title(text)
    if data_choice() != "synthetic":
        dataset()
    with st.empty():  # there at every run, so that what is below keeps its place
        if problem := data_problem():
            tell(problem)
    if data_choice() == "synthetic":
        st.badge(_("Chosen images: built-in (synthetic), not CIFAR-10"), color="orange")


def unreadable(listing: Listing) -> None:
    """Name the runs that cannot be read, and say why."""
    with st.empty():  # there at every run, so that what is below keeps its place
        if not listing.unreadable:
            return
        count = len(listing.unreadable)
        words = ngettext("{count} run cannot be read", "{count} runs cannot be read", count)
        with st.expander(words.format(count=count), icon=":material/warning:"):
            for one in listing.unreadable:
                st.markdown(f"**{plain(one.id)}**: {plain(one.reason)}")


def choose_network(listing: Listing, sentence: str) -> Summary:
    """The 'Run' widget over runs that have a network; where none is chosen, the page ends.

    Args:
        listing: all runs.
        sentence: what is said where there is no network yet.
    """

    def has_network(one: Summary) -> bool:
        return one.run.has_model()

    need_runs(list(filter(has_network, listing.summaries)), sentence)
    chosen = choose_run(listing, _("Run"), has_network)
    if chosen is None:
        st.stop()
    return chosen


def need_runs(summaries: Sequence[Summary], sentence: str) -> None:
    """Where there are no runs: say the next step, offer it, and end the page."""
    if summaries:
        return
    st.info(sentence, icon=":material/info:")
    st.page_link("pages/train.py", label=_("Train a network"), icon=":material/play_arrow:")
    st.stop()
