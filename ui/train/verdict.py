"""A verdict on a run in words, and what to try next, one click away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from cifar_core.analysis.diagnosis import Fit, Remedy, of_summary
from cifar_core.percent import percent
from cifar_core.runs.history import History
from cifar_core.runs.summary import Summary
from ui.session.settings import try_settings
from ui.text import _
from ui.train import settings


def show_verdict(chosen: Summary, history: History) -> None:
    """Whether a run that has ended underfits, overfits or is about right, and what helps."""
    found = of_summary(chosen, history.epochs)
    if found is None:
        return
    words = {
        Fit.OVERFITS: _(
            "**Overfits.** Of images it learned from it classifies {train} correctly, of new ones "
            "{test}: a gap of {gap} points. Part of what it learned holds for its own images only."
        ),
        Fit.ABOUT_RIGHT: _(
            "**About right.** Of images it learned from it classifies {train} correctly, of new "
            "ones {test}. Such a gap, {gap} points, is no worry as long as validation loss is at "
            "its lowest: what it learned still holds for new images."
        ),
        Fit.UNDERFITS: _(
            "**Underfits.** Its validation loss still fell by {falling} in the last epoch: it had "
            "not learned all it can. Train accuracy is {train}, test accuracy {test}."
        )
        if found.falling > 0
        else _(
            "**Underfits.** Even of the images it learned from it classifies only {train} "
            "correctly; of new ones {test}. It needs more capacity or more training."
        ),
    }[found.fit]
    if found.turned > 0 and found.fit is Fit.OVERFITS:
        words += " " + _("Its validation loss is {turned} above the lowest it had.")
    words = words.format(
        train=percent(found.train_accuracy),
        test=percent(found.test_accuracy),
        gap=f"{100 * found.gap:.2f}",
        turned=f"{found.turned:.1%}",
        falling=f"{found.falling:.1%}",
    )
    box, icon = {
        Fit.OVERFITS: (st.warning, ":material/trending_down:"),
        Fit.ABOUT_RIGHT: (st.success, ":material/check_circle:"),
        Fit.UNDERFITS: (st.info, ":material/trending_up:"),
    }[found.fit]
    box(words, icon=icon)
    _remedies(chosen, found.remedies)


def _remedies(of: Summary, remedies: Sequence[Remedy]) -> None:
    """A button for each remedy: the Train page with the run's settings, images and that change."""
    if not remedies:
        return
    row = st.container(horizontal=True, vertical_alignment="center")
    row.markdown(_("Try next:"), width="content")
    for remedy in remedies:
        if row.button(
            name_of(remedy),
            key=f"verdict-{remedy.name}",
            icon=":material/science:",
            help=settings.help_of(remedy.name),
            on_click=try_settings,
            args=(replace(of.config, **remedy.changes), of),
        ):
            st.switch_page("pages/train.py")


def name_of(remedy: Remedy) -> str:
    """What a remedy's button says."""
    if remedy.name == "train_images":
        return _("All training images")
    return settings.in_words(remedy.name, remedy.changes[remedy.name])
