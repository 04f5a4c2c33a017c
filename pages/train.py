"""Train a network and watch it."""

import streamlit as st

from cifar_core.config import MOST_EPOCHS
from cifar_core.data import Dataset
from cifar_core.runs.events import RunState
from cifar_core.runs.groups import group_of, spread, validation_accuracy
from cifar_core.runs.summary import Summary
from cifar_core.workers.slots import in_line
from ui import cached, frame
from ui.session.images import data_choice, dataset
from ui.session.keys import Key
from ui.session.navigation import rerun
from ui.session.runs import attempt, choose_run, resume_training
from ui.session.settings import choose_preset, chosen_settings, start_training, write_link
from ui.text import _, with_spread
from ui.train import settings
from ui.train.monitor import choose_rate, choose_view, line, monitor

frame.guard("pages/train.py")


def controls(data: Dataset) -> None:
    """The tutorial's two settings, the rest one click away, and the start."""
    write_link()
    row = st.container(horizontal=True, vertical_alignment="bottom", key="controls")
    with row:
        choose_preset(
            _("Preset"),
            help=_("Settings that belong together; changing one by hand makes it 'custom'."),
        )
    settings.widget(row, "dropout", width="content")
    settings.widget(row, "epochs", width="stretch")
    row.button(
        _("Start training"),
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        help=_("While another run trains, this one waits in line."),
        on_click=start_training,
    )
    st.caption(settings.asked())
    more = st.expander(_("More settings"), icon=":material/tune:", key=Key.MORE, on_change="rerun")
    if more.open:  # unseen, they would take the browser a third of the time that the page takes
        with more:
            more_settings(data)
    if not listing.live:  # else it would take the processor from what trains
        cached.warm_worker()


def more_settings(data: Dataset) -> None:
    """All but the tutorial's two."""
    augmentation, regularisation, network, optimiser, images, machine = st.tabs(
        [
            _("Augmentation"),
            _("Regularisation"),
            _("Network"),
            _("Optimiser"),
            _("Data"),
            _("Seed and machine"),
        ]
    )
    with augmentation:
        settings.row("augmentation")
        st.caption(_("The Data page shows what these make of an image."))
    with regularisation:
        settings.regularisation()
    with network:
        settings.network()
        st.caption(_("The Model page shows the layers that these make."))
    with optimiser:
        settings.optimiser()
    with images:
        settings.data(len(data.x_train), len(data.x_test))
    with machine:
        settings.machine()


def go_on(summary: Summary) -> None:
    """'Resume' for a run with epochs left, 'Train longer' for one that has done them all."""
    done = summary.epochs
    if summary.state is not RunState.FINISHED:
        st.button(
            _("Resume"),
            icon=":material/resume:",
            disabled=summary.state.is_live,
            help=_("Go on where the run was stopped, as if it had not been."),
            on_click=resume_training,
            args=(summary.run,),
        )
    elif done < MOST_EPOCHS:
        with st.popover(_("Train longer"), icon=":material/more_time:"):
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
                on_click=resume_training,
                args=(summary.run, True),
            )


def group(chosen: Summary, summaries: list[Summary]) -> None:
    """What the chosen run and those beside it, of other seeds or folds, come to together."""
    place = st.empty()  # for every run, so that what stands below keeps its place, zoom and all
    members = group_of(chosen, summaries)
    if len(members) < 2:
        return
    done = [one for one in members if one.state is RunState.FINISHED]
    words = _(
        "Group of {runs} runs: validation accuracy {validation}, test accuracy {test} ({done} done)"
    )
    place.caption(
        words.format(
            runs=len(members),
            validation=with_spread(spread(map(validation_accuracy, done))),
            test=with_spread(spread(one.test_accuracy for one in done)),
            done=len(done),
        ),
        help=_(
            "Runs with the same settings and images except for the seed or the fold: mean, and "
            "standard deviation from run to run in percentage points."
        ),
    )


frame.title(_("Train"))
data = dataset()
listing = cached.runs()
summaries = [one for one in listing.summaries if not one.run.is_reference]
top = st.container()
frame.unreadable(listing)
if not summaries:
    with top:
        controls(data)
    st.info(
        _("Nothing has been trained yet. Press 'Start training' to watch the first network learn."),
        icon=":material/info:",
    )
    st.stop()
row = st.container(horizontal=True, vertical_alignment="bottom", key="run-row")
with row.container():
    chosen = choose_run(listing, _("Run"), lambda one: not one.run.is_reference)
if chosen is None:
    with top:
        controls(data)
    st.stop()
with row:
    view = choose_view(listing.summaries)
    choose_rate(chosen)
    st.button(
        _("Stop"),
        icon=":material/stop:",
        disabled=chosen.state not in (RunState.STARTING, RunState.QUEUED, RunState.RUNNING),
        on_click=attempt,
        args=(chosen.run.request_stop,),
    )
    go_on(chosen)
group(chosen, summaries)


chosen_run = chosen.run
shown_above = chosen_settings(), data_choice()


@st.fragment(run_every=0.5 if listing.live else None)
def watch() -> None:
    """The monitor, again and again while a run lives.

    The whole page once a run begins or ends, or a remedy has changed what is set above.
    """
    if is_on_show:
        cached.wait_for_figures(chosen_run)
    now = cached.runs(cached.RECENT)
    shown = now.by_id.get(chosen_run.id)
    above = chosen_settings(), data_choice()
    if shown is None or now.live != listing.live or above != shown_above:
        rerun()
    if shown is None:
        return
    with st.empty():  # there at every run, so that the charts below keep their place
        queued = {one for one, at in now.live.items() if at is RunState.QUEUED}
        line([run for run in in_line(cached.store().root) if run.id in queued] if queued else [])
    monitor(shown, view)


cached.history(chosen.run)  # read now; what looks again takes it as it was a moment ago
is_on_show = False
watch()
is_on_show = True
with top:  # last: see docs/architecture.md
    controls(data)
