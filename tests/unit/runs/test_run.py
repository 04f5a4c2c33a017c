"""The on-disk form of a run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cifar_core.analysis.evaluation import cross_entropy
from cifar_core.config import TrainingConfig
from cifar_core.errors import RunError, RunNotFound
from cifar_core.network.build import build_model
from cifar_core.network.predict import Predictions
from cifar_core.runs.events import (
    BatchEvent,
    EpochEvent,
    LogEvent,
    RunState,
    StateEvent,
    to_line,
)
from cifar_core.runs.history import History
from cifar_core.runs.run import Mark, Run
from cifar_core.runs.store import RunStore
from cifar_core.runs.summary import Summary
from cifar_core.workers.launch import prepare_resume

CONFIG = TrainingConfig(epochs=2, dropout=0.3)
EPOCH = EpochEvent(
    step=10, epoch=1, loss=1.5, accuracy=0.5, val_loss=1.6, val_accuracy=0.4, seconds=2.0
)
END = StateEvent(
    state=RunState.FINISHED,
    epoch=1,
    train_accuracy=0.5,
    train_images=400,
    test_loss=1.2,
    test_accuracy=0.45,
    seconds=9.5,
)


@pytest.fixture
def run(store: RunStore) -> Run:
    return store.create(CONFIG, "one")


def test_a_run_is_found_again(store: RunStore, run: Run) -> None:
    assert store.get("one").config() == CONFIG
    assert [found.id for found in store.runs()] == ["one"]


def test_names_are_new_and_safe(store: RunStore, run: Run) -> None:
    with pytest.raises(RunError, match=r"must be new\. Received: one"):
        store.create(CONFIG, "one")
    for name in ("../one", "a/b", ".hidden", "", "a b", "..", "one/../one"):
        with pytest.raises(RunNotFound):
            store.get(name)
    with pytest.raises(RunError, match="letters and digits of any language"):
        store.create(CONFIG, "../one")
    first, second = store.create(CONFIG), store.create(CONFIG)
    assert first.id != second.id


def test_events_come_back_as_they_went(run: Run) -> None:
    batch = BatchEvent(step=3, epoch=1, loss=2.0, accuracy=0.1, images_per_second=900.0)
    log = LogEvent(message="Zeile\n中文")
    for event in (batch, log, EPOCH, END):
        run.append(event)
    history = run.history()
    assert (history.batches, history.log) == ([batch], [log])
    assert (history.epochs, history.states) == ([EPOCH], [END])


def test_a_torn_last_line_waits_and_damage_is_passed_over(run: Run) -> None:
    line = to_line(EPOCH).encode()
    events = run.path / "events.jsonl"
    events.write_bytes(b'{"type": "from the future"}\n\xff\xfe\n[]\n7\n' + line[:20])
    history = run.follow(History())
    assert history.epochs == []
    with events.open("ab") as file:
        file.write(line[20:])
    assert run.follow(history).epochs == [EPOCH]
    assert run.follow(history).epochs == [EPOCH]


def test_unknown_fields_of_a_newer_writer_are_left_out(run: Run) -> None:
    values = {**json.loads(to_line(EPOCH)), "brand_new": 1}
    (run.path / "events.jsonl").write_text(json.dumps(values) + "\n")
    assert run.history().epochs == [EPOCH]


def test_summary_of_a_long_run_reads_its_end(store: RunStore, run: Run) -> None:
    for step in range(3000):
        run.append(BatchEvent(step=step, epoch=1, loss=2.0, accuracy=0.1, images_per_second=900.0))
    run.append(EPOCH)
    run.append(END)
    summary = Summary.of(run)
    assert summary.state is RunState.FINISHED
    assert (summary.epochs, summary.last) == (1, EPOCH)
    assert (summary.test_accuracy, summary.seconds) == (0.45, 9.5)
    assert summary.gap == pytest.approx(0.05)
    assert [found.test_accuracy for found in store.summaries()] == [0.45]
    made_long_ago(run)
    assert store.summaries()[0] is store.summaries()[0]


def made_long_ago(run: Run) -> None:
    """Give folder and status a time that no later change can bear, too."""
    for path in (run.path / "status.json", run.path):
        os.utime(path, (1e9, 1e9))


def test_states(run: Run) -> None:
    assert run.state() is RunState.STARTING
    with run.working():
        assert run.state() is RunState.STARTING
        run.append(StateEvent(state=RunState.RUNNING))
        assert run.state() is RunState.RUNNING
        run.request_stop()
        assert run.state() is RunState.STOPPING
    assert run.state() is RunState.INTERRUPTED
    run.append(StateEvent(state=RunState.STOPPED))
    assert run.state() is RunState.STOPPED


def test_a_worker_that_never_came_up_is_interrupted(run: Run) -> None:
    os.utime(run.path / "config.json", (1, 1))
    assert run.state() is RunState.INTERRUPTED


def test_one_worker_a_run(run: Run) -> None:
    with run.working(), pytest.raises(RunError, match="being trained already"), run.working():
        pass


def test_the_lock_ends_with_the_process(run: Run) -> None:
    code = (
        "import sys, time; from pathlib import Path; from cifar_core.runs.run import Run\n"
        "from cifar_core.runs.events import *\n"
        "run = Run(Path(sys.argv[1]))\n"
        "with run.working():\n"
        "    run.append(StateEvent(state=RunState.RUNNING)); print('up', flush=True)\n"
        "    time.sleep(600)\n"
    )
    command = [sys.executable, "-c", code, str(run.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as worker:
        assert worker.stdout.readline() == b"up\n"
        assert run.state() is RunState.RUNNING
        worker.kill()
        worker.wait()
        assert run.state() is RunState.INTERRUPTED


def test_damaged_settings_are_told_and_hide_no_other_run(store: RunStore, run: Run) -> None:
    for text in ("{", "[]", '{"epochs": 0}', '{"future": 1}', "7"):
        broken = store.root / "broken"
        broken.mkdir(exist_ok=True)
        (broken / "config.json").write_text(text)
        with pytest.raises(RunError, match=r"config\.json"):
            _ = store.get("broken").config()
        assert [summary.run.id for summary in store.summaries()] == ["one"]


def test_predictions(run: Run) -> None:
    assert run.predictions() is None
    rng = np.random.default_rng(0)
    logits = rng.random((5, 3), dtype=np.float32)
    saved = Predictions.from_logits(logits, np.arange(5, dtype=np.uint8) % 3)
    run.save_predictions(saved)
    found = run.predictions()
    assert found is not None
    for name, array in vars(saved).items():
        np.testing.assert_array_equal(getattr(found, name), array)
    run.save_predictions(replace(saved, losses=None))  # as runs were stored before
    found = run.predictions()
    assert found is not None
    assert found.losses is None
    assert cross_entropy(found) == pytest.approx(cross_entropy(saved), rel=1e-6)
    path = run.path / "predictions.npz"
    np.savez(path, **dict(np.load(path)), times=np.zeros(5))  # by a later version
    assert run.predictions() is not None
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"no zip"):
        path.write_bytes(damaged)
        with pytest.raises(RunError, match="cannot be read"):
            run.predictions()


def test_notes_and_environment(run: Run) -> None:
    assert (run.notes(), run.environment()) == ("", {})
    run.save_notes("Grüße, 笔记\n")
    run.save_environment({"classes": ["a", "b"]})
    assert run.notes() == "Grüße, 笔记\n"
    assert run.class_names() == ("a", "b")
    (run.path / "environment.json").write_text("[1")
    assert run.environment() == {}


def test_a_file_appears_whole_or_not_at_all(run: Run) -> None:
    run.save_notes("before")

    class Refusing:
        def save(self, path: Path) -> None:
            path.write_bytes(b"half of it")
            raise OSError("disk full")

    with pytest.raises(RunError, match=r"must be writable.*disk full"):
        run.save_checkpoint(Refusing())
    assert sorted(path.name for path in run.path.iterdir()) == ["config.json", "notes.md"]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="must be writable"):
        RunStore(tmp_path / "file").create(CONFIG)


# Runs that ship


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run 'best' that ships, its worker's last word lost, and a run 'own' in the user's store."""
    folder = tmp_path / "shipped"
    run = RunStore(folder).create(CONFIG, "best")
    run.save_environment({"classes": ["a", "b"]})
    run.save_notes("as trained")
    run.append(StateEvent(state=RunState.RUNNING))
    run.append(EPOCH)
    monkeypatch.setenv("CIFAR10_REFERENCE_RUNS", str(folder))
    RunStore(tmp_path / "runs").create(CONFIG, "own").append(END)
    return RunStore(tmp_path / "runs").get("reference/best")


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in sorted(folder.iterdir())
    }


def test_runs_that_ship_come_after_ones_own(shipped: Run, store: RunStore) -> None:
    assert [run.id for run in store.runs()] == ["own", "reference/best"]
    assert [summary.run.id for summary in store.summaries()] == ["own", "reference/best"]
    assert [run.is_reference for run in store.runs()] == [False, True]
    for name in ("reference/own", "best", "reference/", "reference/../runs/own", "reference"):
        with pytest.raises(RunNotFound):
            store.get(name)


def test_no_runs_ship_where_the_environment_says_so(
    shipped: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR10_REFERENCE_RUNS", "")
    store = RunStore(tmp_path / "runs")
    assert [run.id for run in store.runs()] == ["own"]
    with pytest.raises(RunNotFound):
        store.get("reference/best")


def test_looking_at_a_run_that_ships_changes_nothing(shipped: Run) -> None:
    before, time = contents(shipped.path), shipped.path.stat().st_mtime_ns
    assert shipped.state() is RunState.FINISHED
    assert not shipped.has_worker()
    summary = Summary.of(shipped)
    assert (summary.state, summary.last, summary.notes) == (
        RunState.FINISHED,
        EPOCH,
        "as trained",
    )
    assert shipped.predictions() is None
    assert (contents(shipped.path), shipped.path.stat().st_mtime_ns) == (before, time)


@pytest.mark.parametrize(
    "change",
    [
        lambda run: run.save_config(CONFIG),
        lambda run: run.save_environment({}),
        lambda run: run.save_notes("mine"),
        lambda run: run.save_mark(Mark("mine")),
        lambda run: run.append(EPOCH),
        lambda run: run.request_stop(),
        lambda run: run.withdraw_stop(),
        lambda run: run.request_rate(0.1),
        lambda run: run.working().__enter__(),
        lambda run: run.save_predictions(Predictions(np.zeros((1, 2)), np.zeros(1))),
        lambda run: RunStore(run.path.parent).delete(run),
        lambda run: prepare_resume(run, 9),
    ],
    ids=[
        "config",
        "environment",
        "notes",
        "mark",
        "append",
        "stop",
        "withdraw",
        "rate",
        "work",
        "predictions",
        "delete",
        "resume",
    ],
)
def test_a_run_that_ships_cannot_be_changed(shipped: Run, change) -> None:
    before = contents(shipped.path)
    with pytest.raises(RunError, match="for reading only"):
        change(shipped)
    assert contents(shipped.path) == before


# What the user does with a run


def test_name_and_star(store: RunStore, run: Run) -> None:
    run.append(END)
    assert store.summaries()[0].mark == Mark()
    run.save_mark(Mark("Müllers bester", star=True))
    run.save_notes("for Friday")
    (summary,) = store.summaries()
    assert (summary.mark, summary.notes) == (Mark("Müllers bester", True), "for Friday")
    for damaged in ("{", "[]", "{}", "7"):
        (run.path / "user.json").write_text(damaged)
        assert run.mark() == Mark()


def test_a_deleted_run_is_gone(store: RunStore, run: Run) -> None:
    run.append(END)
    store.summaries()
    store.delete(run)
    assert store.summaries() == []
    assert not run.path.exists()
    assert store.create(CONFIG, "one").history().states == []


def test_a_run_that_lives_is_not_deleted(store: RunStore, run: Run) -> None:
    with run.working():
        run.append(StateEvent(state=RunState.RUNNING))
        with pytest.raises(RunError, match="which is running; stop it first"):
            store.delete(run)
    assert store.get("one").config() == CONFIG


def test_the_network_is_saved_without_the_optimisers_state(run: Run) -> None:
    import keras

    model = build_model(CONFIG)
    run.save_model(model)
    run.save_checkpoint(model)
    assert run.model_path.stat().st_size < 0.5 * run.checkpoint_path.stat().st_size
    found = keras.models.load_model(run.model_path, compile=False)
    for saved, kept in zip(found.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(saved, kept)


def test_a_named_run_is_called_by_both_names(run: Run) -> None:
    assert Summary.of(run).title == "one"
    run.save_mark(Mark("my first"))
    assert Summary.of(run).title == "my first (one)"
