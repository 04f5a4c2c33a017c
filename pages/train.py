"""Train a network and watch it."""

import streamlit as st

from cifar_core.config import COLOURS, POOLINGS, VALIDATION_KINDS, TrainingConfig
from cifar_core.errors import CifarError
from cifar_core.events import RunState
from cifar_core.history import Summary
from ui import frame, state
from ui.monitor import monitor
from ui.state import Key
from ui.text import _

frame.guard("pages/train.py")


def controls(summaries: list[Summary]) -> None:
    """The tutorial's two settings, the rest one click away, and the start."""
    row = st.columns([3, 2, 3, 2, 3], vertical_alignment="bottom")
    with row[0]:
        state.choose_preset(
            _("Preset"),
            help=_("Settings that belong together; changing one by hand makes it 'custom'."),
        )
    dropout = row[1].toggle(
        _("Dropout"), key=Key.DROPOUT, persist_state="session", help=help_of("dropout")
    )
    row[2].slider(
        _("Dropout rate"),
        0.05,
        0.9,
        step=0.05,
        key=Key.DROPOUT_RATE,
        persist_state="session",
        disabled=not dropout,
    )
    row[3].number_input(
        _("Epochs"), 1, 1000, key=Key.EPOCHS, persist_state="session", help=help_of("epochs")
    )
    live = [summary for summary in summaries if summary.state.is_live]
    if row[4].button(
        _("Start training"),
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=bool(live),
        help=_("A run is training. Stop it, or wait for its end.") if live else None,
    ):
        try:
            state.start_training()
        except CifarError as error:
            st.error(str(error))
        else:
            st.rerun()
    with st.expander(_("More settings"), icon=":material/tune:"):
        more_settings()


def more_settings() -> None:
    """All but the tutorial's two."""
    row = st.columns(4, vertical_alignment="bottom")
    row[0].number_input(
        _("Batch size"),
        1,
        4096,
        key=Key.BATCH_SIZE,
        persist_state="session",
        help=help_of("batch_size"),
    )
    row[1].number_input(
        _("Learning rate"),
        0.00001,
        1.0,
        step=0.0005,
        format="%.5f",
        key=Key.LEARNING_RATE,
        persist_state="session",
        help=help_of("learning_rate"),
    )
    row[2].selectbox(
        _("Validation"),
        VALIDATION_KINDS,
        format_func={
            "test": _("on the test set, the tutorial's way"),
            "holdout": _("on a tenth of the training images"),
        }.get,
        key=Key.VALIDATION,
        persist_state="session",
        help=_(
            "A choice made by looking at the test set, such as the best epoch, makes the "
            "test figure too good. A hold-out leaves the test set unseen until the end."
        ),
    )
    row[3].number_input(
        _("Seed"), 0, 2**32 - 1, key=Key.SEED, persist_state="session", help=help_of("seed")
    )
    row = st.columns(5, vertical_alignment="bottom")
    row[0].selectbox(
        _("Colour"),
        COLOURS,
        format_func={"rgb": _("colour"), "grey": _("greyscale")}.get,
        key=Key.COLOUR,
        persist_state="session",
        help=help_of("colour"),
    )
    row[1].selectbox(
        _("Pooling"),
        POOLINGS,
        format_func={"max": _("max"), "average": _("average")}.get,
        key=Key.POOLING,
        persist_state="session",
        help=help_of("pooling"),
    )
    row[2].toggle(_("Mirror"), key=Key.FLIP, persist_state="session", help=help_of("flip"))
    row[3].slider(_("Shift"), 0, 8, key=Key.SHIFT, persist_state="session", help=help_of("shift"))
    row[4].slider(
        _("Cutout"), 0, 24, key=Key.CUTOUT, persist_state="session", help=help_of("cutout")
    )


def help_of(name: str) -> str:
    """A setting's help, from where the setting is defined."""
    text: str = TrainingConfig.__dataclass_fields__[name].metadata["help"]
    return _(text[0].upper() + text[1:] + ".")


frame.title(_("Train"))
state.dataset()
summaries = state.store().summaries()
controls(summaries)
if not summaries:
    st.info(
        _("Nothing has been trained yet. Press 'Start training' to watch the first network learn."),
        icon=":material/info:",
    )
    st.stop()
row = st.columns([4, 3, 2], vertical_alignment="bottom")
with row[0]:
    chosen = state.choose_run(summaries, _("Run"))
axis = row[1].segmented_control(
    _("x axis"),
    ["epoch", "step"],
    format_func={"epoch": _("by epoch"), "step": _("by step")}.get,
    default="epoch",
    required=True,
    key=Key.AXIS,
)
if row[2].button(
    _("Stop"),
    icon=":material/stop:",
    width="stretch",
    disabled=chosen.state not in (RunState.STARTING, RunState.RUNNING),
):
    chosen.run.request_stop()
    st.rerun()


@st.fragment(run_every=0.5 if chosen.state.is_live else None)
def watch() -> None:
    """The monitor, again and again while the run lives; the whole page once it has ended."""
    if chosen.state.is_live and not chosen.run.state.is_live:
        st.rerun()
    monitor(chosen.run, axis)


watch()
