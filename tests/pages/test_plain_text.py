"""Names, paths and messages of anybody's, in which Markdown would see markup, over all pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from google.protobuf.message import Message
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Node

from cifar_core.config import TrainingConfig
from cifar_core.data import Dataset
from cifar_core.errors import CifarError
from cifar_core.runs.store import RunStore
from cifar_core.workers.worker import execute
from tests.conftest import ROOT
from tests.pages.elements import by_label, texts
from ui.text import plain

ODD = r"C:\Users\me\.runs\[a]_b_ $x$ :red[c] <b>"
MARKUP = ("[a]", "$x$", "<b>", r"\Users\me\.runs")  # none of them is in `plain(ODD)`

# What Streamlit shows as it is: options, values, code, HTML and the data of components.
AS_IS = {"html", "code", "bidi_component", "arrow_data_frame", "dataframe"}
WORDS = {"body", "label", "help", "text", "delta", "placeholder", "caption"}


def nodes(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Block):
        for child in node.children.values():
            yield from nodes(child)


def strings(message: Message) -> Iterator[str]:
    """What of an element or a container is rendered as Markdown."""
    for field, value in message.ListFields():
        if field.name in WORDS and isinstance(value, str):
            yield value
        elif isinstance(value, Message):
            yield from strings(value)


def rendered(app: AppTest) -> Iterator[str]:
    """Every text on a page that is rendered as Markdown."""
    for node in nodes(app._tree):
        proto = getattr(node, "proto", None)
        if isinstance(proto, Message) and node.type not in AS_IS:
            yield from strings(proto)
    for table in app.table:
        yield from (str(cell) for cell in table.value.to_numpy().ravel())
        yield from map(str, table.value.columns)


def check(app: AppTest) -> None:
    assert not app.exception
    found = [text for text in rendered(app) if any(mark in text for mark in MARKUP)]
    assert not found


@pytest.fixture(scope="module")
def odd_images(blobs: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Easy images whose classes have odd names, in a file of an odd name."""
    path = tmp_path_factory.mktemp("odd") / f"{ODD}.npz"
    arrays = {name: getattr(blobs, name)[:100] for name in ("x_train", "y_train")}
    arrays |= {name: getattr(blobs, name)[:60] for name in ("x_test", "y_test")}
    np.savez(path, **arrays, class_names=np.array([f"{number}{ODD}" for number in range(10)]))
    return path


@pytest.fixture(scope="module")
def odd_runs(odd_images: Path, tmp_path_factory: pytest.TempPathFactory) -> RunStore:
    """Two runs, one of an odd name, and one that failed with an odd message."""
    store = RunStore(tmp_path_factory.mktemp("runs"))
    execute(store.create(TrainingConfig(epochs=1), "plain"), str(odd_images))
    execute(store.create(TrainingConfig(epochs=2, dropout=0.4), "odd"), str(odd_images))
    with pytest.raises(CifarError):
        execute(store.create(TrainingConfig(), "failed"), f"/nowhere/{ODD}")
    (store.root / "odd").rename(store.root / ODD)
    run = next(run for run in store.runs() if run.id == ODD)
    run.save_notes(f"{ODD}\n{ODD}")
    return store


@pytest.fixture
def app(
    environment: Path, odd_runs: RunStore, odd_images: Path, monkeypatch: pytest.MonkeyPatch
) -> AppTest:
    monkeypatch.setenv("CIFAR10_RUNS", str(odd_runs.root))
    monkeypatch.setenv("CIFAR10_DATA", str(odd_images))
    app = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60).run()
    check(app)
    return app


def test_data(app: AppTest) -> None:
    for section in ("colour", "statistics", "augmentation", "look"):
        app.segmented_control(key="section").set_value(section).run()
        check(app)
    app.query_params["image"] = "3"
    check(app.run())
    assert plain(f"3{ODD}") in texts(app)


def test_model_and_predict(app: AppTest) -> None:
    check(app.switch_page("pages/model.py").run())
    app.switch_page("pages/predict.py").run()
    by_label(app.selectbox, "Run").select(ODD).run()
    by_label(app.toggle, "Why this answer?").set_value(True).run()
    check(app)
    by_label(app.button, "Twenty at random").click().run()
    check(app)


def test_predict_with_other_images(
    app: AppTest, built_in_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR10_CACHE", str(built_in_cache))
    monkeypatch.setenv("CIFAR10_DATA", "synthetic")
    check(app.switch_page("pages/predict.py").run())
    assert "tells" in app.warning[0].value
    assert plain(f"3{ODD}") in app.warning[0].value


@pytest.mark.parametrize("run", ["failed", "plain", ODD])
def test_train(app: AppTest, run: str) -> None:
    app.switch_page("pages/train.py").run()
    by_label(app.selectbox, "Run").select(run).run()
    check(app)
    if run == "failed":
        assert plain(f"/nowhere/{ODD}") in app.error[0].value


def test_evaluate(app: AppTest) -> None:
    app.switch_page("pages/evaluate.py").run()
    by_label(app.selectbox, "Run").select(ODD).run()
    check(app)
    assert plain(f"{ODD}.npz") in texts(app), "the name of the images"
    for aspect in ("classes", "mistakes", "difference", "calibration"):
        app.segmented_control(key="aspect").set_value(aspect).run()
        check(app)
    by_label(app.selectbox, "Run").select("failed").run()
    check(app)


def test_compare(app: AppTest) -> None:
    app.session_state["runs"] = ["plain", ODD]
    check(app.switch_page("pages/compare.py").run())
    assert plain(ODD) in texts(app)


def test_images_that_cannot_be_read(
    app: AppTest, tmp_path: Path, built_in_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / ODD)
    monkeypatch.setenv("CIFAR10_CACHE", str(built_in_cache))
    monkeypatch.setenv("CIFAR10_DATA", path)
    for name in ("model", "train", "evaluate", "predict", "compare", "data"):
        app.switch_page(f"pages/{name}.py").run()
        check(app)
        assert app.error[0].value.startswith(plain(path))


def test_a_link_of_others(environment: Path) -> None:
    app = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60)
    app.query_params.update(epochs=ODD, network=ODD)
    check(app.run())
    assert len(app.toast) == 2
