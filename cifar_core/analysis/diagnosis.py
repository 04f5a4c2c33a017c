"""What a run's figures say of it: whether it overfits, and what to change.

Rules of `remarks`, on the figures of whole epochs; 'lowest' is the lowest validation loss:

- diverged: the run failed because its loss was no number any more.
- jumping: the last ten batch figures give a mean loss over twice that of guessing, ln(classes);
  or in one of the last 3 epochs training loss rose by over a tenth of what it was, and by over a
  twentieth of guessing's, for near 0 a tenth is nothing.
- not learning: 2 epochs or more are done, and train accuracy is hardly above chance, by less than
  a twentieth of the way from there to 100 %.
- overfitting: each of the last 3 epochs or more has a validation loss 1 % or more above the
  lowest, and 0.0001, for near 0 a hundredth is nothing; and training loss is lower than it was
  then. (Rises of a single epoch, or by less, are noise: on CIFAR-10, runs that still improve have
  them.)
- gap: after 3 epochs or more train accuracy is over 5 points above validation accuracy, while
  validation loss still falls.
- plateau: in the last 5 epochs neither loss has come 1 % below what it had been before, and
  neither was below 0.0001 then, which leaves nothing to learn.
- underfitting: the run has done all its epochs, and `verdict` says so.

Rules of `verdict`, on the network that a run leaves:

- overfits: train accuracy, measured with dropout off, is over 10 points above test accuracy; or
  over 5, and the validation loss of the kept epoch is 5 % or more above the lowest. (In single
  epochs of runs that still improve it was up to 4 %.) Where train accuracy is the running mean
  over an epoch, as older runs and the tutorial have it: over 5 points above.
- underfits: else, if train accuracy is less than half the way from chance to 100 %, or if
  validation loss was still falling: in the last epoch by over 5 % below the lowest before. (Not
  where the schedule lowers the learning rate: there it falls to the end, by design; nor where test
  accuracy is 99 % or more.)
- about right: else.

The tutorial's printed histories give 'overfits' for the baseline, a gap of 7.5 points, and
'about right' for dropout, 2.1 points. Those are running means: of an epoch in which the network
still learned, dropout at work, which makes a gap narrow. With dropout off, a network that is cured
by dropout keeps a gap as wide as the baseline's, for it learns more of both: on the JPEG copy 9.6
points (baseline, test accuracy 68.0 %) and 9.3 (dropout, 71.5 %), on the built-in images 9.2 to
11.6 (three seeds, 80.8 to 83.2 %) and 8.9 to 9.9 (86.0 to 87.4 %). What tells them apart is whether
validation loss has turned.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Any

from ..config import MOST_EPOCHS, WIDTHS, TrainingConfig
from ..runs.events import EpochEvent, RunState
from ..runs.history import History, highest_rate
from ..runs.status import Status
from ..runs.summary import Summary

WIDE_GAP = 0.05
"""Of the running mean over an epoch; of the measured train accuracy where loss has turned, too."""
VERY_WIDE_GAP = 0.10
"""Of the measured train accuracy, whatever the loss."""
_RISE = 0.01  # of validation loss against the lowest, in several epochs, to be more than noise
_TURNED = 0.05  # in one epoch
_NEARLY_0 = 0.0001  # of a loss or its rise, in nats
_WAIT = 3  # epochs
_LONG_WAIT = 5
_STILL_FALLING = 0.05
_MOST = 0.99  # test accuracy that leaves next to nothing to learn
_MOST_REMEDIES = 4
_DIVERGED = "a loss must stay a number"  # how RunDiverged's message begins

_USUAL_RATES = {
    "adam": 0.001,
    "adamw": 0.001,
    "rmsprop": 0.001,
    "sgd": 0.01,
    "adagrad": 0.01,
    "muon": 0.05,
}


class Kind(StrEnum):
    """What is to be remarked on a run."""

    DIVERGED = "diverged"
    JUMPING = "jumping"
    NOT_LEARNING = "not-learning"
    OVERFITTING = "overfitting"
    GAP = "gap"
    PLATEAU = "plateau"
    UNDERFITTING = "underfitting"


class Fit(StrEnum):
    """How well a network suits its images."""

    UNDERFITS = "underfits"
    ABOUT_RIGHT = "about-right"
    OVERFITS = "overfits"


@dataclass(frozen=True)
class Remedy:
    """One thing to change in a run's settings.

    Attributes:
        name: the setting it is about.
        changes: settings by name, for `dataclasses.replace` on the run's TrainingConfig.
    """

    name: str
    changes: Mapping[str, Any]


@dataclass(frozen=True)
class Remark:
    """What is seen in a run.

    Attributes:
        kind: which rule holds.
        numbers: what the rule rests on, by the names that a sentence uses: losses, accuracies
            (0 to 1), epochs; see each rule's function.
        remedies: the best first; only what the run does not have yet.
    """

    kind: Kind
    numbers: Mapping[str, float] = field(default_factory=dict)
    remedies: tuple[Remedy, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """How well a network suits its images, and the numbers that say so.

    Attributes:
        fit: the verdict.
        train_accuracy, test_accuracy: 0 to 1.
        turned: by what share the kept epoch's validation loss is above the lowest.
        falling: by what share the last epoch's validation loss was below the lowest before; 0
            where it was not, or where there was one epoch only.
        remedies: what to try next, the best first; none where it is about right.
    """

    fit: Fit
    train_accuracy: float
    test_accuracy: float
    turned: float
    falling: float
    remedies: tuple[Remedy, ...]

    @property
    def gap(self) -> float:
        """Generalisation gap: train accuracy less test accuracy."""
        return self.train_accuracy - self.test_accuracy


def verdict(
    train_accuracy: float,
    test_accuracy: float,
    epochs: Sequence[EpochEvent],
    config: TrainingConfig,
    classes: int = 10,
    *,
    kept: EpochEvent | None = None,
    is_running_mean: bool = False,
) -> Verdict:
    """Whether a network underfits, overfits or is about right, by this module's rules.

    Args:
        train_accuracy: of the network on images that trained it, 0 to 1.
        test_accuracy: of that network, 0 to 1.
        epochs: all epochs of the run.
        config: the run's settings, for what to try next.
        classes: how many there are.
        kept: the epoch whose network it is; by default the last.
        is_running_mean: train accuracy is that of the epoch's curve instead.
    """
    falling = _falling(epochs) if config.schedule == "constant" else 0.0
    best = best_epoch(epochs)
    kept = kept or (epochs[-1] if epochs else None)
    has_turned = bool(best and kept and _is_above(kept.val_loss, best.val_loss, _TURNED))
    limit = WIDE_GAP if is_running_mean or has_turned else VERY_WIDE_GAP
    remedies: tuple[Remedy, ...]
    if train_accuracy - test_accuracy > limit:
        fit, remedies = Fit.OVERFITS, _against_overfitting(config)
    elif (falling > _STILL_FALLING and test_accuracy < _MOST) or _above_chance(
        train_accuracy, classes
    ) < 0.5:
        fit, remedies = Fit.UNDERFITS, _against_underfitting(config)
    else:
        fit, remedies = Fit.ABOUT_RIGHT, ()
    turned = 0.0
    if best and kept and has_turned and best.val_loss:
        turned = kept.val_loss / best.val_loss - 1
    return Verdict(fit, train_accuracy, test_accuracy, turned, falling, remedies)


def of_summary(summary: Summary, epochs: Sequence[EpochEvent]) -> Verdict | None:
    """The verdict on a run's network; None where its two accuracies are not known.

    Args:
        summary: the run.
        epochs: all of its epochs.
    """
    if summary.train_accuracy is None or summary.test_accuracy is None:
        return None
    return verdict(
        summary.train_accuracy,
        summary.test_accuracy,
        epochs,
        summary.config,
        len(summary.class_names) or 10,
        kept=summary.status.kept,
        is_running_mean=summary.train_images is None,
    )


def best_epoch(epochs: Sequence[EpochEvent]) -> EpochEvent | None:
    """The epoch with the lowest validation loss, the first of equals; None before the first."""
    return min(epochs, key=lambda event: event.val_loss, default=None)


def remarks(history: History, config: TrainingConfig, classes: int = 10) -> list[Remark]:
    """What is to be said of a run, live or ended, by this module's rules; worst first.

    Args:
        history: its events so far.
        config: its settings, so that remedies are changes to them.
        classes: how many there are.
    """
    rate = highest_rate(history.rates, config)
    epochs = history.epochs
    alone = _diverged(history, config, rate) or _not_learning(epochs, config, rate, classes)
    if alone:
        return [alone]
    found = [
        _jumping(history, config, rate, classes),
        _overfitting(epochs, config) or _gap(epochs, config),
        _plateau(epochs, config, rate),
    ]
    if not any(found):
        found = [_underfitting(history, config, classes)]
    return [remark for remark in found if remark]


def _diverged(history: History, config: TrainingConfig, rate: float) -> Remark | None:
    """Numbers: `rate`, the learning rate it failed at."""
    end = history.states[-1] if history.states else None
    if not end or end.state is not RunState.FAILED or not end.message.startswith(_DIVERGED):
        return None
    return Remark(Kind.DIVERGED, {"rate": rate}, _against_jumps(config, rate))


def _jumping(history: History, config: TrainingConfig, rate: float, classes: int) -> Remark | None:
    """Numbers: `before` and `after`, the losses; `epoch`; `rate`."""
    recent = [event.loss for event in history.batches[-10:]]
    guessing = -math.log(_chance(classes))
    remedies = _against_jumps(config, rate)
    if len(recent) == 10 and sum(recent) / 10 > 2 * guessing:
        now = {"epoch": history.batches[-1].epoch, "before": guessing, "after": sum(recent) / 10}
        return Remark(Kind.JUMPING, {**now, "rate": rate}, remedies)
    epochs = history.epochs
    for before, after in reversed(list(pairwise(epochs))[-_WAIT:]):
        if after.loss - before.loss > max(0.1 * before.loss, 0.05 * guessing):
            jump = {"epoch": after.epoch, "before": before.loss, "after": after.loss}
            return Remark(Kind.JUMPING, {**jump, "rate": rate}, remedies)
    return None


def _not_learning(
    epochs: Sequence[EpochEvent], config: TrainingConfig, rate: float, classes: int
) -> Remark | None:
    """Numbers: `epochs` done, train `accuracy`, `chance`."""
    if len(epochs) < 2 or _above_chance(epochs[-1].accuracy, classes) >= 0.05:
        return None
    usual = _USUAL_RATES[config.optimiser]
    remedies = _those(
        (True, _change("learning_rate", usual if rate < usual else _lower(config, rate))),
        (not config.batch_norm, _change("batch_norm", True)),
        (config.dropout > 0.5, _change("dropout", 0.4)),
    )
    chance = _chance(classes)
    numbers = {"epochs": len(epochs), "accuracy": epochs[-1].accuracy, "chance": chance}
    return Remark(Kind.NOT_LEARNING, numbers, remedies)


def _overfitting(epochs: Sequence[EpochEvent], config: TrainingConfig) -> Remark | None:
    """Numbers: `epochs` since the `best` epoch; the validation loss then, `lowest`, and `now`."""
    best = best_epoch(epochs)
    recent = epochs[-_WAIT:]
    if (
        best is None
        or len(recent) < _WAIT
        or not _is_above(min(event.val_loss for event in recent), best.val_loss)
        or epochs[-1].loss >= best.loss
    ):
        return None
    numbers = {
        "epochs": epochs[-1].epoch - best.epoch,
        "best": best.epoch,
        "lowest": best.val_loss,
        "now": epochs[-1].val_loss,
    }
    return Remark(Kind.OVERFITTING, numbers, _against_overfitting(config))


def _gap(epochs: Sequence[EpochEvent], config: TrainingConfig) -> Remark | None:
    """Numbers: `train` and `validation` accuracy, and the `gap` between them."""
    if len(epochs) < _WAIT or epochs[-1].accuracy - epochs[-1].val_accuracy <= WIDE_GAP:
        return None
    train, validation = epochs[-1].accuracy, epochs[-1].val_accuracy
    numbers = {"train": train, "validation": validation, "gap": train - validation}
    return Remark(Kind.GAP, numbers, _against_overfitting(config))


def _plateau(epochs: Sequence[EpochEvent], config: TrainingConfig, rate: float) -> Remark | None:
    """Numbers: `epochs` without progress, and the validation loss `now`."""
    before, recent = epochs[:-_LONG_WAIT], epochs[-_LONG_WAIT:]
    if not before:
        return None
    for name in ("loss", "val_loss"):
        lowest, new = (min(getattr(event, name) for event in part) for part in (before, recent))
        if lowest < _NEARLY_0 or new < 0.99 * lowest:
            return None
    is_constant = config.schedule == "constant"
    remedies = _those(
        (is_constant, _change("schedule", "one-cycle")),
        (is_constant, _change("learning_rate", _lower(config, rate))),
        (not config.patience, _early_stopping(config)),
        (config.width < max(WIDTHS), _change("width", config.width * 2)),
    )
    return Remark(Kind.PLATEAU, {"epochs": _LONG_WAIT, "now": epochs[-1].val_loss}, remedies)


def _underfitting(history: History, config: TrainingConfig, classes: int) -> Remark | None:
    """Numbers: `train` and `validation` accuracy; `falling`, as in `Verdict`."""
    if not history.epochs or Status.of(history).state is not RunState.FINISHED:
        return None
    last = history.epochs[-1]
    found = verdict(
        last.accuracy, last.val_accuracy, history.epochs, config, classes, is_running_mean=True
    )
    if found.fit is not Fit.UNDERFITS:
        return None
    numbers = {"train": last.accuracy, "validation": last.val_accuracy, "falling": found.falling}
    return Remark(Kind.UNDERFITTING, numbers, found.remedies)


def _above_chance(accuracy: float, classes: int) -> float:
    """Accuracy as a share of the way from chance, 0, to 100 %, 1."""
    chance = _chance(classes)
    return (accuracy - chance) / (1 - chance)


def _is_above(loss: float, lowest: float, share: float = _RISE) -> bool:
    """Whether a validation loss is above the lowest by a share of it, and by more than nothing."""
    return loss - lowest >= max(share * lowest, _NEARLY_0)


def _chance(classes: int) -> float:
    """Accuracy of guessing; of two classes where nothing says how many there are."""
    return 1 / max(classes, 2)


def _falling(epochs: Sequence[EpochEvent]) -> float:
    before = min((event.val_loss for event in epochs[:-1]), default=0.0)
    return max(0.0, 1 - epochs[-1].val_loss / before) if before > 0 else 0.0


# Remedies


def _change(name: str, value: Any) -> Remedy:
    return Remedy(name, {name: value})


def _those(*remedies: tuple[bool, Remedy]) -> tuple[Remedy, ...]:
    """The remedies that would change something, the first few of them."""
    return tuple(remedy for is_change, remedy in remedies if is_change)[:_MOST_REMEDIES]


def _lower(config: TrainingConfig, rate: float) -> float:
    """A tenth of a learning rate, and not above the usual one; never 0, which is no rate."""
    return min(float(f"{rate / 10:.3g}"), _USUAL_RATES[config.optimiser]) or rate


def _early_stopping(config: TrainingConfig) -> Remedy:
    """On a hold-out, where the test set would be chosen by otherwise."""
    apart = {"validation": "holdout"} if config.validation == "test" else {}
    return Remedy("patience", {"patience": 3, **apart})


def _against_overfitting(config: TrainingConfig) -> tuple[Remedy, ...]:
    return _those(
        (config.train_images > 0, _change("train_images", 0)),
        (config.dropout < 0.4, _change("dropout", 0.4)),
        (not config.flip, _change("flip", True)),
        (not config.l2 and not config.weight_decay, _change("l2", 0.001)),
        (not config.patience, _early_stopping(config)),
        (config.width > min(WIDTHS), _change("width", config.width / 2)),
    )


def _against_underfitting(config: TrainingConfig) -> tuple[Remedy, ...]:
    return _those(
        (config.epochs < MOST_EPOCHS, _change("epochs", min(2 * config.epochs, MOST_EPOCHS))),
        (config.dropout > 0.5, _change("dropout", 0.4)),
        (config.l2 > 0.001, _change("l2", 0.0)),
        (not config.standardise, _change("standardise", True)),
        (config.width < max(WIDTHS), _change("width", config.width * 2)),
    )


def _against_jumps(config: TrainingConfig, rate: float) -> tuple[Remedy, ...]:
    adam = Remedy("optimiser", {"optimiser": "adam", "learning_rate": 0.001})
    return _those(
        (True, _change("learning_rate", _lower(config, rate))),
        (config.optimiser == "sgd", adam),
        (not config.batch_norm, _change("batch_norm", True)),
        (config.precision != "float32", _change("precision", "float32")),
    )
