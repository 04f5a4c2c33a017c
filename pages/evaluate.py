"""What a run has learned."""

import streamlit as st

from cifar_core.analysis.diagnosis import best_epoch
from cifar_core.analysis.significance import accuracy_interval
from cifar_core.errors import RunError
from cifar_core.export.report import measured_on
from cifar_core.network.predict import Predictions
from cifar_core.percent import percent
from cifar_core.runs.history import History
from cifar_core.runs.summary import Summary
from ui import cached, frame
from ui.components.live_chart import live_chart
from ui.evaluate import certainty, confusions
from ui.figures import history as curves
from ui.figures.curves import METRICS, title
from ui.session.keys import Key
from ui.session.navigation import choose_section
from ui.session.runs import choose_run
from ui.text import _, plain, tell
from ui.train.verdict import show_verdict

frame.guard("pages/evaluate.py")
_WIDTH = 190  # of a figure, so that four make a row and two a narrow one


def headline(chosen: Summary, predictions: Predictions | None) -> None:
    """Test figures and the gap."""
    accuracy, train = chosen.test_accuracy, chosen.train_accuracy
    if accuracy is None:
        return
    interval = None
    if predictions:
        low, high = accuracy_interval(predictions)
        interval = _("95%: {low} to {high}").format(low=percent(low), high=percent(high))
    row = st.container(horizontal=True)
    row.metric(
        _("Test accuracy"),
        percent(accuracy),
        interval,
        delta_color="off",
        delta_arrow="off",
        width=_WIDTH,
        help=_(
            "The share of test images classified correctly, and a 95% interval for that of all "
            "images of this kind."
        ),
    )
    loss = "–" if chosen.test_loss is None else f"{chosen.test_loss:.4f}"
    row.metric(_("Test loss"), loss, width=_WIDTH)
    row.metric(
        _("Train accuracy"),
        "–" if train is None else percent(train),
        measured_on(chosen, _) if train is not None else None,
        delta_color="off",
        delta_arrow="off",
        width=_WIDTH,
        help=_(
            "Of the same network, on images that trained it. The curve below is another figure: "
            "the mean over an epoch in which the network still learned, dropout at work."
        ),
    )
    row.metric(
        _("Gap, train less test"),
        "–" if chosen.gap is None else f"{100 * chosen.gap:+.2f}",
        width=_WIDTH,
        help=_(
            "Percentage points. Images that trained a network are always classified better than "
            "new ones; a very wide gap, or a wide one after validation loss has turned, is "
            "overfitting."
        ),
    )


def learning_curves(chosen: Summary, history: History) -> None:
    """Accuracy and loss by epoch, the best epoch marked."""
    for column, metric in zip(st.columns(2), METRICS, strict=True):
        with column:
            live_chart(
                curves.run_figure(chosen, history, metric, curves.View()),
                key=f"evaluate-{metric}",
                label=_("{metric} of run {run}").format(metric=title(metric), run=chosen.run.id),
            )
    if best := best_epoch(history.epochs):
        words = [
            _("Validation loss was lowest after epoch {best} of {epochs}.").format(
                best=best.epoch, epochs=chosen.epochs
            )
        ]
        if chosen.kept_epoch and chosen.kept_epoch != chosen.epochs:
            words.append(_("The network of epoch {kept} was kept.").format(kept=chosen.kept_epoch))
        if chosen.config.validation == "test":
            words.append(
                _(
                    "Validation is the test set here, as in the tutorial: do not choose an epoch "
                    "or a setting by it and then quote it as the test figure."
                )
            )
        st.caption(" ".join(words))


frame.title(_("Evaluate"))
listing = cached.runs()
frame.unreadable(listing)
frame.need_runs(listing.summaries, _("There is nothing to evaluate yet: train a network first."))
chosen = choose_run(listing, _("Run"))
if chosen is None:
    st.stop()
history = cached.history(chosen.run)
st.caption(
    _("{state} · images: {data} · {device}").format(
        state=chosen.state,
        data=plain(chosen.data_name or "–"),
        device=plain(chosen.environment.get("device", "–")),
    )
)
try:
    predictions = chosen.run.predictions()
except RunError as error:
    tell(error)
    predictions = None
headline(chosen, predictions)
show_verdict(chosen, history)
learning_curves(chosen, history)
if predictions is None or chosen.test_accuracy is None:
    st.info(
        _("Test figures and the confusion matrix come when the run has ended.")
        if chosen.state.is_live
        else _("This run left no predictions on the test set, so its curves are all there is.")
        if predictions is None
        else _(
            "This run trained on after it was last tested. Resume it on the Train page, and it is "
            "tested when it ends."
        ),
        icon=":material/info:",
    )
    st.stop()

SECTIONS = {
    "confusions": (_("Confusion matrix"), confusions.confusions),
    "classes": (_("Each class"), confusions.classes),
    "mistakes": (_("Mistakes and hits"), confusions.mistakes),
    "difference": (_("Is the difference real?"), certainty.significance),
    "calibration": (_("How sure is it?"), certainty.calibration),
}
choose_section(Key.ASPECT, _("Look into"), SECTIONS)(chosen, predictions)
