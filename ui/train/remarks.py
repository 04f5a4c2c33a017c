"""What is to be remarked on a run, in words, with remedies one click away."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from cifar_core.analysis.diagnosis import Kind, Remark, remarks
from cifar_core.percent import percent
from cifar_core.runs.history import History
from cifar_core.runs.summary import Summary
from ui.session.images import data_choice, images_of
from ui.session.settings import chosen_settings, try_settings
from ui.text import _
from ui.train import settings
from ui.train.verdict import name_of

_ICONS = {
    Kind.DIVERGED: ":red[:material/error:]",
    Kind.PLATEAU: ":blue[:material/trending_flat:]",
    Kind.UNDERFITTING: ":blue[:material/trending_up:]",
}
_WARNING = ":orange[:material/warning:]"


def words(remark: Remark) -> str:
    """A remark as a sentence for a learner."""
    numbers = {name: f"{value:g}" for name, value in remark.numbers.items()}
    for name in ("lowest", "now", "before", "after"):
        if name in remark.numbers:
            numbers[name] = f"{remark.numbers[name]:.4f}"
    for name in ("accuracy", "chance", "train", "validation"):
        if name in remark.numbers:
            numbers[name] = percent(remark.numbers[name])
    if remark.kind is Kind.GAP:
        numbers["gap"] = f"{100 * remark.numbers['gap']:.2f}"
    return {
        Kind.DIVERGED: _(
            "The loss became no number at all (NaN) at learning rate {rate}, and the run was "
            "ended: its steps were too long. Lower the learning rate."
        ),
        Kind.JUMPING: _(
            "The loss jumps, from {before} to {after} in epoch {epoch}: the learning rate, {rate}, "
            "is too high."
        ),
        Kind.NOT_LEARNING: _(
            "After {epochs} epochs train accuracy is {accuracy}, hardly above guessing "
            "({chance}): the network does not learn."
        ),
        Kind.OVERFITTING: _(
            "Validation loss has been higher for {epochs} epochs than in epoch {best} ({lowest} "
            "then, {now} now), while training loss falls: overfitting."
        ),
        Kind.GAP: _(
            "Train accuracy, {train}, is {gap} points above validation accuracy, {validation}: "
            "overfitting."
        ),
        Kind.PLATEAU: _(
            "For {epochs} epochs neither loss has got better by 1 % or more: a plateau. "
            "Validation loss is {now}."
        ),
        Kind.UNDERFITTING: _(
            "Underfitting: the run ended while it still learned (train accuracy {train}, "
            "validation accuracy {validation})."
        ),
    }[remark.kind].format(**numbers)


def show(summary: Summary, history: History) -> None:
    """What is seen in a run, in a place that is kept free, so that nothing below it moves."""
    classes = len(summary.environment.get("classes", ())) or 10
    with st.container(key="remarks", gap="xsmall"):
        found = remarks(history, summary.config, classes)
        if not found:
            nothing = _("Nothing to remark: no overfitting, no jumps, no standstill.")
            st.caption(nothing if history.epochs else "&nbsp;")  # empty, it would take no room
        for remark in found:
            st.markdown(f"{_ICONS.get(remark.kind, _WARNING)} {words(remark)}")
            _remedies(summary, remark)


def _remedies(of: Summary, remark: Remark) -> None:
    """A button for each remedy; the one that is set above already, images too, is ticked."""
    if not remark.remedies:
        return
    has_images = images_of(of) in (None, data_choice())
    now = chosen_settings() if has_images else None
    changes = [replace(of.config, fold=0, **remedy.changes) for remedy in remark.remedies]
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        for remedy, changed in zip(remark.remedies, changes, strict=True):
            is_set = now == changed
            st.button(
                name_of(remedy),
                key=f"{remark.kind}-{remedy.name}",
                icon=":material/check:" if is_set else ":material/healing:",
                help=settings.help_of(remedy.name),
                disabled=is_set,
                on_click=try_settings,
                args=(changed, of),
            )
        if now in changes:
            st.caption(
                _("Set above, with this run's settings: 'Start training' tries it."),
                width="content",
            )
