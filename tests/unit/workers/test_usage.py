"""What a worker takes of the machine, by the system's own count."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from cifar_core.workers.usage import _gpu_use, card, usage

MEGABYTE = 1 << 20


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells it there")
def test_memory_is_the_resident_set() -> None:
    told = Path("/proc/self/status").read_text()
    resident = 1024 * int(re.search(r"VmRSS:\s+(\d+) kB", told)[1])
    assert usage().memory == pytest.approx(resident, abs=8 * MEGABYTE)


def test_memory_grows_with_what_is_taken() -> None:
    before = usage().memory
    taken = bytearray(b"x") * (64 * MEGABYTE)
    assert usage().memory - before > 60 * MEGABYTE
    assert len(taken) == 64 * MEGABYTE


def test_there_is_no_gpu_where_tensorflow_has_none() -> None:
    import tensorflow as tf

    if tf.config.get_visible_devices("GPU"):
        pytest.skip("this machine has one")
    assert "tensorflow" in sys.modules
    event = usage()
    assert (event.gpu_memory, event.gpu_use) == (None, None)


def test_what_the_driver_does_not_tell_is_no_error() -> None:
    assert _gpu_use(999) is None


@pytest.mark.parametrize(
    ("number", "visible", "name"),
    [(2, None, 2), (2, "", 2), (0, "3", 3), (1, "5, 2", 2), (1, "GPU-a,GPU-b", "GPU-b")],
)
def test_cards_are_numbered_among_all(number: int, visible: str | None, name: int | str) -> None:
    assert card(number, visible) == name
