"""The Predict page: answers, tallies, uploads and reasons, from the same numbers computed apart."""

from __future__ import annotations

import io
import re
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cifar_core.config import TrainingConfig
from cifar_core.data import Dataset
from cifar_core.data.images import Framing, fit_to_network_size, to_network_size
from cifar_core.network import explain
from cifar_core.network.predict import predict_probabilities
from cifar_core.percent import percent
from cifar_core.runs.store import RunStore
from cifar_core.workers.worker import execute
from tests.pages.elements import by_label, component, html, texts
from ui.components import pictures
from ui.session.keys import Key
from ui.text import plain


def shown_grid(app: AppTest) -> dict[str, list] | None:
    """Cells (index, caption and note) and judgements of the grid that is shown."""
    grids = component(app, "image_grid")
    return grids[0] if grids else None


@pytest.fixture
def network(with_runs: RunStore) -> keras.Model:
    """Of the run that the page shows first."""
    return with_runs.get("dropout").load_model()


def upload(app: AppTest, **files: np.ndarray | bytes) -> None:
    given = []
    for name, content in files.items():
        if isinstance(content, np.ndarray):
            file = io.BytesIO()
            Image.fromarray(content).save(file, "PNG")
            content = file.getvalue()
        given.append((f"{name}.png", content, "image/png"))
    app.file_uploader[0].set_value(given).run()
    assert not app.exception


def show(app: AppTest, place: int) -> None:
    """What a press on one of the uploaded pictures does."""
    app.session_state[Key.UPLOADED] = app.file_uploader[0].value[place].file_id
    app.run()
    assert not app.exception


@pytest.fixture
def photos(blobs: Dataset) -> dict[str, np.ndarray]:
    """Two pictures whose left half is a test image of one class and whose right is of another."""
    pairs = {"first": (0, 1), "second": (5, 2)}
    enlarged = {i: blobs.x_test[i].repeat(2, axis=0).repeat(2, axis=1) for i in (0, 1, 5, 2)}
    return {
        name: np.concatenate([enlarged[left], enlarged[right]], axis=1)
        for name, (left, right) in pairs.items()
    }


def test_predict_by_index_and_at_random(with_runs: RunStore, open_page) -> None:
    app = open_page("predict")
    index = by_label(app.number_input, "Test image index")
    assert (index.min, index.max) == (0, 199)
    index.set_value(199).run()
    assert "true class: **truck**" in texts(app)
    assert "Test image 199: truck" in html(app)
    shown = [199]
    for _ in range(5):
        by_label(app.button, "Random test image").click().run()
        assert not app.exception
        shown.append(by_label(app.number_input, "Test image index").value)
        assert shown[-1] != shown[-2], "another one each time"
    assert all(0 <= index <= 199 for index in shown)


def test_predict_names_what_the_network_names(with_runs: RunStore, open_page) -> None:
    app = open_page("predict")
    run = with_runs.get("dropout")
    predicted = run.class_names()[int(run.predictions().predicted[0])]
    assert f"Predicted: **{predicted}**" in texts(app)


def test_an_upload_that_is_no_picture_is_one_sentence(with_runs: RunStore, open_page) -> None:
    app = open_page("predict")
    app.file_uploader[0].upload("cat.jpg", b"not a picture", "image/jpeg").run()
    assert not app.exception
    (error,) = [error.value for error in app.error]
    assert error.startswith(plain("cat.jpg"))
    assert "\n" not in error


def test_a_run_of_other_classes_is_told(
    with_runs: RunStore, open_page, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    x, y = np.zeros((4, 32, 32, 3), np.uint8), np.arange(4, dtype=np.uint8) % 2
    path = tmp_path / "two.npz"
    np.savez(path, x_train=x, y_train=y, x_test=x, y_test=y, class_names=np.array(["ja", "nein"]))
    monkeypatch.setenv("CIFAR10_DATA", str(path))
    app = open_page("predict")
    assert "other classes" in app.warning[0].value


def test_twenty_at_once_are_judged_and_counted(
    with_runs: RunStore, open_page, blobs: Dataset
) -> None:
    app = open_page("predict")
    assert "drawn so far: none" in texts(app)
    by_label(app.button, "Twenty at random").click().run()
    assert not app.exception
    drawn = app.session_state["drawn"]
    assert len(set(drawn)) == 20
    hits = with_runs.get("dropout").predictions().hits[drawn]
    shown = shown_grid(app)
    assert [index for index, *_ in shown["cells"]] == drawn
    assert [judged == "right" for judged in shown["judged"]] == hits.tolist()
    names = [blobs.class_names[label] for label in blobs.y_test[drawn]]
    for (_, caption, _), name, hit in zip(shown["cells"], names, hits, strict=True):
        assert caption == name if hit else caption.endswith(f", truly {name}")
    assert f"Test image {drawn[0]}: {names[0]}" in html(app)
    share = percent(hits.mean())
    assert f"drawn so far: 20, right: {hits.sum()} ({share})" in texts(app)
    app.run()
    assert "drawn so far: 20," in texts(app), "a rerun counts nothing twice"


def test_a_network_that_sees_grey_is_shown_what_it_sees(
    environment: Path, open_page, blobs: Dataset, blobs_npz: Path, photos
) -> None:
    run = RunStore(environment).create(TrainingConfig(epochs=1, colour="grey"), "grey")
    execute(run, str(blobs_npz))
    app = open_page("predict")
    assert pictures.data_uri(pictures.grey(blobs.x_test[0])) in html(app)
    by_label(app.button, "Twenty at random").click().run()
    drawn = blobs.x_test[app.session_state["drawn"]]
    assert shown_grid(app)["sprite"] == pictures.data_uri(pictures.sprite(pictures.grey(drawn))[0])
    upload(app, first=photos["first"])
    seen = pictures.grey(to_network_size(photos["first"]))
    assert pictures.data_uri(seen) in html(app)


def test_a_chosen_image_ends_the_twenty_and_is_not_counted(with_runs, open_page) -> None:
    app = open_page("predict")
    by_label(app.button, "Twenty at random").click().run()
    by_label(app.number_input, "Test image index").set_value(7).run()
    assert "Test image 7" in html(app)
    assert not shown_grid(app)
    assert "drawn so far: 20," in texts(app)
    by_label(app.button, "Random test image").click().run()
    counted = int(re.search(r"drawn so far: (\d+)", texts(app))[1])
    assert counted in (20, 21), "the same image counts once"


def test_each_run_has_its_own_tally(with_runs: RunStore, open_page) -> None:
    app = open_page("predict")
    by_label(app.button, "Twenty at random").click().run()
    drawn = app.session_state["drawn"]
    by_label(app.selectbox, "Run").select("plain").run()
    hits = with_runs.get("plain").predictions().hits[drawn]
    assert f"drawn so far: 20, right: {hits.sum()} (" in texts(app)


def test_uploads_are_answered_and_a_torn_one_loses_nothing(
    network, with_runs: RunStore, open_page, photos
) -> None:
    app = open_page("predict")
    upload(app, **photos, torn=b"\x89PNG\r\n\x1a\n torn")
    (error,) = app.error
    assert error.value.startswith(plain("torn.png"))
    names = with_runs.get("dropout").class_names()
    grid = shown_grid(app)
    seen = np.stack([to_network_size(pixels) for pixels in photos.values()])
    assert grid["sprite"] == pictures.data_uri(pictures.sprite(seen)[0])
    assert [note for *_, note in grid["cells"]] == ["first.png", "second.png"]
    show(app, 1)
    seen = to_network_size(photos["second"])
    answer = names[int(predict_probabilities(network, seen[None])[0].argmax())]
    said = texts(app)
    assert f"Predicted: **{answer}**" in said or f"The nearest: {answer}" in said
    assert by_label(app.get("download_button"), "Answers as CSV")


def test_the_part_of_a_picture_can_be_chosen(network, open_page, photos) -> None:
    app = open_page("predict")
    upload(app, first=photos["first"])
    part = by_label(app.selectbox, "Part of the picture")
    assert pictures.data_uri(to_network_size(photos["first"])) in html(app)
    part.select("whole").run()
    assert pictures.data_uri(fit_to_network_size(photos["first"])) in html(app)
    by_label(app.selectbox, "Part of the picture").select("hand").run()
    by_label(app.slider, "Size, %").set_value(50).run()
    by_label(app.slider, "From left, %").set_value(100).run()
    by_label(app.slider, "From above, %").set_value(0).run()
    assert not app.exception
    square = Framing("hand", size=50, x=100, y=0).square(photos["first"])
    assert (square.left, square.top, square.side) == (96, 0, 32)
    assert pictures.data_uri(to_network_size(photos["first"], square)) in html(app)
    assert "left:75.00%;top:0.00%;width:25.00%;height:50.00%" in html(app)


def test_each_picture_keeps_its_own_part(open_page, with_runs, photos) -> None:
    app = open_page("predict")
    upload(app, **photos)
    by_label(app.selectbox, "Part of the picture").select("whole").run()
    show(app, 1)
    assert by_label(app.selectbox, "Part of the picture").value == "centre"
    seen = [fit_to_network_size(photos["first"]), to_network_size(photos["second"])]
    assert shown_grid(app)["sprite"] == pictures.data_uri(pictures.sprite(np.stack(seen))[0])
    show(app, 0)
    assert by_label(app.selectbox, "Part of the picture").value == "whole"


def test_noise_is_said_to_be_none_of_the_classes(open_page, with_runs: RunStore) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    app = open_page("predict")
    upload(app, noise=noise)
    (warning,) = app.warning
    assert "none of the 10 classes" in warning.value
    upload(app, noise=noise, other=noise)
    assert shown_grid(app)["judged"] == ["unknown", "unknown"]


def test_reasons_are_the_networks(network, open_page, with_runs, blobs: Dataset) -> None:
    app = open_page("predict")
    pixels = blobs.x_test[0]
    by_label(app.toggle, "Why this answer?").set_value(True).run()
    assert not app.exception
    predicted = by_label(app.selectbox, "What speaks for").value
    assert predicted == int(predict_probabilities(network, pixels[None])[0].argmax())
    for label in (predicted, 4):
        by_label(app.selectbox, "What speaks for").select_index(label).run()
        heat = explain.grad_cam(network, pixels, label)
        assert pictures.data_uri(pictures.heat_over(pixels, heat)) in html(app)
    maps = explain.feature_maps(network, pixels)
    layer = by_label(app.selectbox, "Layer")
    assert len(layer.options) == 1 + len(maps)
    for place, name in enumerate(maps, 1):
        by_label(app.selectbox, "Layer").select_index(place).run()
        assert pictures.data_uri(pictures.maps(maps[name])) in html(app)
    by_label(app.selectbox, "Layer").select_index(0).run()
    kernels = network.get_layer("conv1").get_weights()[0]
    assert pictures.data_uri(pictures.filters(kernels)) in html(app)


def test_uploads_have_reasons_too(open_page, with_runs, network, photos) -> None:
    app = open_page("predict")
    upload(app, first=photos["first"])
    app.toggle(key="why-upload").set_value(True).run()
    assert not app.exception
    pixels = to_network_size(photos["first"])
    label = int(predict_probabilities(network, pixels[None])[0].argmax())
    heat = explain.grad_cam(network, pixels, label)
    assert pictures.data_uri(pictures.heat_over(pixels, heat)) in html(app)


def test_the_camera_asks_for_nothing_unasked(open_page, with_runs) -> None:
    app = open_page("predict")
    assert not app.get("camera_input")
    by_label(app.toggle, "Use the camera").set_value(True).run()
    assert len(app.get("camera_input")) == 1
