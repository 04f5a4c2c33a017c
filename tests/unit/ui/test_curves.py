"""The figures' axes, traces and size, and the thinning of long curves."""

import json
import tomllib

import numpy as np
import pytest

from tests.conftest import ROOT
from ui.figures.base import PALETTE, ROLE_COLOURS
from ui.figures.curves import Mark, Series, history_figure, schedule_figure, smooth, thin
from ui.figures.evaluation import confusion_figure, probability_figure

NAMES = ["airplane", "cat & <b>dog</b>", "frog"]


def history(*series, **changes):
    return history_figure(series, **({"metric": "loss", "by": "epoch"} | changes))


def luminance(colour):
    """Relative luminance of a #rrggbb colour, as WCAG 2.2 defines it."""
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one, other):
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("n", [11, 1000, 2001, 50_000])
def test_thinning_keeps_peaks_ends_order_and_the_limit(n):
    y = np.random.default_rng(n).normal(size=n)
    y[n // 3], y[n // 2] = 99, -99
    x, thinned = thin(np.arange(n), y, limit=10)
    assert len(x) == len(thinned) <= 10
    assert {99, -99} <= set(thinned)
    assert (x[0], x[-1]) == (0, n - 1)
    assert (np.diff(x) > 0).all()
    assert (y[x] == thinned).all()


def test_thinning_keeps_every_buckets_extremes():
    y = np.random.default_rng(0).normal(size=30_000)
    _, thinned = thin(np.arange(30_000), y)
    assert len(thinned) > 1900
    for part in np.array_split(y, 100):
        assert np.isclose(part.max(), thinned, atol=1e-12).any()


@pytest.mark.parametrize("n", [0, 1, 2, 2000])
def test_short_input_is_left_alone(n):
    x, y = thin(list(range(n)), list(range(n)))
    assert list(x) == list(y) == list(range(n))


def test_nan_is_dropped_beside_values_and_kept_as_a_gap():
    y = np.sin(np.arange(1000.0))
    y[[0, 10, -1]] = np.nan
    y[400:600] = np.nan
    y[700] = 5
    x, thinned = thin(np.arange(1000), y, limit=100)
    assert len(x) <= 100
    assert np.nanmax(thinned) == 5
    assert np.isnan(thinned[(x >= 420) & (x < 580)]).all()
    assert np.isnan(thinned[(x >= 420) & (x < 580)]).any()
    assert 10 not in x


def test_integers_can_be_thinned_and_nan_only_too():
    assert thin(range(100), [1] * 100, limit=4)[0][0] == 0
    assert len(thin(range(100), [np.nan] * 100, limit=4)[0]) <= 4


def test_thinning_refuses_what_it_cannot_do():
    with pytest.raises(ValueError, match="limit=3"):
        thin([1], [1], limit=3)
    with pytest.raises(ValueError, match="alike"):
        thin([1, 2], [1])


def test_an_empty_history_has_its_axes_and_no_template_bulk():
    figure = history()
    assert figure.layout.xaxis.title.text == "Epoch"
    assert figure.layout.yaxis.title.text == "Loss"
    assert figure.layout.hovermode == "x unified"
    assert figure.layout.uirevision
    assert len(figure.data) == 0
    assert len(figure.to_json()) < 3000
    figure = history(Series("Train", [], []))
    assert len(figure.data[0].x) == 0
    assert len(figure.to_json()) < 3000


def test_history_traces_tell_train_from_validation_without_colour_too():
    epochs = [1, 2, 3]
    figure = history(
        Series("Train, batches", np.linspace(0, 3, 50_000), np.ones(50_000), style="raw"),
        Series("Train", epochs, [2.0, 1.5, 1.0]),
        Series("Validation", epochs, [2.1, np.nan, 1.4], role="validation"),
        Series("Other run", epochs, [1, 1, 1], colour="#009e73", dash="dot"),
    )
    raw, train, validation, other = figure.data
    assert (raw.mode, train.mode) == ("lines", "lines+markers")
    assert raw.opacity < train.opacity
    assert len(raw.x) <= 2000
    assert raw.line.color == train.line.color != validation.line.color
    assert train.marker.symbol != validation.marker.symbol
    assert (other.line.color, other.line.dash) == ("#009e73", "dot")
    assert len({trace.uid for trace in figure.data}) == 4
    assert list(train.y) == [2.0, 1.5, 1.0]


def test_accuracy_is_in_percent_and_loss_is_not():
    accuracy = history(metric="accuracy", by="step")
    assert accuracy.layout.yaxis.title.text == "Accuracy"
    assert accuracy.layout.yaxis.tickformat == ".0%"
    assert accuracy.layout.yaxis.range == (0, 1.02)
    assert accuracy.layout.xaxis.title.text == "Step"
    assert accuracy.layout.xaxis.dtick is None
    assert history().layout.yaxis.tickformat is None


@pytest.mark.parametrize(("epochs", "tick"), [(1, 1), (10, 1), (15, 2), (50, 5), (100, 10)])
def test_epoch_ticks_are_whole_and_few(epochs, tick):
    assert history(x_max=epochs).layout.xaxis.dtick == tick
    assert history(Series("Train", [1, epochs], [1, 1])).layout.xaxis.dtick == tick


def test_the_x_axis_ends_where_it_is_told_or_where_the_data_end():
    assert history().layout.xaxis.range == (0, 1.02)
    assert history(x_max=50).layout.xaxis.range == (0, 51)
    assert history(Series("Train", [1, 2], [1, 1])).layout.xaxis.range == (0, 2.04)


def test_names_are_text_and_never_markup():
    figure = history(Series("<a href='x'>run</a> & co", [1], [1]))
    assert figure.data[0].name == "&lt;a href='x'&gt;run&lt;/a&gt; &amp; co"


def confusion(**changes):
    matrix = np.array([[8, 2, 0], [1, 1200, 4], [0, 0, 0]])
    return confusion_figure(matrix, NAMES, **({"normalise": False} | changes))


def test_confusion_has_true_classes_downwards_and_counts_in_its_cells():
    figure = confusion()
    heat, cells = figure.data
    assert heat.z[0].tolist() == [0.8, 0.2, 0]
    assert not np.isnan(heat.z).any()  # the last class has no images
    at = dict(zip(zip(cells.y, cells.x, strict=True), cells.text, strict=True))
    assert (at[0, 0], at[0, 1], at[1, 0], at[1, 1]) == ("8", "2", "1", "1,200")
    assert "True class: airplane<br>Predicted class: cat &amp;" in heat.text[0][1]
    assert "2 (20.00%)" in heat.text[0][1]
    assert figure.layout.yaxis.title.text == "True class"
    assert figure.layout.yaxis.range == (2.5, -0.5)
    assert figure.layout.xaxis.ticktext[0] == "airplane"


def test_confusion_shares_are_of_each_row():
    assert confusion(normalise=True).data[1].text[:3] == ("80%", "20%", "0%")


def probability(values, **changes):
    return probability_figure(values, NAMES, **changes)


def test_probabilities_mark_predicted_and_true_by_word_and_colour():
    (bars,) = probability([0.1, 0.7, 0.2], predicted=1, true=2).data
    assert bars.text == ("10.00%", "70.00% · predicted", "20.00% · true")
    assert len(set(bars.marker.color)) == 3
    (bars,) = probability([0.1, 0.7, 0.2], predicted=1, true=1).data
    assert bars.text[1] == "70.00% · predicted · true"
    (bars,) = probability([0.1, 0.7, 0.2], predicted=1, true=None).data
    assert bars.text[1] == "70.00% · predicted"
    assert bars.marker.color[0] == bars.marker.color[2] != bars.marker.color[1]


def test_words_stand_in_a_bar_that_leaves_no_room_beside_it():
    (bars,) = probability([0.1, 0.7, 0.2], predicted=1, true=2).data
    assert bars.textposition == ("outside", "inside", "outside")
    for colour in PALETTE[:3]:
        assert contrast(bars.insidetextfont.color, colour) > 4.5


def test_no_figure_carries_plotlys_default_template():
    for figure in (history(), confusion(), probability([0, 1, 0], predicted=1, true=0)):
        assert len(json.dumps(figure.to_dict()["layout"]["template"])) < 100


def test_chart_colours_are_readable_in_both_themes_and_the_same_everywhere():
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
    assert tuple(theme["chartCategoricalColors"]) == PALETTE
    for mode in ("light", "dark"):
        background = theme[mode]["backgroundColor"]
        assert contrast(theme[mode]["textColor"], background) > 7
        assert contrast(theme[mode]["linkColor"], background) > 4.5
        for colour in (*PALETTE, theme["primaryColor"]):
            assert contrast(colour, background) > 3, (mode, colour)


def test_smoothing_is_a_weighted_mean_of_what_came_before():
    y = np.random.default_rng(0).normal(size=50)
    for weight in (0.0, 0.6, 0.95):
        smoothed = smooth(y, weight)
        for n in (0, 1, 7, 49):
            weights = weight ** np.arange(n, -1, -1.0)
            assert smoothed[n] == pytest.approx(np.average(y[: n + 1], weights=weights))
    assert smooth(np.full(9, 3.5), 0.9) == pytest.approx(np.full(9, 3.5))
    assert len(smooth([], 0.9)) == 0


def test_a_gap_stays_one_when_smoothed_and_counts_for_nothing():
    smoothed = smooth([1.0, np.nan, 3.0], 0.5)
    assert smoothed[0] == 1
    assert np.isnan(smoothed[1])
    assert smoothed[2] == pytest.approx((0.5 * 1 + 3) / 1.5)


def test_a_curve_is_as_smooth_however_many_values_a_point_stands_for():
    y = np.repeat(np.random.default_rng(0).random(50), 4)
    for weight in (0.3, 0.95):
        fine, coarse = smooth(y, weight), smooth(y[::4], weight, np.full(50, 4))
        assert coarse == pytest.approx(fine[3::4])


def test_smoothed_curves_keep_their_identity_and_the_values_as_measured():
    y = [2.0, 1.0, 1.5]
    series = [
        Series("to beat", [1, 2, 3], y, style="reference"),
        Series("Batches", [1, 2, 3], y, style="raw"),
        Series("Train", [1, 2, 3], y),
        Series("best", [2], [1.0], style="best"),
    ]
    plain, smoothed = history(*series), history(*series, smoothing=0.6)
    drawn = {trace.name: trace for trace in smoothed.data}
    assert [*drawn] == [
        "to beat",
        "Batches as measured",
        "Batches",
        "Train as measured",
        "Train",
        "best",
    ]
    for trace in plain.data:
        assert drawn[trace.name].uid == trace.uid, "a hidden one stays hidden"
    assert len({trace.uid for trace in smoothed.data}) == 6
    assert drawn["to beat"].y.tolist() == y
    assert drawn["Train as measured"].y.tolist() == y
    assert drawn["Train"].y.tolist() == pytest.approx(smooth(y, 0.6).tolist())
    assert drawn["Train as measured"].opacity < 0.5
    assert not drawn["Train as measured"].showlegend
    assert drawn["Train as measured"].legendgroup == drawn["Train"].legendgroup


def test_a_reference_is_faint_and_the_best_point_a_ring():
    reference, best = history(
        Series("to beat", [1], [1], role="validation", style="reference"),
        Series("best", [1], [1], role="validation", style="best"),
    ).data
    assert (reference.mode, reference.line.dash) == ("lines", "dot")
    assert reference.line.color not in ROLE_COLOURS.values()
    assert (best.mode, best.marker.symbol) == ("markers", "circle-open")


def test_marks_are_lines_with_words():
    figure = history(marks=[Mark(2.5, "learning rate <b>"), Mark(4, "other")])
    assert [(line.x0, line.x1) for line in figure.layout.shapes] == [(2.5, 2.5), (4, 4)]
    assert figure.layout.shapes[0].label.text == "learning rate &lt;b&gt;"


def test_a_logarithmic_axis_and_another_subject_begin_without_the_old_zoom():
    plain, log = history(subject="a"), history(subject="a", log=True)
    assert (plain.layout.yaxis.type, log.layout.yaxis.type) == (None, "log")
    assert plain.layout.uirevision == log.layout.uirevision
    assert plain.layout.xaxis.uirevision == log.layout.xaxis.uirevision
    assert plain.layout.yaxis.uirevision != log.layout.yaxis.uirevision
    other, steps = history(subject="b"), history(subject="a", by="step")
    assert other.layout.yaxis.uirevision != plain.layout.yaxis.uirevision
    assert len({one.layout.xaxis.uirevision for one in (plain, other, steps)}) == 3


def test_a_schedule_is_drawn_from_the_first_to_the_last_epoch() -> None:
    epochs, rates = np.linspace(0, 15, 31), np.linspace(0.003, 0, 31)
    figure = schedule_figure(epochs, rates)
    (curve,) = figure.data
    assert curve.x.tolist() == epochs.tolist()
    assert curve.y.tolist() == rates.tolist()
    assert figure.layout.xaxis.range == (0, 15)
    assert figure.layout.yaxis.range[0] == 0
    assert figure.layout.yaxis.range[1] > 0.003
    assert figure.layout.xaxis.title.text == "Epoch"
    assert figure.layout.yaxis.title.text == "Learning rate"
