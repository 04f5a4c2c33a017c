"""A run to take along."""

from __future__ import annotations

import base64
import mimetypes
import time
import uuid
from pathlib import Path

import streamlit as st

from cifar_core.errors import CifarError, ConfigError, reason
from cifar_core.export import FORMS, need_packages
from cifar_core.export.conversion import Conversion
from cifar_core.runs.summary import Summary
from ui import cached
from ui.session.keys import Key
from ui.session.navigation import rerun
from ui.text import _, duration, plain, tell

_download = st.components.v2.component(
    "download",
    html="<span></span>",
    js=Path(__file__).with_name("download.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def export_panel(summary: Summary) -> None:
    """The forms that a run can be exported in, and the button that gets the chosen one.

    Streamlit's own download button gets what was chosen when it was drawn, or nothing where it is
    pressed while the page is drawn again. This one's press comes with the choice made before it.
    """
    try:
        _panel(summary)
    except CifarError as error:
        tell(error)
    except OSError as error:
        tell(_("The file cannot be made: {reason}").format(reason=reason(error)))


def _panel(summary: Summary) -> None:
    run = summary.run
    run.saved()  # raises where it is gone
    has = {None: True, "epochs": bool(summary.epochs), "network": run.has_model()}
    labels = {to: _(form.about) for to, form in FORMS.items() if has[form.needs]}
    to = st.selectbox(_("Form"), list(labels), format_func=labels.__getitem__, key=Key.FORM)
    is_wanted = st.session_state.pop(Key.EXPORT_WANTED, False)
    if make := FORMS[to].at_once:
        _button(_("Download"), "download")
        if is_wanted:
            _hand_over(f"{run.path.name}{FORMS[to].suffix}", make(run, _))
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
            _hand_over(conversion.output.name, conversion.output.read_bytes())
    else:
        if conversion:
            tell(conversion.error)
        _button(_("Convert"), "autorenew", help=_("Takes some seconds, in a process of its own."))


def _button(label: str, icon: str, help: str | None = None) -> None:
    """One button whatever it says, so that a press while it changes is not lost."""

    def want() -> None:
        st.session_state[Key.EXPORT_WANTED] = True

    st.button(
        label, key=Key.EXPORT, icon=f":material/{icon}:", type="primary", on_click=want, help=help
    )


def _hand_over(name: str, content: bytes) -> None:
    """Have the browser save a file."""
    coded = base64.b64encode(content).decode()
    mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
    _download(
        data={"id": uuid.uuid4().hex, "name": name, "mime": mime, "content": coded},
        key="download",
        height="content",
    )


@st.fragment(run_every=0.5)
def _progress(conversion: Conversion) -> None:
    """How long it has taken; the whole page once it has ended."""
    if not conversion.is_running:
        rerun()
    seconds = time.time() - conversion.begun
    # Most of it is TensorFlow's import, which does not say how far it is.
    words = _("Converting, {seconds} so far").format(seconds=duration(seconds))
    st.progress(min(seconds / 15, 0.95), text=words)
