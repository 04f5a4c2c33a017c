"""The Model page: its figures, and the arithmetic of its explorers computed apart."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from scipy.signal import correlate2d
from streamlit.testing.v1 import AppTest

from cifar_core.data import Dataset
from cifar_core.data.images import to_grey
from cifar_core.runs.store import RunStore
from tests.pages.elements import by_label


def words(app: AppTest) -> str:
    return "\n".join(element.value for element in app.markdown)


def section(app: AppTest, name: str) -> AppTest:
    by_label(app.segmented_control, "Section").set_value(name).run()
    assert not app.exception
    return app


def test_the_figures_and_their_totals(open_page) -> None:
    app = open_page("model")
    table = app.table[0].value.set_index("Layer")
    assert table.loc["conv1", "Sum"] == "3·3·3·32 + 32"
    assert table["Parameters"].tolist()[-1] == "122,570"
    assert table.loc["Total", "Multiply-adds"] == by_label(app.metric, "Multiply-adds").value
    work = [int(cell.replace(",", "")) for cell in table["Multiply-adds"]]
    assert work[-1] == sum(work[:-1]) == 4_548_608
    assert table.loc["conv3", "Receptive field"] == "18 × 18"


def test_the_picture_follows_the_settings_at_once(open_page) -> None:
    app = open_page("model")
    assert not by_label(app.toggle, "Dropout").value
    by_label(app.toggle, "Dropout").set_value(True).run()
    by_label(app.selectbox, "Pooling").select("average").run()
    by_label(app.selectbox, "Colour").select("grey").run()
    assert not app.exception
    kinds = app.table[0].value["Kind"].tolist()
    assert "Dropout" in kinds
    assert "AveragePooling2D" in kinds
    assert by_label(app.metric, "Parameters").value == f"{122_570 - 2 * 9 * 32:,}"
    by_label(app.segmented_control, "Picture").set_value("deep").run()
    assert not app.exception
    app.switch_page("pages/data.py").run()
    app.switch_page("pages/train.py").run()
    assert by_label(app.toggle, "Dropout").value
    assert by_label(app.selectbox, "Pooling").value == "average"


@pytest.mark.parametrize("size", [4, 6])
def test_pooling_numbers_window_by_window(open_page, size: int) -> None:
    app = section(open_page("model"), "pooling")
    by_label(app.segmented_control, "Size").set_value(size).run()
    assert by_label(app.slider, "Window").max == (size // 2) ** 2
    assert by_label(app.button, "Previous").disabled
    assert "the largest of 1, 3, 4, 6 = **6**" in words(app)
    assert "(1 + 3 + 4 + 6) / 4 = **3.5**" in words(app)
    total = sum(math.exp(value) for value in (1, 3, 4, 6))
    soft = sum(value * math.exp(value) / total for value in (1, 3, 4, 6))
    assert f"= **{soft:.3f}**" in words(app)
    by_label(app.button, "Next").click().run()
    assert by_label(app.slider, "Window").value == 2
    assert "the largest of 2, 1, 0, 5 = **5**" in words(app)
    by_label(app.slider, "Window").set_value((size // 2) ** 2).run()
    assert by_label(app.button, "Next").disabled
    by_label(app.button, "Previous").click().run()
    assert not by_label(app.button, "Next").disabled


def test_pooling_an_image(open_page, blobs: Dataset) -> None:
    app = section(open_page("model"), "pooling")
    by_label(app.segmented_control, "What to pool").set_value("image").run()
    by_label(app.number_input, "Test image index").set_value(7).run()
    by_label(app.selectbox, "Channel").select("green").run()
    by_label(app.slider, "Window").set_value(16 * 3 + 5 + 1).run()
    assert not app.exception
    window = blobs.x_test[7, 6:8, 10:12, 1] / 255
    assert f"/ 4 = **{window.mean():.3f}".rstrip("0") in words(app)
    assert f"= **{window.max():.3f}".rstrip("0") in words(app)


def test_a_smaller_grid_has_the_window_that_it_has(open_page) -> None:
    app = section(open_page("model"), "pooling")
    by_label(app.segmented_control, "Size").set_value(6).run()
    by_label(app.slider, "Window").set_value(9).run()
    by_label(app.segmented_control, "Size").set_value(4).run()
    assert not app.exception
    assert by_label(app.slider, "Window").value == 4


@pytest.mark.parametrize("channel", ["grey", "blue"])
def test_convolution_of_a_chosen_pixel(open_page, blobs: Dataset, channel: str) -> None:
    app = section(open_page("model"), "convolution")
    by_label(app.selectbox, "Kernel").select("sobel-x").run()
    by_label(app.selectbox, "Channel").select(channel).run()
    by_label(app.number_input, "Row").set_value(3).run()
    by_label(app.number_input, "Column").set_value(29).run()
    assert not app.exception
    image = blobs.x_test[0]
    values = (to_grey(image)[..., 0] if channel == "grey" else image[..., 2]) / 255
    result = correlate2d(values, [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], mode="valid")[3, 29]
    (sum_shown,) = [metric.value for metric in app.metric if metric.label == "Sum"]
    assert float(sum_shown.replace("−", "-")) == pytest.approx(result, abs=6e-4)
    assert f"= **{sum_shown}**" in words(app)
    assert "·(−2)" in words(app)


def test_a_learned_kernel_is_the_runs(with_runs: RunStore, open_page, blobs: Dataset) -> None:
    app = section(open_page("model"), "convolution")
    by_label(app.selectbox, "Kernel").select("learned").run()
    by_label(app.selectbox, "Run").select("plain").run()
    by_label(app.number_input, "Filter").set_value(5).run()
    by_label(app.selectbox, "Channel").select("red").run()
    assert not app.exception
    kernels = with_runs.get("plain").load_model().get_layer("conv1").get_weights()[0]
    red = blobs.x_test[0, ..., 0] / 255
    expected = correlate2d(red, kernels[:, :, 0, 5], mode="valid")[12, 12]
    shown = by_label(app.metric, "Sum").value.replace("−", "-")
    assert float(shown) == pytest.approx(expected, abs=6e-4)
    by_label(app.selectbox, "Channel").select("grey").run()
    grey = np.repeat(to_grey(blobs.x_test[0]), 3, axis=-1) / 255
    maps = [correlate2d(grey[..., i], kernels[:, :, i, 5], mode="valid") for i in range(3)]
    shown = by_label(app.metric, "Sum").value.replace("−", "-")
    assert float(shown) == pytest.approx(sum(maps)[12, 12], abs=6e-4)


def test_without_a_run_there_is_no_learned_kernel(open_page) -> None:
    app = section(open_page("model"), "convolution")
    by_label(app.selectbox, "Kernel").select("learned").run()
    assert not app.exception
    assert "train a network first" in app.info[0].value


def test_explorers_do_not_wait_for_tensorflow(open_page, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page("data")

    def never() -> None:
        raise AssertionError("waited for TensorFlow")

    monkeypatch.setattr(sys.modules["ui.cached"], "wait_for_tensorflow", never)
    app.query_params["part"] = "convolution"
    app.switch_page("pages/model.py").run()
    assert not app.exception
    assert "cross-correlation" in words(app)
