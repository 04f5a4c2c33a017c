"""Ask a network."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cifar_core.errors import CifarError
from cifar_core.runs import Run
from ui import cached, frame, pictures, state
from ui.answer import answer
from ui.explanation import explain
from ui.state import Key
from ui.text import _, plain
from ui.uploads import uploads

frame.guard("pages/predict.py")

TWENTY = 20


@st.fragment
def test_images(run: Run) -> None:
    """A test image by index or at random, or twenty at once."""
    data = state.dataset()
    if data.class_names != run.class_names:
        st.warning(
            _(
                "This run tells {known} apart, and the chosen images are of other classes. "
                "Choose its own images in the sidebar."
            ).format(known=", ".join(run.class_names))
        )
        return
    images = len(data.x_test)
    st.session_state[Key.INDEX] = min(st.session_state.get(Key.INDEX, 0), images - 1)
    row = st.columns([3, 3, 2], vertical_alignment="bottom")
    row[0].button(
        _("Random test image"),
        on_click=state.draw_test_images,
        args=(1, images),
        type="primary",
        icon=":material/shuffle:",
        width="stretch",
    )
    row[1].button(
        _("Twenty at random"),
        on_click=state.draw_test_images,
        args=(TWENTY, images),
        icon=":material/grid_view:",
        width="stretch",
    )
    row[2].number_input(
        _("Test image index"), 0, images - 1, key=Key.INDEX, on_change=state.forget_draw
    )
    drawn = [index for index in state.drawn_test_images() if index < images]
    shown = drawn or [int(st.session_state[Key.INDEX])]
    place = st.empty()
    so_far(place, run)
    try:
        probabilities, known = cached.predict_known(run, data.x_test[shown])
    except CifarError as error:
        st.error(str(error), icon=":material/error:")
        return
    predicted, true = probabilities.argmax(axis=1), data.y_test[shown]
    hits = (predicted == true).tolist()
    state.tally(run, data).update(zip(drawn, hits, strict=False))
    so_far(place, run)
    names = data.class_names
    if len(shown) > 1:
        many(run, shown, predicted.tolist())
        return
    pixels = data.x_test[shown[0]]
    with st.container(key="asked-test"):
        left, right = st.columns([2, 3])
    with left:
        caption = _("Test image {index}: {name}").format(index=shown[0], name=names[true[0]])
        st.html(pictures.enlarged(pixels, caption))
        st.caption(plain(f"{caption} · {data.source.name}"))
    with right:
        answer(run, probabilities[0], bool(known[0]), int(true[0]), "predict-test")
    explain(run, pixels, int(predicted[0]), "test")


def so_far(place: DeltaGenerator, run: Run) -> None:
    """How the network did with what was drawn in this session."""
    answers = state.tally(run, state.dataset())
    if answers:
        right = sum(answers.values())
        words = _("Drawn so far: {count} test images, {right} of them right ({share})").format(
            count=len(answers), right=right, share=f"{right / len(answers):.1%}"
        )
    else:
        words = _("Drawn so far: none. Random ones are counted, chosen ones are not.")
    place.caption(words)


def many(run: Run, shown: list[int], predicted: list[int]) -> None:
    """Several test images, each with the answer and the truth."""
    data = state.dataset()
    names, cells = data.class_names, []
    for index, answered in zip(shown, predicted, strict=True):
        true = int(data.y_test[index])
        judged = "right" if answered == true else "wrong"
        note = f"#{index:,}" if answered == true else _("is {name}").format(name=names[true])
        cells.append((data.x_test[index], names[answered], note, judged))
    right = sum(judged == "right" for *_cell, judged in cells)
    st.markdown(
        _("**{right} of {count} right.** Under each image is the answer; ✗ is wrong.").format(
            right=right, count=len(cells)
        )
    )
    st.html(pictures.framed(cells, _("Random test images with answers")))


frame.title(_("Predict"))
summaries = [summary for summary in cached.store().summaries() if summary.run.has_model]
frame.need_runs(summaries, _("There is no network to ask yet: train one first."))
chosen = state.choose_run(summaries, _("Run"))
st.caption(_("Trained on: {data}").format(data=plain(chosen.data_name)))
test_images(chosen.run)
st.divider()
uploads(chosen.run)
