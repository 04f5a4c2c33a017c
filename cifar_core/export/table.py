"""The figures of each epoch as a table."""

from __future__ import annotations

import csv
import io

from ..runs.run import Run

_COLUMNS = ("epoch", "step", "seconds", "loss", "accuracy", "val_loss", "val_accuracy")


def history_csv(run: Run) -> str:
    """The figures of each epoch as a CSV table."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    writer.writerows([getattr(event, name) for name in _COLUMNS] for event in run.history().epochs)
    return file.getvalue()
