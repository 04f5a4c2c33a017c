"""What a session remembers: its keys are named here and nowhere else."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote
from zlib import crc32

import streamlit as st

from cifar_core.config import PRESETS, TrainingConfig, names_of, preset_of
from cifar_core.data import Dataset, is_available
from cifar_core.data.fetch import Pace
from cifar_core.data.images import Framing
from cifar_core.errors import CifarError, DataError, RunNotFound
from cifar_core.runs.run import Run
from cifar_core.runs.store import Listing
from cifar_core.runs.summary import Summary
from cifar_core.training.device import need_gpu
from cifar_core.training.split import check
from cifar_core.workers.launch import resume, start
from cifar_core.workers.slots import move_up
from ui import cached
from ui.text import _, plain, tell


class Key(StrEnum):
    """Names of widgets and of what a session remembers; those in a link are short words.

    A widget of a training setting goes by the setting's own name and a number: `setting_key`.
    """

    ROUTED = "routed"
    DEEP_LINK = "deep_link"
    ADDRESS = "address_waiting"
    ADDRESS_KEPT = "address_kept"
    ADDRESS_PAGE = "address_page"
    FOLLOWED = "followed"
    DATA = "data"
    DATA_WIDGET = "data_widget"
    PATH = "path"
    PATHS = "paths"
    PACE = "pace"
    RUN = "run"
    RUN_WIDGET = "run_widget"
    RUNS = "runs"
    PRESET = "preset"
    SETTINGS = "settings"
    EPOCHS_IN_ALL = "epochs_in_all"
    REPEATS = "repeats"
    SPLIT = "split"
    CLASSES = "classes"
    SHUFFLE = "shuffle"
    ORDER = "order"
    COUNT = "count"
    GREY = "grey"
    PAGE = "page"
    SECTION = "section"
    IMAGE = "image"
    HISTOGRAM = "histogram"
    VARIED = "varied"
    DRAWS = "draws"
    AXIS = "axis"
    SMOOTHING = "smoothing"
    LOG_SCALE = "log_scale"
    REFERENCE = "reference"
    RATE = "rate"
    ASPECT = "aspect"
    CELLS = "cells"
    CELL = "cell"
    CELL_WIDGET = "cell_widget"
    OTHER = "other"
    INDEX = "index"
    DRAWN = "drawn"
    TALLY = "tally"
    UPLOADED = "uploaded"
    CAMERA = "camera"
    FRAMING = "framing"
    SQUARE_SIZE = "square_size"
    SQUARE_X = "square_x"
    SQUARE_Y = "square_y"
    WHY = "why"
    EXPLAINED = "explained"
    LAYER = "layer"
    PART = "part"
    VIEW = "view"
    SOURCE = "source"
    SIZE = "size"
    WINDOW = "window"
    PICTURE = "picture"
    CHANNEL = "channel"
    KERNEL = "kernel"
    FILTER = "filter"
    ROW = "row"
    COLUMN = "column"
    TABLE = "table"
    TABLE_FILTER = "table_filter"
    TABLE_IMAGES = "table_images"
    TABLE_COLUMNS = "table_columns"
    STARRED = "starred"
    SHIPPED = "shipped"
    GROUPS = "groups"
    COLOURS = "colours"
    SIDES = "sides"
    STAR = "star"
    DESCRIBE = "describe"
    DELETE = "delete"
    NAME = "name"
    NOTES = "notes"
    EXPORTED = "exported"
    FORM = "form"
    EXPORT = "export"
    EXPORT_WANTED = "export_wanted"


# The frame


def router_has_run() -> bool:
    """Whether dashboard.py has run in this session."""
    return Key.ROUTED in st.session_state


def note_router(page: str | None = None, query: dict[str, str] | None = None) -> None:
    """Remember that dashboard.py ran or, from a page that was opened before it, where to return."""
    if page is None:
        st.session_state[Key.ROUTED] = True
    else:
        st.session_state[Key.DEEP_LINK] = (page, query or {})


def take_deep_link() -> tuple[str, dict[str, str]] | None:
    """The page to return to, once."""
    link: tuple[str, dict[str, str]] | None = st.session_state.pop(Key.DEEP_LINK, None)
    return link


# The address


def address_is_kept() -> bool:
    """Whether the browser has told that a page replaces its entry in the history."""
    return st.session_state.get(Key.ADDRESS_KEPT, False)


def keep_address() -> None:
    """The browser has told it: write what has waited for it."""
    st.session_state[Key.ADDRESS_KEPT] = True
    _write_address({})


def begin_page(page: str, is_history: bool) -> None:
    """A page, known by its address, is drawn: on Back and Forward, it shows what that says.

    The settings stay as they are: they are one for all pages.
    """
    if st.session_state.get(Key.ADDRESS_PAGE) != page:
        st.session_state[Key.ADDRESS_PAGE] = page
        st.session_state[Key.ADDRESS] = {}  # what waits is another page's
    st.session_state[Key.FOLLOWED] = is_history
    for key, widget in ((Key.RUN, Key.RUN_WIDGET), (Key.RUNS, Key.TABLE)):
        if is_history and st.query_params.get(key):
            st.session_state.pop(key, None)
            _renew(widget)


def _address() -> dict[str, str | None]:
    """What the address says, or will say."""
    return st.query_params.to_dict() | st.session_state.get(Key.ADDRESS, {})


def _write_address(values: Mapping[str, str | None]) -> None:
    """Let the address say what a page shows; None takes a key out of it.

    Before the browser replaces entries, Back would need a press for this: so it waits.
    """
    wanted = {**_address(), **values}
    if not address_is_kept():
        st.session_state[Key.ADDRESS] = {**st.session_state.get(Key.ADDRESS, {}), **values}
        return
    st.session_state[Key.ADDRESS] = {}
    said = {key: value for key, value in wanted.items() if value is not None}
    if said != st.query_params.to_dict():
        st.query_params.from_dict(said)


def choose_section(key: Key, label: str, sections: Mapping[str, str]) -> str:
    """The widget of a page's sections, by name with their words; the address says which it is."""
    first = next(iter(sections))
    begin_from_link(key, sections, first)
    chosen = st.segmented_control(
        label,
        list(sections),
        format_func=sections.__getitem__,
        required=True,
        key=key,
        persist_state="session",
        label_visibility="collapsed",
    )
    chosen = chosen or first
    _write_address({key: chosen})
    return chosen


def _renew(widget: Key) -> None:
    """Another number for a widget's key: what a browser still says of the old one is no choice."""
    st.session_state[widget] = st.session_state.get(widget, 0) + 1


# Images


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
        _renew(Key.DATA_WIDGET)


def choose_data(label: str, help: str) -> None:
    """The 'Images' widget; another one once `use_data` has chosen.

    A browser also sends what an old one said last, and Streamlit tells that to its callback.
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


def dataset() -> Dataset:
    """The images of this session, with a progress bar while they are read the first time.

    Where they cannot be read, the page begins anew, with the built-in ones.
    """
    choice = data_choice()
    with st.empty():  # is there at every run, so that nothing below it is mounted anew
        try:
            return cached.known_dataset(choice) or cached.read_dataset(choice, _data_name(choice))
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


def begin_from_link(key: Key, options: Collection[str], otherwise: str) -> None:
    """Give a widget its first value: what the URL says of its key, else another.

    On Back and Forward it gets what the URL says, too.
    """
    given = st.query_params.get(key, "")
    if given in options and (key not in st.session_state or st.session_state.get(Key.FOLLOWED)):
        st.session_state[key] = given
    st.session_state.setdefault(key, otherwise)


def opened_image(images: int) -> int | None:
    """Index of the image that is open, which stands in the URL; None where there is no such."""
    given = _address().get(Key.IMAGE) or ""
    return int(given) if given.isdecimal() and len(given) < 10 and int(given) < images else None


def open_image(index: int, split: str) -> None:
    """Put an image into the URL; a training image is on show under 'Augmentation', too."""
    _write_address({Key.IMAGE: str(index), Key.SPLIT: split})
    if split == "train":
        st.session_state[Key.VARIED] = index


def close_image() -> None:
    """Take the image from the URL."""
    _write_address({Key.IMAGE: None, Key.SPLIT: None})


def draws() -> int:
    """How often 'Draw again' was pressed."""
    return st.session_state.get(Key.DRAWS, 0)


def draw_again() -> None:
    """Another number for `draws`."""
    st.session_state[Key.DRAWS] = draws() + 1


# Runs


def choose_run(
    listing: Listing, label: str, among: Callable[[Summary], bool] = lambda one: True
) -> Summary | None:
    """The 'Run' widget, newest first; the choice holds on every page and in links.

    A run shown by `show_run` gets a new widget: the old one's value may still be on its way from
    a browser that has not heard of it, and would undo the choice.

    Args:
        listing: all runs.
        label: the widget's.
        among: which of them can be chosen on this page.

    Returns:
        The run; None, after a word, where the one chosen before is gone and none is chosen yet.
    """
    found = {one.run.id: one for one in listing.summaries if among(one)}
    shown = st.session_state.get(Key.RUN) or st.query_params.get(Key.RUN)
    gone = _why_gone(shown, listing) if shown and shown not in found else ""
    widget = f"{Key.RUN}-{st.session_state.get(Key.RUN_WIDGET, 0)}"
    if gone:
        widget += f"-without-{crc32(str(shown).encode())}"
        if st.session_state.get(widget) not in found:  # else another one has just been chosen
            st.warning(plain(gone), icon=":material/link_off:")
    chosen: str | None = st.selectbox(
        label,
        list(found),
        index=list(found).index(shown) if shown in found else None if gone else 0,
        key=widget,
        format_func=lambda one: found[one].title if one in found else one,
        placeholder=_("Choose a run"),
    )
    if chosen not in found:
        return None
    # One that this page cannot show, such as a live run on Predict, is on show again elsewhere.
    stands_in = shown in listing.by_id and shown not in found and chosen == next(iter(found))
    if not stands_in:
        st.session_state[Key.RUN] = chosen
        _write_address({Key.RUN: chosen})
    for problem in found[chosen].problems:
        st.caption(f":orange[{plain(problem)}]")
    return found[chosen]


def _why_gone(run: str, listing: Listing) -> str:
    """Why a run cannot be shown, '' where it can, if perhaps not on this page."""
    if run in listing.by_id:
        return ""
    if reason := next((one.reason for one in listing.unreadable if one.id == run), ""):
        return _("{run} cannot be read: {reason}").format(run=run, reason=reason)
    words = _("This run is gone: {run}. It was deleted or moved. Choose another one.")
    return words.format(run=run)


def show_run(run: Run) -> None:
    """Choose a run from now on."""
    st.session_state[Key.RUN] = run.id
    _renew(Key.RUN_WIDGET)


def choose_cell(
    class_names: Sequence[str], labels: tuple[str, str], otherwise: tuple[int, int]
) -> tuple[int, int]:
    """The widgets that choose a cell of the confusion matrix: true and predicted class.

    As with `choose_run`, a cell shown by `show_cell` gets new widgets.
    """
    shown = st.session_state.get(Key.CELL, otherwise)
    if max(shown) >= len(class_names):
        shown = otherwise
    widget = f"{Key.CELL}-{len(class_names)}-{st.session_state.get(Key.CELL_WIDGET, 0)}"
    true, predicted = (
        column.selectbox(
            label,
            range(len(class_names)),
            index=index,
            format_func=class_names.__getitem__,
            key=f"{widget}-{place}",
        )
        for place, (column, label, index) in enumerate(
            zip(st.columns(2, wrap=False), labels, shown, strict=True)
        )
    )
    st.session_state[Key.CELL] = true, predicted
    return true, predicted


def show_cell(true: int, predicted: int) -> None:
    """Choose a cell of the confusion matrix from now on; in a callback."""
    st.session_state[Key.CELL] = true, predicted
    _renew(Key.CELL_WIDGET)


def show_test_image(index: int) -> None:
    """Put a test image on the Predict page; before it is drawn."""
    st.session_state[Key.INDEX] = index
    forget_draw()


def draw_test_images(count: int, images: int) -> None:
    """Put test images drawn at random, others than the one on show, on the Predict page.

    In a callback.
    """
    others = [index for index in range(images) if index != st.session_state[Key.INDEX]]
    drawn = secrets.SystemRandom().sample(others, min(count, len(others))) or [0]
    st.session_state[Key.INDEX], st.session_state[Key.DRAWN] = drawn[0], drawn


def show_drawn(index: int) -> None:
    """Show one of the images that were drawn together; in a callback."""
    st.session_state[Key.INDEX] = index


def drawn_test_images() -> list[int]:
    """Indices of the test images on show that were drawn at random; none where one was chosen."""
    return st.session_state.get(Key.DRAWN, [])


def forget_draw() -> None:
    """Show one chosen test image from now on."""
    st.session_state[Key.DRAWN] = []


def tally(run: Run, data: Dataset) -> dict[int, bool]:
    """Whether a run was right about each test image drawn so far, by its index, to be added to."""
    tallies: dict[tuple[str, str], dict[int, bool]] = st.session_state.setdefault(Key.TALLY, {})
    return tallies.setdefault((run.id, data.source.checksum), {})


def shown_upload() -> str:
    """The file among those uploaded that was pressed last, '' before any was."""
    return st.session_state.get(Key.UPLOADED, "")


def show_upload(file: str) -> None:
    """Show one of several uploaded pictures in detail; in a callback."""
    st.session_state[Key.UPLOADED] = file


def framing(picture: str) -> Framing:
    """How an uploaded picture becomes square, as its widgets say wherever they were seen last."""
    value = st.session_state.get
    return Framing(
        value(f"{Key.FRAMING}-{picture}", Framing.kind),
        value(f"{Key.SQUARE_SIZE}-{picture}", Framing.size),
        value(f"{Key.SQUARE_X}-{picture}", Framing.x),
        value(f"{Key.SQUARE_Y}-{picture}", Framing.y),
    )


# Comparison


def chosen_runs(listing: Listing, otherwise: list[str]) -> list[str]:
    """Names of the runs to compare: the session's choice, else the link's, else those given.

    One that is gone is told of once.
    """
    if Key.RUNS not in st.session_state:
        given = st.query_params.get(Key.RUNS)
        wanted = otherwise if given is None else [unquote(one) for one in given.split(",") if one]
        st.session_state[Key.RUNS] = wanted
    chosen: list[str] = st.session_state[Key.RUNS]
    for one in chosen:
        if gone := _why_gone(one, listing):
            st.toast(plain(gone), icon=":material/link_off:", duration="infinite")
    chosen = [one for one in chosen if one in listing.by_id]
    # A comma is in no name but one that was given by hand.
    quoted = [one.replace("%", "%25").replace(",", "%2C") for one in chosen]
    _write_address({Key.RUNS: ",".join(quoted)})
    st.session_state[Key.RUNS] = chosen
    return chosen


def choose_runs(ids: list[str]) -> None:
    """Choose these runs, in a new table: the old one's choice may still be on its way."""
    st.session_state[Key.RUNS] = ids
    _renew(Key.TABLE)


def run_table(rows: list[list[str]], data: Any, **look: Any) -> None:
    """A table in which rows are chosen; the choice of runs that it does not show stays.

    It is another table for other rows, because a browser tells a choice by the rows' numbers.

    Args:
        rows: names of each row's runs, of which the first stands for the row.
        data, look: of `st.dataframe`.
    """
    table = st.session_state.get(Key.TABLE, 0)
    key = f"{Key.TABLE}-{table}-{crc32(repr(rows).encode())}"
    chosen, shown = set(st.session_state[Key.RUNS]), set(chain(*rows))

    def take() -> None:
        if table != st.session_state.get(Key.TABLE, 0):  # late word of a table that is gone
            return
        numbers = st.session_state[key]["selection"]["rows"]
        hidden = [one for one in st.session_state[Key.RUNS] if one not in shown]
        st.session_state[Key.RUNS] = hidden + [rows[number][0] for number in numbers]

    numbers = [number for number, row in enumerate(rows) if chosen & set(row)]
    st.dataframe(
        data,
        key=key,
        on_select=take,
        selection_mode="multi-row",
        selection_default={"selection": {"rows": numbers}},
        **look,
    )


def choose_columns(label: str, names: dict[str, str], usual: list[str]) -> list[str]:
    """The widget of a table's columns, another one where other columns are the usual ones."""
    key = f"{Key.TABLE_COLUMNS}-{crc32(repr(usual).encode())}"
    chosen: list[str] = st.multiselect(
        label,
        list(names),
        default=usual,
        format_func=names.__getitem__,
        key=key,
        persist_state="session",
    )
    return [name for name in names if name in chosen]


def run_colours(ids: Sequence[str], colours: int) -> dict[str, int]:
    """A colour's number for each run, which it keeps as long as the session lasts.

    A run that is new gets the first one that the fewest of the others have.
    """
    kept: dict[str, int] = st.session_state.setdefault(Key.COLOURS, {})
    for one in ids:
        if one not in kept:
            taken = [kept.get(other) for other in ids]
            kept[one] = min(range(colours), key=taken.count)
    return {one: kept[one] for one in ids}


def star_runs(runs: Sequence[Run], star: bool) -> None:
    """Give runs a star, or take it away."""
    with _told():
        for run in runs:
            run.save_mark(replace(run.mark(), star=star))


def describe_run(run: Run) -> None:
    """Give a run the name and the notes that its widgets show."""
    name = st.session_state[f"{Key.NAME}-{run.id}"]
    with _told():
        run.save_mark(replace(run.mark(), name=" ".join(name.split())))
        run.save_notes(st.session_state[f"{Key.NOTES}-{run.id}"].strip())
        st.toast(_("Saved."), icon=":material/save:")


def delete_runs(runs: Sequence[Run]) -> None:
    """Delete runs; one that somebody else has deleted is as good."""
    gone = set()
    with _told():
        for run in runs:
            with contextlib.suppress(RunNotFound):
                cached.store().delete(run)
            gone.add(run.id)
    choose_runs([one for one in st.session_state[Key.RUNS] if one not in gone])
    if st.session_state.get(Key.RUN) in gone:
        del st.session_state[Key.RUN]  # who deletes a run knows that it is gone


# Training settings


class Begun(NamedTuple):
    """What the widgets of settings begin with.

    Attributes:
        version: a number in their keys; `use_settings` gives them another one, for a browser that
            has not heard of the new values sends the old ones along with what it asks for next.
        config: the settings.
        numbers: what the number beside a setting's switch shows, by setting.
    """

    version: int
    config: TrainingConfig
    numbers: dict[str, Any]

    @classmethod
    def of(cls, config: TrainingConfig) -> Begun:
        """A session's first ones; of a fold they are the whole cross-validation's."""
        zeros = {spec.name: spec.metadata["zero"] for spec in fields(config)}
        numbers = {
            name: getattr(config, name) or zero.first
            for name, zero in zeros.items()
            if zero and zero.number
        }
        return cls(0, replace(config, fold=0), numbers)


def begun() -> Begun:
    """What this session's widgets of settings begin with."""
    found: Begun = st.session_state[Key.SETTINGS]
    return found


def setting_key(name: str) -> str:
    """The key of a settings widget."""
    return f"{name}-{begun().version}"


def number(name: str) -> Any:
    """The number beside a setting's switch, on or off."""
    return st.session_state.get(setting_key(f"{name}_number"), begun().numbers[name])


def setting(name: str) -> Any:
    """The value of a setting, whether its widget is on this page or not."""
    first = getattr(begun().config, name)
    shown = st.session_state.get(setting_key(name), first)
    if name not in begun().numbers:
        return shown
    return number(name) if shown else type(first)(0)


def begin_settings() -> None:
    """Take the session's first settings from the link, whichever page that is to.

    What is wrong with one is said in a note that stays.
    """
    if Key.SETTINGS in st.session_state:
        return
    config, errors = TrainingConfig.from_query(st.query_params.to_dict())
    for error in errors:
        rule, received, value = str(error).rpartition("Received: ")
        words = f"{rule}{received}{plain(value)}"  # the rule is ours, its marks are meant
        st.toast(words, icon=":material/link_off:", duration="infinite")
    st.session_state[Key.SETTINGS] = Begun.of(config)


def settings() -> TrainingConfig:
    """The settings that the widgets show; for cross-validation, all its folds."""
    first = begun().config
    return replace(first, **{spec.name: setting(spec.name) for spec in fields(first)})


def write_link() -> None:
    """Let the address say what of the settings differs from the defaults."""
    config = settings()
    names = [name for spec in fields(config) for name in names_of(spec)]
    _write_address({**dict.fromkeys(names), **config.to_query()})


def use_settings(config: TrainingConfig) -> None:
    """Put settings into the widgets; in a callback, or before the page draws them."""
    before = begun()
    numbers = {name: getattr(config, name) or number(name) for name in before.numbers}
    st.session_state[Key.SETTINGS] = Begun(before.version + 1, replace(config, fold=0), numbers)


def try_settings(config: TrainingConfig, of: Summary) -> None:
    """Put settings into the widgets and choose a run's images where they are at hand.

    In a callback.
    """
    use_settings(config)
    if choice := images_of(of):
        use_data(choice)
    elif of.data_name:
        words = _("The images of this run, {name}, are not here: others are chosen.")
        st.toast(words.format(name=plain(of.data_name)), icon=":material/image:")


def choose_preset(label: str, help: str) -> None:
    """The 'Preset' widget: shows which one the settings are, and sets them to another.

    It is another widget for each preset shown, for the reason that `Begun` gives.
    """
    shown = preset_of(settings())
    names = [*PRESETS, *(["custom"] if shown == "custom" else [])]
    key = setting_key(f"{Key.PRESET}-{shown}")

    def take() -> None:
        if key == setting_key(f"{Key.PRESET}-{preset_of(settings())}"):  # else an old widget's word
            chosen = PRESETS[st.session_state[key]]
            use_settings(replace(chosen, seed=settings().seed))

    st.selectbox(label, names, index=names.index(shown), key=key, on_change=take, help=help)


def asked_runs() -> list[TrainingConfig]:
    """What 'Start training' begins: the settings shown, once for each seed and fold."""
    config, repeats = settings(), st.session_state.get(Key.REPEATS, 1)
    seeds = [(config.seed + number) % 2**32 for number in range(repeats)]
    return [run for seed in seeds for run in replace(config, seed=seed).runs()]


def start_training() -> None:
    """Begin what is asked for and choose the first run; what is wrong is said on the page."""
    with _told():
        asked, choice = asked_runs(), data_choice()
        for config in asked:  # before a folder is made
            check(len(dataset().x_train), config)
        if asked[0].device == "gpu" and (found := cached.device()):
            need_gpu(found)
        for number, config in enumerate(asked):
            run = start(cached.store(), config, choice)
            if number == 0:
                show_run(run)


def resume_training(run: Run, longer: bool = False) -> None:
    """Let a run go on, `longer` to 'Epochs in all'; what is wrong is said on the page."""
    with _told():
        resume(run, st.session_state[Key.EPOCHS_IN_ALL] if longer else None, data_choice())


def stop_training(run: Run) -> None:
    """Ask a run to stop; what is wrong is said on the page."""
    with _told():
        run.request_stop()


def change_rate(run: Run, widget: str) -> None:
    """Ask a run to go on with the learning rate that a widget shows."""
    with _told():
        run.request_rate(float(st.session_state[widget]))
        st.toast(_("Asked for; the log tells when it is taken."), icon=":material/speed:")


def move_run_up(run: Run) -> None:
    """Let a waiting run change places with the one before it."""
    with _told():
        move_up(run)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """What is wrong is said on the page."""
    try:
        yield
    except CifarError as error:
        tell(error)
