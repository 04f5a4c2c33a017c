"""What a run takes for what: its confusions, its classes, its mistakes, with their images."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from cifar_core.analysis import evaluation
from cifar_core.data import Dataset
from cifar_core.errors import CifarError
from cifar_core.network.predict import Predictions
from cifar_core.percent import percent
from cifar_core.runs.summary import Summary
from ui.components import pictures
from ui.components.image_grid import image_grid
from ui.components.live_chart import live_chart
from ui.figures import evaluation as draw
from ui.figures.images import class_bars_figure
from ui.session.images import dataset
from ui.session.keys import Key
from ui.session.navigation import choose_one
from ui.session.predictions import choose_cell, show_cell, show_test_image
from ui.text import _, plain, tell

_IN_CELL, _IN_GRID = 12, 20
_RANKED = 12


def confusions(chosen: Summary, predictions: Predictions) -> None:
    """The confusion matrix or its greatest cells, and the images in the cell chosen."""
    names = chosen.class_names
    matrix = evaluation.confusion_matrix(predictions)
    ranked = evaluation.confusions(matrix)
    if ranked:
        worst = ranked[0]
        words = _(
            "What the network takes for what: a row for each true class, a column for each answer. "
            "The diagonal is right. Most often, {true} was taken for {predicted}: {images} images, "
            "{share} of its class. Click a cell to see its images."
        )
        st.markdown(
            words.format(
                true=f"**{plain(names[worst.true])}**",
                predicted=f"**{plain(names[worst.predicted])}**",
                images=f"{worst.images:,}",
                share=percent(worst.share),
            )
        )
    else:
        st.markdown(_("Every test image was classified correctly: only the diagonal is filled."))
    views = {"counts": _("Counts"), "shares": _("Shares"), "ranking": _("Most common confusions")}
    view = choose_one(_("Cells"), views, Key.CELLS, is_labelled=False)
    # Side by side, or one below the other where the window is narrow.
    row = st.container(horizontal=True)
    left, right = row.container(width=500), row.container()
    with right:
        cell = choose_cell(
            names,
            (_("True class"), _("Predicted class")),
            (ranked[0].true, ranked[0].predicted) if ranked else (0, 0),
        )
        _cell_images(chosen, predictions, *cell)

    def show_ranked(x: float, y: float) -> None:
        one = ranked[_nearest(y, min(len(ranked), _RANKED))]
        show_cell(one.true, one.predicted)

    def show_clicked(x: float, y: float) -> None:
        show_cell(_nearest(y, len(names)), _nearest(x, len(names)))

    with left:
        if view == "ranking" and ranked:
            live_chart(
                draw.ranking_figure(ranked[:_RANKED], names, chosen=cell),
                height=560,
                key="ranking",
                label=_("The most common confusions of run {run}").format(run=chosen.run.id),
                on_click=show_ranked,
            )
        else:
            live_chart(
                draw.confusion_figure(matrix, names, normalise=view == "shares", chosen=cell),
                height=560,
                key="confusion",
                label=_("Confusion matrix of run {run}").format(run=chosen.run.id),
                on_click=show_clicked,
            )


def _nearest(place: float, count: int) -> int:
    """The number from 0 to count - 1 that is nearest to a place on an axis."""
    return min(max(round(place), 0), count - 1)


def _cell_images(chosen: Summary, predictions: Predictions, true: int, predicted: int) -> None:
    """The images of one true and one predicted class, the surest prediction first."""
    found = evaluation.images_in_cell(predictions, true, predicted)
    names = [f"**{plain(chosen.class_names[i])}**" for i in (true, predicted)]
    if not len(found):
        words = _("No test image of class {true} was classified as {predicted}.")
        st.caption(words.format(true=names[0], predicted=names[1]))
        return
    words = (
        _("{images} of {all} images of class {true} were recognised correctly, the surest first.")
        if true == predicted
        else _("{images} of {all} images of class {true} were taken for {predicted}, surest first.")
    )
    st.caption(
        words.format(
            images=f"{len(found):,}",
            all=f"{(predictions.labels == true).sum():,}",
            true=names[0],
            predicted=names[1],
        )
    )
    _images(
        chosen,
        found,
        lambda index: percent(predictions.confidence[index]),
        key=f"cell-{true}-{predicted}",
        label=_("Images of the chosen cell"),
        count=_IN_CELL,
    )


def classes(chosen: Summary, predictions: Predictions) -> None:
    """Precision, recall and F1 of each class, as bars and in figures."""
    names = chosen.class_names
    figures = evaluation.per_class(evaluation.confusion_matrix(predictions))
    seen = [i for i, row in enumerate(figures) if row.images]
    easiest = max(seen, key=lambda i: figures[i].f1)
    hardest = min(seen, key=lambda i: figures[i].f1)
    st.markdown(
        _(
            "**Recall**: of the images of a class, how many were found. **Precision**: of the "
            "images classified so, how many are. A network that answers 'cat' too readily finds "
            "most cats, at the price of precision; **F1** is high only where both are."
        )
    )
    words = _("Easiest is {easiest} (F1 {high}), hardest {hardest} (F1 {low}).")
    st.markdown(
        words.format(
            easiest=f"**{plain(names[easiest])}**",
            high=percent(figures[easiest].f1),
            hardest=f"**{plain(names[hardest])}**",
            low=percent(figures[hardest].f1),
        )
    )
    live_chart(
        class_bars_figure(
            {
                _("Precision"): [row.precision for row in figures],
                _("Recall"): [row.recall for row in figures],
                _("F1"): [row.f1 for row in figures],
            },
            names,
            y_title=_("Share"),
            number=".2%",
            highest=1,
        ),
        key="classes",
        label=_("Precision, recall and F1 of each class"),
    )
    st.table(
        {
            _("Class"): [plain(name) for name in names],
            _("Precision"): [percent(row.precision) for row in figures],
            _("Recall"): [percent(row.recall) for row in figures],
            _("F1"): [percent(row.f1) for row in figures],
            _("Test images"): [f"{row.images:,}" for row in figures],
        },
        hide_index=True,
    )


def mistakes(chosen: Summary, predictions: Predictions) -> None:
    """The surest mistakes and the least sure hits."""
    names = chosen.class_names
    ranked = np.argsort(-predictions.probabilities, axis=1)

    def answer(index: int, rank: int) -> str:
        label = ranked[index, rank]
        return f"{names[label]} {percent(predictions.probabilities[index, label])}"

    st.subheader(_("Most confident mistakes"))
    found = evaluation.surest_mistakes(predictions)
    if len(found):
        words = _(
            "{images} of {all} test images were misclassified. On these the network was "
            "surest of itself: is the label wrong, the image odd, or did it learn a false hint?"
        )
        st.markdown(words.format(images=f"{len(found):,}", all=f"{len(predictions.labels):,}"))
        truly = _("{answer}, truly {true}")
        _images(
            chosen,
            found,
            lambda index: truly.format(
                answer=answer(index, 0), true=names[predictions.labels[index]]
            ),
            key="mistakes",
            label=_("Most confident mistakes"),
            count=_IN_GRID,
        )
    else:
        st.markdown(_("There is none: every test image was classified correctly."))
    st.subheader(_("Least sure hits"))
    found = evaluation.least_sure_hits(predictions)
    if len(found):
        st.markdown(_("Right, but only just: beside the answer stands the runner-up."))
        before = _("{answer}, before {second}")
        _images(
            chosen,
            found,
            lambda index: before.format(answer=answer(index, 0), second=answer(index, 1)),
            key="hits",
            label=_("Least sure hits"),
            count=_IN_GRID,
        )
    else:
        st.markdown(_("There is none: no test image was classified correctly."))


def _test_images(chosen: Summary) -> Dataset | None:
    """The images the run was tested on; where others are chosen, which ones to choose."""
    try:
        data = dataset()
    except CifarError as error:
        tell(error)
        return None
    if data.source.checksum == chosen.data_checksum:
        return data
    words = _("To see the images, choose those of this run in the sidebar, under 'Images': {name}.")
    st.info(words.format(name=plain(chosen.data_name)), icon=":material/image:")
    return None


def _images(
    chosen: Summary,
    found: np.ndarray,
    caption: Callable[[int], str],
    *,
    key: str,
    label: str,
    count: int,
) -> None:
    """Test images by index, some at a time; a press opens one on the Predict page."""
    data = _test_images(chosen)
    if data is None:
        return
    page = 1
    if len(found) > count:
        pages = -(-len(found) // count)
        page = st.pagination(
            pages, key=f"{Key.PAGE}-{chosen.run.id}-{key}", persist_state="session"
        )
    shown = found[(page - 1) * count :][:count]
    images = pictures.as_seen(data.x_test[shown], chosen.config)
    captions = [caption(index) for index in shown]
    if not chosen.run.has_model():
        numbers = [f"#{index:,}" for index in shown]
        st.html(pictures.grid(zip(images, captions, numbers, strict=True)))
        return
    pressed = image_grid(images, shown, captions, key=f"images-{key.split('-')[0]}", label=label)
    if pressed is not None:
        show_test_image(pressed)
        st.switch_page("pages/predict.py")
