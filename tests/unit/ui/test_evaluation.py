"""Figures of the Evaluate page: what is drawn where."""

import numpy as np
import plotly.graph_objects as go
import pytest

from cifar_core.analysis.calibration import reliability
from cifar_core.analysis.evaluation import Confusion
from cifar_core.network.predict import Predictions
from ui.figures import evaluation as draw
from ui.figures.base import PALETTE

NAMES = ["cat & <b>", "dog", "frog"]


def is_whole(figure: go.Figure) -> bool:
    """Whether no axis can be zoomed, so that a click is nothing but a click."""
    axes = [*figure.select_xaxes(), *figure.select_yaxes()]
    return figure.layout.dragmode is False and all(axis.fixedrange for axis in axes)


def test_confusions_are_bars_in_their_order_the_chosen_one_marked():
    ranked = [Confusion(0, 1, 1200, 0.5), Confusion(2, 1, 3, 0.01)]
    figure = draw.ranking_figure(ranked, NAMES, chosen=(2, 1))
    (bars,) = figure.data
    assert bars.x == (1200, 3)
    assert bars.text == ("1,200", "3")
    words = "cat &amp; &lt;b&gt;, taken for dog: 1,200 images, 50.00% of the class"
    assert bars.hovertext[0] == words
    assert bars.marker.color == (PALETTE[0], PALETTE[1])
    assert figure.layout.yaxis.ticktext == ("cat &amp; &lt;b&gt; → dog", "frog → dog")
    assert figure.layout.yaxis.autorange == "reversed"
    assert is_whole(figure)


def test_intervals_reach_from_low_to_high_and_lie_within_the_axis():
    figure = draw.intervals_figure(["a", "b <i>"], [0.7, 0.8], [(0.65, 0.74), (0.78, 0.83)])
    (points,) = figure.data
    assert list(points.x) == [0.7, 0.8]
    np.testing.assert_allclose(np.add(points.x, points.error_x.array), [0.74, 0.83])
    np.testing.assert_allclose(np.subtract(points.x, points.error_x.arrayminus), [0.65, 0.78])
    assert points.hovertext == (
        "70.00%, 95% interval 65.00% to 74.00%",
        "80.00%, 95% interval 78.00% to 83.00%",
    )
    low, high = figure.layout.xaxis.range
    assert low < 0.65 < 0.83 < high
    assert figure.layout.yaxis.ticktext == ("a", "b &lt;i&gt;")
    assert is_whole(figure)


def test_agreement_is_one_bar_of_four_parts():
    figure = draw.agreement_figure([("both", 5), ("only a", 2), ("only b", 0), ("none", 3)])
    assert [bar.x for bar in figure.data] == [(5,), (2,), (0,), (3,)]
    assert len({bar.marker.color for bar in figure.data}) == 4
    assert figure.layout.barmode == "stack"


@pytest.mark.parametrize("certainty", [0.55, 1.0])
def test_reliability_has_a_bar_for_each_bin_that_holds_images(certainty):
    probabilities = np.full((4, 2), 1 - certainty, np.float32)
    probabilities[:, 0] = certainty
    probabilities[3] = [0.25, 0.75]
    found = reliability(Predictions(probabilities, np.array([0, 0, 1, 1])))
    figure = draw.reliability_figure(found)
    right, images, ideal = figure.data
    assert sorted(right.x) == pytest.approx(sorted([0.75, 0.55 if certainty < 1 else 0.95]))
    assert dict(zip(right.x, right.y, strict=True))[0.75] == 1
    assert sorted(images.y) == [1, 3]
    words = f"3 images, on average {certainty:.2%} sure and 66.67% right"
    assert words in right.hovertext
    assert ideal.x[::3] == pytest.approx(right.x - 0.05)
    assert ideal.x[1::3] == pytest.approx(right.x + 0.05)
    for ends in (ideal.y[::3], ideal.y[1::3]):
        assert ends == pytest.approx(sorted([0.75, certainty]))
    assert is_whole(figure)
