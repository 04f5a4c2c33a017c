"""What a network says of one image, in words and as bars."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cifar_core.percent import percent
from cifar_core.runs.summary import Summary
from ui.components.live_chart import live_chart
from ui.figures.evaluation import probability_figure
from ui.text import _, plain


def answer(of: Summary, probabilities: np.ndarray, known: bool, true: int | None, key: str) -> None:
    """An answer, whether to believe it, and all probabilities.

    Args:
        of: the run whose network was asked.
        probabilities: (K,).
        known: whether the rule of `cifar_core.network.out_of_distribution` believes it.
        true: the true class, None where it is not known.
        key: the chart's.
    """
    predicted = int(probabilities.argmax())
    values = {
        "name": plain(of.class_names[predicted]),
        "share": percent(probabilities[predicted]),
        "count": len(of.class_names),
    }
    if true is not None:
        words = _("Predicted: **{name}** ({share}) · true class: **{true}**")
        text = words.format(**values, true=plain(of.class_names[true]))
        if not known:
            text += "  \n" + _("By itself the network would doubt that it knows this picture.")
        if predicted == true:
            st.success(text, icon=":material/check_circle:")
        else:
            st.error(text, icon=":material/cancel:")
    elif known:
        text = _("Predicted: **{name}** ({share})").format(**values)
        st.info(text, icon=":material/image_search:")
    else:
        words = _(
            "**Likely none of the {count} classes**, or impossible to tell. "
            "The nearest: {name} ({share})."
        )
        st.warning(words.format(**values), icon=":material/help:")
    live_chart(
        probability_figure(
            probabilities, of.class_names, predicted=predicted, true=true, known=known
        ),
        key=key,
        label=_("Probability of each class; the highest is {name}").format(
            name=of.class_names[predicted]
        ),
        height=380,
    )
