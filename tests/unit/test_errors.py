"""What errors are put together of."""

from __future__ import annotations

import pytest

from cifar_core.errors import counted


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 epochs"), (1, "1 epoch"), (2, "2 epochs"), (2000, "2,000 epochs")]
)
def test_one_thing_is_no_plural(number: int, said: str) -> None:
    assert counted(number, "epoch") == said
