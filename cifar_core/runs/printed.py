"""The histories that the tutorial prints, to lay a run of one's own beside.

The figures of its two `fit` calls on CIFAR-10, as printed: the baseline, 10 epochs, and dropout
0.4, 15 epochs, each with batch 32 and the test set as validation data. They ship as runs without
a network, reference/printed-baseline and reference/printed-dropout.
"""

from __future__ import annotations

from functools import cache

from .history import History
from .run import Run
from .store import SHIPPED

IMAGES = "CIFAR-10"
"""The images they were measured on, by the name that the official archive has as a source."""


@cache
def printed_histories() -> dict[str, History]:
    """The figures by the preset they were made with."""
    return {
        f"tutorial-{name}": Run(SHIPPED / f"printed-{name}", is_reference=True).history()
        for name in ("baseline", "dropout")
    }
