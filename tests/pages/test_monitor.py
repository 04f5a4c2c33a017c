"""The live page under AppTest, on runs whose events are written here."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.config import TrainingConfig
from cifar_core.runs.batches import Batches
from cifar_core.runs.events import (
    BatchEvent,
    EpochEvent,
    Event,
    LogEvent,
    RateEvent,
    RunState,
    StateEvent,
    UsageEvent,
)
from cifar_core.runs.printed import printed_histories
from cifar_core.runs.run import Run
from cifar_core.runs.status import Status
from cifar_core.runs.store import RunStore
from cifar_core.runs.summary import Summary
from tests.pages.elements import by_label, texts
from ui import cached
from ui.figures import history as curves
from ui.train import monitor
from ui.train.monitor import View
from ui.train.settings import label_of

IMAGES = {"kind": "synthetic", "name": "synthetic", "checksum": "sha256:drawn"}
EPOCHS = printed_histories()["tutorial-baseline"].epochs


def write(
    store: RunStore,
    events: Iterable[Event],
    config: TrainingConfig | None = None,
    name: str = "written",
    data: dict | None = None,
) -> Run:
    run = store.create(config or TrainingConfig(epochs=10, seed=3), name)
    classes = [f"class {number}" for number in range(10)]
    run.save_environment({"train_images": 50_000, "classes": classes, "data": data or IMAGES})
    for event in events:
        run.append(event)
    return run


def finished(message: str = "") -> StateEvent:
    return StateEvent(state=RunState.FINISHED, message=message, test_accuracy=0.7117)


def test_overfitting_is_told_and_a_remedy_sets_the_page(store: RunStore, open_page) -> None:
    write(store, [*EPOCHS, finished()])
    app = open_page("train")
    said = "Validation loss has been higher for 3 epochs than in epoch 7 (0.8565 then, 0.8741 now)"
    assert said in texts(app)
    assert "best epoch 7: validation loss 0.8565, accuracy 70.37%" in texts(app)
    assert by_label(app.metric, "Validation loss").delta == "-0.0071"
    by_label(app.button, "Early stopping 3").click().run()
    assert not app.exception
    assert by_label(app.toggle, "Early stopping").value
    assert by_label(app.selectbox, "Validation").value == "holdout"
    assert by_label(app.number_input, "Seed").value == 3
    assert "'Start training' tries it" in texts(app)
    assert by_label(app.button, "Early stopping 3").disabled
    assert not by_label(app.button, "Dropout 0.4").disabled


def test_one_epoch_is_no_epochs(store: RunStore, open_page) -> None:
    write(store, [*EPOCHS[:1], finished()], TrainingConfig(epochs=1))
    assert "Finished after 1 epoch · test accuracy 71.17%" in texts(open_page("train"))


def test_a_loss_that_is_no_number_says_what_to_change(store: RunStore, open_page) -> None:
    message = "a loss must stay a number. Received: nan by step 12; choose a lower learning rate"
    config = TrainingConfig(learning_rate=0.5, optimiser="sgd")
    write(store, [StateEvent(state=RunState.FAILED, message=message)], config)
    app = open_page("train")
    assert "at learning rate 0.5" in texts(app)
    by_label(app.button, f"{label_of('learning_rate')} 0.01").click().run()
    assert by_label(app.number_input, label_of("learning_rate")).value == 0.01


def test_a_live_run_tells_speed_rate_and_memory(store: RunStore, open_page) -> None:
    config = TrainingConfig(epochs=10, schedule="cosine")
    figures = {"epoch": 6, "loss": 0.8, "accuracy": 0.7, "images_per_second": 1234.0}
    events = [
        StateEvent(state=RunState.RUNNING),
        LogEvent(message="training 122,570 parameters"),
        *[BatchEvent(step=7_814 + n, **figures) for n in range(2)],
        RateEvent(step=2, learning_rate=0.0005),
        UsageEvent(memory=1_230_000_000, gpu_memory=4_560_000_000, gpu_use=0.87),
    ]
    run = write(store, events, config)
    with run.working():
        app = open_page("train")
        told = texts(app)
        assert "1,234 images/s · learning rate 0.00025 · memory 1.23 GB" in told
        assert "GPU memory 4.56 GB · GPU 87% busy" in told
        assert "learning rate changed to 0.0005 after step 2" in app.code[0].value
        assert not by_label(app.button, "Stop").disabled
        assert by_label(app.number_input, "New learning rate").value == 0.0005
        by_label(app.number_input, "New learning rate").set_value(0.0001).run()
        by_label(app.button, "Change").click().run()
        assert run.take_rate() == 0.0001


@pytest.mark.parametrize(
    ("step", "epochs", "words"),
    [
        (1563, 0, "Epoch 1 of 2 · validating · "),
        (1563, 1, "Epoch 1 of 2 · step 1,563 of 3,126 · "),
        (3126, 1, "Epoch 2 of 2 · validating · "),
        (3126, 2, "All epochs done: saving the network and testing it"),
    ],
)
def test_a_live_run_tells_what_it_is_at(
    store: RunStore, open_page, step: int, epochs: int, words: str
) -> None:
    figures = {"loss": 0.8, "accuracy": 0.7}
    batch = {"epoch": -(-step // 1563), "images_per_second": 1000.0, **figures}
    events = [StateEvent(state=RunState.RUNNING), BatchEvent(step=step - 9, **batch)]
    for epoch in range(1, epochs + 1):
        measured = {"val_loss": 0.9, "val_accuracy": 0.6, "seconds": 1.0, **figures}
        events.append(EpochEvent(step=1563 * epoch, epoch=epoch, **measured))
    run = write(store, [*events, BatchEvent(step=step, **batch)], TrainingConfig(epochs=2))
    with run.working():
        (bar,) = open_page("train").get("progress")
    assert bar.proto.text.startswith(words)


def test_a_run_that_has_ended_keeps_its_rate(with_runs: RunStore, open_page) -> None:
    app = open_page("train")
    assert "images/s" not in texts(app)
    assert "best epoch" in texts(app)
    assert by_label(app.button, "Change").disabled


def summary(data: dict, validation: str = "test") -> Summary:
    run = Run(Path("/nowhere/this"))
    return Summary(
        run=run,
        state=RunState.FINISHED,
        config=TrainingConfig(validation=validation),
        environment={"data": data},
        status=Status(state=RunState.FINISHED),
    )


OFFICIAL = {"kind": "official", "name": "CIFAR-10", "checksum": "sha256:archive"}
COPY = {"kind": "zip", "name": "JPEG copy of CIFAR-10", "checksum": "sha256:copy"}


@pytest.mark.parametrize(
    ("data", "validation", "note"),
    [
        (OFFICIAL, "test", ""),
        (COPY, "test", " (CIFAR-10)"),
        (IMAGES, "test", " (CIFAR-10)"),
        ({}, "test", ""),
        (OFFICIAL, "holdout", " (on the test set)"),
        (COPY, "holdout", " (CIFAR-10, on the test set)"),
    ],
)
def test_a_printed_curve_says_of_which_images_it_is(data, validation: str, note: str) -> None:
    found = monitor.reference(summary(data, validation), View(beat="tutorial-dropout"))
    assert found.name == f"to beat: the tutorial's dropout, as printed{note}"
    assert len(found.history.epochs) == 15


def test_a_run_to_beat_says_so_where_its_images_are_others(store: RunStore) -> None:
    runs = {
        "same": write(store, EPOCHS, name="same", data=COPY),
        "other": write(store, EPOCHS, name="other", data=IMAGES),
        "apart": write(store, EPOCHS, TrainingConfig(validation="holdout"), "apart", COPY),
    }
    summaries = {name: Summary.of(run) for name, run in runs.items()}
    this = summary(COPY)
    views = {name: View(beat=name, rival=summaries[name]) for name in runs}
    names = {name: monitor.reference(this, views[name]).name for name in runs}
    assert names == {
        "same": "to beat: same",
        "other": "to beat: other (synthetic)",
        "apart": "to beat: apart (on held-out training images)",
    }
    assert monitor.reference(this, View()) is None
    assert monitor.reference(summaries["same"], views["same"]) is None


@pytest.mark.parametrize(("images", "note"), [(COPY, ""), (IMAGES, f" ({COPY['name']})")])
def test_a_curve_to_beat_learns_with_the_run_of_which_images_that_is(
    store: RunStore, monkeypatch: pytest.MonkeyPatch, images: dict, note: str
) -> None:
    rival = Summary.of(write(store, EPOCHS, name="rival", data=COPY))
    live = write(store, [StateEvent(state=RunState.RUNNING)], name="live")
    live.save_environment({})
    view = View(beat="rival", rival=rival)  # as the page made it when the run began
    drawn: list[str] = []
    monkeypatch.setattr(
        monitor,
        "live_chart",
        lambda figure, **_: drawn.append(json.loads(figure)["data"][0]["name"]),
    )
    monitor.monitor(Summary.of(live), view)
    live.save_environment({"data": images})
    monitor.monitor(Summary.of(live), view)
    before, after = "to beat: rival", f"to beat: rival{note}"
    assert drawn == [before, before, after, after]


def test_a_runs_figure_holds_what_the_live_page_shows(store: RunStore) -> None:
    run = write(store, [*EPOCHS, RateEvent(step=3126, learning_rate=0.01)])
    to_beat = curves.Reference("to beat", printed_histories()["tutorial-dropout"])
    for by, best, changed in (("epoch", 7, 2.0), ("step", 10_941, 3126)):
        view = curves.View(by, smoothing=0.5, log=True, reference=to_beat)
        for metric, lowest in (("loss", 0.8565), ("accuracy", 0.7037)):
            figure = curves.run_figure(Summary.of(run), run.history(), metric, view)
            traces = {trace.name: trace for trace in figure.data}
            assert (traces["best epoch"].x[0], traces["best epoch"].y[0]) == (
                best,
                pytest.approx(lowest),
            )
            assert len(traces["to beat"].x) == 15
            assert "validation as measured" in traces
            assert (figure.layout.yaxis.type == "log") == (metric == "loss")
            (line,) = figure.layout.shapes
            assert (line.x0, line.label.text) == (changed, "learning rate 0.01")


@pytest.mark.parametrize(("by", "end"), [("epoch", 1.0), ("step", 1563)])
def test_a_few_images_at_an_epochs_end_make_no_spike(store: RunStore, by: str, end: float) -> None:
    figures = {"epoch": 1, "accuracy": 0.5, "images_per_second": 1.0}
    spans = [BatchEvent(step=100 * n, loss=1.0, **figures) for n in range(1, 16)]
    run = write(store, [*spans, BatchEvent(step=1563, loss=1.0, **figures)])
    run.append(BatchEvent(step=1564, loss=0.9, **{**figures, "epoch": 2}))
    spike = BatchEvent(step=1501, loss=4.0, **figures)
    few = curves.run_figure(Summary.of(run), run.history(), "loss", curves.View(by))
    (drawn,) = [trace for trace in few.data if trace.name == "train, last batches"]
    assert (len(drawn.y), drawn.x[15]) == (17, pytest.approx(end))
    history = run.history()
    history.batches = Batches([*history.batches[:15], spike, *history.batches[16:]])
    spiky = curves.run_figure(Summary.of(run), history, "loss", curves.View(by))
    (drawn,) = [trace for trace in spiky.data if trace.name == "train, last batches"]
    assert max(drawn.y) == pytest.approx((100 * 1.0 + 4.0) / 101)


def test_a_page_without_an_epoch_keeps_the_places_free(store: RunStore, open_page) -> None:
    run = write(store, [StateEvent(state=RunState.RUNNING, time=time.time())])
    with run.working():
        app: AppTest = open_page("train")
        assert by_label(app.metric, "Validation loss").value == "–"
        assert "Nothing to remark" not in texts(app)


@pytest.mark.parametrize("rate", [1e-7, 1e-9, 5e-324])
def test_a_run_with_next_to_no_learning_rate_can_be_changed(
    store: RunStore, open_page, rate: float
) -> None:
    still = [
        EpochEvent(
            step=epoch,
            epoch=epoch,
            loss=2.3,
            accuracy=0.1,
            val_loss=2.3,
            val_accuracy=0.1,
            seconds=1,
        )
        for epoch in range(1, 7)
    ]
    run = write(store, still, TrainingConfig(learning_rate=rate))
    with run.working():
        run.append(StateEvent(state=RunState.RUNNING))
        app = open_page("train")
        field = by_label(app.number_input, "New learning rate")
        assert field.value == rate
        assert 0 < field.step <= rate
        field.set_value(0.01).run()
        by_label(app.button, "Change").click().run()
        assert not app.exception
        assert run.take_rate() == 0.01


@pytest.mark.parametrize("loss", [0.0, 1e-12])
def test_a_run_without_a_loss_is_shown(store: RunStore, open_page, loss: float) -> None:
    perfect = [
        EpochEvent(
            step=epoch,
            epoch=epoch,
            loss=loss,
            accuracy=1.0,
            val_loss=loss,
            val_accuracy=1.0,
            seconds=1,
        )
        for epoch in range(1, 8)
    ]
    write(store, [*perfect, StateEvent(state=RunState.FINISHED, test_accuracy=1.0)])
    app = open_page("train")
    by_label(app.toggle, "Log scale of the loss").set_value(True).run()
    assert not app.exception
    assert "Nothing to remark: no overfitting" in texts(app)
    app.switch_page("pages/evaluate.py").run()
    assert not app.exception


def test_a_run_that_gets_nothing_right_is_shown(store: RunStore, open_page) -> None:
    wrong = [
        EpochEvent(
            step=epoch,
            epoch=epoch,
            loss=9.0,
            accuracy=0.0,
            val_loss=9.0,
            val_accuracy=0.0,
            seconds=1,
        )
        for epoch in range(1, 4)
    ]
    run = write(store, [*wrong, StateEvent(state=RunState.FINISHED, test_accuracy=0.0)])
    (run.path / "environment.json").unlink()
    for page in ("train", "evaluate", "compare"):
        open_page(page)


def test_sessions_that_look_at_a_run_in_one_way_share_its_charts(
    store: RunStore, open_page, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    draw = curves.run_figure

    def note(summary, history, metric, view, x_max=None):
        drawn.append(metric)
        return draw(summary, history, metric, view, x_max)

    monkeypatch.setattr(curves, "run_figure", note)
    run = write(store, [StateEvent(state=RunState.RUNNING), *EPOCHS[:8]])
    with run.working():
        first, second = open_page("train"), open_page("train")
        assert sorted(drawn) == ["accuracy", "loss"]
        run.append(EPOCHS[8])
        for app in (first, second):
            app.run()
            assert by_label(app.metric, "Validation loss").value == f"{EPOCHS[8].val_loss:.4f}"
        assert len(drawn) == 4
        by_label(second.slider, "Smoothing").set_value(0.5).run()
        assert len(drawn) == 6
        first.run()
        assert len(drawn) == 6


def test_a_look_holds_up_no_other_session(store: RunStore, open_page) -> None:
    write(store, [*EPOCHS, finished()])
    app = open_page("train")
    cached.tensorflow().result()
    import keras

    before = keras.backend.get_uid("look")
    collected: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            collected.append(info["generation"])

    gc.disable()  # what is collected then, somebody has asked for
    gc.callbacks.append(note)
    try:
        app.run()
    finally:
        gc.callbacks.remove(note)
        gc.enable()
    assert collected == []
    assert keras.backend.get_uid("look") == before + 1  # networks of all sessions are kept
