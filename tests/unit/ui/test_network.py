"""The drawn network and the grids: what stands in the figures, and how large they are."""

import json

import numpy as np
import plotly.io as pio
import pytest

from cifar_core.network import arithmetic as explore
from ui.figures import network as figures
from ui.figures.network import Box

BOXES = [
    Box("image", "", (32, 32, 3), "in"),
    Box("conv1", "Conv2D", (30, 30, 32), "conv1 <b>896</b>", 3),
    Box("pool1", "MaxPooling2D", (15, 15, 32), "half", 2),
    Box("dropout", "Dropout", (15, 15, 32), "some"),
    Box("flatten", "Flatten", (1024,), "row"),
    Box("logits", "Dense", (10,), "scores"),
]


def size(figure) -> int:
    return len(pio.to_json(figure, validate=False, remove_uids=False))


def parts(figure) -> dict:
    return {trace.uid: trace for trace in figure.data}


def test_flat_boxes_are_to_scale() -> None:
    boxes = parts(figures.flat_figure(BOXES))["boxes"]
    np.testing.assert_allclose(boxes.y, [32, 30, 15, 15, 32, 10**0.5])
    np.testing.assert_allclose(np.array(boxes.base, float), -np.array(boxes.y) / 2)
    image, conv1, *_rest = np.array(boxes.width) - 0.06
    assert conv1 / image == pytest.approx(32 / 3)
    assert boxes.customdata[1] == "conv1 <b>896</b>"
    assert boxes.marker.pattern.shape[3] == "."


def test_deep_boxes_are_to_scale_and_lie_in_order() -> None:
    drawn = parts(figures.deep_figure(BOXES))
    end = -1.0
    for box in BOXES:
        mesh = drawn[f"box{box.name}"]
        spans = [np.ptp(mesh[axis]) for axis in "xyz"]
        assert spans[2] == pytest.approx(box.side, abs=0.01)
        if len(box.shape) == 3:
            np.testing.assert_allclose(spans, [max(box.depth / 8, 0.5), *box.shape[:2]], atol=0.01)
        assert min(mesh.x) > end
        end = max(mesh.x)
        assert box.hover in mesh.hovertemplate


def test_each_face_of_a_box_is_closed() -> None:
    """Each edge of the triangles belongs to two of them, so that no face has a hole."""
    mesh = figures.deep_figure(BOXES).data[0]
    triangles = np.array([mesh.i, mesh.j, mesh.k]).T
    assert triangles.shape == (12, 3)
    pairs = [tuple(sorted(t[[a, b]])) for t in triangles for a, b in ((0, 1), (1, 2), (2, 0))]
    assert {pairs.count(pair) for pair in pairs} == {2}
    corners = np.array([mesh.x, mesh.y, mesh.z]).T
    a, b, c = (corners[triangles[:, i]] for i in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2
    x, y, z = np.ptp(corners, axis=0)
    assert area == pytest.approx(2 * (x * y + y * z + z * x))


@pytest.mark.parametrize("draw", [figures.flat_figure, figures.deep_figure])
def test_the_network_is_small_json_and_keeps_its_view(draw) -> None:
    figure = draw(BOXES)
    assert size(figure) < 20_000
    assert "NaN" not in figure.to_json()
    assert figure.layout.uirevision == "constant"
    uids = [trace.uid for trace in figure.data]
    assert None not in uids
    assert len(set(uids)) == len(uids)


def test_a_picture_with_the_arithmetic_of_every_pixel_is_small() -> None:
    image = np.random.default_rng(0).random((32, 32))
    products = explore.products(image, np.ones((3, 3)))
    sums = products.sum(axis=(-1, -2))
    figure = figures.picture_figure(sums, marked=(4, 5, 1), products=products)
    assert size(figure) < 100_000
    frame = figure.layout.shapes[0]
    assert (frame.x0, frame.x1, frame.y0, frame.y1) == (4.5, 5.5, 3.5, 4.5)
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]


def test_grids_that_share_a_scale_show_equal_numbers_in_equal_colours() -> None:
    for draw in (figures.numbers_figure, figures.picture_figure):
        maps = [draw(v, strongest=9).data[0] for v in ([[1, 9]], [[-3, 2]], [[0, 0]])]
        assert {(one.zmin, one.zmax) for one in maps} == {(-9, 9)}


def test_numbers_are_written_in_their_cells() -> None:
    cells = figures.numbers_figure([[1, 0.125], [-2, 10]]).data[1]
    assert list(cells.text) == ["1", "0.12", "−2", "10"]
    assert list(zip(cells.y, cells.x, strict=True)) == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_all_zeros_can_be_drawn() -> None:
    assert json.loads(figures.picture_figure(np.zeros((3, 3))).to_json())


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (10, "10"), (-0.0001, "0"), (1 / 3, "0.333"), (-2.5, "−2.5"), (1e6, "1000000")],
)
def test_numbers_as_people_write_them(value: float, text: str) -> None:
    assert figures.number(value) == text
