"""Runs that differ in seed or fold alone: what they have in common."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .events import RunState
from .summary import Summary


@dataclass(frozen=True)
class Spread:
    """Attributes:
    count: how many values there are.
    mean: their mean.
    deviation: the sample standard deviation, with count - 1; None for a single value.
    """

    count: int
    mean: float
    deviation: float | None


def spread(values: Iterable[float | None]) -> Spread | None:
    """Mean and spread of those values that are there; None where none is."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    deviation = statistics.stdev(known) if len(known) > 1 else None
    return Spread(len(known), statistics.fmean(known), deviation)


def group_of(summary: Summary, summaries: Sequence[Summary]) -> list[Summary]:
    """The runs with a run's settings, changes of its rate and images, seed and fold aside.

    Of runs with the same seed and fold, which would make a spread too small, the first that is
    finished stands for all, or the first. A run that has not read its images yet is taken to have
    the group's.

    Args:
        summary: a run.
        summaries: the runs to look among, that one included.

    Returns:
        One run for each seed and fold, by seed, then fold.
    """
    alike = [one for one in summaries if one.group == summary.group]
    images = next((one.data_checksum for one in [summary, *alike] if one.data_checksum), "")
    members: dict[tuple[int, int], Summary] = {}
    for one in sorted(alike, key=lambda one: one.state is not RunState.FINISHED):
        if one.data_checksum in (images, ""):
            members.setdefault((one.config.seed, one.config.fold), one)
    return [members[place] for place in sorted(members)]


def validation_accuracy(summary: Summary) -> float | None:
    """Of the epoch whose network is saved, else of the last one."""
    epoch = summary.status.kept or summary.last
    return epoch.val_accuracy if epoch else None
