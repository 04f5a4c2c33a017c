"""The figures of each epoch as a table."""

from __future__ import annotations

import csv
import io

from ..errors import RunError
from ..runs.events import EpochEvent
from ..runs.run import Run

_CSV_COLUMNS = ("epoch", "step", "seconds", "loss", "accuracy", "val_loss", "val_accuracy")


def whole_epochs(run: Run) -> list[EpochEvent]:
    epochs = run.history().epochs
    if not epochs:
        raise RunError(
            f"curves need a whole epoch. Received: {run.id}, which is {run.state()} and has none."
        )
    return epochs


def history_csv(run: Run) -> str:
    """The figures of each epoch as a CSV table.

    Raises:
        RunError: there is no whole epoch.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(_CSV_COLUMNS)
    writer.writerows([getattr(event, name) for name in _CSV_COLUMNS] for event in whole_epochs(run))
    return file.getvalue()
