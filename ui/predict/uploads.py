"""Pictures of one's own, shown to a network."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from cifar_core.errors import CifarError
from cifar_core.runs.summary import Summary
from ui import cached
from ui.cached import Picture
from ui.components import pictures
from ui.components.image_grid import image_grid
from ui.predict.answer import answer
from ui.predict.evidence import explain
from ui.session.keys import Key
from ui.session.predictions import framing, show_upload, shown_upload
from ui.text import _, plain, tell

_paste = st.components.v2.component(
    "paste",
    html="<span></span>",
    js=Path(__file__).with_name("paste.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


@dataclass(frozen=True)
class _Asked:
    """A picture, its 32x32 pixels as the network sees them, and what it says of it."""

    file: str
    name: str
    picture: Picture
    seen: np.ndarray
    probabilities: np.ndarray
    known: bool

    @property
    def label(self) -> int:
        return int(self.probabilities.argmax())


@st.fragment
def uploads(chosen: Summary) -> None:
    """Choose pictures, and see what the network says of each."""
    files = st.file_uploader(
        _("Upload an image"),
        type=["jpg", "jpeg", "png", "bmp", "gif", "webp", "tif", "tiff"],
        accept_multiple_files=True,
        help=_("One or many. They become 32 × 32 pixels and stay on this machine."),
    )
    _paste(key="paste", height="content")
    row = st.columns([3, 2], vertical_alignment="center")
    row[0].caption(_("A copied picture can be pasted here, too: Ctrl+V, or ⌘V on a Mac."))
    if row[1].toggle(_("Use the camera"), key=Key.CAMERA):
        shot = st.camera_input(_("Take a picture"), width=480)
        files = [*files, *([shot] if shot else [])]
    try:
        asked = _ask(chosen, files)
        if asked:
            _show(chosen, asked)
    except CifarError as error:
        tell(error)


def _ask(chosen: Summary, files: list) -> list[_Asked]:
    """The answers for all files that can be read; what is wrong with the others is said."""
    found = []
    for file in files:
        try:
            picture = cached.picture(file.file_id, framing(file.file_id), file.getvalue())
            found.append((file.file_id, file.name, picture))
        except CifarError as error:
            tell(f"{file.name}: {error}")
    if not found:
        return []
    pixels = np.stack([picture.pixels for *_f, picture in found])
    probabilities, known = cached.predict_known(chosen.run, pixels)
    as_seen = pictures.as_seen(pixels, chosen.config)
    return [
        _Asked(file, name, picture, seen, row, bool(is_one))
        for (file, name, picture), seen, row, is_one in zip(
            found, as_seen, probabilities, known, strict=True
        )
    ]


def _show(chosen: Summary, asked: list[_Asked]) -> None:
    """An overview where there are several, one in detail, and all as a table to keep."""
    names, shown = chosen.class_names, shown_upload()
    detailed = next((number for number, one in enumerate(asked) if one.file == shown), 0)
    if len(asked) > 1:
        st.markdown(_("**Your pictures as the network sees them.** Press one to see more of it."))
        image_grid(
            np.stack([one.seen for one in asked]),
            range(len(asked)),
            [names[one.label] if one.known else _("none of these") for one in asked],
            notes=[one.name for one in asked],
            judged=["" if one.known else "unknown" for one in asked],
            chosen=detailed,
            key="uploads",
            label=_("Your pictures as the network sees them"),
            on_open=lambda number: show_upload(asked[number].file),
        )
    st.download_button(
        _("Answers as CSV"),
        _csv(chosen, asked),
        file_name="answers.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    _detail(chosen, asked[detailed])


def _detail(chosen: Summary, one: _Asked) -> None:
    """One picture: what of it the network sees, and what it says."""
    with st.container(key="asked-upload"):
        left, middle, right = st.columns([3, 3, 5], gap="medium")
    with left:
        st.html(pictures.photo_with_square(one.picture.preview, one.picture.square, one.name))
        st.caption(plain(one.name))
        _choose_framing(one.file)
    with middle:
        words = _("What the network sees: 32 × 32 pixels")
        st.html(pictures.enlarged(one.seen, words))
        st.caption(words)
    with right:
        answer(chosen, one.probabilities, one.known, None, "predict-upload")
    explain(chosen, one.picture.pixels, one.label, "upload")


def _choose_framing(file: str) -> None:
    """The part of the picture that the network gets."""
    now = framing(file)
    kinds = {"centre": _("Centre square"), "whole": _("Whole picture"), "hand": _("Square by hand")}
    st.selectbox(
        _("Part of the picture"),
        list(kinds),
        index=list(kinds).index(now.kind),
        format_func=kinds.__getitem__,
        key=f"{Key.FRAMING}-{file}",
        persist_state="session",
        help=_(
            "Centre square: the largest there is. Whole picture: all of it, with bars of its mean "
            "colour. By hand: place and size are yours. One thing that fills the square is "
            "recognised best."
        ),
    )
    if now.kind == "hand":
        for label, key, least, value in (
            (_("Size, %"), Key.SQUARE_SIZE, 5, now.size),
            (_("From left, %"), Key.SQUARE_X, 0, now.x),
            (_("From above, %"), Key.SQUARE_Y, 0, now.y),
        ):
            st.slider(label, least, 100, value, key=f"{key}-{file}", persist_state="session")


def _csv(chosen: Summary, asked: list[_Asked]) -> str:
    """One row a picture: the answer, whether it is believed, all probabilities."""
    names = chosen.class_names
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["picture", "label", "known", *names])
    for one in asked:
        shares = [f"{share:.6f}" for share in one.probabilities]
        table.writerow([one.name, names[one.label], str(one.known).lower(), *shares])
    return text.getvalue()
