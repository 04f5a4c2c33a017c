"""Ask a network."""

import secrets

import numpy as np
import streamlit as st

from cifar_core.errors import CifarError
from cifar_core.images import read_image, to_network_size
from cifar_core.runs import Run
from ui import cached, charts, frame, pictures, state
from ui.live_chart import live_chart
from ui.state import Key
from ui.text import _

frame.guard("pages/predict.py")


def answer(run: Run, pixels: np.ndarray, true: int | None, key: str) -> None:
    """What the network says of one image, in words and as bars."""
    probabilities = cached.predict(run, pixels[None])[0]
    predicted = int(probabilities.argmax())
    name, share = run.class_names[predicted], f"{probabilities[predicted]:.1%}"
    if true is None:
        st.markdown(_("Predicted: **{name}** ({share})").format(name=name, share=share))
    else:
        words = _("Predicted: **{name}** ({share}) · true class: **{true}**")
        mark = ":material/check_circle:" if predicted == true else ":material/cancel:"
        text = words.format(name=name, share=share, true=run.class_names[true])
        (st.success if predicted == true else st.error)(text, icon=mark)
    live_chart(
        charts.probability_figure(
            probabilities,
            run.class_names,
            predicted=predicted,
            true=true,
            x_title=_("Probability"),
            predicted_word=_("predicted"),
            true_word=_("true"),
        ),
        key=key,
        label=_("Probability of each class; the highest is {name}").format(name=name),
        height=380,
    )


def test_image(run: Run) -> None:
    """A test image by index or at random."""
    data = state.dataset()
    if data.class_names != run.class_names:
        st.warning(
            _(
                "This run tells {known} apart, and the chosen images are of other classes. "
                "Choose its own images in the sidebar."
            ).format(known=", ".join(run.class_names))
        )
        return
    last = len(data.x_test) - 1
    st.session_state[Key.INDEX] = min(st.session_state.get(Key.INDEX, 0), last)

    def draw() -> None:
        st.session_state[Key.INDEX] = secrets.randbelow(last + 1)

    row = st.columns([1, 1, 2], vertical_alignment="bottom")
    row[0].button(
        _("Random test image"),
        on_click=draw,
        type="primary",
        icon=":material/shuffle:",
        width="stretch",
    )
    index = int(row[1].number_input(_("Test image index"), 0, last, key=Key.INDEX))
    true = int(data.y_test[index])
    left, right = st.columns([2, 3])
    with left:
        caption = _("Test image {index}: {name}").format(index=index, name=data.class_names[true])
        st.html(pictures.enlarged(data.x_test[index], caption))
        st.caption(f"{caption} · {data.source.name}")
    with right:
        answer(run, data.x_test[index], true, "predict-test")


def upload(run: Run) -> None:
    """A picture of one's own."""
    file = st.file_uploader(
        _("Upload an image"),
        type=["jpg", "jpeg", "png", "bmp", "gif", "webp", "tif", "tiff"],
        help=_("It is cropped to a square and reduced to 32 × 32 pixels, and stays here."),
    )
    if file is None:
        return
    try:
        picture = read_image(file.getvalue())
    except CifarError as error:
        st.error(f"{file.name}: {error}", icon=":material/error:")
        return
    pixels = to_network_size(picture)
    left, middle, right = st.columns([2, 2, 4])
    with left:
        st.image(picture, width="stretch")
        st.caption(file.name)
    with middle:
        st.html(pictures.enlarged(pixels, _("What the network sees: 32 × 32 pixels")))
        st.caption(_("What the network sees: 32 × 32 pixels"))
    with right:
        answer(run, pixels, None, "predict-upload")


frame.title(_("Predict"))
summaries = [summary for summary in cached.store().summaries() if summary.run.has_model]
frame.need_runs(summaries, _("There is no network to ask yet: train one first."))
chosen = state.choose_run(summaries, _("Run"))
st.caption(_("Trained on: {data}").format(data=chosen.data_name))
try:
    test_image(chosen.run)
    st.divider()
    upload(chosen.run)
except CifarError as error:
    st.error(str(error), icon=":material/error:")
