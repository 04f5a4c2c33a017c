"""Look at the images."""

import numpy as np
import streamlit as st

from cifar_core.data import Dataset
from cifar_core.data.synthetic.draw import FIRST
from cifar_core.training.augment import augments, draw, varied
from ui import cached, frame
from ui.components import pictures
from ui.components.image_grid import image_grid
from ui.components.live_chart import live_chart
from ui.data import classes as class_figures
from ui.data import source as data_source
from ui.figures.images import pixel_figure
from ui.session.images import (
    close_image,
    data_choice,
    dataset,
    draw_again,
    draws,
    open_image,
    opened_image,
)
from ui.session.keys import Key
from ui.session.navigation import choose_one, choose_section, rerun
from ui.session.settings import chosen_settings
from ui.text import _, plain
from ui.train import settings

frame.guard("pages/data.py")
SPLITS = class_figures.splits()


def look(data: Dataset) -> None:
    """The images, some at a time, and the arrays they come in."""
    st.markdown(
        _(
            "A network can learn only what its images show, so look at them first: what tells a "
            "cat from a dog in so few pixels? Press an image to see it pixel by pixel."
        )
    )
    bar = st.container(horizontal=True, vertical_alignment="bottom")
    with bar:
        split = choose_one(_("Split"), SPLITS, Key.SPLIT, is_in_link=True)
    classes = bar.multiselect(
        _("Classes"),
        data.class_names,
        placeholder=_("All classes"),
        key=f"{Key.CLASSES}-{data.source.location}",
        persist_state="session",
        width=200,
    )
    count = bar.selectbox(
        _("How many"), [20, 50, 100, 200], key=Key.COUNT, persist_state="session", width=90
    )
    grey = bar.toggle(
        _("Greyscale"),
        key=Key.GREY,
        persist_state="session",
        help=_("Can you still tell the classes apart?"),
    )
    shuffle = bar.toggle(_("Shuffle"), key=Key.SHUFFLE, persist_state="session")
    seed = bar.number_input(
        _("Order"),
        0,
        9999,
        disabled=not shuffle,
        key=Key.ORDER,
        persist_state="session",
        help=_("Each number is an order."),
        width=100,
    )
    images, labels = data.split(split)
    indices = np.arange(len(labels))
    if classes:
        indices = indices[np.isin(labels, [data.class_names.index(name) for name in classes])]
    if shuffle:
        indices = np.random.default_rng(seed).permutation(indices)
    if not len(indices):
        st.info(_("No image here is of these classes."), icon=":material/info:")
        return

    # A choice of other images begins at its first page, so its pages are another widget's.
    chosen = f"{split}-{count}-{seed if shuffle else ''}-{sorted(classes)}-{data.source.location}"
    bar = st.container(horizontal=True, vertical_alignment="center")
    page = bar.pagination(
        -(-len(indices) // count), key=f"{Key.PAGE}-{chosen}", persist_state="session"
    )
    shown = indices[(page - 1) * count :][:count]
    words = _(
        "{first} to {last} of {all} images of {height} × {width} pixels in {channels} colours"
    )
    bar.caption(
        words.format(
            first=f"{(page - 1) * count + 1:,}",
            last=f"{(page - 1) * count + len(shown):,}",
            all=f"{len(indices):,}",
            height=images.shape[1],
            width=images.shape[2],
            channels=images.shape[3],
        )
    )
    pixels = pixels_of(split, shown)
    pressed = image_grid(
        pictures.grey(pixels) if grey else pixels,
        shown,
        [data.class_names[label] for label in labels[shown]],
        key="images",
        label=SPLITS[split],
    )
    if pressed is not None:
        open_image(pressed, split)
    if opened_image(len(labels)) is not None:
        open_dialog = st.dialog(_("Pixel by pixel"), width=880, on_dismiss=close_image)
        open_dialog(one_image)(data, split, indices)
    arrays(data)


def one_image(data: Dataset, split: str, order: np.ndarray) -> None:
    """The image in the URL enlarged, its channels and its greyscale."""
    labels = data.split(split)[1]
    index = opened_image(len(labels))
    if index is None:
        return
    name, pixels = data.class_names[labels[index]], pixels_of(split, np.array([index]))[0]
    places = np.flatnonzero(order == index)
    place = int(places[0]) if len(places) else -1
    bar = st.container(horizontal=True, vertical_alignment="center")
    for label, icon, other in (
        (_("Previous"), ":material/chevron_left:", place - 1),
        (_("Next"), ":material/chevron_right:", place + 1),
    ):
        exists = 0 <= other < len(order)
        bar.button(
            label,
            icon=icon,
            disabled=not exists,
            on_click=open_image,
            args=(int(order[other]), split) if exists else None,
        )
    bar.markdown(f"**#{index:,} {plain(name)}** · {SPLITS[split]}")
    left, right = st.columns([3, 2])
    with left:
        live_chart(
            pixel_figure(pixels),
            key="pixels",
            label=_("Image {index}, {name}, enlarged").format(index=index, name=name),
            height=400,
        )
    with right:
        words = [_("Red"), _("Green"), _("Blue")]
        parts = [
            (part, word, "") for part, word in zip(pictures.channels(pixels), words, strict=True)
        ]
        st.html(pictures.grid([*parts, (pictures.grey(pixels), _("Greyscale"), "")], columns=2))
    st.caption(
        _(
            "Each pixel is three numbers of 0 to 255. Red, green and blue light add up to the "
            "image; greyscale keeps one number, 0.299 R + 0.587 G + 0.114 B, the brightness."
        )
    )


def arrays(data: Dataset) -> None:
    """Shapes and types, and where the images come from."""
    st.subheader(_("Shapes"))
    found = {name: getattr(data, name) for name in ("x_train", "y_train", "x_test", "y_test")}
    st.table(
        {
            _("Array"): list(found),
            _("Shape"): [" × ".join(f"{size:,}" for size in one.shape) for one in found.values()],
            _("Type"): [str(one.dtype) for one in found.values()],
        },
        width="content",
        hide_index=True,
    )
    source = data.source
    parts = [_("Source: {name}").format(name=source.name), source.location, source.checksum]
    if source.resized:
        words = _("{count} pictures were cropped and resized to 32 × 32")
        parts.append(words.format(count=f"{source.resized:,}"))
    st.caption(" · ".join(plain(part) for part in parts if part))


def variations(data: Dataset) -> None:
    """One image as training would see it."""
    st.markdown(
        _(
            "A mirrored or shifted cat is still a cat. Training that meets each image a little "
            "changed in every epoch cannot learn it by heart, which is a cure for overfitting. "
            "These settings are the Train page's own."
        )
    )
    settings.row("augmentation")
    last = len(data.x_train) - 1
    st.session_state[Key.VARIED] = min(st.session_state.get(Key.VARIED, 0), last)
    bar = st.container(horizontal=True, vertical_alignment="bottom")
    index = bar.number_input(
        _("Training image"), 0, last, key=Key.VARIED, persist_state="session", width=200
    )
    bar.button(_("Draw again"), icon=":material/refresh:", on_click=draw_again)
    config = chosen_settings()
    pixels = pixels_of("train", np.array([index]))[0]
    variation = draw(config, 8, np.random.default_rng(draws()))
    drawn = varied(pixels[None], np.zeros(8, int), variation)
    images = [pixels, *drawn]
    if config.colour == "grey":
        images = [pixels, *pictures.grey(drawn)]
    name = data.class_names[data.y_train[index]]
    captions = [_("as it is"), *[_("variation {number}").format(number=i + 1) for i in range(8)]]
    st.html(
        pictures.grid(
            ((one, name, caption) for one, caption in zip(images, captions, strict=True)), columns=5
        )
    )
    if not augments(config):
        st.caption(_("No variation is switched on yet, so training sees the image as it is."))


def pixels_of(split: str, indices: np.ndarray) -> np.ndarray:
    """Images of a split, uint8 (N, 32, 32, 3); waits where they are still to be drawn."""
    is_first_enough = split == "train" and indices.max() < FIRST
    return dataset(is_first_enough=is_first_enough).split(split)[0][indices]


@st.fragment(run_every=0.5)
def wait_for_all() -> None:
    """Have all images drawn, begun only now, so that it does not hold up the first ones."""
    if cached.known_dataset(data_choice()):
        rerun()
    else:
        cached.begin_reading(data_choice())


frame.title(_("Data"))
data = dataset(is_first_enough=True)
SECTIONS = {
    "look": (_("Look"), look),
    "colour": (_("Colour and greyscale"), class_figures.colour),
    "statistics": (_("Statistics"), class_figures.statistics),
    "augmentation": (_("Augmentation"), variations),
}
choose_section(Key.SECTION, _("Section"), SECTIONS)(data)
data_source.panel()
if not cached.known_dataset(data_choice()):
    wait_for_all()
