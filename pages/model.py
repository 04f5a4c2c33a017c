"""Look into the network: its layers, its pooling, its convolution."""

import streamlit as st

from cifar_core.config import TrainingConfig
from cifar_core.data.dataset import IMAGE_SIZE
from cifar_core.network.build import is_whitened
from cifar_core.network.describe import LayerInfo
from ui import cached, frame
from ui.components.live_chart import live_chart
from ui.figures import network as draw
from ui.model import by_hand
from ui.session.images import dataset
from ui.session.keys import Key
from ui.session.navigation import choose_one, choose_section
from ui.session.settings import chosen_settings
from ui.text import _
from ui.train import settings

frame.guard("pages/model.py")


def network() -> None:
    """The layers of the chosen settings: figures, picture, reasons, table."""
    figures = st.container()  # above the settings that they follow
    settings.network()
    row = st.container(horizontal=True, vertical_alignment="bottom")
    settings.widget(row, "dropout", width="content")
    row.page_link("pages/train.py", label=_("Train with these"), icon=":material/play_arrow:")
    config = chosen_settings()
    layers = cached.layers(config, len(dataset().class_names))
    with figures:
        metrics = by_hand.four_columns()
    metrics[0].metric(
        _("Parameters"),
        f"{sum(layer.parameters for layer in layers):,}",
        help=_("Numbers that training adjusts."),
    )
    metrics[1].metric(
        _("Multiply-adds"),
        f"{sum(layer.multiply_adds for layer in layers):,}",
        help=_("For one image, in convolution and dense layers; the others do little beside them."),
    )
    metrics[2].metric(_("Layers"), len(layers))
    metrics[3].metric(_("Dropout"), f"{100 * config.dropout:g}%" if config.dropout else _("off"))
    picture(layers)
    reasons(config, layers)
    table(config, layers)


def picture(layers: list[LayerInfo]) -> None:
    """The layers as boxes, flat or in space."""
    views = {"flat": _("Flat"), "deep": _("In three dimensions")}
    view = choose_one(_("Picture"), views, Key.VIEW)
    shape = layers[0].input_shape
    words = _("The image that goes in: {shape}").format(shape=times(shape))
    boxes = [draw.Box(_("image"), "", shape, words)]
    for layer in layers:
        formula = f" = {layer.formula}" if layer.formula else ""
        lines = [
            f"<b>{layer.name}</b> · {layer.kind}",
            _("Output shape: {shape}").format(shape=times(layer.output_shape)),
            _("Parameters: {count}").format(count=f"{layer.parameters:,}{formula}"),
            _("Multiply-adds: {count}").format(count=f"{layer.multiply_adds:,}"),
            _("Receptive field: {field} pixels").format(field=field(layer)),
        ]
        boxes.append(
            draw.Box(layer.name, layer.kind, layer.output_shape, "<br>".join(lines), layer.window)
        )
    live_chart(
        draw.flat_figure(boxes) if view == "flat" else draw.deep_figure(boxes),
        key=f"network-{view}",
        label=_("The network's layers as boxes, from the image to the scores"),
        height=400,
    )
    st.caption(
        _(
            "A box is as high and wide as its picture and as deep as its channels are many; units "
            "in a row make a bar as long as the square root of their number. Yellow: the window "
            "that slides, and the output it makes. Point at a box for its figures."
        )
    )


def reasons(config: TrainingConfig, layers: list[LayerInfo]) -> None:
    """Why each piece is there."""
    kinds = {layer.kind for layer in layers}
    pieces = {
        _("Normalisation"): _(
            "Each channel's pixels become numbers of mean 0 and deviation 1: with numbers of one "
            "small size, all weights learn at a similar pace."
        )
        if config.standardise
        else _(
            "Pixels of 0 to 255 become 0 to 1: with numbers of one small size, all weights learn "
            "at a similar pace."
        ),
        _("Convolution"): _(
            "A small window looks for one pattern everywhere with the same few weights, so what "
            "is learned in one corner holds in all. Later layers find patterns of patterns."
        ),
    }
    if is_whitened(config):
        pieces[_("Whitening")] = _(
            "The first convolution is not learned. Its kernels are computed from the images so "
            "that what they find is unrelated: neighbouring pixels are nearly equal, and a network "
            "learns faster from what is new. Each kernel has a negative beside it."
        )
    if config.batch_norm:
        pieces[_("Batch normalisation")] = _(
            "Each map is scaled to mean 0 and deviation 1 over the batch, then shifted, and often "
            "scaled, by numbers that are learned. Later layers no longer chase what earlier ones "
            "do: training is steadier."
        )
    if kinds & {"MaxPooling2D", "AveragePooling2D"}:
        pieces[_("Pooling")] = _(
            "Each 2 × 2 square becomes one number. Exact places are given up for a quarter of the "
            "work to come, and a small shift of the object changes less."
        )
    off = "" if config.dropout else " " + _("It is off now.")
    pieces[_("Dropout")] = (
        _(
            "In each training step, some values are set to 0 at random. No unit can lean on one "
            "other alone, and less is learned by heart."
        )
        + off
    )
    pieces[_("Flatten")] = _(
        "All maps become one row of numbers, for the dense layers know no rows and columns."
    )
    pieces[_("Dense")] = _(
        "Every unit weighs everything that was found. The last layer has a unit for each class: "
        "the highest of these scores is the answer."
    )
    for number, (piece, reason) in enumerate(pieces.items()):
        if number % 3 == 0:
            columns = st.columns(3)
        columns[number % 3].markdown(f"**{piece}.** {reason}")


def table(config: TrainingConfig, layers: list[LayerInfo]) -> None:
    """The figures of all layers, and their totals."""
    total = sum(layer.parameters for layer in layers)
    work = sum(layer.multiply_adds for layer in layers)
    st.table(
        {
            _("Layer"): [*(layer.name for layer in layers), _("Total")],
            _("Kind"): [*(layer.kind for layer in layers), ""],
            _("Output shape"): [*(times(layer.output_shape) for layer in layers), ""],
            _("Parameters"): [f"{count:,}" for count in [*(x.parameters for x in layers), total]],
            _("Sum"): [*(layer.formula for layer in layers), ""],
            _("Multiply-adds"): [
                f"{count:,}" for count in [*(x.multiply_adds for x in layers), work]
            ],
            _("Receptive field"): [*map(field, layers), ""],
        },
        hide_index=True,
    )
    sentences = [
        _("Sum: height · width · input channels · kernels, and one bias for each kernel."),
        _("Batch normalisation: three or four numbers for each channel, and no bias before it.")
        if config.batch_norm
        else "",
        _(
            "Multiply-adds: each weight once for every place of the output; pooling, which has no "
            "weights, is not counted. Receptive field: the part of the image that an output can "
            "depend on."
        ),
        _(
            "The last two rows and columns of pixels count for nothing, because the second "
            "pooling leaves the thirteenth row over."
        )
        if config.network == "tutorial" and config.convolutions > 1
        else "",
    ]
    st.caption(" ".join(filter(None, sentences)))


def field(layer: LayerInfo) -> str:
    """The receptive field as people write it; padding round the image is no part of it."""
    return times([min(layer.receptive_field, IMAGE_SIZE)] * 2)


def times(shape: tuple[int, ...] | list[int]) -> str:
    """A shape as people write it."""
    return " × ".join(map(str, shape))


frame.title(_("Model"))
sections = {
    "network": (_("Network"), network),
    "pooling": (_("Pooling"), by_hand.pooling),
    "convolution": (_("Convolution"), by_hand.convolution),
}
choose_section(Key.PART, _("Section"), sections)()
