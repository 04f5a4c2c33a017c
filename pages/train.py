"""Train a network and watch it."""

import streamlit as st

from cifar_core.config import MOST_EPOCHS, VALIDATION_KINDS
from cifar_core.events import RunState
from cifar_core.history import Summary
from cifar_core.slots import waiting
from ui import cached, frame, settings, state
from ui.monitor import line, monitor
from ui.state import Key
from ui.text import _

frame.guard("pages/train.py")


def controls() -> None:
    """The tutorial's two settings, the rest one click away, and the start."""
    row = st.columns([3, 2, 3, 2, 3], vertical_alignment="bottom")
    with row[0]:
        state.choose_preset(
            _("Preset"),
            help=_("Settings that belong together; changing one by hand makes it 'custom'."),
        )
    settings.dropout(row[1:3])
    row[3].number_input(
        _("Epochs"),
        1,
        MOST_EPOCHS,
        key=Key.EPOCHS,
        persist_state="session",
        help=settings.help_of("epochs"),
    )
    row[4].button(
        _("Start training"),
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        help=_("While another run trains, this one waits in line."),
        on_click=state.start_training,
    )
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
        help=settings.help_of("batch_size"),
    )
    row[1].number_input(
        _("Learning rate"),
        0.00001,
        1.0,
        step=0.0005,
        format="%.5f",
        key=Key.LEARNING_RATE,
        persist_state="session",
        help=settings.help_of("learning_rate"),
    )
    row[2].selectbox(
        _("Validation"),
        VALIDATION_KINDS,
        format_func={
            "test": _("on the test set, the tutorial's way"),
            "holdout": _("on a tenth of the training images"),
            "folds": _("on each fold of the training images in turn"),
        }.get,
        key=Key.VALIDATION,
        persist_state="session",
        help=_(
            "A choice made by looking at the test set, such as the best epoch, makes the "
            "test figure too good. A hold-out leaves the test set unseen until the end."
        ),
    )
    row[3].number_input(
        _("Seed"),
        0,
        2**32 - 1,
        key=Key.SEED,
        persist_state="session",
        help=settings.help_of("seed"),
    )
    row = st.columns(5, vertical_alignment="bottom")
    settings.network(row[:2])
    settings.augmentation(row[2:])


def go_on(summary: Summary) -> None:
    """'Resume' for a run with epochs left, 'Train longer' for one that has done them all."""
    done = summary.config.epochs
    if summary.state is not RunState.FINISHED:
        st.button(
            _("Resume"),
            icon=":material/resume:",
            width="stretch",
            disabled=summary.state.is_live,
            help=_("Go on where the run was stopped, as if it had not been."),
            on_click=state.resume_training,
            args=(summary.run,),
        )
    elif done < MOST_EPOCHS:
        with st.popover(_("Train longer"), icon=":material/more_time:", width="stretch"):
            st.number_input(
                _("Epochs in all"),
                done + 1,
                MOST_EPOCHS,
                min(done + 5, MOST_EPOCHS),
                key=Key.EPOCHS_IN_ALL,
            )
            st.button(
                _("Go on"),
                type="primary",
                icon=":material/resume:",
                on_click=state.resume_training,
                args=(summary.run, True),
            )


frame.title(_("Train"))
state.dataset()
summaries = [one for one in cached.store().summaries() if not one.run.is_reference]
controls()
if not summaries:
    st.info(
        _("Nothing has been trained yet. Press 'Start training' to watch the first network learn."),
        icon=":material/info:",
    )
    st.stop()
row = st.columns([4, 3, 2, 2], vertical_alignment="bottom")
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
row[2].button(
    _("Stop"),
    icon=":material/stop:",
    width="stretch",
    disabled=chosen.state not in (RunState.STARTING, RunState.QUEUED, RunState.RUNNING),
    on_click=chosen.run.request_stop,
)
with row[3]:
    go_on(chosen)


live = {summary.run.id for summary in summaries if summary.state.is_live}


@st.fragment(run_every=0.5 if live else None)
def watch() -> None:
    """The monitor, again and again while a run lives; the whole page once one begins or ends."""
    now = {summary.run.id for summary in cached.store().summaries() if summary.state.is_live}
    if now != live:
        st.rerun()
    line(waiting(cached.store().root))
    monitor(chosen.run, axis)


watch()
