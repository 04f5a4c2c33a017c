"""Why a network answers as it does: where it looked, what it looks for, what it found."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cifar_core.runs.run import Run
from cifar_core.runs.summary import Summary
from ui import cached
from ui.components import pictures
from ui.session.keys import Key
from ui.text import _, plain


def explain(of: Summary, pixels: np.ndarray, predicted: int, place: str) -> None:
    """A switch for the reasons of an answer, and the reasons.

    Args:
        of: the run whose network was asked.
        pixels: uint8 (32, 32, 3).
        predicted: the class it answered.
        place: unique on the page.
    """
    shown = st.toggle(
        _("Why this answer?"),
        key=f"{Key.WHY}-{place}",
        persist_state="session",
        help=_("Where the network looked, what its first layer looks for, and what it found."),
    )
    if not shown:
        return
    with st.container(key=f"asked-why-{place}"):
        left, right = st.columns([2, 3], gap="medium")
    with left:
        _heat(of, pixels, predicted, place)
    with right:
        _maps(of.run, pixels, place)


def _heat(of: Summary, pixels: np.ndarray, predicted: int, place: str) -> None:
    """Grad-CAM of a class over the image."""
    names = of.class_names
    label = st.selectbox(
        _("What speaks for"),
        range(len(names)),
        index=predicted,
        format_func=lambda index: names[index],
        key=f"{Key.EXPLAINED}-{place}-{predicted}",
    )
    heat = cached.grad_cam(of.run, pixels, label)
    words = _("Grad-CAM: what speaks for {name}").format(name=names[label])
    st.html(pictures.enlarged(pictures.heat_over(pixels, heat), words))
    st.caption(
        _(
            "Grad-CAM: the brighter, the more this place of the last convolution's {height} × "
            "{width} maps raised the score of {name}. It is coarse, and shows where the network "
            "looked, not whether it was right to."
        ).format(height=heat.shape[0], width=heat.shape[1], name=plain(names[label]))
        if heat.any()
        else _("No place of the last convolution's maps raised the score of {name}.").format(
            name=plain(names[label])
        )
    )


def _maps(run: Run, pixels: np.ndarray, place: str) -> None:
    """The feature maps of a layer, or the filters of the first."""
    layers = cached.feature_maps(run, pixels)
    kernels = cached.learned_kernels(run)
    filters = _("filters")
    options = [filters, *layers]
    chosen = st.selectbox(
        _("Layer"),
        options,
        index=1,
        format_func=lambda name: (
            _("The first layer's filters")
            if name == filters
            else _("{layer}: {count} maps").format(layer=name, count=layers[name].shape[2])
        ),
        key=f"{Key.LAYER}-{place}-{'-'.join(layers)}",
    )
    if chosen == filters:
        picture, words = pictures.filters(kernels), _("The first layer's filters")
        note = _(
            "What the first layer looks for: {count} patterns of {height} × {width} pixels. Grey "
            "is a weight of 0; each is stretched to its own strongest weight."
        ).format(count=kernels.shape[3], height=kernels.shape[0], width=kernels.shape[1])
    else:
        maps = layers[chosen]
        picture, words = pictures.maps(maps), _("Feature maps of {layer}").format(layer=chosen)
        note = _(
            "What {layer} found in this image: {count} maps of {height} × {width}, the brighter "
            "the stronger; black is nothing."
        ).format(
            layer=plain(chosen), count=maps.shape[2], height=maps.shape[0], width=maps.shape[1]
        )
    st.html(pictures.enlarged(picture, words, 480))
    st.caption(note)
