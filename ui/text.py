"""Words in the reader's language, through gettext catalogues in ui/locale/."""

from __future__ import annotations

import gettext
import re
from functools import cache
from pathlib import Path

LOCALES = Path(__file__).parent / "locale"


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation("dashboard", LOCALES, languages=[language], fallback=True)


def _(message: str) -> str:
    """The English message in the reader's language."""
    return _catalogue("en").gettext(message)


def plain(text: str) -> str:
    """Text of anybody's, such as a class name, that Markdown shows as it is."""
    return re.sub(r"([\\`*_{}\[\]()#+.!|~$:<>&-])", r"\\\1", text)


def duration(seconds: float) -> str:
    """Minutes and seconds, '–' where nobody knows."""
    if seconds != seconds:
        return "–"
    minutes, rest = divmod(round(max(seconds, 0)), 60)
    return f"{minutes}:{rest:02d} min" if minutes else f"{rest} s"
