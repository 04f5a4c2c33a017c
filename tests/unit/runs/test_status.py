"""A run says what it is: status.json is what its log comes to, and lists read it alone."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cifar_core.config import TrainingConfig
from cifar_core.data import Dataset
from cifar_core.data.dataset import sample
from cifar_core.errors import RunError
from cifar_core.export.report import html_report
from cifar_core.network.predict import predict_probabilities
from cifar_core.runs.events import (
    BatchEvent,
    EpochEvent,
    Event,
    LogEvent,
    RateEvent,
    RunState,
    StateEvent,
    to_line,
)
from cifar_core.runs.groups import group_of
from cifar_core.runs.history import History
from cifar_core.runs.run import Run
from cifar_core.runs.status import Status
from cifar_core.runs.store import RunStore
from cifar_core.runs.summary import Summary
from cifar_core.workers.launch import prepare_resume
from cifar_core.workers.worker import execute
from tests.conftest import ROOT

CONFIG = TrainingConfig(epochs=10)
RESULT = StateEvent(
    state=RunState.FINISHED,
    epoch=5,
    train_accuracy=0.7,
    train_images=400,
    test_loss=1.0,
    test_accuracy=0.6,
    seconds=9.0,
)


def epoch(number: int, **figures: float) -> EpochEvent:
    values = {"loss": 1.0, "accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.6, "seconds": 2.0}
    return EpochEvent(step=100 * number, epoch=number, **{**values, **figures})


def batch(step: int) -> BatchEvent:
    return BatchEvent(
        step=step, epoch=step // 100 + 1, loss=1.234567890123, accuracy=0.5, images_per_second=417.1
    )


@pytest.fixture
def run(store: RunStore) -> Run:
    return store.create(CONFIG, "run")


def tell(run: Run, *events: Event) -> None:
    for event in events:
        run.append(event)


def as_older(run: Run) -> None:
    """Leave the run as versions before status.json wrote it."""
    (run.path / "status.json").unlink()


RUNNING = StateEvent(state=RunState.RUNNING)
EPOCHS = [epoch(number) for number in range(1, 6)]
WENT_ON = [StateEvent(state=RunState.STARTING), RUNNING]


@pytest.mark.parametrize("older", [False, True])
def test_an_epoch_may_last_as_long_as_it_likes(store: RunStore, run: Run, older: bool) -> None:
    tell(run, RUNNING, *EPOCHS)
    with (run.path / "events.jsonl").open("a") as file:  # five a second, for five minutes
        file.writelines(to_line(batch(501)) for _ in range(1500))
    if older:
        as_older(run)
    assert [one.epochs for one in store.summaries()] == [5]
    with pytest.raises(RunError, match="has done 5 of 3"):
        prepare_resume(run, 3)


def test_lists_read_the_status_alone(store: RunStore, run: Run) -> None:
    tell(run, RUNNING, *EPOCHS, RESULT)
    before = store.summaries()
    (run.path / "events.jsonl").unlink()
    (after,) = RunStore(store.root).summaries()
    assert (after.status, after.state) == (before[0].status, RunState.FINISHED)
    assert (after.epochs, after.kept_epoch, after.test_accuracy) == (5, 5, 0.6)
    assert (after.train_accuracy, after.train_images, after.seconds) == (0.7, 400, 9.0)


@pytest.mark.parametrize("seed", range(20))
def test_the_status_is_what_the_log_comes_to(run: Run, seed: int) -> None:
    """Whatever happens to a run, in whatever order, and whoever reads it."""
    rng = np.random.default_rng(seed)
    for number in range(60):
        events = [
            batch(int(rng.integers(1, 900))),
            epoch(int(rng.integers(1, 9)), val_loss=float(rng.random())),
            RateEvent(step=int(rng.integers(0, 900)), learning_rate=float(rng.random() + 0.1)),
            LogEvent(message="words"),
            StateEvent(state=RunState(rng.choice(["starting", "queued", "running"]))),
            StateEvent(state=RunState.RUNNING, step=int(rng.integers(0, 900))),
            StateEvent(state=RunState(rng.choice(["failed", "stopped"])), message=str(number)),
            replace(RESULT, epoch=int(rng.integers(1, 9)), test_accuracy=float(rng.random())),
        ]
        run.append(events[rng.integers(len(events))])
        if (run.path / "status.json").exists():
            written = Status.from_json(json.loads((run.path / "status.json").read_text()))
            assert written == Status.of(run.history()) == Run(run.path).status()


def test_a_status_of_another_format_is_read_from_the_log(run: Run) -> None:
    tell(run, RUNNING, *EPOCHS, RESULT)
    right, file = run.status(), run.path / "status.json"
    for text in ("", "{", "[]", "7", '{"format": 2}', '{"format": 1}', "\0\0"):
        file.write_text(text)
        assert run.status() == right
    values = {**right.to_json(), "brand_new": 1}
    file.write_text(json.dumps(values))
    assert run.status() == right


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize(
    "end",
    [
        StateEvent(state=RunState.STOPPED, message="cancelled while it waited in line"),
        StateEvent(state=RunState.FAILED, message="the images moved"),
    ],
    ids=["cancelled", "failed"],
)
def test_a_result_stays_when_going_on_ends_before_it_begins(
    store: RunStore, run: Run, end: StateEvent, older: bool
) -> None:
    tell(run, RUNNING, *EPOCHS, RESULT, *WENT_ON, end)
    if older:
        as_older(run)
    (summary,) = store.summaries()
    assert summary.state is RunState.FINISHED
    assert (summary.test_accuracy, summary.kept_epoch, summary.seconds) == (0.6, 5, 9.0)
    assert summary.status.tried == end


def test_a_result_stays_until_there_are_new_epochs(store: RunStore, run: Run) -> None:
    tell(run, RUNNING, *EPOCHS, RESULT, *WENT_ON, StateEvent(state=RunState.RUNNING, step=500))
    failed = StateEvent(state=RunState.FAILED, message="the loss is no number")
    tell(run, batch(520), failed)
    (summary,) = store.summaries()
    assert (summary.state, summary.message) == (RunState.FAILED, failed.message)
    assert (summary.test_accuracy, summary.status.tried) == (0.6, None)
    tell(run, *WENT_ON, epoch(6), failed)
    (summary,) = store.summaries()
    assert (summary.epochs, summary.test_accuracy, summary.kept_epoch) == (6, None, None)


def test_a_killed_attempt_to_go_on_leaves_the_result(store: RunStore, run: Run) -> None:
    tell(run, RUNNING, *EPOCHS, RESULT, *WENT_ON)
    (summary,) = store.summaries()
    assert (summary.state, summary.test_accuracy) == (RunState.FINISHED, 0.6)
    assert summary.status.tried.state is RunState.INTERRUPTED


def test_settings_change_when_going_on_begins(
    store: RunStore, blobs: Dataset, blobs_npz: Path, tmp_path: Path
) -> None:
    run = store.create(TrainingConfig(epochs=1), "run")
    execute(run, str(blobs_npz))
    finished = Summary.of(run)

    run.append(StateEvent(state=RunState.STARTING))
    run.request_stop()  # 'Cancel' in the line
    assert execute(run, str(blobs_npz), epochs=3).state is RunState.STOPPED
    now = Summary.of(run).status
    assert now == replace(finished.status, tried=now.tried, asked=now.asked)
    assert now.tried.state is RunState.STOPPED
    assert (run.config(), run.state()) == (finished.config, RunState.FINISHED)
    run.withdraw_stop()

    moved = tmp_path / "moved.npz"
    names = ("x_train", "y_train", "x_test", "y_test")
    np.savez(moved, **{name: getattr(blobs, name)[:100] for name in names})
    with pytest.raises(RunError, match="the images it began with"):
        execute(run, str(moved), epochs=3)
    assert (run.config(), run.state()) == (finished.config, RunState.FINISHED)
    assert Summary.of(run).test_accuracy == finished.test_accuracy
    assert "the images it began with" in Summary.of(run).status.tried.message

    execute(run, str(blobs_npz), epochs=2)
    assert (run.config().epochs, Summary.of(run).epochs, Summary.of(run).status.tried) == (
        2,
        2,
        None,
    )


def test_a_run_that_died_after_its_last_epoch_is_saved_and_tested(
    store: RunStore, blobs_npz: Path
) -> None:
    run = store.create(TrainingConfig(epochs=2), "run", str(blobs_npz))

    def die(event: Event) -> None:
        if isinstance(event, EpochEvent) and event.epoch == 2:
            raise MemoryError("no room to save in")

    with pytest.raises(MemoryError):
        execute(run, str(blobs_npz), die)
    assert (Summary.of(run).epochs, Summary.of(run).test_accuracy) == (2, None)
    assert execute(run, prepare_resume(run)).state is RunState.FINISHED
    assert Summary.of(run).test_accuracy is not None
    with pytest.raises(RunError, match="has done 2 of 2"):
        prepare_resume(run)


def test_a_run_killed_in_its_first_epoch_begins_its_curve_anew(
    store: RunStore, blobs_npz: Path
) -> None:
    run = store.create(TrainingConfig(epochs=1, batch_size=40), "run")
    tell(run, RUNNING, batch(3), batch(7))
    execute(run, str(blobs_npz))
    steps = [event.step for event in run.history().batches]
    assert steps == sorted(set(steps))
    assert steps[-1] == 10


def test_a_rate_that_no_step_was_taken_at_is_no_change(store: RunStore, blobs_npz: Path) -> None:
    run = store.create(TrainingConfig(epochs=1), "run")

    def ask(event: Event) -> None:
        if isinstance(event, EpochEvent):
            run.request_rate(0.5)

    execute(run, str(blobs_npz), ask)
    assert Summary.of(run).status.rates == ()
    assert run.history().log[-1].message == "learning rate 0.5 came too late to be taken"
    run.request_rate(0.5)  # from a page that has not heard of the end
    prepare_resume(run, 2)
    assert run.take_rate() is None


def test_a_run_that_lost_its_environment_does_not_go_on_with_any_images(run: Run) -> None:
    run.save_environment({"spec": "synthetic", "data": {"checksum": "sha256:1"}})
    tell(run, RUNNING, *EPOCHS, RESULT)
    assert prepare_resume(run, 9) == "synthetic"
    tell(run, StateEvent(state=RunState.STOPPED))
    (run.path / "environment.json").unlink()
    assert prepare_resume(run, 9) == ""


def test_an_older_networks_figures_are_not_the_runs(trained_copy: RunStore) -> None:
    run = trained_copy.get("plain")
    assert "Confusion matrix" in html_report(run)
    tell(run, *WENT_ON, epoch(4), StateEvent(state=RunState.FAILED, message="out of memory"))
    report = html_report(run)
    assert "Confusion matrix" not in report
    assert "Test accuracy" not in report


def test_the_images_asked_for_are_in_the_run_from_its_making(store: RunStore) -> None:
    run = store.create(CONFIG, "run", "synthetic")
    tell(run, StateEvent(state=RunState.STARTING), StateEvent(state=RunState.STOPPED))
    assert prepare_resume(run) == "synthetic"


def test_train_accuracy_is_of_the_network_that_is_tested(
    store: RunStore, blobs: Dataset, blobs_npz: Path
) -> None:
    """Stopped in mid-epoch, a running mean would be of an epoch, and another network's."""
    run = store.create(TrainingConfig(epochs=3, batch_size=4, dropout=0.4, learning_rate=0.0003))

    def stop(event: Event) -> None:
        if isinstance(event, BatchEvent) and event.epoch == 2 and event.step < 190:
            run.request_stop()

    end = execute(run, str(blobs_npz), stop)
    assert (end.state, end.epoch, end.train_images) == (RunState.STOPPED, None, 400)
    predicted = predict_probabilities(run.load_model(), blobs.x_train).argmax(axis=1)
    assert end.train_accuracy == pytest.approx((predicted == blobs.y_train).mean())
    summary = Summary.of(run)
    assert summary.gap == pytest.approx(end.train_accuracy - end.test_accuracy)
    assert summary.kept_epoch is None
    assert "on 400 of its images, dropout off" in html_report(run)


def test_the_sample_that_trained_is_fixed_and_of_the_trained_alone() -> None:
    which = np.arange(0, 90_000, 2)
    drawn = sample(which, 10_000)
    assert len(drawn) == len(set(drawn.tolist())) == 10_000
    assert set(drawn.tolist()) <= set(which.tolist())
    np.testing.assert_array_equal(drawn, sample(which, 10_000))
    np.testing.assert_array_equal(sample(which[:7], 10_000), which[:7])


def test_an_accuracy_of_nothing_is_no_missing_one(store: RunStore, run: Run) -> None:
    tell(run, RUNNING, *EPOCHS, replace(RESULT, train_accuracy=0.0, test_accuracy=0.0))
    (summary,) = store.summaries()
    assert (summary.train_accuracy, summary.test_accuracy, summary.gap) == (0.0, 0.0, 0.0)


def test_a_changed_rate_is_told_with_the_run(store: RunStore, run: Run) -> None:
    other = store.create(replace(CONFIG, seed=1), "other")
    for one in (run, other):
        tell(one, RUNNING, *EPOCHS)
    tell(run, RateEvent(step=123, learning_rate=0.0004))
    for one in (run, other):
        tell(one, RESULT)
    summaries = store.summaries()
    by_id = {one.run.id: one for one in summaries}
    assert [one.learning_rate for one in by_id["run"].status.rates] == [0.0004]
    assert [one.run.id for one in group_of(by_id["other"], summaries)] == ["other"]
    report = html_report(run)
    assert "0.0004 after step 123" in report
    assert "No command trains it again" in report
    assert "No command trains it again" not in html_report(other)


def test_a_rate_that_comes_too_late_is_withdrawn(store: RunStore, blobs_npz: Path) -> None:
    run = store.create(TrainingConfig(epochs=1), "run")

    def ask(event: Event) -> None:
        if isinstance(event, StateEvent) and event.state is RunState.RUNNING:
            run.request_stop()
            run.request_rate(0.5)

    execute(run, str(blobs_npz), ask)
    assert run.take_rate() is None
    assert not list(run.path.glob("rate*"))


def test_a_torn_line_swallows_no_state(run: Run) -> None:
    tell(run, RUNNING, *EPOCHS)
    with (run.path / "events.jsonl").open("a") as file:
        file.write(to_line(epoch(6))[:30])
    as_older(run)
    assert Run(run.path).status().last.epoch == 5
    Run(run.path).append(StateEvent(state=RunState.FAILED, message="told"))
    assert run.history().states[-1].message == "told"
    assert run.status().message == "told"


def test_a_run_without_its_environment_is_evaluated(trained_copy: RunStore) -> None:
    run = trained_copy.get("plain")
    (run.path / "environment.json").unlink()
    assert run.class_names() == tuple("0123456789")
    assert Summary.of(run).class_names == run.class_names()
    assert "Confusion matrix" in html_report(run)


def test_going_on_counts_all_the_time_trained(run: Run) -> None:
    tell(run, RUNNING, *EPOCHS, RESULT, *WENT_ON, StateEvent(state=RunState.RUNNING, step=500))
    tell(run, epoch(6, seconds=3.0), epoch(7, seconds=4.0))
    assert run.status().seconds == 9.0 + 3.0 + 4.0
    tell(run, StateEvent(state=RunState.RUNNING, step=600))  # killed within epoch 8, back to 6
    assert run.status().seconds == 9.0 + 3.0


# Runs of versions before status.json


@pytest.fixture
def stored(tmp_path: Path) -> RunStore:
    shutil.copytree(ROOT / "tests" / "stored_runs", tmp_path / "stored")
    return RunStore(tmp_path / "stored")


def test_a_stored_run_that_was_resumed_is_read_from_its_log(stored: RunStore) -> None:
    summary = Summary.of(stored.get("finished"))
    expected = json.loads((ROOT / "tests" / "stored_runs" / "finished" / "read.json").read_text())
    assert {name: getattr(summary, name) for name in expected} == expected
    assert not (summary.run.path / "status.json").exists(), "looking changes nothing"


def test_a_stored_run_that_was_stopped_in_mid_epoch_has_no_train_accuracy(
    stored: RunStore,
) -> None:
    """What its log gives as one is the mean of an epoch, and its network is another."""
    summary = Summary.of(stored.get("stopped"))
    assert (summary.state, summary.epochs) == (RunState.STOPPED, 1)
    assert summary.run.history().states[-1].train_accuracy is not None
    assert (summary.train_accuracy, summary.gap, summary.kept_epoch) == (None, None, None)
    assert 0 < summary.test_accuracy < 1
    assert len(summary.status.rates) == 1


def test_a_history_that_is_at_hand_does_not_change(run: Run) -> None:
    tell(run, RUNNING, batch(1))
    history = run.follow(History())
    shown = history.snapshot()
    tell(run, batch(2), *EPOCHS)
    run.follow(history)
    assert (len(shown.batches), len(shown.epochs)) == (1, 0)
    assert (len(history.batches), len(history.epochs)) == (2, 5)


def test_a_name_that_is_used_again_shows_the_new_runs_history(store: RunStore, run: Run) -> None:
    tell(run, RUNNING, *EPOCHS)
    kept = run.follow(History())
    shutil.rmtree(run.path)
    assert run.follow(kept).epochs == []
    again = store.create(CONFIG, "run")
    assert again.follow(kept).states == []
    tell(again, RUNNING, *EPOCHS, epoch(6), epoch(7))  # a longer log than before
    assert len(again.follow(kept).epochs) == 7


# Clocks


def test_a_start_in_the_future_is_no_start(store: RunStore, run: Run) -> None:
    asked = StateEvent(state=RunState.STARTING)
    tell(run, replace(asked, time=asked.time + 3 * 3600))
    assert run.state() is RunState.INTERRUPTED
    tell(run, asked)
    assert run.state() is RunState.STARTING


def test_what_a_worker_told_is_known_whatever_the_clock_says() -> None:
    history = History()
    for event in (replace(RUNNING, time=5000.0), batch(1), batch(2)):
        history.add(event)
    history.add(replace(RUNNING, time=1000.0, step=1))  # set back, and resumed
    assert history.own_batches == []
    history.add(replace(batch(2), time=1001.0))
    assert [one.time for one in history.own_batches] == [1001.0]
