"""Curves of several runs over one another, and their settings against their accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Literal

import plotly.graph_objects as go
import streamlit as st

from ui import cached
from ui.compare.table import Row, differing, images, no_limit
from ui.components.live_chart import live_chart
from ui.figures.base import PALETTE
from ui.figures.compare import add_band, mean_and_spread, parallel_figure
from ui.figures.curves import METRICS, Metric, Series, history_figure, title
from ui.session.runs import run_colours
from ui.text import _, plain
from ui.train.settings import label_of

Side = Literal["train", "validation"]

MOST_ROWS = 12  # more curves in a chart could not be told apart
MOST_SETTINGS = 8  # so could axes
MOST_NAMED = 20  # more names beside an axis would overlap


def overlaid(rows: Sequence[Row], sides: Sequence[Side]) -> None:
    """Both metrics of the chosen rows, a colour a row; of several runs the mean and a band."""
    shown = rows[:MOST_ROWS]
    numbers = run_colours([row.id for row in shown], len(PALETTE))
    st.html(_legend(shown, numbers, sides))
    for column, metric in zip(st.columns(2), METRICS, strict=True):
        with column:
            st.markdown(f"**{title(metric)}**")
            live_chart(
                _overlaid_figure(shown, metric, sides, numbers),
                height=400,
                key=f"compare-{metric}",
                label=_("{metric} of the chosen runs").format(metric=title(metric)),
            )
    if len(shown) < len(rows):
        st.caption(_("The charts show the first {number} of them.").format(number=len(shown)))
    if any(len(row.runs) > 1 for row in shown):
        st.caption(
            _(
                "A curve of several runs is their mean, over the epochs that all of them have "
                "done; its band is one sample standard deviation to either side."
            )
        )


def _legend(rows: Sequence[Row], colours: dict[str, int], sides: Sequence[Side]) -> str:
    """One for both charts; Plotly's own would fill them where many runs are chosen."""
    several = len(images([row.runs[0] for row in rows])) > 1
    entries = []
    for row in rows:
        words = f"{row.name} · {row.runs[0].data_name}" if several else row.name
        entries.append((PALETTE[colours[row.id]], "solid", words))
    if len(sides) > 1:
        entries += [
            ("currentColor", "solid", _("train")),
            ("currentColor", "dashed", _("validation")),
        ]
    line = (
        '<span style="white-space:nowrap"><span style="display:inline-block;width:28px;'
        'vertical-align:middle;border-top:3px {1} {0}"></span> {2}</span>'
    )
    spans = "".join(line.format(colour, dash, escape(words)) for colour, dash, words in entries)
    return f'<div style="display:flex;flex-wrap:wrap;gap:0.25rem 1.25rem">{spans}</div>'


def _overlaid_figure(
    rows: Sequence[Row], metric: Metric, sides: Sequence[Side], colours: dict[str, int]
) -> go.Figure:
    series, bands = [], []
    words = {"train": _("train"), "validation": _("validation")}
    for row in rows:
        colour = PALETTE[colours[row.id]]
        histories = [cached.history(one.run) for one in row.runs]
        for side in sides:
            field = metric if side == "train" else f"val_{metric}"
            mean, spread = mean_and_spread(
                [[getattr(event, field) for event in history.epochs] for history in histories]
            )
            x = [event.epoch for event in histories[0].epochs[: len(mean)]]
            name = f"{row.name} {words[side]}"
            dash = "solid" if side == "train" else "dash"
            series.append(Series(name, x, mean, role=side, colour=colour, dash=dash))
            if len(histories) > 1:
                bands.append((name, x, mean, spread, colour))
    figure = history_figure(
        series,
        metric=metric,
        by="epoch",
        x_max=max(
            (one.config.epochs for row in rows for one in row.runs if one.state.is_live),
            default=None,
        ),
    )
    for band in bands:
        add_band(figure, *band)
    figure.update_layout(showlegend=False, margin_t=16)
    return figure


def settings_and_accuracy(rows: Sequence[Row], chosen: Sequence[Row]) -> None:
    """Parallel coordinates over the settings that differ, for the rows of one set of images.

    Of the chosen rows' sets it is the one with the most rows. Settings in which chosen rows differ
    come first.
    """
    sources = [row.source for row in rows]
    source = max((row.source for row in chosen or rows), key=sources.count)
    measured = [(row, row.test_accuracy) for row in rows if row.source == source]
    tested = [row for row, accuracy in measured if accuracy is not None]
    first = differing([row for row in chosen if row.source == source])
    names = [name for name in differing(tested) if name not in ("seed", "fold")]
    names.sort(key=lambda name: name not in first)
    names, others = names[:MOST_SETTINGS], names[MOST_SETTINGS:]
    if len(tested) < 2 or not names:
        st.info(
            _("Two runs or more that have ended and differ in a setting are needed."),
            icon=":material/info:",
        )
        return
    labels = {name: label_of(name, tested[0].runs[0].config) for name in [*names, *others]}
    axes = {
        labels[name]: [no_limit(row, name) or getattr(row.runs[0].config, name) for row in tested]
        for name in names
    }
    if len(tested) <= MOST_NAMED:
        axes = {_("Run"): [row.name for row in tested], **axes}
    with st.container(key="parallel-row"):
        live_chart(
            parallel_figure(
                axes, [accuracy for _row, accuracy in measured if accuracy is not None]
            ),
            height=440,
            key="parallel",
            label=_("A line for each run through its settings to its test accuracy"),
        )
    words = [
        _(
            "A line is a run, and its colour the accuracy; drag along an axis to see only the runs "
            "that pass there, and an axis's name to move it."
        )
    ]
    if len(tested) < len(rows):
        words.insert(0, _("Runs on {images}.").format(images=plain(source[0])))
    if others:
        without = plain(", ".join(labels[name] for name in others))
        words.append(_("Without an axis: {names}.").format(names=without))
    st.caption(" ".join(words))
