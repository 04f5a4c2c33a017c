"""A run to take along."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from cifar_core.errors import CifarError, ConfigError
from cifar_core.export import SUFFIXES, need_packages
from cifar_core.export.conversion import Conversion
from cifar_core.export.report import html_report
from cifar_core.export.table import history_csv
from cifar_core.runs.run import Run
from cifar_core.runs.summary import Summary
from ui import cached
from ui.session.state import Key
from ui.text import _, duration, plain, tell

# What needs no TensorFlow is made when it is asked for.
_AT_ONCE: dict[str, tuple[str, Callable[[Run], bytes]]] = {
    "html": ("text/html", lambda run: html_report(run, _).encode()),
    "csv": ("text/csv", lambda run: history_csv(run).encode()),
    "keras": ("application/octet-stream", lambda run: run.model_path.read_bytes()),
}

_download = st.components.v2.component(
    "download",
    html="<span></span>",
    js=Path(__file__).with_name("download.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def export_panel(summary: Summary) -> None:
    """The forms that a run can be had in, and the button that gets the chosen one.

    Streamlit's own download button gets what was chosen when it was drawn, or nothing where it is
    pressed while the page is drawn anew. This one's press comes with the choice made before it.
    """
    try:
        _panel(summary)
    except CifarError as error:
        tell(error)
    except OSError as error:
        tell(_("The file cannot be made: {reason}").format(reason=error.strerror or error))


def _panel(summary: Summary) -> None:
    run = summary.run
    run.saved()  # tells where it is gone
    forms = {
        "html": _("report: one HTML page to read, print and hand in"),
        "csv": _("history: the figures of each epoch as CSV"),
        "keras": _("network: Keras file, to train further"),
        "savedmodel": _("network: TensorFlow SavedModel, for servers"),
        "tflite": _("network: TFLite, for phones and small devices"),
        "onnx": _("network: ONNX, for other frameworks"),
        "tensorboard": _("curves and pictures: TensorBoard event files"),
    }
    if not run.has_model():
        forms = {to: forms[to] for to in ("html", "csv", "tensorboard")}
    if not summary.epochs:
        forms = {"html": forms["html"]}
    to = st.selectbox(_("Form"), list(forms), format_func=forms.__getitem__, key=Key.FORM)
    is_wanted = st.session_state.pop(Key.EXPORT_WANTED, False)
    if to in _AT_ONCE:
        mime, make = _AT_ONCE[to]
        _button(_("Download"), "download")
        if is_wanted:
            _hand_over(f"{run.path.name}{SUFFIXES[to]}", mime, make(run))
        return
    try:
        need_packages(to)
    except ConfigError as error:
        st.info(plain(str(error)), icon=":material/info:")
        return
    _converted(summary, to, is_wanted)


def _converted(summary: Summary, to: str, is_wanted: bool) -> None:
    """'Convert', how that goes, and then 'Download'."""
    conversion = cached.conversion(summary, to)
    if is_wanted and (not conversion or conversion.error):
        cached.convert(summary, to)
        conversion = cached.conversion(summary, to)
    if conversion and conversion.is_running:
        _progress(conversion)
    elif conversion and not conversion.error:
        _button(_("Download"), "download")
        if is_wanted:
            output = conversion.output
            _hand_over(output.name, "application/octet-stream", output.read_bytes())
    else:
        if conversion:
            tell(conversion.error)
        _button(_("Convert"), "autorenew", help=_("Takes some seconds, in a process of its own."))


def _button(label: str, icon: str, help: str | None = None) -> None:
    """One button whatever it says, so that a press while it changes is not lost."""

    def want() -> None:
        st.session_state[Key.EXPORT_WANTED] = True

    st.button(
        label,
        key=Key.EXPORT,
        icon=f":material/{icon}:",
        type="primary",
        on_click=want,
        help=help,
    )


def _hand_over(name: str, mime: str, content: bytes) -> None:
    """Have the browser save a file."""
    coded = base64.b64encode(content).decode()
    _download(
        data={"id": uuid.uuid4().hex, "name": name, "mime": mime, "content": coded},
        key="download",
        height="content",
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
