"""One bad folder hurts nobody: it is listed as what can be read of it, and left as it is."""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cifar_core.config import TrainingConfig
from cifar_core.errors import CifarError, DataNotFound, RunError, RunNotFound
from cifar_core.runs.events import RunState, StateEvent
from cifar_core.runs.run import Mark, Run
from cifar_core.runs.store import RunStore
from cifar_core.runs.summary import Summary
from cifar_core.workers.launch import prepare_resume, resume, start
from tests.disk import full_disk
from tests.processes import wait_for
from tests.unit.users import ANNA, BERT, GROUP, IS_ROOT, says

CONFIG = TrainingConfig(epochs=3)
END = StateEvent(state=RunState.FINISHED, test_loss=1.0, test_accuracy=0.5, seconds=1.0)


@pytest.fixture
def run(store: RunStore) -> Run:
    run = store.create(CONFIG, "good")
    run.append(END)
    return run


def contents(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in [folder, *folder.rglob("*")]}


# What cannot be read


def test_notes_in_another_encoding_are_told_and_shown(store: RunStore, run: Run) -> None:
    (run.path / "notes.md").write_bytes("Größe".encode("latin-1"))
    (summary,) = store.summaries()
    assert summary.problems == ("notes.md is not UTF-8",)
    assert summary.notes == "Gr��e"
    assert summary.test_accuracy == 0.5
    (run.path / "notes.md").write_bytes("\ufeffGröße".encode())
    assert [(one.notes, one.problems) for one in store.summaries()] == [("Größe", ())]


@pytest.mark.parametrize("name", ["environment.json", "user.json"])
def test_a_damaged_file_is_told_and_the_rest_is_shown(store: RunStore, run: Run, name: str) -> None:
    for text in (b"{", b"[]", b"7", b"\xff\xfe", b""):
        (run.path / name).write_bytes(text)
        (summary,) = store.summaries()
        assert [problem[: len(name)] for problem in summary.problems] == [name]
        assert summary.test_accuracy == 0.5


@pytest.mark.parametrize(
    "odd",
    [
        {"classes": None},
        {"classes": 7, "data": {}},
        {"data": None},
        {"data": []},
        {"started": "yesterday"},
        {"spec": 3, "train_images": "all", "device": []},
    ],
    ids=str,
)
def test_an_environment_of_odd_kinds_is_told(store: RunStore, run: Run, odd: dict) -> None:
    (run.path / "environment.json").write_text(json.dumps(odd))
    (summary,) = store.summaries()
    assert summary.problems[0].startswith("environment.json cannot be read")
    assert (summary.data_name, summary.data_checksum, summary.class_names) == ("", "", ())
    assert summary.test_accuracy == 0.5


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (json.dumps(CONFIG.to_json() | {"setting_of_tomorrow": 3}), "setting_of_tomorrow"),
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ("", "cannot be read"),
        (json.dumps(CONFIG.to_json() | {"epochs": 0}), "epochs"),
    ],
    ids=["newer", "torn", "list", "empty", "rule"],
)
def test_settings_that_cannot_be_read_are_listed_with_the_reason(
    store: RunStore, run: Run, text: str, reason: str
) -> None:
    (store.root / "odd").mkdir()
    (store.root / "odd" / "config.json").write_text(text)
    listing = store.look()
    assert [one.run.id for one in listing.summaries] == ["good"]
    assert [one.id for one in listing.unreadable] == ["odd"]
    assert reason in listing.unreadable[0].reason
    assert "\n" not in listing.unreadable[0].reason


def test_settings_with_a_byte_order_mark_are_read(store: RunStore, run: Run) -> None:
    text = (run.path / "config.json").read_text()
    (run.path / "config.json").write_text(text, encoding="utf-8-sig")
    assert [one.config for one in RunStore(store.root).summaries()] == [CONFIG]


def test_a_folder_whose_name_is_no_text_is_listed(store: RunStore, run: Run) -> None:
    odd = store.root / os.fsdecode(b"caf\xe9")
    odd.mkdir()
    (odd / "config.json").write_text("{}")
    listing = store.look()
    assert [one.run.id for one in listing.summaries] == ["good"]
    assert [one.id for one in listing.unreadable] == ["caf�"]


def test_what_is_no_run_is_no_fault(store: RunStore, run: Run) -> None:
    (store.root / "empty").mkdir()
    (store.root / "file").write_text("")
    (store.root / ".line").mkdir()
    listing = store.look()
    assert (len(listing.summaries), listing.unreadable) == (1, ())


# Other people's runs


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that two people of a group share; pytest's own are for its user alone."""
    folder = Path(tempfile.mkdtemp())
    os.chown(folder, ANNA, GROUP) if IS_ROOT else None
    folder.chmod(0o2775)
    yield folder
    shutil.rmtree(folder)


MAKE = """
store = RunStore(path)
run = store.create(TrainingConfig(epochs=3), "annas")
run.save_notes("by Anna")
from cifar_core.runs.events import RunState, StateEvent
run.append(StateEvent(state=RunState.FINISHED, test_accuracy=0.5, test_loss=1.0, seconds=1.0))
"""
LOOK = """
listing = RunStore(path).look()
print([(one.run.id, one.notes, one.test_accuracy, one.problems) for one in listing.summaries])
print([(one.id, one.reason) for one in listing.unreadable])
"""
CHANGE = """
from cifar_core.errors import RunError
from cifar_core.runs.run import Mark
run = RunStore(path).get("annas")
for change in (
    lambda: run.save_mark(Mark("mine")),
    lambda: run.save_notes("mine"),
    lambda: run.request_stop(),
    lambda: RunStore(path).delete(run),
):
    try:
        change()
    except RunError as error:
        print("must be writable" in str(error))
"""


def test_a_run_of_another_user_is_read_and_not_changed(shared: Path) -> None:
    says(MAKE, shared, ANNA)
    before = contents(shared)
    looked = says(LOOK, shared, BERT).splitlines()
    assert looked == ["[('annas', 'by Anna', 0.5, ())]", "[]"]
    expected = ["True"] * 4 if IS_ROOT else []
    assert says(CHANGE, shared, BERT).splitlines() == expected
    assert contents(shared) == before or not IS_ROOT


@pytest.mark.parametrize("closed", ["config.json", "notes.md", "environment.json", "."])
def test_what_another_user_keeps_to_himself_is_told(shared: Path, closed: str) -> None:
    says(MAKE + 'run.save_environment({"classes": ["a"]})\n', shared, ANNA)
    says(MAKE.replace('"annas"', '"open"'), shared, ANNA)
    (shared / "annas" / closed).chmod(0)
    summaries, unreadable = says(LOOK, shared, BERT).splitlines()
    if not IS_ROOT:
        return  # the one who runs the tests is both, and root reads all
    assert "('open', 'by Anna', 0.5, ())" in summaries
    assert "Permission denied" in (unreadable if closed in ("config.json", ".") else summaries)


def test_a_folder_on_a_disk_that_is_for_reading_only(shared: Path) -> None:
    says(MAKE, shared, ANNA)
    for path in [*shared.rglob("*"), shared]:
        path.chmod(path.stat().st_mode & ~0o222)
    before = contents(shared)
    assert says(LOOK, shared, BERT).splitlines()[0].startswith("[('annas', 'by Anna', 0.5, ())")
    assert contents(shared) == before
    shared.chmod(0o2775)


# Runs that are gone


def test_a_look_at_a_run_that_is_gone_brings_nothing_back(store: RunStore, run: Run) -> None:
    shutil.rmtree(run.path)
    assert not run.has_worker()
    assert run.state() is RunState.INTERRUPTED
    with pytest.raises(RunNotFound, match="this run is gone"):
        Summary.of(run)
    changes: list[Callable[[], object]] = [
        lambda: run.save_mark(Mark("mine")),
        lambda: run.save_notes("mine"),
        lambda: run.save_config(CONFIG),
        lambda: run.append(END),
        run.request_stop,
        lambda: run.request_rate(0.1),
        run.working().__enter__,
        lambda: store.delete(run),
        lambda: prepare_resume(run, 9),
        run.saved,
    ]
    for change in changes:
        with pytest.raises(RunNotFound, match="gone"):
            change()
    assert list(store.root.iterdir()) == []


def test_looking_changes_nothing_on_disk(store: RunStore, run: Run) -> None:
    running = store.create(CONFIG, "running")
    running.append(StateEvent(state=RunState.RUNNING))
    before = contents(store.root)
    for _ in range(3):
        RunStore(store.root).look()
        assert not running.has_worker()
    assert contents(store.root) == before


# Names


GOOD = ["猫", "мой запуск", "Größe 2", "नमस्ते", "a.b-c_d", "my best", "1", "console", "con1"]
GOOD += ["ß" * 100]
BAD = [" ", ".a", "-a", "_a", "a ", "a.", "a/b", "a\\b", "a:b", "a\tb", "a\nb", "a\0b", "a*b", "😀"]
BAD += ["CON", "con", "NUL.txt", "aux", "Com1", "LPT9.log", "com¹", "a" * 101, "猫" * 67, "../a"]
BY_HAND = ["my best", "best (2)", "-n", "a,b", "100%", "it's", ".old", "[a]_b_", "back\\slash"]


@pytest.mark.parametrize("name", GOOD)
def test_letters_of_any_language_name_a_run(store: RunStore, name: str) -> None:
    run = store.create(CONFIG, name)
    assert run.id == unicodedata.normalize("NFC", name)
    assert store.get(name).config() == CONFIG
    assert [one.run.id for one in store.summaries()] == [run.id]


@pytest.mark.parametrize("name", BAD, ids=repr)
def test_what_some_folder_cannot_be_called_is_refused(store: RunStore, name: str) -> None:
    with pytest.raises(RunError, match="a run's name must be"):
        store.create(CONFIG, name)
    assert not store.root.exists() or list(store.root.iterdir()) == []


def test_a_name_is_the_same_however_its_letters_are_composed(store: RunStore) -> None:
    composed = unicodedata.normalize("NFC", "Größe é")
    apart = unicodedata.normalize("NFD", composed)
    assert store.create(CONFIG, apart).id == composed
    with pytest.raises(RunError, match="must be new"):
        store.create(CONFIG, composed)
    store.get(composed).path.rename(store.root / apart)  # as a Mac writes it
    assert store.get(composed).path.name == apart
    assert [run.id for run in store.runs()] == [composed]
    with pytest.raises(RunError, match="must be new"):
        store.create(CONFIG, composed)


@pytest.mark.parametrize(
    "name", ["my best", "best (2)", "-n", "a,b", "100%", "it's", ".old", "[a]_b_"]
)
def test_a_folder_renamed_by_hand_works_name_and_all(
    store: RunStore, run: Run, name: str, blobs_npz: Path
) -> None:
    run.path.rename(store.root / name)
    (summary,) = store.summaries()
    assert (summary.run.id, summary.test_accuracy) == (name, 0.5)
    renamed = store.get(name)
    assert renamed.config() == CONFIG
    renamed.save_mark(Mark("x"))
    assert store.summaries()[0].mark == Mark("x")


def test_a_renamed_run_trains_longer(store: RunStore, trained_copy: RunStore) -> None:
    (store.root / "plain").rename(store.root / "-my best (2)")
    run = store.get("-my best (2)")
    resume(run, 4)
    wait_for(lambda: not run.state().is_live)
    summary = Summary.of(run)
    assert (summary.state, summary.epochs, summary.config.epochs) == (RunState.FINISHED, 4, 4)


# A full disk


def test_a_full_disk_is_told_and_leaves_no_run(store: RunStore, run: Run) -> None:
    before = {path: path.read_bytes() for path in store.root.rglob("*") if path.is_file()}
    attempts: list[Callable[[], object]] = [
        lambda: store.create(CONFIG, "new"),
        lambda: start(store, CONFIG, "synthetic"),
        lambda: prepare_resume(run, 9),
        lambda: resume(run, 9),
        lambda: run.save_mark(Mark("mine", True)),
        lambda: run.save_notes("mine"),
    ]
    for attempt in attempts:
        with full_disk(), pytest.raises(RunError) as told:
            attempt()
        assert "must be writable" in str(told.value)
        assert "\n" not in str(told.value)
    after = {path: path.read_bytes() for path in store.root.rglob("*") if path.is_file()}
    assert after == before
    assert run.state() is RunState.FINISHED


# Workers that die before they can tell


def test_a_worker_that_dies_before_it_can_write_is_told_with_its_last_words(
    store: RunStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit('no such library: libfoo')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    run = start(store, CONFIG, "synthetic")
    wait_for(lambda: not run.state().is_live)
    summary = Summary.of(run)
    assert summary.state is RunState.FAILED
    assert "before it could begin" in summary.message
    assert "libfoo" in summary.message


def test_a_worker_whose_death_no_launcher_saw_is_told_with_its_last_words(run: Run) -> None:
    begun = StateEvent(state=RunState.STARTING, time=1e9)
    run.log_path.write_text("Traceback\nImportError: libfoo\n\n")
    run.append(begun)
    summary = Summary.of(run)
    assert (summary.state, summary.test_accuracy) == (RunState.FINISHED, 0.5)
    assert summary.status.tried.message == "ImportError: libfoo"


def test_images_that_are_gone_make_no_run(store: RunStore, tmp_path: Path) -> None:
    with pytest.raises(DataNotFound, match="a path that exists"):
        start(store, CONFIG, str(tmp_path / "gone.zip"))
    assert not store.root.exists()


def test_the_words_of_an_earlier_worker_are_not_the_last(run: Run) -> None:
    run.log_path.write_text("finished after 10 epochs\n")
    run.begin_log()
    assert run.last_words() == ""
    with run.log_path.open("a") as file:
        file.write("Killed\n\n")
    assert run.last_words() == "Killed"


def test_a_look_at_runs_that_were_interrupted_reads_no_log(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create(CONFIG, "killed")
    run.append(StateEvent(state=RunState.RUNNING))
    for path in (run.path / "status.json", run.path):
        os.utime(path, (1e9, 1e9))
    assert [one.state for one in store.summaries()] == [RunState.INTERRUPTED]
    read: list[Run] = []
    monkeypatch.setattr(Run, "follow", lambda self, *_: read.append(self))
    assert [one.state for one in store.summaries()] == [RunState.INTERRUPTED]
    assert read == []


def test_a_name_that_no_disk_takes_is_no_run(store: RunStore) -> None:
    with pytest.raises(RunNotFound):
        store.get("a" * 300)


def test_all_refusals_are_ours(store: RunStore, tmp_path: Path) -> None:
    """A runs' folder that is a file, or is closed, ends in a sentence."""
    (tmp_path / "file").write_text("")
    for root in (tmp_path / "file", tmp_path / "file" / "below"):
        assert RunStore(root).look().summaries == ()
        with pytest.raises(CifarError, match="must be writable"):
            RunStore(root).create(CONFIG)


def test_files_are_for_whoever_the_umask_lets_read(run: Run) -> None:
    before = os.umask(0o022)
    try:
        run.save_notes("for all")
        run.append(END)
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in run.path.iterdir()}
    assert modes == {0o644}
