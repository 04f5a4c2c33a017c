"""What the images of each class have in common, and what greyscale takes from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from cifar_core.data import Dataset
from cifar_core.percent import percent
from ui import cached
from ui.components import pictures
from ui.components.live_chart import live_chart
from ui.figures.images import class_bars_figure, histogram_figure
from ui.session.images import dataset
from ui.session.keys import Key
from ui.session.settings import chosen_settings, use_settings
from ui.text import _, plain


def splits() -> dict[str, str]:
    """The splits of a data set, with their words."""
    return {"train": _("Training"), "test": _("Test")}


def colour(data: Dataset) -> None:
    """What greyscale takes away."""
    found = cached.statistics(dataset())
    st.markdown(
        _(
            "A colour image gives the network three numbers a pixel, a greyscale image one. Is "
            "the rest worth having? Sky, water and grass have colours of their own; cars and "
            "cats come in many."
        )
    )
    st.subheader(_("Mean colour of each class"))
    seen = [i for i, images in enumerate(found.images) if images]
    st.html(pictures.swatches((data.class_names[i], found.mean[i]) for i in seen))
    caption = _("Red, green, blue · brightness, which is all that greyscale keeps.")
    if pair := found.merged_pair():
        first, second = (plain(data.class_names[label]) for label in pair[:2])
        caption += " " + _(
            "Greyscale brings {first} and {second} together the most: their mean colours lie "
            "{colour:.0f} apart, their mean greys {grey:.0f}."
        ).format(first=first, second=second, colour=pair[2], grey=pair[3])
    st.caption(caption)

    st.subheader(_("What each class loses"))
    live_chart(
        class_bars_figure(
            {_("lost"): found.colour_share},
            data.class_names,
            y_title=_("Variance lost"),
            number=".2%",
        ),
        key="data-lost",
        label=_("Share of each class's pixel variance that greyscale loses"),
    )
    ranked = sorted(seen, key=found.colour_share.__getitem__)
    least, most = ranked[0], ranked[-1]
    st.caption(
        _(
            "Predict each pixel's red, green and blue from its brightness with a straight line: "
            "what remains, as a share of their variance, is what greyscale loses. "
            "The most is lost by {most} ({most_share}), the least by {least} "
            "({least_share})."
        ).format(
            most=plain(data.class_names[most]),
            most_share=percent(found.colour_share[most]),
            least=plain(data.class_names[least]),
            least_share=percent(found.colour_share[least]),
        )
    )
    st.markdown(_("Shape and texture stay. Whether they are enough, only training shows:"))
    if st.button(_("Train on greyscale"), type="primary", icon=":material/filter_b_and_w:"):
        use_settings(replace(chosen_settings(), colour="grey"))
        st.switch_page("pages/train.py")

    st.subheader(_("How often each value occurs"))
    name = st.selectbox(
        _("Class"), [data.class_names[i] for i in seen], key=Key.HISTOGRAM, width=280
    )
    live_chart(
        histogram_figure(
            found.histogram[data.class_names.index(name)], found.histogram.sum(axis=0), name
        ),
        key="data-histogram",
        label=_("Histogram of each channel, {name} and all classes").format(name=name),
        height=560,
    )
    st.caption(_("Peaks at 0 and 255, where values are clipped, may rise past the chart."))


def statistics(data: Dataset) -> None:
    """How many images a class has, and what they have in common."""
    found = cached.statistics(dataset())
    st.subheader(_("Images of each class"))
    st.markdown(
        _(
            "Where one class has far more images than another, a network earns accuracy by "
            "guessing it. Equal bars make accuracy a fair measure."
        )
    )
    classes = len(data.class_names)
    live_chart(
        class_bars_figure(
            {
                word: np.bincount(data.split(split)[1], minlength=classes)
                for split, word in splits().items()
            },
            data.class_names,
            y_title=_("Images"),
            number=",d",
        ),
        key="data-balance",
        label=_("Images of each class in each split"),
    )
    st.subheader(_("Mean image of each class"))
    st.markdown(
        _(
            "All training images of a class laid over one another. What still shows, such as sky "
            "around a plane, is a hint that needs no understanding of shapes, and a network takes "
            "such hints."
        )
    )
    seen = [i for i, images in enumerate(found.images) if images]
    means = np.rint(found.mean_image[seen]).astype(np.uint8)
    st.html(
        pictures.grid((mean, data.class_names[i], "") for i, mean in zip(seen, means, strict=True))
    )
    st.subheader(_("Pixels of each class"))
    st.table(
        {
            _("Class"): [plain(data.class_names[i]) for i in seen],
            _("Training images"): [f"{found.images[i]:,}" for i in seen],
            _("Mean R, G, B"): [_spaced(found.mean[i]) for i in seen],
            _("Standard deviation R, G, B"): [_spaced(found.std[i]) for i in seen],
            _("Mean brightness"): [f"{found.grey_mean[i]:.1f}" for i in seen],
        },
        hide_index=True,
    )


def _spaced(values: np.ndarray) -> str:
    """Three numbers in one cell."""
    return "  ".join(f"{value:.1f}" for value in values)
