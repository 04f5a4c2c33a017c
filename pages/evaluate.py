"""What a run has learned."""

import streamlit as st

from cifar_core import evaluation
from ui import cached, charts, curves, frame, state
from ui.live_chart import live_chart
from ui.text import _

frame.guard("pages/evaluate.py")
frame.title(_("Evaluate"))
summaries = cached.store().summaries()
frame.need_runs(summaries, _("There is nothing to evaluate yet: train a network first."))
chosen = state.choose_run(summaries, _("Run"))
run, history = chosen.run, cached.history(chosen.run)
st.caption(
    _("{state} · images: {data} · {device}").format(
        state=chosen.state,
        data=chosen.data_name or "–",
        device=chosen.environment.get("device", "–"),
    )
)

for column, metric in zip(st.columns(2), curves.METRICS, strict=True):
    with column:
        st.markdown(f"**{curves.title(metric)}**")
        live_chart(
            curves.figure(curves.curves(run, history, metric), metric),
            key=f"evaluate-{metric}",
            label=_("{metric} of run {run}").format(metric=curves.title(metric), run=run.id),
        )
if chosen.config.validation == "test":
    st.caption(
        _(
            "Validation is the test set here, as in the tutorial: do not choose an epoch or a "
            "setting by it and then quote it as the test figure."
        )
    )

predictions = run.predictions()
if predictions is None:
    st.info(
        _("Test figures and the confusion matrix come when the run has ended.")
        if chosen.state.is_live
        else _("This run left no predictions on the test set."),
        icon=":material/info:",
    )
    st.stop()

accuracy = evaluation.accuracy(predictions)
row = st.columns(4)
row[0].metric(_("Test accuracy"), f"{accuracy:.2%}")
row[1].metric(_("Test loss"), f"{evaluation.cross_entropy(predictions):.4f}")
row[2].metric(_("Train accuracy"), f"{chosen.last.accuracy:.2%}" if chosen.last else "–")
row[3].metric(
    _("Gap, train less test"),
    f"{100 * chosen.gap:+.2f}" if chosen.gap is not None else "–",
    help=_(
        "Percentage points. The train accuracy is that of the last epoch, measured while it "
        "trained, dropout at work. A wide gap is overfitting: known images are classified "
        "better than new ones."
    ),
)

st.subheader(_("Confusion matrix"))
unit = st.segmented_control(
    _("Cells"),
    ["counts", "shares"],
    format_func={"counts": _("Counts"), "shares": _("Shares")}.get,
    default="counts",
    required=True,
    key=state.Key.CELLS,
)
matrix = evaluation.confusion_matrix(predictions)
live_chart(
    charts.confusion_figure(
        matrix,
        run.class_names,
        normalise=unit == "shares",
        x_title=_("Predicted class"),
        y_title=_("True class"),
    ),
    height=560,
    key="confusion",
    label=_("Confusion matrix of run {run}").format(run=run.id),
)

st.subheader(_("Each class"))
figures = evaluation.per_class(matrix)
st.table(
    {
        _("Class"): run.class_names,
        _("Precision"): [f"{row.precision:.1%}" for row in figures],
        _("Recall"): [f"{row.recall:.1%}" for row in figures],
        _("F1"): [f"{row.f1:.1%}" for row in figures],
        _("Test images"): [f"{row.images:,}" for row in figures],
    },
    hide_index=True,
)
