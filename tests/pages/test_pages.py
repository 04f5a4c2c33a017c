"""Each page: what it shows, from the same numbers computed apart."""

from __future__ import annotations

import gc

import pytest

from cifar_core.analysis import evaluation
from cifar_core.percent import percent
from cifar_core.runs.store import RunStore
from cifar_core.runs.summary import Summary
from tests.pages.elements import by_label


@pytest.mark.parametrize("name", ["data", "model", "train", "evaluate", "predict", "compare"])
def test_empty_pages_say_the_next_step(open_page, name: str) -> None:
    app = open_page(name)
    assert [title.value for title in app.title] == [name.capitalize()]
    if name in ("evaluate", "predict", "compare"):
        assert "train" in app.info[0].value
    if name == "train":
        assert "Start training" in app.info[0].value


def test_model_shows_the_tutorials_figures(open_page) -> None:
    app = open_page("model")
    assert by_label(app.metric, "Parameters").value == "122,570"
    table = app.table[0].value
    assert "15 × 15 × 32" in table["Output shape"].tolist()
    assert "18,496" in table["Parameters"].tolist()


def test_model_follows_the_training_settings(open_page) -> None:
    app = open_page("train")
    by_label(app.toggle, "Dropout").set_value(True).run()
    # AppTest, unlike a browser, loses what two pages in a row show under one key.
    app.switch_page("pages/evaluate.py").run()
    app.switch_page("pages/model.py").run()
    assert "Dropout" in app.table[0].value["Kind"].tolist()


def test_presets_set_the_controls_and_are_known_again(open_page) -> None:
    app = open_page("train")
    preset = by_label(app.selectbox, "Preset")
    assert preset.value == "tutorial-baseline"
    preset.select("tutorial-dropout").run()
    assert by_label(app.toggle, "Dropout").value
    assert by_label(app.slider, "Dropout rate").value == 0.4
    assert by_label(app.number_input, "Epochs").value == 15
    by_label(app.number_input, "Epochs").set_value(4).run()
    assert by_label(app.selectbox, "Preset").value == "custom"
    by_label(app.number_input, "Epochs").set_value(15).run()
    assert by_label(app.selectbox, "Preset").value == "tutorial-dropout"


def test_settings_outlive_a_visit_to_another_page(open_page) -> None:
    app = open_page("train")
    by_label(app.number_input, "Epochs").set_value(7).run()
    app.switch_page("pages/data.py").run()
    app.switch_page("pages/train.py").run()
    assert by_label(app.number_input, "Epochs").value == 7


def test_train_shows_a_finished_run(with_runs: RunStore, open_page) -> None:
    app = open_page("train")
    summary = Summary.of(with_runs.get("dropout"))
    assert by_label(app.selectbox, "Run").value == "dropout"
    assert f"test accuracy {percent(summary.test_accuracy)}" in app.success[0].value
    assert by_label(app.metric, "Validation loss").value == f"{summary.last.val_loss:.4f}"
    assert by_label(app.button, "Stop").disabled
    assert not by_label(app.button, "Start training").disabled


def test_evaluate_gives_the_figures_of_the_stored_predictions(
    with_runs: RunStore, open_page
) -> None:
    app = open_page("evaluate")
    by_label(app.selectbox, "Run").select("plain").run()
    assert not app.exception
    run = with_runs.get("plain")
    predictions = run.predictions()
    accuracy = evaluation.accuracy(predictions)
    assert by_label(app.metric, "Test accuracy").value == percent(accuracy)
    loss = evaluation.cross_entropy(predictions)
    assert by_label(app.metric, "Test loss").value == f"{loss:.4f}"
    gap = Summary.of(run).train_accuracy - accuracy
    assert by_label(app.metric, "Gap, train less test").value == f"{100 * gap:+.2f}"
    app.segmented_control(key="aspect").set_value("classes").run()
    row = evaluation.per_class(evaluation.confusion_matrix(predictions))[3]
    assert app.table[0].value["Recall"].tolist()[3] == percent(row.recall)


def test_compare_shows_only_settings_that_differ(with_runs: RunStore, open_page) -> None:
    app = open_page("compare")
    table = app.dataframe[0].value
    assert table["Run"].tolist() == ["dropout", "plain"]
    assert table["Dropout"].tolist() == [0.4, 0.0]
    assert "Epochs" not in table.columns
    expected = [Summary.of(with_runs.get(name)).test_accuracy for name in ("dropout", "plain")]
    assert table["Test accuracy"].tolist() == expected


def test_tensorflows_objects_do_not_slow_reruns_down(open_page) -> None:
    open_page("model")  # has waited for TensorFlow
    assert gc.get_freeze_count() > 100_000
