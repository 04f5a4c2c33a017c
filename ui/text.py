"""Words in the reader's language, through gettext catalogues in ui/locale/."""

from __future__ import annotations

import gettext
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from cifar_core.percent import percent

if TYPE_CHECKING:
    from cifar_core.runs.groups import Spread

LOCALES = Path(__file__).parent / "locale"


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation("dashboard", LOCALES, languages=[language], fallback=True)


def _(message: str) -> str:
    """The English message in the reader's language."""
    return _catalogue("en").gettext(message)


def ngettext(one: str, many: str, count: int) -> str:
    """The English message for so many, in the reader's language."""
    return _catalogue("en").ngettext(one, many, count)


_MARKUP = re.compile(r"[\\`*_{}\[\]()#+.!|~$:<>&=-]")
# What Streamlit makes of text after Markdown is parsed, where no backslash helps: arrows and
# dashes, icons, links. A colour without words, which is not seen, keeps their characters apart.
_MADE_LATER = re.compile(
    r"(?<=[-<>~])(?=[-=>])|(?<=:)(?=[a-z/])|(?<=\bwww)(?=\.)|(?=@)", re.IGNORECASE
)


def plain(text: str) -> str:
    """Text from outside, such as a class name or a path, that Markdown shows as it is."""
    lines = [
        ":gray[]".join(_MARKUP.sub(r"\\\g<0>", part) for part in _MADE_LATER.split(line.strip()))
        for line in text.strip().splitlines()
    ]
    return "\\\n".join(lines)


def tell(error: object) -> None:
    """Say in place what is wrong, as plain text."""
    st.error(plain(str(error)), icon=":material/error:")


def with_spread(found: Spread | None) -> str:
    """A mean of shares with its spread in percentage points, '–' where there is none."""
    if found is None:
        return "–"
    mean = percent(found.mean)
    return mean if found.deviation is None else f"{mean} ± {100 * found.deviation:.2f}"


def duration(seconds: float) -> str:
    """Minutes and seconds, '–' where it is not known."""
    if seconds != seconds:
        return "–"
    minutes, rest = divmod(round(max(seconds, 0)), 60)
    return f"{minutes}:{rest:02d} min" if minutes else f"{rest} s"


def gigabytes(count: int) -> str:
    """A size in bytes for people."""
    return f"{count / 1e9:.2f} GB"
