"""What is said of a run: on the tutorial's figures, on invented ones, and on a real failure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cifar_core.analysis.diagnosis import Fit, Kind, best_epoch, of_summary, remarks, verdict
from cifar_core.config import PRESETS, TrainingConfig
from cifar_core.runs.batches import Batches
from cifar_core.runs.events import BatchEvent, EpochEvent, RateEvent, RunState, StateEvent
from cifar_core.runs.history import History
from cifar_core.runs.printed import printed_histories
from cifar_core.runs.run import Run
from cifar_core.runs.store import SHIPPED, RunStore
from cifar_core.runs.summary import Summary
from cifar_core.workers.worker import execute

BASELINE, DROPOUT = PRESETS["tutorial-baseline"], PRESETS["tutorial-dropout"]


def history(loss, val_loss, accuracy=0.6, val_accuracy=0.58, state=RunState.RUNNING) -> History:
    """Epochs with these losses; accuracies may be one for each or one for all."""
    columns = np.broadcast_arrays(loss, val_loss, accuracy, val_accuracy)
    names = ("loss", "val_loss", "accuracy", "val_accuracy")
    return History(
        epochs=[
            EpochEvent(step=10 * n, epoch=n, seconds=1, **dict(zip(names, row, strict=True)))
            for n, row in enumerate(zip(*map(np.ndarray.tolist, columns), strict=True), 1)
        ],
        states=[StateEvent(state=state)],
    )


def falling(epochs: int, start: float = 2.0, share: float = 0.9) -> np.ndarray:
    return start * share ** np.arange(epochs)


def kinds(history: History, config: TrainingConfig = BASELINE, classes: int = 10) -> list[Kind]:
    return [remark.kind for remark in remarks(history, config, classes)]


def until(history: History, epoch: int) -> History:
    return History(epochs=history.epochs[:epoch])


def test_the_tutorials_baseline_overfits_and_its_dropout_cures_it() -> None:
    printed = printed_histories()
    baseline, dropout = printed["tutorial-baseline"], printed["tutorial-dropout"]
    seen = [kinds(until(baseline, epoch)) for epoch in range(1, 11)]
    assert seen == [[]] * 7 + [[Kind.GAP]] * 2 + [[Kind.OVERFITTING]]
    assert all(kinds(until(dropout, epoch), DROPOUT) == [] for epoch in range(1, 16))
    (remark,) = remarks(baseline, BASELINE)
    assert remark.numbers == {"epochs": 3, "best": 7, "lowest": 0.8565, "now": 0.8741}
    assert remark.remedies[0].changes == {"dropout": 0.4}
    assert best_epoch(baseline.epochs).epoch == 7


def test_the_verdicts_on_the_tutorials_runs() -> None:
    printed = printed_histories()
    epochs = printed["tutorial-baseline"].epochs
    found = verdict(0.7865, 0.7117, epochs, BASELINE, is_running_mean=True)
    assert found.fit is Fit.OVERFITS
    assert found.gap == pytest.approx(0.0748)
    assert found.remedies[0].name == "dropout"
    epochs_of_dropout = printed["tutorial-dropout"].epochs
    found = verdict(0.7535, 0.7329, epochs_of_dropout, DROPOUT, is_running_mean=True)
    assert (found.fit, found.remedies) == (Fit.ABOUT_RIGHT, ())
    assert found.falling == pytest.approx(1 - 0.7707 / 0.7820)
    assert verdict(0.6531, 0.6471, epochs[:3], replace(BASELINE, epochs=3)).fit is Fit.UNDERFITS


@pytest.mark.parametrize(
    ("train", "test", "classes", "fit"),
    [
        (0.54, 0.53, 10, Fit.UNDERFITS),
        (0.56, 0.55, 10, Fit.ABOUT_RIGHT),
        (0.56, 0.55, 2, Fit.UNDERFITS),
        (0.76, 0.75, 2, Fit.ABOUT_RIGHT),
        (0.90, 0.86, 10, Fit.ABOUT_RIGHT),
        (0.90, 0.84, 10, Fit.OVERFITS),
        (0.50, 0.44, 10, Fit.OVERFITS),
        (0.70, 0.75, 10, Fit.ABOUT_RIGHT),
    ],
)
def test_the_verdicts_bounds(train: float, test: float, classes: int, fit: Fit) -> None:
    still = history([1.0, 0.99], [1.0, 0.99]).epochs
    found = verdict(train, test, still, BASELINE, classes, is_running_mean=True)
    assert found.fit is fit


@pytest.mark.parametrize(
    ("train", "test", "val_losses", "fit"),
    [
        (0.90, 0.81, [1.0, 0.99], Fit.ABOUT_RIGHT),
        (0.90, 0.79, [1.0, 0.99], Fit.OVERFITS),
        (0.90, 0.84, [0.99, 0.99], Fit.ABOUT_RIGHT),
        (0.90, 0.84, [0.99, 1.03], Fit.ABOUT_RIGHT),
        (0.90, 0.84, [0.99, 1.05], Fit.OVERFITS),
        (0.90, 0.86, [0.99, 1.05], Fit.ABOUT_RIGHT),
    ],
)
def test_the_bounds_of_a_measured_train_accuracy(
    train: float, test: float, val_losses: list[float], fit: Fit
) -> None:
    """Dropout off, a wide gap alone says nothing as long as validation loss has not turned."""
    epochs = history([1.0, 0.9], val_losses).epochs
    found = verdict(train, test, epochs, BASELINE)
    assert found.fit is fit
    assert (found.turned > 0) is (val_losses[1] > 1.05 * val_losses[0])
    kept = verdict(train, test, epochs, BASELINE, kept=epochs[0])
    assert kept.turned == 0


def test_the_verdicts_on_the_runs_that_ship() -> None:
    """Dropout keeps a measured gap as wide as the baseline's, and is cured all the same."""
    fits = {}
    for name in ("tutorial-baseline", "tutorial-dropout", "fast", "best"):
        run = Run(SHIPPED / name, is_reference=True)
        summary = Summary.of(run)
        assert summary.train_images == 10_000
        fits[name] = of_summary(summary, run.history().epochs).fit
        assert summary.gap > 0.04
    assert fits == {
        "tutorial-baseline": Fit.OVERFITS,
        "tutorial-dropout": Fit.ABOUT_RIGHT,
        "fast": Fit.ABOUT_RIGHT,
        "best": Fit.ABOUT_RIGHT,
    }


def test_an_epoch_of_noise_is_no_overfitting() -> None:
    # From a real run with dropout on photos: it had its lowest loss in the epoch after these.
    noisy = [1.27, 1.18, 1.04, 1.01, 0.97, 0.92, 0.91, 0.88, 0.87, 0.84, 0.827, 0.881, 0.829, 0.871]
    assert kinds(history(falling(14, 1.6, 0.94), noisy), DROPOUT) == []


def test_overfitting_needs_the_training_loss_to_fall() -> None:
    rising = [1.0, 0.9, 0.95, 1.0, 1.05]
    (remark,) = remarks(history(falling(5), rising), BASELINE)
    assert remark.kind is Kind.OVERFITTING
    assert remark.numbers == {"epochs": 3, "best": 2, "lowest": 0.9, "now": 1.05}
    assert kinds(history([1.0, 0.9, 0.93, 0.94, 0.95], rising)) == []


def test_a_wide_gap_is_told_while_validation_loss_still_falls() -> None:
    wide = history(falling(4), falling(4), accuracy=0.8, val_accuracy=0.7)
    (remark,) = remarks(wide, BASELINE)
    assert remark.kind is Kind.GAP
    assert remark.numbers["gap"] == pytest.approx(0.1)
    assert kinds(until(wide, 2)) == []


@pytest.mark.parametrize(("accuracy", "classes", "told"), [(0.14, 10, True), (0.15, 10, False)])
@pytest.mark.parametrize("epochs", [1, 2])
def test_not_learning(accuracy: float, classes: int, told: bool, epochs: int) -> None:
    flat = history([2.3] * epochs, [2.3] * epochs, accuracy, accuracy)
    assert kinds(flat, classes=classes) == [Kind.NOT_LEARNING] * (told and epochs == 2)


def test_what_does_not_learn_gets_a_usual_rate() -> None:
    flat = history([2.3, 2.3], [2.3, 2.3], 0.1, 0.1)
    for given, proposed in ((0.1, 0.001), (0.002, 0.0002), (1e-6, 0.001)):
        (remark,) = remarks(flat, replace(BASELINE, learning_rate=given))
        assert remark.remedies[0].changes == {"learning_rate": proposed}
    (remark,) = remarks(flat, replace(BASELINE, optimiser="sgd", learning_rate=0.001))
    assert remark.remedies[0].changes == {"learning_rate": 0.01}


def test_a_loss_that_jumps() -> None:
    jump = history([1.5, 1.2, 1.4, 1.1], [1.5, 1.3, 1.4, 1.2])
    (remark,) = remarks(jump, BASELINE)
    assert remark.kind is Kind.JUMPING
    assert remark.numbers == {"epoch": 3, "before": 1.2, "after": 1.4, "rate": 0.001}
    assert remark.remedies[0].changes == {"learning_rate": 0.0001}
    assert kinds(history([0.06, 0.04, 0.09], [0.5, 0.4, 0.3])) == [], "near 0 a jump is nothing"
    later = history([1.5, 1.2, 1.4, 1.1, 1.0, 0.9], [1.5, 1.3, 1.4, 1.2, 1.1, 1.0])
    assert kinds(later) == []


def test_a_loss_far_above_guessing_is_told_within_the_first_epoch() -> None:
    def batches(loss: float) -> History:
        figures = {"epoch": 1, "accuracy": 0.1, "images_per_second": 1.0}
        return History(Batches(BatchEvent(step=n, loss=loss, **figures) for n in range(10)))

    assert kinds(batches(2.3)) == []
    (remark,) = remarks(batches(40.0), replace(BASELINE, learning_rate=0.5))
    assert remark.kind is Kind.JUMPING
    assert remark.remedies[0].changes == {"learning_rate": 0.001}
    changed = batches(40.0)
    changed.rates = [RateEvent(step=3, learning_rate=0.002)]
    assert remarks(changed, BASELINE)[0].remedies[0].changes == {"learning_rate": 0.0002}


def test_a_plateau() -> None:
    flat = [1.5, 1.0] + [0.995] * 5
    (remark,) = remarks(history(flat, flat), BASELINE)
    assert remark.kind is Kind.PLATEAU
    assert [remedy.name for remedy in remark.remedies] == [
        "schedule",
        "learning_rate",
        "patience",
        "width",
    ]
    assert kinds(history(flat[:-1], flat[:-1])) == []
    assert kinds(history([1.5, *falling(6, 1.0, 0.97)], flat)) == []


def test_a_finished_run_that_still_learned_is_told_to_go_on() -> None:
    short = history(falling(3), falling(3), state=RunState.FINISHED)
    (remark,) = remarks(short, replace(BASELINE, epochs=3))
    assert remark.kind is Kind.UNDERFITTING
    assert remark.remedies[0].changes == {"epochs": 6}
    for state in (RunState.RUNNING, RunState.STOPPED):
        assert kinds(history(falling(3), falling(3), state=state)) == []


def test_a_schedule_that_ends_low_lets_the_loss_fall_to_the_end() -> None:
    short = history(falling(3), falling(3)).epochs
    assert verdict(0.8, 0.79, short, BASELINE).fit is Fit.UNDERFITS
    assert verdict(0.8, 0.79, short, PRESETS["best"]).fit is Fit.ABOUT_RIGHT


def test_a_network_that_is_right_is_not_told_to_go_on() -> None:
    short = history(falling(3), falling(3)).epochs
    assert verdict(1.0, 0.99, short, BASELINE).fit is Fit.ABOUT_RIGHT
    assert verdict(1.0, 0.98, short, BASELINE).fit is Fit.UNDERFITS


def test_early_stopping_is_not_proposed_on_the_test_set() -> None:
    rising = history(falling(5), [1.0, 0.9, 0.95, 1.0, 1.05])

    def proposed(config: TrainingConfig) -> dict[str, dict]:
        (remark,) = remarks(rising, config)
        return {remedy.name: dict(remedy.changes) for remedy in remark.remedies}

    assert proposed(BASELINE)["patience"] == {"patience": 3, "validation": "holdout"}
    held_out = replace(BASELINE, validation="holdout")
    assert proposed(held_out)["patience"] == {"patience": 3}


def test_remedies_are_valid_changes_that_the_run_does_not_have() -> None:
    rng = np.random.default_rng(0)
    rising = history(falling(5), [1.0, 0.9, 0.95, 1.0, 1.05])
    options = {
        "dropout": (0.0, 0.4, 0.7),
        "flip": (False, True),
        "l2": (0.0, 0.01),
        "patience": (0, 3),
        "train_images": (0, 5000),
        "width": (0.5, 1.0, 2.0),
        "schedule": ("constant", "cosine"),
        "optimiser": ("adam", "sgd"),
        "epochs": (1, 1000),
        "batch_norm": (False, True),
    }
    flat = history([1.0] * 7, [1.0] * 7)
    stuck = history([2.3] * 3, [2.3] * 3, 0.1, 0.1)
    short = history(falling(3), falling(3), state=RunState.FINISHED)
    jump = history([1.2, 1.4], [1.2, 1.4])
    for _ in range(50):
        config = TrainingConfig(
            **{name: values[rng.integers(len(values))] for name, values in options.items()}
        )
        for one in (rising, flat, stuck, short, jump):
            found = remarks(one, config)
            if one is short and config.schedule != "constant":
                assert found == []
                continue
            (remark,) = found
            assert len(remark.remedies) <= 4
            for remedy in remark.remedies:
                assert replace(config, **remedy.changes) != config
                assert getattr(config, remedy.name) != remedy.changes[remedy.name]


def test_losses_of_0_are_no_overfitting_and_no_plateau() -> None:
    nothing = np.zeros(9)
    assert kinds(history(nothing, nothing, 1.0, 1.0)) == []
    assert kinds(history(falling(9, 1e-3), nothing, 1.0, 1.0)) == []
    assert kinds(history(nothing, np.full(9, 0.3), 1.0, 0.99)) == []
    hardly = [1e-3, 0.0, *[5e-5] * 5]
    assert kinds(history(falling(7, 1e-3), hardly, 1.0, 1.0)) == []
    rises = [1e-3, 0.0, *[0.2] * 5]
    assert kinds(history(falling(7, 1e-3), rises, 1.0, 0.98)) == [Kind.OVERFITTING]


@pytest.mark.parametrize("val_loss", [[0.0, 0.0], [0.0, 0.1], [0.0]])
def test_a_verdict_on_a_validation_loss_of_0(val_loss: list[float]) -> None:
    found = verdict(1.0, 1.0, history(val_loss, val_loss, 1.0, 1.0).epochs, BASELINE)
    assert (found.fit, found.falling) == (Fit.ABOUT_RIGHT, 0.0)


@pytest.mark.parametrize("classes", [0, 1])
def test_classes_that_are_not_known_are_two(classes: int) -> None:
    epochs = history([2.0, 1.0], [2.0, 1.0], 0.0, 0.0)
    assert remarks(epochs, BASELINE, classes) == remarks(epochs, BASELINE, 2)
    found = verdict(0.9, 0.9, history([1.0, 1.0], [1.0, 1.0]).epochs, BASELINE, classes)
    assert found.fit is Fit.ABOUT_RIGHT


@pytest.mark.parametrize("rate", [1e-9, 1e-300, 5e-324])
def test_no_remedy_is_a_learning_rate_of_0(rate: float) -> None:
    config = TrainingConfig(learning_rate=rate)
    still = history(np.full(9, 2.0), np.full(9, 2.0))
    jump = history([1.5, 1.2, 1.4], [1.5, 1.3, 1.4])
    diverged = history([], [], [], [])
    diverged.states = [StateEvent(state=RunState.FAILED, message="a loss must stay a number")]
    for told in (still, jump, diverged):
        (remark,) = remarks(told, config)
        changed = [replace(config, **remedy.changes) for remedy in remark.remedies]
        assert all(0 < one.learning_rate <= 10 for one in changed)


def test_a_real_run_whose_loss_is_no_number_any_more(blobs_npz: Path, tmp_path: Path) -> None:
    config = TrainingConfig(epochs=3, optimiser="sgd", learning_rate=10.0)
    run = RunStore(tmp_path).create(config)
    assert execute(run, str(blobs_npz)).state is RunState.FAILED
    (remark,) = remarks(run.history(), config)
    assert remark.kind is Kind.DIVERGED
    assert remark.numbers == {"rate": 10.0}
    assert remark.remedies[0].changes == {"learning_rate": 0.01}


def test_nothing_is_said_of_a_run_that_has_not_begun() -> None:
    assert remarks(History(), BASELINE) == []
    assert best_epoch([]) is None
