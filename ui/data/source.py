"""Other images than those shown: CIFAR-10 fetched, or what lies at a path."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from cifar_core.data import default_cache_dir, fetch
from cifar_core.data.official import find_official, official_places
from cifar_core.errors import CifarError
from cifar_core.spelling import is_off
from ui.session.images import (
    add_data,
    data_choice,
    data_choices,
    data_label,
    is_unreadable,
    pace,
    use_data,
)
from ui.session.keys import Key
from ui.session.navigation import rerun
from ui.text import _, duration, plain, tell

_MB = 2**20


def panel() -> None:
    """Get CIFAR-10, and take images from a path."""
    st.subheader(_("Other images"))
    left, right = st.columns(2, gap="large")
    with left:
        _cifar10()
    with right:
        if takes_paths():
            _path()


def takes_paths() -> bool:
    """Whether images may be named by a path: `CIFAR10_PATHS` does not switch that off."""
    return not is_off("CIFAR10_PATHS")


def hint() -> None:
    """For the sidebar: where to get CIFAR-10, and how that goes."""
    if data_choice() != "synthetic":
        return
    others = [
        choice for choice in data_choices() if choice != "synthetic" and not is_unreadable(choice)
    ]
    if others:
        words = _("These images are drawn by code. {name} is on this machine: choose it above.")
        st.caption(words.format(name=plain(data_label(others[0]))))
        return

    def show(now: fetch.FetchState) -> None:
        if now.is_live:
            words = _("Fetching CIFAR-10: {done:.0f} of {total:.0f} MB")
            st.progress(_share(now), words.format(done=now.done / _MB, total=now.total / _MB))
            return
        st.caption(
            _(
                "CIFAR-10 is not on this machine yet. The built-in images are drawn by code; "
                "figures on them say nothing about CIFAR-10."
            )
        )
        st.page_link("pages/data.py", label=_("Get CIFAR-10"), icon=":material/download:")

    _follow(show)


def _cifar10() -> None:
    st.markdown("**CIFAR-10**")
    if found := _found():
        st.caption(_("It is on this machine: {path}").format(path=plain(str(found))))
        st.button(
            _("Use CIFAR-10"),
            icon=":material/check:",
            type="primary",
            disabled=data_choice() == "official",
            on_click=use_data,
            args=("official",),
        )
    else:
        _follow(_fetch)
    with st.expander(_("Where CIFAR-10 is looked for")):
        st.code("\n".join(map(str, official_places(default_cache_dir()))), language=None)


def _fetch(now: fetch.FetchState) -> None:
    """The download: progress and 'Cancel' while it runs, else the button that begins it."""
    if now.is_live:
        rate = pace().look(now.done)
        words = _("{done:.0f} of {total:.0f} MB · {rate} MB/s · {left} left").format(
            done=now.done / _MB,
            total=now.total / _MB,
            rate="–" if rate is None else f"{rate / _MB:.1f}",
            left=duration((now.total - now.done) / rate if rate else math.nan),
        )
        if now.is_starting:
            words = _("Starting")
        elif now.done >= now.total:
            words = _("Checking what has come")
        st.progress(_share(now), words)
        label, act, icon = _("Cancel"), fetch.cancel, ":material/close:"
    else:
        if now.done:
            st.caption(
                _("{done:.0f} of {total:.0f} MB are here; the download goes on from there.").format(
                    done=now.done / _MB, total=now.total / _MB
                )
            )
        else:
            st.caption(_("It is not on this machine yet. Its download goes on if you leave."))
        label, act, icon = _("Get CIFAR-10 (163 MB)"), fetch.start, ":material/download:"
    if st.button(label, icon=icon, disabled=now.is_starting):
        try:
            act()
        except CifarError as error:
            tell(error)
        else:
            st.rerun()
    if now.error and not now.is_live:
        tell(now.error)


def _follow(draw: Callable[[fetch.FetchState], None]) -> None:
    """Draw how fetching goes, again and again; the whole page when it begins or ends."""
    before = fetch.state().is_live

    @st.fragment(run_every=1.0 if before else 5.0)
    def show() -> None:
        now = fetch.state()
        if now.is_live != before or _found():
            rerun()
        draw(now)

    show()


def _share(now: fetch.FetchState) -> float:
    return min(now.done / now.total, 1.0)


def _found() -> Path | None:
    """Where CIFAR-10 lies, unless what lies there is damaged."""
    if is_unreadable("official"):
        return None
    return next(find_official(default_cache_dir()), None)


def _path() -> None:
    st.markdown(_("**From a path**"))
    with st.form(Key.PATH, border=False):
        path = st.text_input(
            _("Path on the machine that runs the dashboard"),
            placeholder="~/Downloads/cifar-10-python.tar.gz",
            help=_(
                "CIFAR-10's archive or its unpacked folder, an .npz with x_train, y_train, x_test "
                "and y_test, or a folder or zip with train/<class>/… and test/<class>/… pictures."
            ),
        )
        if st.form_submit_button(_("Use these images"), icon=":material/folder_open:"):
            try:
                add_data(path)
            except CifarError as error:
                tell(error)
            else:
                st.rerun()
