"""A run on one line, as lists have it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ..config import TrainingConfig
from .events import EpochEvent, RunState
from .run import Mark, Run
from .status import Status


@dataclass(frozen=True)
class Summary:
    """A run on one line.

    Attributes:
        state: where it stands now, by its status and the OS's lock.
        status: what its worker wrote last.
        class_names: of the classes the network tells apart, as `Run.class_names`.
        mark, notes: the user's.
        problems: what of its folder cannot be read, a sentence each.
    """

    run: Run
    state: RunState
    config: TrainingConfig
    environment: dict[str, Any]
    status: Status
    class_names: tuple[str, ...] = ()
    mark: Mark = field(default_factory=Mark)
    notes: str = ""
    problems: tuple[str, ...] = ()

    @classmethod
    def of(cls, run: Run) -> Summary:
        """What a run's folder says now.

        What cannot be read but for the settings is left out, and named in `problems`.

        Raises:
            RunError: config.json cannot be read.
            RunNotFound: the run is gone.
        """
        problems: list[str] = []
        state, status = run.now(run.status())
        environment = run.environment(problems)
        return cls(
            run=run,
            state=state,
            config=run.config(),
            environment=environment,
            status=status,
            class_names=run.class_names(environment),
            mark=run.mark(problems),
            notes=run.notes(problems),
            problems=tuple(problems),
        )

    def refreshed(self) -> Summary:
        """The same of a folder whose files are as they were, with the state the lock shows now."""
        if not self.status.state.is_live:
            return self
        if not self.state.is_live and not self.run.has_worker():
            return self  # interrupted for good, or until its files change
        state, status = self.run.now(self.status)
        same = (state, status) == (self.state, self.status)
        return self if same else replace(self, state=state, status=status)

    @property
    def title(self) -> str:
        """What a person calls the run: its id, after the name that the user gave it."""
        return f"{self.mark.name} ({self.run.id})" if self.mark.name else self.run.id

    @property
    def message(self) -> str:
        """Why the run is in its state, '' where that was not said."""
        return self.status.message

    @property
    def data_name(self) -> str:
        """What the images are called, '' where the run never got to them."""
        return str(self.environment.get("data", {}).get("name", ""))

    @property
    def data_checksum(self) -> str:
        """Checksum of the images, '' where the run never got to them."""
        return str(self.environment.get("data", {}).get("checksum", ""))

    @property
    def last(self) -> EpochEvent | None:
        """The last whole epoch."""
        return self.status.last

    @property
    def epochs(self) -> int:
        """Whole epochs done."""
        return self.last.epoch if self.last else 0

    @property
    def kept_epoch(self) -> int | None:
        """The epoch whose network is saved; None where it is not that of a whole one."""
        return self.status.kept.epoch if self.status.kept else None

    @property
    def train_accuracy(self) -> float | None:
        """Of the saved network, on images that trained it; see `StateEvent`."""
        return self.status.result.train_accuracy if self.status.result else None

    @property
    def train_images(self) -> int | None:
        """How many images that was measured on; None where it is an epoch's running mean."""
        return self.status.result.train_images if self.status.result else None

    @property
    def test_loss(self) -> float | None:
        """Of the saved network on the test set."""
        return self.status.result.test_loss if self.status.result else None

    @property
    def test_accuracy(self) -> float | None:
        """Of the saved network on the test set, 0 to 1."""
        return self.status.result.test_accuracy if self.status.result else None

    @property
    def seconds(self) -> float | None:
        """Wall time of the training that gave the saved network."""
        return self.status.result.seconds if self.status.result else None

    @property
    def gap(self) -> float | None:
        """Generalisation gap: train accuracy less test accuracy."""
        if self.train_accuracy is None or self.test_accuracy is None:
            return None
        return self.train_accuracy - self.test_accuracy

    @property
    def group(self) -> object:
        """What runs that belong together share: settings but seed and fold, and changed rates."""
        changes = tuple((one.step, one.learning_rate) for one in self.status.rates)
        return self.config.group(), changes
