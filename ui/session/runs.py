"""The runs that a session looks at, and what it does to them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any
from urllib.parse import unquote
from zlib import crc32

import streamlit as st

from cifar_core.errors import CifarError, RunNotFound
from cifar_core.runs.run import Run
from cifar_core.runs.store import Listing
from cifar_core.runs.summary import Summary
from cifar_core.workers.launch import resume
from ui import cached
from ui.session.images import data_choice
from ui.session.keys import Key, renew
from ui.session.navigation import write_address
from ui.text import _, plain, tell


def choose_run(
    listing: Listing, label: str, among: Callable[[Summary], bool] = lambda one: True
) -> Summary | None:
    """The 'Run' widget, newest first; the choice holds on every page and in links.

    A run shown by `show_run` gets a new widget: the old one's value may still be on its way from
    a browser that has not heard of it, and would undo the choice.

    Args:
        listing: all runs.
        label: the widget's.
        among: which of them can be chosen on this page.

    Returns:
        The run; None, after a word, where the one chosen before is gone and none is chosen yet.
    """
    found = {one.run.id: one for one in listing.summaries if among(one)}
    shown = st.session_state.get(Key.RUN) or st.query_params.get(Key.RUN)
    gone = _why_gone(shown, listing) if shown and shown not in found else ""
    widget = f"{Key.RUN}-{st.session_state.get(Key.RUN_WIDGET, 0)}"
    if gone:
        widget += f"-without-{crc32(str(shown).encode())}"
        if st.session_state.get(widget) not in found:  # else another one has just been chosen
            st.warning(plain(gone), icon=":material/link_off:")
    chosen: str | None = st.selectbox(
        label,
        list(found),
        index=list(found).index(shown) if shown in found else None if gone else 0,
        key=widget,
        format_func=lambda one: found[one].title if one in found else one,
        placeholder=_("Choose a run"),
    )
    if chosen not in found:
        return None
    # One that this page cannot show, such as a live run on Predict, is on show again elsewhere.
    stands_in = shown in listing.by_id and shown not in found and chosen == next(iter(found))
    if not stands_in:
        st.session_state[Key.RUN] = chosen
        write_address({Key.RUN: chosen})
    for problem in found[chosen].problems:
        st.caption(f":orange[{plain(problem)}]")
    return found[chosen]


def _why_gone(run: str, listing: Listing) -> str:
    """Why a run cannot be shown, '' where it can, if perhaps not on this page."""
    if run in listing.by_id:
        return ""
    if reason := next((one.reason for one in listing.unreadable if one.id == run), ""):
        return _("{run} cannot be read: {reason}").format(run=run, reason=reason)
    words = _("This run is gone: {run}. It was deleted or moved. Choose another one.")
    return words.format(run=run)


def show_run(run: Run) -> None:
    """Choose a run from now on."""
    st.session_state[Key.RUN] = run.id
    renew(Key.RUN_WIDGET)


def chosen_runs(listing: Listing, otherwise: list[str]) -> list[str]:
    """Names of the runs to compare: the session's choice, else the link's, else those given.

    The page says once that one is gone.
    """
    if Key.RUNS not in st.session_state:
        given = st.query_params.get(Key.RUNS)
        wanted = otherwise if given is None else [unquote(one) for one in given.split(",") if one]
        st.session_state[Key.RUNS] = wanted
    chosen: list[str] = st.session_state[Key.RUNS]
    for one in chosen:
        if gone := _why_gone(one, listing):
            st.toast(plain(gone), icon=":material/link_off:", duration="infinite")
    chosen = [one for one in chosen if one in listing.by_id]
    # A comma is in no name but one that was given by hand.
    quoted = [one.replace("%", "%25").replace(",", "%2C") for one in chosen]
    write_address({Key.RUNS: ",".join(quoted)})
    st.session_state[Key.RUNS] = chosen
    return chosen


def choose_runs(ids: list[str]) -> None:
    """Choose these runs, in a new table: the old one's choice may still be on its way."""
    st.session_state[Key.RUNS] = ids
    renew(Key.TABLE)


def run_table(rows: list[list[str]], data: Any, **look: Any) -> None:
    """A table in which rows are chosen; the choice of runs that it does not show stays.

    It is another table for other rows, because a browser names a choice by the rows' numbers.

    Args:
        rows: names of each row's runs, of which the first stands for the row.
        data, look: of `st.dataframe`.
    """
    table = st.session_state.get(Key.TABLE, 0)
    key = f"{Key.TABLE}-{table}-{crc32(repr(rows).encode())}"
    chosen, shown = set(st.session_state[Key.RUNS]), set(chain(*rows))

    def take() -> None:
        if table != st.session_state.get(Key.TABLE, 0):  # late word of a table that is gone
            return
        numbers = st.session_state[key]["selection"]["rows"]
        hidden = [one for one in st.session_state[Key.RUNS] if one not in shown]
        st.session_state[Key.RUNS] = hidden + [rows[number][0] for number in numbers]

    numbers = [number for number, row in enumerate(rows) if chosen & set(row)]
    st.dataframe(
        data,
        key=key,
        on_select=take,
        selection_mode="multi-row",
        selection_default={"selection": {"rows": numbers}},
        **look,
    )


def choose_columns(label: str, names: dict[str, str], usual: list[str]) -> list[str]:
    """The widget of a table's columns, another one where other columns are the usual ones."""
    key = f"{Key.TABLE_COLUMNS}-{crc32(repr(usual).encode())}"
    chosen: list[str] = st.multiselect(
        label,
        list(names),
        default=usual,
        format_func=names.__getitem__,
        key=key,
        persist_state="session",
    )
    return [name for name in names if name in chosen]


def run_colours(ids: Sequence[str], colours: int) -> dict[str, int]:
    """A colour's number for each run, which it keeps as long as the session lasts.

    A run that is new gets the first one that the fewest of the others have.
    """
    kept: dict[str, int] = st.session_state.setdefault(Key.COLOURS, {})
    for one in ids:
        if one not in kept:
            taken = [kept.get(other) for other in ids]
            kept[one] = min(range(colours), key=taken.count)
    return {one: kept[one] for one in ids}


def star_runs(runs: Sequence[Run], star: bool) -> None:
    """Give runs a star, or take it away."""
    with shown_errors():
        for run in runs:
            run.save_mark(replace(run.mark(), star=star))


def describe_run(run: Run) -> None:
    """Give a run the name and the notes that its widgets show."""
    name = st.session_state[f"{Key.NAME}-{run.id}"]
    with shown_errors():
        run.save_mark(replace(run.mark(), name=" ".join(name.split())))
        run.save_notes(st.session_state[f"{Key.NOTES}-{run.id}"].strip())
        st.toast(_("Saved."), icon=":material/save:")


def delete_runs(runs: Sequence[Run]) -> None:
    """Delete runs; one that somebody else has deleted is as good."""
    gone = set()
    with shown_errors():
        for run in runs:
            with contextlib.suppress(RunNotFound):
                cached.store().delete(run)
            gone.add(run.id)
    choose_runs([one for one in st.session_state[Key.RUNS] if one not in gone])
    if st.session_state.get(Key.RUN) in gone:
        del st.session_state[Key.RUN]  # who deletes a run knows that it is gone


def resume_training(run: Run, longer: bool = False) -> None:
    """Let a run go on, `longer` to 'Epochs in all'; what is wrong is said on the page."""
    with shown_errors():
        resume(run, st.session_state[Key.EPOCHS_IN_ALL] if longer else None, data_choice())


def attempt(act: Callable[..., object], *args: object) -> None:
    """Do something to a run; what is wrong is said on the page."""
    with shown_errors():
        act(*args)


def change_rate(run: Run, widget: str) -> None:
    """Ask a run to go on with the learning rate that a widget shows."""
    with shown_errors():
        run.request_rate(float(st.session_state[widget]))
        st.toast(_("Asked for; the log says when it is taken."), icon=":material/speed:")


@contextlib.contextmanager
def shown_errors() -> Iterator[None]:
    """What is wrong is said on the page."""
    try:
        yield
    except CifarError as error:
        tell(error)
