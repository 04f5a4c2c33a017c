"""Runs side by side."""

from collections.abc import Sequence
from typing import Literal
from zlib import crc32

import streamlit as st

from cifar_core.runs.summary import Summary
from ui import cached, frame
from ui.compare import curves as run_curves
from ui.compare import table as run_table
from ui.compare.export import export_panel
from ui.session.keys import Key
from ui.session.navigation import choose_one, rerun
from ui.session.runs import chosen_runs
from ui.text import _

frame.guard("pages/compare.py")


def first_choice(summaries: Sequence[Summary]) -> list[str]:
    """The two newest runs of one's own; else the tutorial's two, which tell its story."""
    ids = [one.run.id for one in summaries]
    own = [one.run.id for one in summaries if not one.run.is_reference]
    return own[:2] or [one for one in ids if "/tutorial" in one] or ids[:2]


frame.title(_("Compare"))
listing = cached.runs()
summaries = listing.summaries
frame.unreadable(listing)
frame.need_runs(summaries, _("There is nothing to compare yet: train a network or two first."))
ids = chosen_runs(listing, first_choice(summaries))
rows, switches = run_table.filters(summaries)
if not rows:
    st.info(_("No run passes the filter."), icon=":material/filter_alt_off:")
    st.stop()
run_table.table(rows, switches)
chosen = [row for row in rows if any(one.run.id in ids for one in row.runs)]
run_table.actions(chosen)

st.subheader(_("Curves"))
views: dict[Literal["both"] | run_curves.Side, str] = {
    "both": _("train and validation"),
    "train": _("train"),
    "validation": _("validation"),
}
sides = choose_one(_("Show"), views, Key.SIDES)


@st.fragment(
    run_every=2.0 if any(one.state.is_live for row in chosen for one in row.runs) else None
)
def watch() -> None:
    """The curves, again and again while one of the runs is trained; all when one begins or ends."""
    if cached.runs(cached.RECENT).live != listing.live:
        rerun()
    begun = [row for row in chosen if all(cached.history(one.run).epochs for one in row.runs)]
    if begun:
        run_curves.overlaid(begun, ("train", "validation") if sides == "both" else (sides,))
    else:
        st.info(
            _("No chosen run has a whole epoch yet.")
            if chosen
            else _("Choose runs in the table to lay their curves over one another."),
            icon=":material/info:",
        )


watch()
st.subheader(_("Settings and accuracy"))
run_curves.settings_and_accuracy(rows, chosen)
st.subheader(_("Export"))
found = {one.run.id: one for row in chosen or rows for one in row.runs}
columns = st.columns(2)
with columns[0]:
    exported = st.selectbox(
        _("Run to export"),
        list(found),
        format_func=lambda one: found[one].title,
        key=f"{Key.EXPORTED}-{crc32(repr([one.title for one in found.values()]).encode())}",
    )
with columns[1]:
    export_panel(found[exported])
