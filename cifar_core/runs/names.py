"""What a run may be called: a name that every file system takes for a folder's."""

from __future__ import annotations

import re
import unicodedata

from ..errors import RunError

MOST_CHARACTERS = 100
_MOST_BYTES = 200  # of UTF-8; file systems take 255, and a number may follow
_RESERVED = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9¹²³])(\..*)?", re.IGNORECASE)


def normal(name: str) -> str:
    """The name in the one form in which it is compared: composed (NFC), as most keyboards do."""
    return unicodedata.normalize("NFC", name)


def checked(name: str) -> str:
    """A new run's name, composed.

    Raises:
        RunError: it breaks the rule.
    """
    name = normal(name)
    if (
        not all(_is_of_a_word(one) or one in " ._-" for one in name)
        or not name
        or not _is_of_a_word(name[0])
        or name[-1] in " ."
        or len(name) > MOST_CHARACTERS
        or len(name.encode()) > _MOST_BYTES
    ):
        raise RunError(
            "a run's name must be letters and digits of any language, blanks, '.', '_' or '-', "
            f"at most {MOST_CHARACTERS} characters, begin with a letter or digit and not end with "
            f"a blank or '.'. Received: {name!r}."
        )
    if _RESERVED.fullmatch(name):
        raise RunError(
            "a run's name must be one that Windows takes for a folder, too. "
            f"Received: {name!r}, which it keeps for a device."
        )
    return name


def _is_of_a_word(character: str) -> bool:
    """A letter or digit, or a mark that belongs to one, as Hindi and Thai write vowels."""
    return unicodedata.category(character)[0] in "LMN"
