"""The on-disk form of a run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cifar_core.config import TrainingConfig
from cifar_core.errors import RunError, RunNotFound
from cifar_core.evaluation import Predictions
from cifar_core.events import BatchEvent, EpochEvent, LogEvent, RunState, StateEvent, to_line
from cifar_core.history import History
from cifar_core.runs import Run, RunStore

CONFIG = TrainingConfig(epochs=2, dropout=0.3)
EPOCH = EpochEvent(
    step=10, epoch=1, loss=1.5, accuracy=0.5, val_loss=1.6, val_accuracy=0.4, seconds=2.0
)
END = StateEvent(state=RunState.FINISHED, test_loss=1.2, test_accuracy=0.45, seconds=9.5)


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.fixture
def run(store: RunStore) -> Run:
    return store.create(CONFIG, "one")


def test_a_run_is_found_again(store: RunStore, run: Run) -> None:
    assert store.get("one").config == CONFIG
    assert [found.id for found in store.runs()] == ["one"]


def test_names_are_new_and_safe(store: RunStore, run: Run) -> None:
    with pytest.raises(RunError, match=r"must be new\. Received: one"):
        store.create(CONFIG, "one")
    for name in ("../one", "a/b", ".hidden", "", "a b"):
        with pytest.raises(RunNotFound):
            store.get(name)
    with pytest.raises(RunError, match="letters, digits"):
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
    summary = run.summary()
    assert summary.state is RunState.FINISHED
    assert (summary.epochs, summary.last) == (1, EPOCH)
    assert (summary.test_accuracy, summary.seconds) == (0.45, 9.5)
    assert summary.gap == pytest.approx(0.05)
    assert [found.test_accuracy for found in store.summaries()] == [0.45]
    assert store.summaries()[0] is store.summaries()[0]


def test_states(run: Run) -> None:
    assert run.state is RunState.STARTING
    with run.working():
        assert run.state is RunState.STARTING
        run.append(StateEvent(state=RunState.RUNNING))
        assert run.state is RunState.RUNNING
        run.request_stop()
        assert run.state is RunState.STOPPING
    assert run.state is RunState.INTERRUPTED
    run.append(StateEvent(state=RunState.STOPPED))
    assert run.state is RunState.STOPPED


def test_a_worker_that_never_came_up_is_interrupted(run: Run) -> None:
    os.utime(run.path / "config.json", (1, 1))
    assert run.state is RunState.INTERRUPTED


def test_one_worker_a_run(run: Run) -> None:
    with run.working(), pytest.raises(RunError, match="being trained already"), run.working():
        pass


def test_the_lock_ends_with_the_process(run: Run) -> None:
    code = (
        "import sys, time; from pathlib import Path; from cifar_core.runs import Run\n"
        "from cifar_core.events import *\n"
        "run = Run(Path(sys.argv[1]))\n"
        "with run.working():\n"
        "    run.append(StateEvent(state=RunState.RUNNING)); print('up', flush=True)\n"
        "    time.sleep(600)\n"
    )
    command = [sys.executable, "-c", code, str(run.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as worker:
        assert worker.stdout.readline() == b"up\n"
        assert run.state is RunState.RUNNING
        worker.kill()
        worker.wait()
        assert run.state is RunState.INTERRUPTED


def test_damaged_settings_are_told_and_hide_no_other_run(store: RunStore, run: Run) -> None:
    for text in ("{", "[]", '{"epochs": 0}', '{"future": 1}', "7"):
        broken = store.root / "broken"
        broken.mkdir(exist_ok=True)
        (broken / "config.json").write_text(text)
        with pytest.raises(RunError, match=r"config\.json"):
            _ = store.get("broken").config
        assert [summary.run.id for summary in store.summaries()] == ["one"]


def test_predictions(run: Run) -> None:
    assert run.predictions() is None
    rng = np.random.default_rng(0)
    saved = Predictions(rng.random((5, 3), dtype=np.float32), np.arange(5, dtype=np.uint8) % 3)
    run.save_predictions(saved)
    found = run.predictions()
    assert found is not None
    np.testing.assert_array_equal(found.probabilities, saved.probabilities)
    np.testing.assert_array_equal(found.labels, saved.labels)
    whole = (run.path / "predictions.npz").read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"no zip"):
        (run.path / "predictions.npz").write_bytes(damaged)
        with pytest.raises(RunError, match="cannot be read"):
            run.predictions()


def test_notes_and_environment(run: Run) -> None:
    assert (run.notes, run.environment) == ("", {})
    run.notes = "Grüße, 笔记\n"
    run.environment = {"classes": ["a", "b"]}
    assert run.notes == "Grüße, 笔记\n"
    assert run.class_names == ("a", "b")
    (run.path / "environment.json").write_text("[1")
    assert run.environment == {}


def test_a_file_appears_whole_or_not_at_all(run: Run) -> None:
    run.notes = "before"

    class Refusing:
        def save(self, path: Path) -> None:
            path.write_bytes(b"half of it")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        run.save_checkpoint(Refusing())
    assert sorted(path.name for path in run.path.iterdir()) == ["config.json", "notes.md"]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="must be writable"):
        RunStore(tmp_path / "file").create(CONFIG)
