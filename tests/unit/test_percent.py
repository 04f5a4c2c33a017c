"""One figure reads the same wherever it is shown."""

from __future__ import annotations

import ast
import re
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import numpy as np
import pytest

from cifar_core.percent import percent, rounded
from tests.conftest import ROOT
from ui.figures.curves import Series, history_figure
from ui.figures.evaluation import confusion_figure
from ui.figures.images import class_bars_figure

SHARES = [hits / images for images in (7, 200, 800, 4000) for hits in range(images)]


@pytest.mark.parametrize(
    ("share", "two", "none"),
    [
        (0.8315, "83.15%", "83%"),
        (0.83145, "83.15%", "83%"),
        (0.12125, "12.13%", "12%"),
        (0.245, "24.50%", "25%"),
        (0.24496, "24.50%", "25%"),
        (0.0, "0.00%", "0%"),
        (1.0, "100.00%", "100%"),
        (0.99995, "99.99%", "100%"),
        (0.9999999, "99.99%", "100%"),
        (float("nan"), "nan%", "nan%"),
    ],
)
def test_halves_go_up_and_all_is_all_only(share: float, two: str, none: str) -> None:
    assert (percent(share), percent(share, 0)) == (two, none)


def test_it_is_the_nearest_two_decimals_with_halves_up() -> None:
    for images in (7, 800, 4000, 20_000):
        for hits in range(0, images, 7):
            exact = Fraction(100 * hits, images)
            decimal = Decimal(exact.numerator) / Decimal(exact.denominator)
            nearest = decimal.quantize(Decimal("0.01"), ROUND_HALF_UP)
            expected = f"{nearest}%" if nearest < 100 else "99.99%"
            assert percent(hits / images) == expected


def test_two_renderings_agree_when_rounded_to_the_coarser() -> None:
    for share in SHARES:
        fine = Decimal(percent(share).rstrip("%"))
        coarse = Decimal(percent(share, 0).rstrip("%"))
        assert coarse == fine.quantize(Decimal(1), ROUND_HALF_UP)


def read_by_a_browser(values: np.ndarray) -> list[str]:
    """As d3-format's '.2%' does it: the nearest decimals of the binary number times 100."""
    exact = [Decimal(float(value) * 100) for value in values]
    return [f"{value.quantize(Decimal('0.01'), ROUND_HALF_UP)}%" for value in exact]


def test_charts_show_what_texts_say() -> None:
    shares = np.array(SHARES)
    expected = [percent(share) for share in shares]
    assert read_by_a_browser(rounded(shares)) == expected
    some = shares[:: len(shares) // 1500]
    series = [Series("a", np.arange(len(some)), some)]
    curve = history_figure(series, metric="accuracy", by="epoch")
    assert curve.layout.yaxis.hoverformat == ".2%"
    assert read_by_a_browser(curve.data[0].y) == [percent(share) for share in some]
    bars = class_bars_figure({"a": [0.83145, 0.12125]}, ["x", "y"], y_title="", number=".2%")
    assert ".2%" in bars.data[0].hovertemplate
    assert read_by_a_browser(bars.data[0].y) == ["83.15%", "12.13%"]


def test_a_confusion_matrix_says_one_thing_in_its_cells_and_over_them() -> None:
    matrix = [[245, 755], [1, 999]]
    figure = confusion_figure(matrix, ["a", "b"], normalise=True)
    cells, hover = figure.data[1].text, np.ravel(figure.data[0].text)
    assert list(cells) == ["25%", "76%", "0%", "100%"]
    assert [re.search(r"\((.*)\)", text)[1] for text in hover] == [
        "24.50%",
        "75.50%",
        "0.10%",
        "99.90%",
    ]


FILES = [*(ROOT / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py")]
FILES += [ROOT / "cifar_core" / "export" / "report.py", ROOT / "cifar_core" / "cli.py"]


@pytest.mark.parametrize("path", sorted(FILES), ids=lambda path: path.stem)
def test_no_other_place_writes_the_shares_of_a_run(path) -> None:
    """Python rounds halves to even, so a figure of a run goes through `percent`."""
    formats = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FormattedValue)
        and node.format_spec
        and ast.unparse(node.format_spec).rstrip("'\"").endswith("%")
    ]
    # Ticks and progress, the machine's use, a p-value, and how much a loss fell or rose.
    others = ("value:.0%", "done / total", "gpu_use", "p_value", "falling", "turned")
    assert not [one for one in formats if not any(word in one for word in others)]
