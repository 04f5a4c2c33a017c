"""How far a run's figures can be trusted: intervals, another run's, its own confidence."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cifar_core.analysis.calibration import BINS, reliability
from cifar_core.analysis.evaluation import accuracy
from cifar_core.analysis.significance import McNemar, accuracy_interval, mcnemar
from cifar_core.errors import RunError
from cifar_core.network.predict import Predictions
from cifar_core.percent import percent
from cifar_core.runs.summary import Summary
from ui import cached
from ui.components.live_chart import live_chart
from ui.figures import evaluation as draw
from ui.session.keys import Key
from ui.text import _, plain, tell


def significance(chosen: Summary, predictions: Predictions) -> None:
    """The interval of the accuracy, and another run on the same images."""
    run, images = chosen.run, len(predictions.labels)
    low, high = accuracy_interval(predictions)
    words = _(
        "The test set is a sample of {images} images, and {share} of them is not quite the share "
        "of all images of this kind. That lies in **{low} to {high}**, as far as one can say: of "
        "intervals made in this way (Wilson's), 95 in 100 hold it."
    )
    st.markdown(
        words.format(
            images=f"{images:,}",
            share=percent(accuracy(predictions)),
            low=percent(low),
            high=percent(high),
        )
    )
    others = {
        other.run.id: other.run
        for other in cached.runs().summaries
        if other.run.id != run.id
        and other.test_accuracy is not None
        and other.data_checksum == chosen.data_checksum
    }
    if not others:
        st.info(
            _(
                "To see whether two networks really differ, train a second one on the same "
                "images: it can be chosen here."
            ),
            icon=":material/info:",
        )
        _intervals({run.id: predictions})
        return
    other = others[
        st.selectbox(
            _("Compare with"),
            list(others),
            key=f"{Key.OTHER}-{run.id}",
            help=_("Runs that were tested on the same images."),
        )
    ]
    try:
        theirs = other.predictions()
    except RunError as error:
        tell(error)
        return
    if theirs is None or not np.array_equal(theirs.labels, predictions.labels):
        st.info(_("That run left no predictions on these images."), icon=":material/info:")
        return
    _intervals({run.id: predictions, other.id: theirs})
    test = mcnemar(predictions.hits, theirs.hits)
    live_chart(
        draw.agreement_figure(
            [
                (_("both right"), test.both),
                (_("only {run}").format(run=run.id), test.only_first),
                (_("only {run}").format(run=other.id), test.only_second),
                (_("both wrong"), test.neither),
            ]
        ),
        key="agreement",
        label=_("How many test images both, one or none of the two runs classify correctly"),
        height=180,
    )
    _difference(test, run.id, other.id)


def _difference(test: McNemar, first: str, second: str) -> None:
    """McNemar's test in words."""
    discordant = test.only_first + test.only_second
    if not discordant:
        st.success(_("Both networks are right and wrong on the very same images."))
        return
    better, worse = (first, second) if test.only_first >= test.only_second else (second, first)
    more = max(test.only_first, test.only_second)
    words = _(
        "On {discordant} images only one of the two is right: {more} times {better}, {fewer} times "
        "{worse}. If both were equally good, chance alone would make a split at least as uneven "
        "in {p_value} of all cases (McNemar's test, {kind}). {conclusion}"
    )
    p_value = f"{test.p_value:.1%}" if test.p_value >= 0.001 else _("less than 0.1%")
    kind = (
        _("exact binomial")
        if test.exact
        else _("chi-squared approximation with continuity correction")
    )
    conclusion = (
        _(
            "That is rare, below 5%: the difference is hardly chance, **{better} is better on such "
            "images**."
        )
        if test.is_real
        else _("That is not rare: **the difference may well be chance**.")
    ).format(better=plain(better))
    (st.success if test.is_real else st.info)(
        words.format(
            discordant=f"{discordant:,}",
            more=f"{more:,}",
            better=plain(better),
            fewer=f"{discordant - more:,}",
            worse=plain(worse),
            p_value=p_value,
            kind=kind,
            conclusion=conclusion,
        ),
        icon=":material/check_circle:" if test.is_real else ":material/casino:",
    )
    st.caption(
        _(
            "The test looks at the images on which the two differ, so it can tell networks apart "
            "whose intervals overlap. It speaks of these two networks. Whether their settings "
            "differ is another question: the seed alone moves the accuracy, so train each setting "
            "with several seeds before you call one better."
        )
    )


def _intervals(runs: dict[str, Predictions]) -> None:
    shares = [accuracy(one) for one in runs.values()]
    intervals = [accuracy_interval(one) for one in runs.values()]
    live_chart(
        draw.intervals_figure(list(runs), shares, intervals),
        key="intervals",
        label=_("Test accuracy with its 95% interval"),
        height=90 + 50 * len(runs),
    )


def calibration(chosen: Summary, predictions: Predictions) -> None:
    """Reliability diagram and expected calibration error."""
    found = reliability(predictions)
    words = _(
        "When the network says 80%, is it right in 8 of 10 cases? A bar that ends below its mark "
        "means that it is surer there than it should be. Over all images it is {confidence} sure "
        "and {accuracy} right: {verdict}. The expected calibration error, the mean distance from "
        "bar to mark over all images in {bins} bins, is **{error}**."
    )
    share = accuracy(predictions)
    if abs(found.overconfidence) < 0.02:
        verdict = _("on the whole it knows how good it is")
    elif found.overconfidence > 0:
        verdict = _("it is overconfident, as networks that overfit are")
    else:
        verdict = _("it is underconfident, as dropout and label smoothing can make it")
    st.markdown(
        words.format(
            confidence=percent(share + found.overconfidence),
            accuracy=percent(share),
            verdict=verdict,
            bins=BINS,
            error=percent(found.calibration_error),
        )
    )
    live_chart(
        draw.reliability_figure(found),
        key="reliability",
        label=_("Reliability diagram of run {run}").format(run=chosen.run.id),
        height=480,
    )
