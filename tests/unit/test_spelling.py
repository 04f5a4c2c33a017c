"""Words in other spellings, and the nearest one."""

import pytest

from cifar_core.spelling import meant, nearest

KNOWN = {"one-cycle": "one-cycle", "cosine": "cosine", "half-wave": "cosine"}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("one-cycle", "one-cycle"),
        ("ONE_CYCLE", "one-cycle"),
        ("one cycle", "one-cycle"),
        ("Half-Wave", "cosine"),
        ("cosin", "cosin"),
        ("", ""),
    ],
)
def test_case_and_hyphens_are_no_difference(word: str, expected: str) -> None:
    assert meant(word, KNOWN) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("cosin", "Did you mean 'cosine'?"),
        ("one_cycles", "Did you mean 'one-cycle'?"),
        ("halfwaves", "Did you mean 'half-wave', which is 'cosine'?"),
        ("HALF WAVE", "Did you mean 'cosine'?"),
        ("magic", ""),
        ("", ""),
    ],
)
def test_the_nearest_word_is_asked_for(word: str, expected: str) -> None:
    assert nearest(word, KNOWN) == expected
