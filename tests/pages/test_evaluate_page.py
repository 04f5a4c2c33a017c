"""The Evaluate page: verdict, sections and images, on runs whose every answer is known."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics
from streamlit.testing.v1 import AppTest

from cifar_core.analysis.evaluation import accuracy
from cifar_core.config import TrainingConfig
from cifar_core.data import Dataset, load_data
from cifar_core.network.predict import Predictions, softmax
from cifar_core.percent import percent
from cifar_core.runs.events import EpochEvent, RunState, StateEvent
from cifar_core.runs.run import Run
from cifar_core.runs.store import RunStore
from tests.conftest import ROOT
from tests.pages.elements import by_label, component, figure, grid, html, texts
from ui.components.pictures import data_uri, grey, sprite
from ui.session.keys import Key
from ui.text import plain

AddRun = Callable[..., Run]


def answers(blobs: Dataset, seed: int, skill: float = 1.5) -> Predictions:
    """Probabilities of somebody who is often right."""
    logits = np.random.default_rng(seed).normal(size=(len(blobs.y_test), 10))
    logits[np.arange(len(logits)), blobs.y_test] += skill
    return Predictions(softmax(logits), blobs.y_test)


@pytest.fixture
def add_run(environment: Path, blobs: Dataset, blobs_npz: Path) -> AddRun:
    """Adds a finished run of which everything but the network is there."""
    source = load_data(str(blobs_npz)).source

    def add(
        name: str,
        predictions: Predictions | None = None,
        *,
        config: TrainingConfig | None = None,
        classes: tuple[str, ...] = blobs.class_names,
        data: tuple[str, str] = (source.name, source.checksum),
        train: float = 0.7,
        test: float = 0.69,
        losses: tuple[float, ...] = (1.5, 1.0, 0.99),
    ) -> Run:
        run = RunStore(environment).create(config or TrainingConfig(epochs=len(losses)), name)
        run.save_environment(
            {
                "data": {"name": data[0], "checksum": data[1]},
                "classes": list(classes),
            }
        )
        for number, loss in enumerate(losses):
            figures = {"loss": loss, "accuracy": train, "val_loss": loss, "val_accuracy": test}
            run.append(EpochEvent(step=number + 1, epoch=number + 1, seconds=1.0, **figures))
        if predictions:
            run.save_predictions(predictions)
            test = accuracy(predictions)
        ended = {"test_accuracy": test, "test_loss": 1.0, "seconds": 3.0, "epoch": len(losses)}
        run.append(StateEvent(state=RunState.FINISHED, train_accuracy=train, **ended))
        return run

    return add


def look_into(app: AppTest, aspect: str) -> AppTest:
    app.segmented_control(key="aspect").set_value(aspect).run()
    assert not app.exception
    return app


def values(array: dict) -> list[float]:
    """An array as Plotly's JSON has it: its bytes in base 64."""
    return np.frombuffer(base64.b64decode(array["bdata"]), array["dtype"]).tolist()


def keys(app: AppTest) -> list[str]:
    return [one["key"] for one in component(app, "live_chart")]


@pytest.mark.parametrize(
    ("train", "test", "losses", "verdict"),
    [
        (0.95, 0.7, (1.0, 0.8, 0.9), "**Overfits.**"),
        (0.7, 0.69, (1.0, 0.9, 0.89), "**About right.**"),
        (0.7, 0.69, (1.5, 1.2, 0.9), "**Underfits.** Its validation loss still fell by 25.0%"),
        (0.3, 0.29, (2.1, 2.0, 2.0), "**Underfits.** Even of the images it learned from"),
    ],
)
def test_a_verdict_in_words(
    open_page, add_run: AddRun, train: float, test: float, losses: tuple, verdict: str
) -> None:
    add_run("judged", train=train, test=test, losses=losses)
    app = open_page("evaluate")
    assert verdict in texts(app)
    remedies = [one for one in app.button if one.key.startswith("verdict-")]
    assert bool(remedies) == ("About right" not in verdict)


def test_a_remedy_opens_the_train_page_with_the_runs_settings_and_that_change(
    open_page, add_run: AddRun
) -> None:
    config = TrainingConfig(epochs=3, seed=5, batch_size=64, flip=True)
    add_run("overfitted", config=config, train=0.95, test=0.7)
    app = open_page("evaluate")
    by_label(app.button, "Dropout 0.4").click().run()
    assert not app.exception
    assert [title.value for title in app.title] == ["Train"]
    assert by_label(app.toggle, "Dropout").value
    assert by_label(app.slider, "Dropout rate").value == 0.4
    assert by_label(app.number_input, "Epochs").value == 3
    assert by_label(app.number_input, "Batch size").value == 64
    assert by_label(app.number_input, "Seed").value == 5


def test_a_remedy_is_tried_on_the_runs_own_images(
    open_page, add_run: AddRun, blobs_npz: Path
) -> None:
    add_run("overfitted", train=0.95, test=0.7)
    app = open_page("evaluate")
    app.session_state[Key.DATA] = "synthetic"
    by_label(app.button, "Dropout 0.4").click().run()
    assert not app.exception
    assert app.session_state[Key.DATA] == str(blobs_npz)
    assert not app.toast


def test_a_remedy_says_where_the_runs_own_images_are_not_here(
    open_page, add_run: AddRun, blobs_npz: Path
) -> None:
    add_run("overfitted", data=("holiday pictures", "sha256:0"), train=0.95, test=0.7)
    app = open_page("evaluate")
    by_label(app.button, "Dropout 0.4").click().run()
    assert [one.value for one in app.toast] == [
        "The images of this run, holiday pictures, are not here: others are chosen."
    ]
    assert app.session_state[Key.DATA] == str(blobs_npz)


def test_the_best_epoch_is_marked_in_both_charts(open_page, add_run: AddRun) -> None:
    add_run("run", losses=(1.5, 0.8, 0.9, 1.0))
    app = open_page("evaluate")
    for metric in ("accuracy", "loss"):
        traces = {one["name"]: one for one in figure(app, f"evaluate-{metric}")["data"]}
        assert values(traces["best epoch"]["x"]) == [2]
        assert values(traces["best epoch"]["y"]) == values(traces["validation"]["y"])[1:2]
    assert "lowest after epoch 2 of 4" in texts(app)


def test_a_run_without_predictions_has_curves_and_verdict_only(open_page, add_run: AddRun) -> None:
    add_run("printed", data=("official CIFAR-10", ""), train=0.75, test=0.68)
    app = open_page("evaluate")
    assert by_label(app.metric, "Test accuracy").value == "68.00%"
    assert by_label(app.metric, "Gap, train less test").value == "+7.00"
    assert "Overfits" in texts(app)
    assert keys(app) == ["evaluate-accuracy", "evaluate-loss"]
    assert "left no predictions" in texts(app)
    assert not app.get("button_group")


def test_a_run_that_has_just_begun_says_what_is_to_come(open_page, environment: Path) -> None:
    RunStore(environment).create(TrainingConfig(), "begun")
    app = open_page("evaluate")
    assert "come when the run has ended" in texts(app)
    assert not app.metric


def test_damaged_predictions_are_one_sentence(open_page, add_run: AddRun, blobs: Dataset) -> None:
    run = add_run("run", answers(blobs, 1))
    (run.path / "predictions.npz").write_bytes(b"PK")
    app = open_page("evaluate")
    (error,) = app.error
    assert plain("predictions.npz") in error.value
    assert keys(app) == ["evaluate-accuracy", "evaluate-loss"]


def test_the_greatest_confusion_is_shown_first_then_any_cell(
    open_page, add_run: AddRun, blobs: Dataset
) -> None:
    predictions = answers(blobs, 1)
    add_run("run", predictions)
    app = open_page("evaluate")
    matrix = metrics.confusion_matrix(predictions.labels, predictions.predicted)
    apart = matrix - np.diag(np.diag(matrix))
    chosen = np.unravel_index(apart.argmax(), apart.shape)
    true, predicted = (
        by_label(app.selectbox, "True class"),
        by_label(app.selectbox, "Predicted class"),
    )
    assert (true.value, predicted.value) == chosen
    assert html(app).count("<figure") == apart.max()

    (frame,) = figure(app, "confusion")["layout"]["shapes"]
    assert (frame["y0"] + 0.5, frame["x0"] + 0.5) == chosen
    for cell in ((0, 0), (3, 5), np.unravel_index(matrix.argmin(), matrix.shape)):
        by_label(app.selectbox, "True class").select_index(int(cell[0])).run()
        by_label(app.selectbox, "Predicted class").select_index(int(cell[1])).run()
        inside = (predictions.labels == cell[0]) & (predictions.predicted == cell[1])
        expected = sorted(
            np.flatnonzero(inside), key=lambda index: -predictions.probabilities[index].max()
        )
        assert html(app).count("<figure") == min(len(expected), 12) == min(matrix[cell], 12)
        for index in expected[:12]:
            assert f"#{index}<" in html(app)
    assert "No test image of class" in texts(app)


def test_the_matrix_in_counts_in_shares_and_ranked(
    open_page, add_run: AddRun, blobs: Dataset
) -> None:
    predictions = answers(blobs, 1)
    add_run("run", predictions)
    app = open_page("evaluate")
    matrix = metrics.confusion_matrix(predictions.labels, predictions.predicted)
    assert figure(app, "confusion")["data"][1]["text"] == [str(n) for n in matrix.ravel()]
    app.segmented_control(key="cells").set_value("shares").run()
    shares = [percent(n / 20, 0) for n in matrix.ravel()]
    assert figure(app, "confusion")["data"][1]["text"] == shares
    app.segmented_control(key="cells").set_value("ranking").run()
    apart = sorted((matrix - np.diag(np.diag(matrix))).ravel(), reverse=True)
    assert figure(app, "ranking")["data"][0]["x"] == apart[:12]


def test_images_of_another_set_are_asked_for(open_page, add_run: AddRun, blobs: Dataset) -> None:
    add_run("run", answers(blobs, 1), data=("the *other* images", "sha256:other"))
    app = open_page("evaluate")
    assert "choose those of this run" in texts(app)
    assert "the \\*other\\* images" in texts(app)
    assert "confusion" in keys(app)
    assert not html(app)
    assert "choose those of this run" in texts(look_into(app, "mistakes"))


def test_with_a_network_each_image_is_a_button(with_runs: RunStore, open_page) -> None:
    app = open_page("evaluate")
    run = with_runs.get("plain")
    by_label(app.selectbox, "Run").select("plain").run()
    by_label(app.selectbox, "True class").select_index(3).run()
    by_label(app.selectbox, "Predicted class").select_index(3).run()
    predictions = run.predictions()
    inside = (predictions.labels == 3) & (predictions.predicted == 3)
    assert {index for index, *_ in grid(app)} <= set(np.flatnonzero(inside))
    assert len(grid(app)) == min(inside.sum(), 12)


def test_a_grey_network_s_images_are_shown_grey(
    open_page, add_run: AddRun, blobs: Dataset, trained: RunStore
) -> None:
    predictions = answers(blobs, 1)
    run = add_run("run", predictions, config=TrainingConfig(colour="grey"))
    run.model_path.write_bytes(trained.get("plain").model_path.read_bytes())
    app = look_into(open_page("evaluate"), "mistakes")
    mistakes, hits = component(app, "image_grid")
    for one in (mistakes, hits):
        images = blobs.x_test[[index for index, *_ in one["cells"]]]
        assert one["sprite"] == data_uri(sprite(grey(images))[0])


def test_surest_mistakes_and_least_sure_hits(open_page, add_run: AddRun, blobs: Dataset) -> None:
    predictions = answers(blobs, 1)
    add_run("run", predictions)
    app = look_into(open_page("evaluate"), "mistakes")
    wrong = predictions.predicted != predictions.labels
    assert f"{wrong.sum()} of 200 test images were misclassified" in texts(app)
    surest = max(np.flatnonzero(wrong), key=lambda i: predictions.probabilities[i].max())
    unsure = min(np.flatnonzero(~wrong), key=lambda i: predictions.probabilities[i].max())
    name = blobs.class_names[predictions.predicted[surest]]
    share = predictions.probabilities[surest].max()
    truly = blobs.class_names[blobs.y_test[surest]]
    grids = [one.proto.body for one in app.get("html") if "<figure" in one.proto.body]
    assert len(grids) == 2
    assert f"{name} {percent(share)}, truly {truly}" in grids[0].split("</figure>")[0]
    second = blobs.class_names[np.argsort(predictions.probabilities[unsure])[-2]]
    assert f"before {second}" in grids[1].split("</figure>")[0]
    app.get("pagination")[0].set_value(2).run()
    assert f"{name} {percent(share)}, truly {truly}" not in html(app)


def test_two_networks_are_compared_on_the_same_images_only(
    open_page, add_run: AddRun, blobs: Dataset
) -> None:
    bad, good = answers(blobs, 1, 0.5), answers(blobs, 2, 3)
    add_run("bad", bad)
    add_run("good", good)
    add_run("stranger", answers(blobs, 3), data=("others", "sha256:other"))
    app = open_page("evaluate")
    by_label(app.selectbox, "Run").select("bad").run()
    look_into(app, "difference")
    other = by_label(app.selectbox, "Compare with")
    assert other.options == ["good"]
    low, high = stats.binomtest(int(bad.hits.sum()), 200).proportion_ci(method="wilson")
    assert f"**{percent(low)} to {percent(high)}**" in texts(app)
    only_bad, only_good = (bad.hits & ~good.hits).sum(), (good.hits & ~bad.hits).sum()
    assert only_bad + only_good >= 25
    assert f"{only_good} times good, {only_bad} times bad" in texts(app)
    assert "chi-squared" in texts(app)
    assert "**good is better on such images**" in texts(app)
    bars = [bar["x"] for bar in figure(app, "agreement")["data"]]
    assert sum(sum(bar) for bar in bars) == 200
    assert bars[0] == [(bad.hits & good.hits).sum()]


def test_few_images_on_which_two_differ_get_the_exact_test(
    open_page, add_run: AddRun, blobs: Dataset
) -> None:
    one = answers(blobs, 1, 4)
    flipped = one.probabilities.copy()
    flipped[:6] = np.roll(flipped[:6], 1, axis=1)
    other = Predictions(flipped, one.labels)
    assert one.hits[:6].all()
    assert not other.hits[:6].any()
    add_run("other", other)
    add_run("one", one)
    app = open_page("evaluate")
    by_label(app.selectbox, "Run").select("one").run()
    look_into(app, "difference")
    p_value = stats.binomtest(0, 6).pvalue
    assert f"in {p_value:.1%} of all cases (McNemar's test, exact binomial)" in texts(app)


def test_a_run_beside_itself_and_a_run_alone(open_page, add_run: AddRun, blobs: Dataset) -> None:
    add_run("alone", answers(blobs, 1))
    app = look_into(open_page("evaluate"), "difference")
    assert "train a second one" in texts(app)
    add_run("twin", answers(blobs, 1))
    app.run()
    by_label(app.selectbox, "Run").select("alone").run()
    assert "very same images" in texts(app)


def test_reliability_says_bins_and_error(open_page, add_run: AddRun, blobs: Dataset) -> None:
    predictions = answers(blobs, 1)
    add_run("run", predictions)
    app = look_into(open_page("evaluate"), "calibration")
    confidence = predictions.probabilities.max(axis=1).mean()
    words = f"{percent(confidence)} sure and {percent(predictions.hits.mean())} right"
    assert words in texts(app)
    assert "in 10 bins" in texts(app)
    assert len(figure(app, "reliability")["data"]) == 3


def test_other_classes_few_images_and_no_mistake(open_page, add_run: AddRun) -> None:
    two = Predictions(np.eye(2, dtype=np.float32)[[0, 1, 0]], np.array([0, 1, 0], np.uint8))
    add_run("few", two, classes=("ja & <b>", "nein"), data=("two", "sha256:two"))
    app = open_page("evaluate")
    assert "Every test image was classified correctly" in texts(app)
    assert figure(app, "confusion")["layout"]["xaxis"]["ticktext"][0] == "ja &amp; &lt;b&gt;"
    for aspect in ("classes", "mistakes", "difference", "calibration"):
        look_into(app, aspect)
    assert by_label(app.metric, "Test accuracy").value == "100.00%"


def test_a_cell_of_ten_classes_is_no_cell_of_two(
    open_page, add_run: AddRun, blobs: Dataset
) -> None:
    two = Predictions(np.eye(2, dtype=np.float32)[[1, 1, 0]], np.array([0, 1, 0], np.uint8))
    add_run("few", two, classes=("ja", "nein"), data=("two", "sha256:two"))
    add_run("many", answers(blobs, 1))
    app = open_page("evaluate")
    by_label(app.selectbox, "Run").select("many").run()
    by_label(app.selectbox, "True class").select_index(9).run()
    by_label(app.selectbox, "Run").select("few").run()
    assert not app.exception
    assert by_label(app.selectbox, "True class").value == 0
    assert by_label(app.selectbox, "Predicted class").value == 1


def test_a_link_says_what_to_look_into(environment, add_run: AddRun, blobs: Dataset) -> None:
    add_run("run", answers(blobs, 1))
    app = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60).run()
    app.switch_page("pages/evaluate.py")
    app.query_params["aspect"] = "calibration"
    app.run()
    assert not app.exception
    assert "reliability" in keys(app)
