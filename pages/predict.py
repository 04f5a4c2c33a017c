"""Ask a network."""

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cifar_core.errors import CifarError
from cifar_core.percent import percent
from cifar_core.runs.run import Run
from cifar_core.runs.summary import Summary
from ui import cached, frame
from ui.components import pictures
from ui.components.image_grid import image_grid
from ui.predict.answer import answer
from ui.predict.evidence import explain
from ui.predict.uploads import uploads
from ui.session.images import dataset
from ui.session.keys import Key
from ui.session.predictions import (
    draw_test_images,
    drawn_test_images,
    forget_draw,
    show_drawn,
    tally,
)
from ui.text import _, plain, tell

frame.guard("pages/predict.py")

TWENTY = 20


@st.fragment
def test_images(chosen: Summary) -> None:
    """A test image by index or at random, or twenty at once."""
    run, data = chosen.run, dataset()
    if data.class_names != chosen.class_names:
        st.warning(
            _(
                "This run tells {known} apart, and the chosen images are of other classes. "
                "Choose its own images in the sidebar."
            ).format(known=plain(", ".join(chosen.class_names)))
        )
        return
    if data.source.checksum != chosen.data_checksum:
        words = _(
            "The images chosen in the sidebar are not those of this run: its test accuracy "
            "says nothing about them."
        )
        st.caption(f":orange[{words}]")
    images = len(data.x_test)
    st.session_state[Key.INDEX] = min(st.session_state.get(Key.INDEX, 0), images - 1)
    row = st.columns([3, 3, 2], vertical_alignment="bottom")
    row[0].button(
        _("Random test image"),
        on_click=draw_test_images,
        args=(1, images),
        type="primary",
        icon=":material/shuffle:",
        width="stretch",
    )
    row[1].button(
        _("Twenty at random"),
        on_click=draw_test_images,
        args=(TWENTY, images),
        icon=":material/grid_view:",
        width="stretch",
    )
    row[2].number_input(_("Test image index"), 0, images - 1, key=Key.INDEX, on_change=forget_draw)
    drawn = [index for index in drawn_test_images() if index < images]
    index = int(st.session_state[Key.INDEX])
    if index not in drawn:
        drawn = []
    shown = drawn or [index]
    place = st.empty()
    so_far(place, run)
    try:
        probabilities, known = cached.predict_known(run, data.x_test[shown])
    except CifarError as error:
        tell(error)
        return
    predicted, true = probabilities.argmax(axis=1), data.y_test[shown]
    hits = (predicted == true).tolist()
    tally(run, data).update(zip(drawn, hits, strict=False))
    so_far(place, run)
    with st.empty():
        if len(shown) > 1:
            images_seen = pictures.as_seen(data.x_test[shown], chosen.config)
            many(images_seen, shown, predicted.tolist(), hits, index)
    at = shown.index(index)
    pixels = data.x_test[index]
    with st.container(key="asked-test"):
        left, right = st.columns([2, 3])
    with left:
        name = data.class_names[true[at]]
        caption = _("Test image {index}: {name}").format(index=index, name=name)
        st.html(pictures.enlarged(pictures.as_seen(pixels, chosen.config), caption))
        st.caption(plain(f"{caption} · {data.source.name}"))
    with right:
        answer(chosen, probabilities[at], bool(known[at]), int(true[at]), "predict-test")
    try:
        explain(chosen, pixels, int(predicted[at]), "test")
    except CifarError as error:
        tell(error)


def so_far(place: DeltaGenerator, run: Run) -> None:
    """How the network did with what was drawn in this session."""
    answers = tally(run, dataset())
    if answers:
        right = sum(answers.values())
        words = _("Test images drawn so far: {count}, right: {right} ({share})").format(
            count=len(answers), right=right, share=percent(right / len(answers))
        )
    else:
        words = _("Test images drawn so far: none. Random ones are counted, chosen ones are not.")
    place.caption(words)


def many(
    images: np.ndarray, shown: list[int], predicted: list[int], hits: list[bool], detailed: int
) -> None:
    """Several test images with what the network takes them for; one that is pressed is shown."""
    data, captions = dataset(), []
    for index, answered, hit in zip(shown, predicted, hits, strict=True):
        found, true = data.class_names[answered], data.class_names[data.y_test[index]]
        captions.append(
            found if hit else _("{answer}, truly {true}").format(answer=found, true=true)
        )
    with st.container():
        st.markdown(
            _("**{right} of {count} right.** Press an image to see why.").format(
                right=sum(hits), count=len(hits)
            )
        )
        image_grid(
            images,
            shown,
            captions,
            key="twenty",
            label=_("Random test images with answers"),
            judged=["right" if hit else "wrong" for hit in hits],
            chosen=detailed,
            on_open=show_drawn,
        )


frame.title(_("Predict"))
listing = cached.runs()
frame.unreadable(listing)
chosen = frame.choose_network(listing, _("There is no network to ask yet: train one first."))
st.caption(_("Trained on: {data}").format(data=plain(chosen.data_name)))
test_images(chosen)
st.divider()
uploads(chosen)
