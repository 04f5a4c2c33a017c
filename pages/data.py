"""Look at the images."""

import numpy as np
import streamlit as st

from ui import frame, pictures, state
from ui.state import Key
from ui.text import _

frame.guard("pages/data.py")
frame.title(_("Data"))
data = state.dataset()

names = {"train": _("Training"), "test": _("Test")}
bar = st.columns([2, 3, 1, 1, 1], vertical_alignment="bottom")
split = bar[0].segmented_control(
    _("Split"), list(names), format_func=names.get, default="train", required=True, key=Key.SPLIT
)
classes = bar[1].multiselect(
    _("Classes"), data.class_names, placeholder=_("All classes"), key=Key.CLASSES
)
count = bar[2].selectbox(_("How many"), [20, 50, 100, 200], key=Key.COUNT)
shuffle = bar[3].toggle(_("Shuffle"), key=Key.SHUFFLE)
seed = bar[4].number_input(
    _("Order"), 0, 9999, disabled=not shuffle, key=Key.ORDER, help=_("Each number is an order.")
)

images, labels = data.split(split)
indices = np.arange(len(labels))
if classes:
    indices = indices[np.isin(labels, [data.class_names.index(name) for name in classes])]
if shuffle:
    indices = np.random.default_rng(seed).permutation(indices)
shown = indices[:count]
st.html(
    pictures.grid(
        (images[index], data.class_names[labels[index]], f"#{index:,}") for index in shown
    )
)
st.caption(
    _("{shown} of {all} images. Each is {height} × {width} pixels in {channels} colours.").format(
        shown=len(shown),
        all=f"{len(indices):,}",
        height=images.shape[1],
        width=images.shape[2],
        channels=images.shape[3],
    )
)

st.subheader(_("Shapes"))
rows = [("x_train", data.x_train), ("y_train", data.y_train)]
rows += [("x_test", data.x_test), ("y_test", data.y_test)]
st.table(
    {
        _("Array"): [name for name, _array in rows],
        _("Shape"): [" × ".join(f"{size:,}" for size in array.shape) for _name, array in rows],
        _("Type"): [str(array.dtype) for _name, array in rows],
    },
    width="content",
    hide_index=True,
)
source = data.source
st.caption(
    " · ".join(
        filter(
            None,
            [
                _("Source: {name}").format(name=source.name),
                source.location,
                source.checksum,
                _("{count} pictures were cropped and resized to 32 × 32").format(
                    count=f"{source.resized:,}"
                )
                if source.resized
                else "",
            ],
        )
    )
)
