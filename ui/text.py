"""Words in the reader's language, through gettext catalogues in ui/locale/."""

from __future__ import annotations

import gettext
from functools import cache
from pathlib import Path

LOCALES = Path(__file__).parent / "locale"


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation("dashboard", LOCALES, languages=[language], fallback=True)


def _(message: str) -> str:
    """The English message in the reader's language."""
    return _catalogue("en").gettext(message)
