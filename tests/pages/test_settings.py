"""The Train page's controls: each reaches the settings, and the settings reach the link."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.config import PRESETS, TrainingConfig
from cifar_core.data import Dataset
from cifar_core.runs.store import RunStore
from cifar_core.runs.summary import Summary
from tests.conftest import ROOT
from ui.session.keys import Key

OpenLink = Callable[[dict[str, str]], AppTest]
KINDS = ("toggle", "slider", "selectbox", "number_input")


@pytest.fixture
def open_link(environment: Path) -> OpenLink:
    """Opens the Train page in a session that came in by a link with this query."""

    def open_it(query: dict[str, str]) -> AppTest:
        app = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60)
        for key, value in query.items():
            app.query_params[key] = value
        app.run()
        app.session_state[Key.ADDRESS] = {}  # dashboard.py does it, which AppTest passes by
        app.session_state[Key.ADDRESS_KEPT] = True  # as a browser tells it
        app.session_state[Key.MORE] = True
        app.switch_page("pages/train.py").run()
        assert not app.exception
        return app

    return open_it


def widgets(app: AppTest) -> dict[str, Any]:
    """The page's widgets by their keys, without the number that tells one lot from the next."""
    return {one.key.rpartition("-")[0]: one for kind in KINDS for one in app.get(kind) if one.key}


def labelled(app: AppTest, label: str) -> Any:
    (found,) = [one for kind in KINDS for one in app.get(kind) if one.label == label]
    return found


def link(app: AppTest) -> dict[str, str]:
    """The query in the page's address."""
    return dict(app.query_params)


def settings(app: AppTest) -> TrainingConfig:
    """What the page's address says."""
    config, errors = TrainingConfig.from_query(link(app))
    assert not errors
    return config


def captions(app: AppTest) -> str:
    return "\n".join(caption.value for caption in app.caption)


def warnings(app: AppTest) -> str:
    """The page's warnings, as a reader sees them."""
    return "\n".join(warning.value.replace("\\", "") for warning in app.warning)


def test_every_setting_has_a_widget_with_its_help(open_page) -> None:
    found = widgets(open_page("train"))
    for spec in fields(TrainingConfig):
        if spec.name != "fold":  # the page asks for all folds
            shown = found[spec.name].help.lower()
            assert spec.metadata["help"].lower() in shown


def test_no_widget_lets_a_rule_be_broken(open_page) -> None:
    found = widgets(open_page("train"))
    numbers = 0
    for spec in fields(TrainingConfig):
        widget = found.get(f"{spec.name}_number", found.get(spec.name))
        if hasattr(widget, "min"):
            assert spec.metadata["holds"](widget.min), spec.name
            assert spec.metadata["holds"](widget.max), spec.name
            numbers += 1
    assert numbers == 14


CONTROLS = [
    ("Epochs", "epochs", 7),
    ("Mirror", "flip", True),
    ("Shift", "shift", 3),
    ("Cutout", "cutout", 9),
    ("L2 regularisation", "l2", 0.001),
    ("Weight decay", "weight_decay", 0.0005),
    ("Label smoothing", "label_smoothing", 0.1),
    ("Network", "network", "compact"),
    ("Width", "width", 0.5),
    ("Convolution layers", "convolutions", 2),
    ("Batch normalisation", "batch_norm", True),
    ("Pooling", "pooling", "average"),
    ("Colour", "colour", "grey"),
    ("Standardise", "standardise", True),
    ("Optimiser", "optimiser", "sgd"),
    ("Learning rate", "learning_rate", 0.02),
    ("Schedule", "schedule", "cosine"),
    ("Batch size", "batch_size", 64),
    ("Validation", "validation", "folds"),
    ("Folds", "folds", 3),
    ("Seed", "seed", 12),
    ("Deterministic", "deterministic", True),
    ("Precision", "precision", "mixed"),
    ("Device", "device", "cpu"),
]


def test_each_control_reaches_its_setting(open_page) -> None:
    app = open_page("train")
    expected = TrainingConfig()
    for label, name, value in CONTROLS:
        labelled(app, label).set_value(value).run()
        assert not app.exception, label
        expected = replace(expected, **{name: value})
        assert settings(app) == expected, label


@pytest.mark.parametrize(
    ("switch", "number", "value", "name"),
    [
        ("Dropout", "Dropout rate", 0.25, "dropout"),
        ("Early stopping", "Patience", 5, "patience"),
        ("Fewer images", "Training images", 200, "train_images"),
    ],
)
def test_a_switch_and_its_number(
    open_page, switch: str, number: str, value: float, name: str
) -> None:
    app = open_page("train")
    assert labelled(app, number).disabled
    labelled(app, switch).set_value(True).run()
    assert not labelled(app, number).disabled
    labelled(app, number).set_value(value).run()
    assert settings(app) == replace(TrainingConfig(), **{name: value})
    labelled(app, switch).set_value(False).run()
    assert settings(app) == TrainingConfig()
    assert labelled(app, number).value == value


ODD = {
    "out of the widgets' way": TrainingConfig(
        dropout=0.987, learning_rate=1e-7, l2=1.0, label_smoothing=0.95, train_images=10_000_000
    ),
    "next to nothing": TrainingConfig(
        dropout=1e-9, learning_rate=5e-324, l2=1e-12, weight_decay=5e-324, label_smoothing=1e-9
    ),
    "fine": TrainingConfig(dropout=0.0123, weight_decay=1e-6, learning_rate=0.00012345),
    "everything": TrainingConfig(
        epochs=1000,
        flip=True,
        shift=8,
        cutout=24,
        patience=1000,
        width=2.0,
        convolutions=1,
        pooling="average",
        colour="grey",
        optimiser="adagrad",
        validation="folds",
        folds=20,
        seed=2**32 - 1,
        deterministic=True,
        precision="mixed",
        device="gpu",
    ),
}


@pytest.mark.parametrize("name", [*PRESETS, *ODD])
def test_a_link_sets_the_widgets_and_the_widgets_give_the_link(
    open_link: OpenLink, name: str
) -> None:
    config = PRESETS.get(name) or ODD[name]
    app = open_link({"note": "7", **config.to_query()})
    assert not app.toast
    assert settings(app) == config
    assert link(app) == {"note": "7", **config.to_query()}
    assert labelled(app, "Preset").value == (name if name in PRESETS else "custom")
    labelled(app, "Epochs").set_value(3).run()
    assert not app.exception
    assert settings(app) == replace(config, epochs=3)
    assert link(app)["note"] == "7"


def test_a_link_in_another_spelling_becomes_the_usual_one(open_link: OpenLink) -> None:
    app = open_link({"optimizer": "SGD", "color": "gray", "standardize": "true", "note": "7"})
    assert not app.toast
    usual = {"optimiser": "sgd", "colour": "grey", "standardise": "true", "note": "7"}
    assert link(app) == usual
    labelled(app, "Optimiser").set_value("adam").run()
    assert settings(app) == TrainingConfig(colour="grey", standardise=True)


def test_a_broken_value_in_a_link_is_said_once_and_costs_nothing_else(
    open_link: OpenLink,
) -> None:
    app = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60)
    app.query_params.update({"epochs": "0", "dropout": "0.4", "schedule": "[cosine](x)"})
    app.session_state[Key.ADDRESS_KEPT] = True
    app.run()
    told = [toast.value for toast in app.toast]
    assert told == [
        "`epochs` must be a whole number from 1 to 1000. Received: epochs\\=0\\.",
        "`schedule` must be 'constant', 'exponential', 'cosine' or 'one-cycle'. "
        "Received: schedule\\='\\[cosine\\]\\(x\\)'\\. Did you mean 'cosine'?",
    ]
    app.switch_page("pages/train.py").run()
    assert not app.toast
    assert settings(app) == TrainingConfig(dropout=0.4)


def test_a_fold_in_a_link_asks_for_all_folds(open_link: OpenLink) -> None:
    app = open_link({"validation": "folds", "folds": "3", "fold": "2"})
    assert settings(app) == TrainingConfig(validation="folds", folds=3)
    assert "'Start training' begins 3 runs." in captions(app)


def test_presets_leave_the_seed_and_show_in_the_link(open_page) -> None:
    app = open_page("train")
    labelled(app, "Seed").set_value(5).run()
    labelled(app, "Preset").select("best").run()
    assert settings(app) == replace(PRESETS["best"], seed=5)
    assert labelled(app, "Preset").value == "best"
    labelled(app, "Preset").select("tutorial-baseline").run()
    assert link(app) == {"seed": "5"}


def test_what_is_set_out_of_sight_is_said(open_page) -> None:
    app = open_page("train")
    assert "All other settings are at their defaults." in captions(app)
    labelled(app, "Epochs").set_value(3).run()
    assert "All other settings are at their defaults." in captions(app)
    labelled(app, "Mirror").set_value(True).run()
    labelled(app, "Schedule").set_value("one-cycle").run()
    labelled(app, "Repeats").set_value(4).run()
    assert "Also set: Mirror · Schedule one-cycle. 'Start training' begins 4 runs." in captions(app)


def test_repeats_and_folds_are_started_and_the_first_is_shown(
    open_link: OpenLink, environment: Path
) -> None:
    app = open_link({"validation": "folds", "folds": "2", "seed": str(2**32 - 1)})
    labelled(app, "Repeats").set_value(2).run()
    assert "'Start training' begins 4 runs." in captions(app)
    (start,) = [button for button in app.button if button.label == "Start training"]
    start.click().run()
    assert not app.exception
    runs = RunStore(environment).runs()
    for run in runs:
        run.request_stop()
    places = {(run.config().seed, run.config().fold): run for run in runs}
    assert set(places) == {(2**32 - 1, 1), (2**32 - 1, 2), (0, 1), (0, 2)}
    assert labelled(app, "Run").value == places[2**32 - 1, 1].id
    assert "Group of 4 runs: validation accuracy –, test accuracy – (0 done)" in captions(app)
    deadline = time.monotonic() + 120
    while any(run.state().is_live for run in runs):
        assert time.monotonic() < deadline, "a worker that was asked to stop ends"
        time.sleep(0.2)


def test_words_follow_the_settings(open_page) -> None:
    app = open_page("train")
    assert "400 images train, 200 validate, and 200 test" in captions(app)
    assert "The tutorial validates on the test images" in captions(app)
    labelled(app, "Validation").set_value("holdout").run()
    assert "360 images train, 40 validate, and 200 test" in captions(app)
    labelled(app, "Validation").set_value("folds").run()
    labelled(app, "Fewer images").set_value(True).run()
    labelled(app, "Training images").set_value(100).run()
    assert "100 images train, 80 validate, and 200 test" in captions(app)
    labelled(app, "Optimiser").set_value("adamw").run()
    assert "With weight decay 0, AdamW is Adam" in captions(app)
    labelled(app, "Weight decay").set_value(0.01).run()
    assert "With weight decay 0" not in captions(app)
    assert "chosen by the test set" not in captions(app)
    labelled(app, "Early stopping").set_value(True).run()
    assert "chosen by the test set" not in captions(app)
    labelled(app, "Validation").set_value("test").run()
    assert "chosen by the test set" in captions(app)


def few(path: Path, blobs: Dataset, images: int) -> Path:
    """So many of the easy images in a file."""
    names = ("x_train", "y_train", "x_test", "y_test")
    np.savez(path, **{name: getattr(blobs, name)[:images] for name in names})
    return path


def test_a_split_that_cannot_be_is_said_in_place_of_its_counts(
    open_page, environment: Path, blobs: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR10_DATA", str(few(tmp_path / "four.npz", blobs, 4)))
    app = open_page("train")
    assert "4 images train, 4 validate" in captions(app)
    for validation, said in (("holdout", "must hold one. Received: 4"), ("folds", "folds=5 for 4")):
        labelled(app, "Validation").set_value(validation).run()
        assert not app.exception
        assert said in warnings(app)
        assert "images train, " not in captions(app)
        (start,) = [button for button in app.button if button.label == "Start training"]
        start.click().run()
        assert not app.exception
        assert said in "\n".join(error.value.replace("\\", "") for error in app.error)
        assert RunStore(environment).runs() == []
    labelled(app, "Folds").set_value(4).run()
    assert not warnings(app)
    assert "3 images train, 1 validate" in captions(app)


def test_a_batch_that_holds_more_than_all_images_is_told(open_page) -> None:
    app = open_page("train")
    labelled(app, "Batch size").set_value(400).run()
    assert "an epoch is one step" not in captions(app)
    labelled(app, "Validation").set_value("holdout").run()
    told = "The batch size, 400, is above the 360 images that train: an epoch is one step."
    assert told in captions(app)


def test_the_model_page_follows_the_network(open_link: OpenLink) -> None:
    app = open_link({"network": "compact", "convolutions": "4", "batch_norm": "true"})
    app.switch_page("pages/evaluate.py").run()  # AppTest loses what two pages in a row share
    app.switch_page("pages/model.py").run()
    assert not app.exception
    (parameters,) = [one.value for one in app.metric if one.label == "Parameters"]
    assert parameters == "87,082"
    text = "\n".join(one.value for one in [*app.markdown, *app.caption])
    assert "Batch normalisation" in text
    assert "thirteenth row" not in text
    assert "40 × 40" not in "".join(app.table[0].value["Receptive field"])


def test_a_group_is_summed_up(
    open_page, trained: RunStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = RunStore(tmp_path / "group")
    for seed, name in enumerate(["plain", "dropout"]):  # two sets of figures
        shutil.copytree(trained.root / name, store.root / f"seed-{seed}")
        run = store.get(f"seed-{seed}")
        run.save_config(TrainingConfig(epochs=3, seed=seed))
    monkeypatch.setenv("CIFAR10_RUNS", str(store.root))
    app = open_page("train")
    found = [Summary.of(run) for run in store.runs()]
    test = 100 * np.array([one.test_accuracy for one in found])
    validation = 100 * np.array([one.last.val_accuracy for one in found])
    assert (
        f"Group of 2 runs: validation accuracy {validation.mean():.2f}% "
        f"± {validation.std(ddof=1):.2f}, test accuracy {test.mean():.2f}% "
        f"± {test.std(ddof=1):.2f} (2 done)"
    ) in captions(app)
    run.save_config(TrainingConfig(epochs=4))
    app.run()
    assert "Group of" not in captions(app)
