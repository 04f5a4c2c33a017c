"""The images that a session looks at."""

from __future__ import annotations

import os
from pathlib import Path

import streamlit as st

from cifar_core.data import Dataset, is_available
from cifar_core.data.fetch import Pace
from cifar_core.errors import DataError
from cifar_core.runs.summary import Summary
from ui import cached
from ui.session.keys import Key, renew
from ui.session.navigation import address, write_address
from ui.text import _


def data_choices() -> list[str]:
    """The data sets at hand, the best first, in the form that `load_data` takes."""
    given = os.environ.get("CIFAR10_DATA")
    choices = [given] if given and given not in ("auto", "official") else []
    if is_available("official"):
        choices.append("official")
    return list(dict.fromkeys([*choices, *st.session_state.get(Key.PATHS, []), "synthetic"]))


def data_label(choice: str) -> str:
    """What a person calls a data set; its path stands beside a name that two of them have."""
    names = [_data_name(other) for other in data_choices()]
    name = _data_name(choice)
    is_path = choice not in ("official", "synthetic")
    label = f"{name} ({choice})" if is_path and names.count(name) > 1 else name
    return _("{images}: cannot be read").format(images=label) if is_unreadable(choice) else label


def is_unreadable(choice: str) -> bool:
    """Whether the images of a choice were found to be none, or damaged."""
    return bool(cached.unreadable(choice))


def _data_name(choice: str) -> str:
    if choice == "synthetic":
        return _("Built-in images (synthetic)")
    if data := cached.known_dataset(choice):
        return data.source.name
    return "CIFAR-10" if choice == "official" else Path(choice).name


def _asked_data() -> str:
    """The data set chosen in this session, whether it can be read or not."""
    choices = data_choices()
    chosen = st.session_state.get(Key.DATA)
    return chosen if chosen in choices else choices[0]


def data_choice() -> str:
    """The data set that this session's pages show: the chosen one; built in, if that is damaged."""
    asked = _asked_data()
    return "synthetic" if is_unreadable(asked) else asked


def data_problem() -> str:
    """Why others than the chosen images are shown, '' where they are not."""
    asked = _asked_data()
    if not (reason := cached.unreadable(asked)):
        return ""
    name = "CIFAR-10" if asked == "official" else asked
    words = _("{images} cannot be read; the built-in images are shown instead: {reason}")
    return words.format(images=name, reason=reason)


def use_data(choice: str) -> None:
    """Let every page of this session show another data set."""
    if choice != st.session_state.get(Key.DATA):
        st.session_state[Key.DATA] = choice
        renew(Key.DATA_WIDGET)


def choose_data(label: str, help: str) -> None:
    """The 'Images' widget; another one once `use_data` has chosen.

    A browser also sends what an old one said last, and Streamlit hands that to its callback.
    """
    choices, shown = data_choices(), _asked_data()
    use_data(shown)  # one that comes later is taken when it is asked for
    number = st.session_state[Key.DATA_WIDGET]
    key = f"{Key.DATA}-{number}"

    def take() -> None:
        if number == st.session_state[Key.DATA_WIDGET] and st.session_state[key] in choices:
            cached.try_again(st.session_state[key])
            st.session_state[Key.DATA] = st.session_state[key]

    st.selectbox(
        label,
        choices,
        index=choices.index(shown),
        format_func=data_label,
        key=key,
        on_change=take,
        help=help,
    )


def dataset(*, is_first_enough: bool = False) -> Dataset:
    """The images of this session, with a progress bar while they are read the first time.

    Where they cannot be read, the page begins again, with the built-in ones.

    Args:
        is_first_enough: whether to take what `draw_first` gives, rather than wait for all.
    """
    choice = data_choice()
    with st.empty():  # is there at every run, so that nothing below it is mounted again
        try:
            return (
                cached.known_dataset(choice)
                or (cached.first_images(choice) if is_first_enough else None)
                or cached.read_dataset(choice, _data_name(choice))
            )
        except DataError:
            if choice == "synthetic":
                raise
    st.rerun()


def images_of(summary: Summary) -> str | None:
    """The choice of the images that a run learned from; None where they are not at hand."""
    source = summary.environment.get("data", {})
    for choice in filter(lambda one: not is_unreadable(one), data_choices()):
        if data := cached.known_dataset(choice):
            found = data.source.checksum == summary.data_checksum
        else:
            found = choice in (source.get("kind"), source.get("location"))
        if found:
            return choice
    return None


def add_data(path: str) -> None:
    """Read the images that lie at a path and let this session use them.

    Raises:
        DataError: there are none, or they cannot be read.
    """
    spec = path.strip()
    if spec and not spec.startswith("~"):
        spec = str(Path.cwd() / spec)  # a file of the name 'official', too
    choice = cached.read_dataset(spec, _data_name(spec)).source.location
    paths = st.session_state.setdefault(Key.PATHS, [])
    if choice not in paths:
        paths.append(choice)
    use_data(choice)


def pace() -> Pace:
    """How fast CIFAR-10 comes, as this session sees it."""
    pace: Pace = st.session_state.setdefault(Key.PACE, Pace())
    return pace


def opened_image(images: int) -> int | None:
    """Index of the image that is open, which stands in the URL; None where there is no such."""
    given = address().get(Key.IMAGE) or ""
    return int(given) if given.isdecimal() and len(given) < 10 and int(given) < images else None


def open_image(index: int, split: str) -> None:
    """Put an image into the URL; a training image is on show under 'Augmentation', too."""
    write_address({Key.IMAGE: str(index), Key.SPLIT: split})
    if split == "train":
        st.session_state[Key.VARIED] = index


def close_image() -> None:
    """Take the image from the URL."""
    write_address({Key.IMAGE: None, Key.SPLIT: None})


def draws() -> int:
    """How often 'Draw again' was pressed."""
    return st.session_state.get(Key.DRAWS, 0)


def draw_again() -> None:
    """Another number for `draws`."""
    st.session_state[Key.DRAWS] = draws() + 1
