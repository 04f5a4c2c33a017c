"""A run to take along."""

from __future__ import annotations

import time
from collections.abc import Callable

import streamlit as st

from cifar_core.errors import ConfigError
from cifar_core.export import SUFFIXES, Conversion, history_csv, need_packages
from cifar_core.report import html_report
from cifar_core.runs import Run
from cifar_core.summary import Summary
from ui import cached
from ui.state import Key
from ui.text import _, duration, tell

# What needs no TensorFlow is made when it is asked for.
_AT_ONCE: dict[str, tuple[str, Callable[[Run], bytes]]] = {
    "html": ("text/html", lambda run: html_report(run, _).encode()),
    "csv": ("text/csv", lambda run: history_csv(run).encode()),
    "keras": ("application/octet-stream", lambda run: run.model_path.read_bytes()),
}


def export_panel(summary: Summary) -> None:
    """The forms that a run can be had in, each with its download."""
    run = summary.run
    if not run.path.is_dir():
        tell(run.gone())
        return
    forms = {
        "html": _("report: one HTML page to read, print and hand in"),
        "csv": _("history: the figures of each epoch as CSV"),
        "keras": _("network: Keras file, to train further"),
        "savedmodel": _("network: TensorFlow SavedModel, for servers"),
        "tflite": _("network: TFLite, for phones and small devices"),
        "onnx": _("network: ONNX, for other frameworks"),
        "tensorboard": _("curves and pictures: TensorBoard event files"),
    }
    if not run.has_model:
        forms = {to: forms[to] for to in ("html", "csv", "tensorboard")}
    if not summary.epochs:
        forms = {"html": forms["html"]}
    to = st.selectbox(_("Form"), list(forms), format_func=forms.get, key=Key.FORM)
    if to in _AT_ONCE:
        kind, make = _AT_ONCE[to]
        st.download_button(
            _("Download"),
            lambda: make(run),
            f"{run.path.name}{SUFFIXES[to]}",
            kind,
            icon=":material/download:",
            type="primary",
            on_click="ignore",
        )
        return
    try:
        need_packages(to)
    except ConfigError as error:
        st.info(str(error), icon=":material/info:")
        return
    _converted(summary, to)


def _converted(summary: Summary, to: str) -> None:
    """'Convert', how that goes, and then 'Download'."""
    conversion = cached.conversion(summary, to)
    if conversion and conversion.is_running:
        _progress(conversion)
    elif conversion and not conversion.error:
        st.download_button(
            _("Download"),
            conversion.output.read_bytes,
            conversion.output.name,
            icon=":material/download:",
            type="primary",
            on_click="ignore",
        )
    else:
        if conversion:
            st.error(conversion.error, icon=":material/error:")
        st.button(
            _("Convert"),
            icon=":material/autorenew:",
            type="primary",
            on_click=cached.convert,
            args=(summary, to),
            help=_("Takes some seconds, in a process of its own."),
        )


@st.fragment(run_every=0.5)
def _progress(conversion: Conversion) -> None:
    """How long it has taken; the whole page once it has ended."""
    if not conversion.is_running:
        st.rerun()
    seconds = time.time() - conversion.begun
    # Most of it is TensorFlow's import, which tells nobody how far it is.
    words = _("Converting, {seconds} so far").format(seconds=duration(seconds))
    st.progress(min(seconds / 15, 0.95), text=words)
