"""Look at the network."""

import streamlit as st

from ui import frame, state
from ui.text import _

frame.guard("pages/model.py")
frame.title(_("Model"))
config = state.settings()
layers = state.layers(config)

total = sum(layer.parameters for layer in layers)
figures = st.columns(3)
figures[0].metric(_("Parameters"), f"{total:,}")
figures[1].metric(_("Layers"), len(layers))
figures[2].metric(_("Dropout"), f"{config.dropout:.0%}" if config.dropout else _("off"))

st.table(
    {
        _("Layer"): [layer.name for layer in layers],
        _("Kind"): [layer.kind for layer in layers],
        _("Output shape"): [" × ".join(map(str, layer.output_shape)) for layer in layers],
        _("Parameters"): [f"{layer.parameters:,}" for layer in layers],
    },
    hide_index=True,
)
st.caption(
    _(
        "An image of 32 × 32 pixels in 3 colours goes in at the top; one score a class comes out "
        "at the bottom. The first layer scales pixels of 0 to 255 to 0 to 1. Convolutions look for "
        "patterns, pooling halves the picture, the dense layers weigh what was found."
    )
)
st.page_link("pages/train.py", label=_("Change the settings"), icon=":material/tune:")
