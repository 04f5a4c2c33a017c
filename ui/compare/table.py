"""Runs as a table: which ones, which columns, which are chosen, and what is done with those."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cifar_core.config import TrainingConfig, names_of
from cifar_core.percent import rounded
from cifar_core.runs.groups import group_of, spread
from cifar_core.runs.summary import Summary
from ui.session.keys import Key
from ui.session.runs import (
    choose_columns,
    choose_runs,
    delete_runs,
    describe_run,
    run_table,
    star_runs,
)
from ui.text import _, plain
from ui.train.settings import label_of


@dataclass(frozen=True)
class Row:
    """One run, or runs that differ in seed and fold alone.

    Attributes:
        runs: at least one; the first stands for all.
    """

    runs: Sequence[Summary]

    @property
    def id(self) -> str:
        """What the row is known by."""
        return self.runs[0].run.id

    @property
    def name(self) -> str:
        """What a person calls it."""
        many = f" (× {len(self.runs)})" if len(self.runs) > 1 else ""
        return (self.runs[0].mark.name or self.id) + many

    @property
    def source(self) -> tuple[str, str]:
        """Name and checksum of the images, which are one row's alike."""
        return _images(self.runs[0])

    @property
    def test_accuracy(self) -> float | None:
        """The mean where there are several."""
        found = spread(one.test_accuracy for one in self.runs)
        return found.mean if found else None


def images(summaries: Sequence[Summary]) -> dict[tuple[str, str], str]:
    """The sets of images that runs learned from, by name and checksum, as a person names them."""
    found = dict.fromkeys(_images(one) for one in summaries if one.data_name)
    names = Counter(name for name, _checksum in found)
    return {
        (name, checksum): f"{name} ({checksum[-6:]})" if names[name] > 1 else name
        for name, checksum in found
    }


def _images(summary: Summary) -> tuple[str, str]:
    return summary.data_name, summary.data_checksum


def filters(summaries: Sequence[Summary]) -> tuple[list[Row], DeltaGenerator]:
    """The widgets that narrow the table.

    Where runs of several sources are left, the page says that they are not to be ranked.

    Returns:
        The rows that are left, those of one source together, and the line of switches, for more.
    """
    sources = images(summaries)
    row = st.columns([3, 2], vertical_alignment="bottom")
    words = row[0].text_input(
        _("Filter"),
        key=Key.TABLE_FILTER,
        persist_state="session",
        icon=":material/search:",
        help=_(
            "Words that all have to be in a run's name, notes or state, or settings such as "
            "dropout=0.4 or Learning rate=0.001."
        ),
    )
    source = row[1].selectbox(
        _("Trained on"),
        ["", *sources],
        format_func=lambda one: sources[one] if one else _("all images"),
        key=Key.TABLE_IMAGES,
        persist_state="session",
    )
    switches = st.container(horizontal=True, vertical_alignment="center")
    with switches:
        starred = st.toggle(_("Starred only"), key=Key.STARRED, persist_state="session")
        shipped = st.toggle(
            _("Shipped runs"),
            True,
            key=Key.SHIPPED,
            persist_state="session",
            help=_("Runs that come with the dashboard, to compare your own with."),
        )
        in_groups = st.toggle(
            _("Group seeds and folds"),
            key=Key.GROUPS,
            persist_state="session",
            help=_(
                "Runs with the same settings and images become one row: the mean, and the sample "
                "standard deviation."
            ),
        )
    wanted = _wanted(words, summaries[0].config)
    left = [
        one
        for one in summaries
        if (not source or _images(one) == source)
        and (one.mark.star or not starred)
        and (shipped or not one.run.is_reference)
        and _passes(one, wanted)
    ]
    place = {key: number for number, key in enumerate(images(left))}
    warning = st.container()
    if len(place) > 1:
        warning.info(
            _(
                "These runs learned from different images and were tested on different ones: "
                "their accuracies do not measure the same thing. Rank runs within one set only; "
                "'Trained on' picks one."
            ),
            icon=":material/balance:",
        )
    left.sort(key=lambda one: place.get(_images(one), len(place)))
    return (_groups(left) if in_groups else [Row([one]) for one in left]), switches


def _wanted(filter: str, config: TrainingConfig) -> list[str]:
    """A filter's words in lower case; settings go by their fields' names, whatever is typed."""
    names = {
        name.casefold(): spec.name
        for spec in fields(config)
        for name in (label_of(spec.name, config), *names_of(spec))
    }
    setting = rf"(?<!\S)({'|'.join(map(re.escape, names))})\s*=\s*"
    return re.sub(setting, lambda found: names[found[1]] + "=", filter.casefold()).split()


def _passes(summary: Summary, words: Sequence[str]) -> bool:
    """Whether all words, in lower case, are in what describes a run, or are settings of it."""
    if not words:
        return True  # at once, for a thousand runs are asked
    texts = [summary.run.id, summary.mark.name, summary.notes, summary.state, summary.data_name]
    text, config = "\n".join(texts).casefold(), summary.config.to_json()
    settings = {f"{name}={value}".casefold() for name, value in config.items()}
    settings |= {f"{name}={value:g}" for name, value in config.items() if type(value) is float}
    return all(word in text or word in settings for word in words)


def _groups(summaries: Sequence[Summary]) -> list[Row]:
    buckets: dict[object, list[Summary]] = {}
    for one in summaries:
        buckets.setdefault((one.group, _images(one)), []).append(one)
    return [Row(group_of(bucket[0], bucket)) for bucket in buckets.values()]


def differing(rows: Sequence[Row]) -> list[str]:
    """Names of the settings that are not the same in all rows."""
    configs = [row.runs[0].config for row in rows]
    grouped = any(len(row.runs) > 1 for row in rows)
    names = [spec.name for config in configs[:1] for spec in fields(config)]
    names = [name for name in names if not (grouped and name in ("seed", "fold"))]
    return [name for name in names if len({getattr(config, name) for config in configs}) > 1]


def table(rows: Sequence[Row], switches: DeltaGenerator) -> None:
    """The rows, to be sorted by a click on a column's head, and chosen at their left.

    Args:
        rows: at least one.
        switches: the line to put the choice of columns into.
    """
    columns = _columns(rows)
    usual = ["star", "run", "test_accuracy", "gap", "epochs_done", *differing(rows), "seconds"]
    usual += ["runs", "deviation"] if any(len(row.runs) > 1 for row in rows) else []
    usual += ["rates"] if any(row.runs[0].status.rates for row in rows) else []
    usual += ["name"] if any(row.runs[0].mark.name for row in rows) else []
    usual += ["images"] if len(images([row.runs[0] for row in rows])) > 1 else []
    names = {key: look["label"] for key, (_values, look) in columns.items()}
    with switches.popover(_("Columns"), icon=":material/view_column:"):
        shown = choose_columns(_("Columns"), names, usual)
    run_table(
        [[one.run.id for one in row.runs] for row in rows],
        {names[key]: columns[key][0] for key in shown},
        column_config={names[key]: columns[key][1] for key in shown},
        hide_index=True,
        placeholder="–",
        alt=_("Runs, to be sorted and chosen"),
    )


def _columns(rows: Sequence[Row]) -> dict[str, tuple[list[Any], Any]]:
    """Values and look of each column there is, by key."""
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    percent: dict[str, Any] = {"format": "percent", "step": 0.0001}  # always two decimals
    first = [row.runs[0] for row in rows]

    def means(name: str) -> list[float | None]:
        found = [spread(getattr(one, name) for one in row.runs) for row in rows]
        return [one.mean if one else None for one in found]

    def shares(name: str) -> list[float | None]:
        return [None if one is None else float(rounded(one)) for one in means(name)]

    tests = [spread(one.test_accuracy for one in row.runs) for row in rows]
    started = [one.environment.get("started") for one in first]
    return {
        "star": (["★" if one.mark.star else "" for one in first], text(_("Star"))),
        "run": ([row.id for row in rows], text(_("Run"), pinned=True)),
        "name": ([one.mark.name for one in first], text(_("Name"), width="medium")),
        "test_accuracy": (shares("test_accuracy"), number(_("Test accuracy"), **percent)),
        "deviation": (
            _points([one.deviation if one else None for one in tests]),
            number(
                _("± test accuracy, points"),
                format="%.2f",
                help=_("Sample standard deviation over the runs, in percentage points"),
            ),
        ),
        "gap": (
            _points(means("gap")),
            number(
                _("Gap, points"),
                format="%+.2f",
                help=_(
                    "Train accuracy less test accuracy, in percentage points. The train accuracy "
                    "is that of the saved network, dropout off; of older and of printed runs it is "
                    "the mean over an epoch, dropout at work, which makes the gap narrower."
                ),
            ),
        ),
        "runs": ([len(row.runs) for row in rows], number(_("Runs"))),
        "images": ([one.data_name for one in first], text(_("Images"))),
        "state": ([one.state for one in first], text(_("State"))),
        "train_accuracy": (shares("train_accuracy"), number(_("Train accuracy"), **percent)),
        "epochs_done": ([one.epochs for one in first], number(_("Epochs done"))),
        **{
            spec.name: (
                [
                    None if no_limit(row, spec.name) else getattr(row.runs[0].config, spec.name)
                    for row in rows
                ],
                st.column_config.Column(label_of(spec.name, first[0].config)),
            )
            for spec in fields(first[0].config)
        },
        "rates": (
            [", ".join(f"{one.learning_rate:g}" for one in run.status.rates) for run in first],
            text(
                _("Rate changed to"),
                help=_("Learning rates that were set while the run went, the first first"),
            ),
        ),
        "test_loss": (means("test_loss"), number(_("Test loss"), format="%.4f")),
        "seconds": (means("seconds"), number(_("Seconds"), format="%.0f")),
        "device_used": (
            [one.environment.get("device", "") for one in first],
            text(_("Device used")),
        ),
        "started": (
            [datetime.fromtimestamp(time) if time else None for time in started],
            st.column_config.DatetimeColumn(_("Started"), format="YYYY-MM-DD HH:mm"),
        ),
        "notes": ([one.notes for one in first], text(_("Notes"))),
    }


def _points(shares: Sequence[float | None]) -> list[float | None]:
    return [None if share is None else 100 * share for share in shares]


def no_limit(row: Row, name: str) -> str:
    """What a setting is called where it is 0 and that is no limit, else ''."""
    config = row.runs[0].config
    zero = config.__dataclass_fields__[name].metadata["zero"]
    return _(zero.word) if zero and zero.is_no_limit and not getattr(config, name) else ""


def actions(chosen: Sequence[Row]) -> None:
    """What can be done with the chosen rows."""
    runs = [one for row in chosen for one in row.runs]
    own = [one for one in runs if not one.run.is_reference]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(_("**{number} chosen**").format(number=len(chosen)))
        all_starred = bool(own) and all(one.mark.star for one in own)
        st.button(
            _("Unstar") if all_starred else _("Star"),
            key=Key.STAR,
            icon=":material/star:",
            disabled=not own,
            on_click=star_runs,
            args=([one.run for one in own], not all_starred),
        )
        _rename(own[0] if len(own) == len(runs) == 1 else None)
        _delete(own, len(runs) - len(own))
        st.button(
            _("Choose none"),
            icon=":material/deselect:",
            disabled=not chosen,
            on_click=choose_runs,
            args=([],),
        )
    notes = st.container()  # there without notes, too, else the charts below would be drawn again
    for one in runs:
        told = [f":orange[{plain(problem)}]" for problem in one.problems]
        for words in [plain(one.notes), *told] if len(runs) <= 5 else ():
            if words:
                notes.caption(f"{plain(one.mark.name or one.run.id)}: {words}")


def _rename(only: Summary | None) -> None:
    """'Name and notes' of the one run that is chosen."""
    with st.popover(
        _("Name and notes"),
        key=Key.DESCRIBE,
        icon=":material/edit:",
        disabled=only is None,
        help=None if only else _("For one run of your own at a time."),
    ):
        if only is None:
            return
        st.text_input(_("Name"), only.mark.name, max_chars=100, key=f"{Key.NAME}-{only.run.id}")
        st.text_area(_("Notes"), only.notes, key=f"{Key.NOTES}-{only.run.id}")
        st.button(
            _("Save"),
            type="primary",
            icon=":material/save:",
            on_click=describe_run,
            args=(only.run,),
        )


def _delete(own: Sequence[Summary], shipped: int) -> None:
    """'Delete', which asks first."""
    ended = [one for one in own if not one.state.is_live]
    with st.popover(
        _("Delete"),
        key=Key.DELETE,
        icon=":material/delete:",
        disabled=not ended,
        help=None if ended else _("Runs of your own that have ended."),
    ):
        st.markdown(_("Delete these runs, with network, history and notes? This cannot be undone."))
        st.markdown("\n".join(f"- {plain(one.mark.name or one.run.id)}" for one in ended))
        if len(ended) < len(own):
            st.caption(_("Runs that are being trained are left out: stop them first."))
        if shipped:
            st.caption(_("Runs that come with the dashboard stay."))
        st.button(
            _("Delete for good"),
            type="primary",
            icon=":material/delete_forever:",
            on_click=delete_runs,
            args=([one.run for one in ended],),
        )
