"""What a word stands for that was spelled another way: 'One_Cycle', '--optimizer', 'Off'."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches


def meant(word: str, known: Mapping[str, str]) -> str:
    """What a word stands for, whatever its case, hyphens, underscores and blanks.

    Args:
        word: as a person wrote it.
        known: words, and what each stands for.

    Returns:
        What the known word stands for that it is; else the word itself.

    Example:
        >>> meant("One_Cycle", {"one-cycle": "one-cycle"})
        'one-cycle'
    """
    return {_bare(one): stands_for for one, stands_for in known.items()}.get(_bare(word), word)


def nearest(word: str, known: Mapping[str, str]) -> str:
    """A question that names the known word that is most like another, '' where none is near.

    Example:
        >>> nearest("cosin", {"constant": "constant", "cosine": "cosine"})
        "Did you mean 'cosine'?"
    """
    bare = {_bare(one): one for one in known}
    found = get_close_matches(_bare(word), bare, n=1)
    if not found:
        return ""
    one = bare[found[0]]
    if known[one] == one or found[0] == _bare(word):
        return f"Did you mean '{known[one]}'?"
    return f"Did you mean '{one}', which is '{known[one]}'?"


def is_off(variable: str) -> bool:
    """Whether an environment variable switches off what it names: it is no, 0, false or off."""
    return os.environ.get(variable, "").strip().lower() in {"no", "0", "false", "off"}


def _bare(word: str) -> str:
    return re.sub(r"[-_\s]", "", word).casefold()
