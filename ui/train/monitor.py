"""What one looks at while a run trains."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from cifar_core.analysis.diagnosis import best_epoch
from cifar_core.percent import percent
from cifar_core.runs.events import BatchEvent, RunState, StateEvent
from cifar_core.runs.history import History, highest_rate
from cifar_core.runs.printed import IMAGES as PRINTED_IMAGES
from cifar_core.runs.printed import printed_histories
from cifar_core.runs.run import Run
from cifar_core.runs.summary import Summary
from cifar_core.training.schedule import changed_by, learning_rates
from cifar_core.training.split import steps_per_epoch
from cifar_core.workers.slots import move_up
from ui import cached
from ui.components.live_chart import live_chart, to_json
from ui.figures import history as curves
from ui.figures.curves import METRICS, Axis, Metric, title
from ui.session.keys import Key
from ui.session.navigation import choose_one
from ui.session.runs import attempt, change_rate
from ui.text import _, duration, gigabytes, ngettext, plain
from ui.train import remarks

_MINUTE = 60.0
_LONG_SILENCE = 60.0  # seconds; five lines a second are usual, and none while it validates


@dataclass(frozen=True)
class View(curves.View):
    """How curves are looked at; `monitor` makes the curve to beat, as it learns of which images.

    Attributes:
        beat: a run's name, or that of a printed history; '' for none.
        rival: that run.
    """

    beat: str = ""
    rival: Summary | None = None


def choose_view(summaries: Sequence[Summary]) -> View:
    """'Curves': how the charts show a run."""
    found = {
        one.run.id: one
        for one in summaries
        if one.run.has_model() or not one.run.is_reference  # the printed ones are named apart
    }
    with st.popover(_("Curves"), icon=":material/show_chart:"):
        axes: dict[Axis, str] = {"epoch": _("by epoch"), "step": _("by step")}
        axis = choose_one(_("x axis"), axes, Key.AXIS)
        smoothing = st.slider(
            _("Smoothing"),
            0.0,
            0.95,
            step=0.05,
            key=Key.SMOOTHING,
            persist_state="session",
            help=_("Each point becomes a mean over those before it; as measured, they stay faint."),
        )
        log = st.toggle(
            _("Log scale of the loss"),
            key=Key.LOG_SCALE,
            persist_state="session",
            help=_("Equal ratios look equal, which shows small losses apart."),
        )
        choices = ["", *printed_histories(), *found]
        chosen = st.selectbox(
            _("Curve to beat"),
            choices,
            format_func=lambda choice: _reference_name(choice) or _("none"),
            key=Key.REFERENCE,
            persist_state="session",
            help=_("The validation curve of the tutorial or of another run, as a faint line."),
        )
    return View(axis, smoothing, log, beat=chosen, rival=found.get(chosen))


def _reference_name(choice: str) -> str:
    return {
        "tutorial-baseline": _("the tutorial's baseline, as printed"),
        "tutorial-dropout": _("the tutorial's dropout, as printed"),
    }.get(choice, choice)


def reference(this: Summary, view: View) -> curves.Reference | None:
    """The curve to beat; its name says where it was measured on other images than this run.

    A run that has only begun does not know its own yet.
    """
    if not view.beat or view.beat == this.run.id:
        return None
    other = view.rival
    history = cached.history(other.run) if other else printed_histories()[view.beat]
    name = _("to beat: {run}").format(run=_reference_name(view.beat))
    source = this.environment.get("data", {})
    same = not source or (
        other.data_checksum == this.data_checksum if other else source.get("kind") == "official"
    )
    notes = [] if same else [other.data_name if other else PRINTED_IMAGES]
    measured = other.config.validation if other else "test"
    if measured != this.config.validation:
        notes.append(
            _("on the test set") if measured == "test" else _("on held-out training images")
        )
    return curves.Reference(f"{name} ({', '.join(notes)})" if notes else name, history)


def choose_rate(summary: Summary) -> None:
    """'Learning rate': what it is changed to while the run trains."""
    now = highest_rate(summary.status.rates, summary.config)
    key = f"{Key.RATE}-{summary.run.id}"
    is_over = summary.state is not RunState.RUNNING
    with st.popover(_("Learning rate"), icon=":material/speed:", disabled=is_over):
        st.number_input(
            _("New learning rate"),
            min(1e-7, now),
            10.0,
            now,
            step=now / 10 or now,
            format="%g",
            key=key,
            help=_("The highest of the schedule, from the next step on."),
        )
        st.button(
            _("Change"),
            type="primary",
            disabled=is_over,
            on_click=change_rate,
            args=(summary.run, key),
        )


def monitor(summary: Summary, view: View) -> None:
    """State, progress, remarks, charts, figures and log of one run.

    As few elements as will do: at every look each costs the browser more than a chart does.
    """
    run, is_live = summary.run, summary.state.is_live
    history = cached.history(run, cached.RECENT if is_live else 0.0)
    images = summary.environment.get("train_images")
    steps = steps_per_epoch(images, summary.config) if images else None
    with st.container(key="status"):
        status(summary, history, steps)
    facts(summary, history, steps)
    remarks.show(summary, history)
    total = summary.config.epochs * (1 if view.axis == "epoch" else steps or 0)
    x_max = total if is_live else None
    drawn = curves.View(view.axis, view.smoothing, view.log, reference(summary, view))
    with st.container(horizontal=True, key="charts"):
        for metric in METRICS:
            live_chart(
                _chart(summary, history, metric, drawn, x_max),
                key=f"train-{metric}",
                height=340,
                label=_("{metric} of run {run}").format(metric=title(metric), run=run.id),
            )
    figures(history)
    with st.expander(_("Log, the latest first"), icon=":material/notes:"):
        lines = cached.once(run, history, "log", lambda: "\n".join(log_lines(history)[:200]))
        st.code(lines or " ", language=None, height=200)


def _chart(
    summary: Summary, history: History, metric: Metric, view: curves.View, x_max: int | None
) -> str:
    """A chart ready to be sent, the same for all sessions that look at the run in the same way."""
    images = summary.environment.get("train_images")
    return cached.once(
        summary.run,
        history,
        (metric, view, x_max, images),
        lambda: to_json(curves.run_figure(summary, history, metric, view, x_max)),
    )


def line(runs: list[Run]) -> None:
    """The runs that wait, the next one first, each to be moved up or cancelled.

    Buttons here and on the page act in callbacks: the next look at a live run may come before a
    slow rerun has reached the button, and the click would be lost.
    """
    if not runs:
        return
    with st.container(border=True):
        st.markdown(_("**Waiting in line**"))
        for place, run in enumerate(runs):
            row = st.columns([6, 2, 2], vertical_alignment="center")
            row[0].markdown(f"{place + 1}. {plain(run.id)}")
            row[1].button(
                _("Move up"),
                key=f"up-{run.id}",
                icon=":material/arrow_upward:",
                width="stretch",
                disabled=place == 0,
                on_click=attempt,
                args=(move_up, run),
            )
            row[2].button(
                _("Cancel"),
                key=f"cancel-{run.id}",
                icon=":material/close:",
                width="stretch",
                on_click=attempt,
                args=(run.request_stop,),
            )


def status(summary: Summary, history: History, steps: int | None) -> None:
    """One line of words, and a bar while the run lives."""
    config = summary.config
    step = history.batches[-1].step if history.batches else 0
    recent = history.own_batches
    measured = history.epochs[-1].step if history.epochs else 0
    total = steps * config.epochs if steps else 0
    share = step / total if total else 0.0
    match summary.state:
        case RunState.STARTING:
            words = _("Starting")
        case RunState.QUEUED:
            words = _("Waiting in line until another training ends")
        case RunState.RUNNING if not recent:
            words = plain(history.log[-1].message) if history.log else _("Starting")
        case RunState.RUNNING if step == total == measured:
            words = _("All epochs done: saving the network and testing it")
        case RunState.RUNNING:
            place = _("step {step} of {total}").format(step=f"{step:,}", total=f"{total:,}")
            if steps and step % steps == 0 and step > measured:
                place = _("validating")
            words = _("Epoch {epoch} of {epochs} · {place} · {left} left").format(
                epoch=recent[-1].epoch,
                epochs=config.epochs,
                place=place,
                left=duration(time_left(recent, steps, config.epochs)),
            )
        case RunState.STOPPING:
            words = _("Stopping: saving the network and testing it")
        case RunState.FINISHED | RunState.STOPPED:
            count = summary.epochs
            if summary.state is RunState.FINISHED:
                ending = ngettext("Finished after {n} epoch", "Finished after {n} epochs", count)
            else:
                ending = ngettext(
                    "Stopped after {n} whole epoch", "Stopped after {n} whole epochs", count
                )
            parts = [ending.format(n=count)]
            if summary.test_accuracy is not None:
                figure = percent(summary.test_accuracy)
                parts.append(_("test accuracy {figure}").format(figure=figure))
            elif summary.message:
                parts.append(plain(summary.message))
            words = " · ".join(parts)
        case RunState.FAILED:
            words = _("Failed: {message}").format(message=plain(summary.message))
        case _ if summary.message:
            words = _("Interrupted: its process is gone. Its last words: {message}").format(
                message=plain(summary.message)
            )
        case _ if summary.epochs:
            words = _("Interrupted: the process that trained it is gone. Its epochs are kept.")
        case _:
            words = _("Interrupted: its process is gone, before the first epoch was done.")
    is_at_work = summary.state in (RunState.RUNNING, RunState.STOPPING)
    if is_at_work and (silent := summary.run.silent()) > _LONG_SILENCE:
        words = _("{words} · no news for {time}").format(words=words, time=duration(silent))
    if tried := summary.status.tried:
        words += "  \n" + _tried(tried)
    if summary.state.is_live:
        st.progress(min(share, 1.0), text=words)
    elif summary.state is RunState.FAILED:
        st.error(words, icon=":material/error:")
    elif summary.state is RunState.INTERRUPTED:
        st.warning(words, icon=":material/warning:")
    elif summary.state is RunState.STOPPED:
        st.info(words, icon=":material/stop_circle:")
    else:
        st.success(words, icon=":material/check_circle:")


def _tried(tried: StateEvent) -> str:
    """How going on ended that left a run as it was."""
    message = plain(tried.message)
    match tried.state:
        case RunState.STOPPED:
            return _("Training longer was cancelled: {message}").format(message=message)
        case RunState.FAILED:
            return _("Training longer failed before it began: {message}").format(message=message)
    return _("Training longer ended before it began: its process is gone. {message}").format(
        message=message
    )


def facts(summary: Summary, history: History, steps: int | None) -> None:
    """One line: speed, learning rate and use of the machine while it trains, the best epoch."""
    config, parts = summary.config, []
    recent = history.own_batches[-10:]
    if summary.state is RunState.RUNNING and recent and steps:
        speed = sum(event.images_per_second for event in recent) / len(recent)
        step = recent[-1].step
        rate = float(learning_rates(config, step, steps * config.epochs))
        rate *= changed_by(history.rates, config, step)
        parts += [
            _("{speed} images/s").format(speed=f"{speed:,.0f}"),
            _("learning rate {rate:.3g}").format(rate=rate),
        ]
    if (usage := history.usage) and summary.state.is_live:
        parts.append(_("memory {size}").format(size=gigabytes(usage.memory)))
        if usage.gpu_memory is not None:
            parts.append(_("GPU memory {size}").format(size=gigabytes(usage.gpu_memory)))
        if usage.gpu_use is not None:
            parts.append(_("GPU {share} busy").format(share=f"{usage.gpu_use:.0%}"))
    if best := best_epoch(history.epochs):
        parts.append(
            _("best epoch {epoch}: validation loss {loss}, accuracy {accuracy}").format(
                epoch=best.epoch, loss=f"{best.val_loss:.4f}", accuracy=percent(best.val_accuracy)
            )
        )
    st.caption(" · ".join([*parts, plain(summary.data_name)]) or " ")


def figures(history: History) -> None:
    """The last epoch's figures with their change."""
    last = history.epochs[-1] if history.epochs else None
    before = history.epochs[-2] if len(history.epochs) > 1 else None
    names = {
        "accuracy": _("Train accuracy"),
        "val_accuracy": _("Validation accuracy"),
        "loss": _("Train loss"),
        "val_loss": _("Validation loss"),
    }
    row = st.container(horizontal=True, gap="small", key="figures")
    for name, label in names.items():
        is_share = name.endswith("accuracy")
        value, change = (getattr(event, name, None) for event in (last, before))
        shown = "–" if value is None else percent(value) if is_share else f"{value:.4f}"
        delta = None
        if value is not None and change is not None:
            moved = value - change
            delta = f"{100 * moved:+.2f}" if is_share else f"{moved:+.4f}"
        row.metric(
            label,
            shown,
            delta,
            delta_color="normal" if is_share else "inverse",
            width=190,  # fixed, as the height is, which keeps room for a change
            height=88,
            help=_(
                "The mean over the epoch, while the network still learned, dropout at work. "
                "Evaluate shows that of the saved network."
            )
            if name == "accuracy"
            else None,
        )


def time_left(recent: list[BatchEvent], steps: int | None, epochs: int) -> float:
    """Seconds until the last epoch ends, at the pace of the last minute of events.

    What lies behind a longer silence, such as a laptop's sleep, or behind a clock that was set
    back counts for nothing.
    """
    last = first = recent[-1]
    for event in reversed(recent):
        if not 0 <= last.time - event.time <= _MINUTE:
            break
        first = event
    if not steps or last.step == first.step:
        return float("nan")
    pace = (last.time - first.time) / (last.step - first.step)
    return pace * (steps * epochs - last.step)


def log_lines(history: History) -> list[str]:
    """Messages and figures, the latest first, which so stays in view as more come."""
    found = [(event.time, event.message) for event in history.log]
    found += [
        (
            event.time,
            f"epoch {event.epoch}: loss {event.loss:.4f}, accuracy {percent(event.accuracy)}, "
            f"val_loss {event.val_loss:.4f}, val_accuracy {percent(event.val_accuracy)}, "
            f"{event.seconds:.1f} s",
        )
        for event in history.epochs
    ]
    found += [
        (event.time, " ".join(filter(None, [event.state, event.message])))
        for event in history.states
    ]
    found += [
        (event.time, f"learning rate changed to {event.learning_rate:g} after step {event.step:,}")
        for event in history.rates
    ]
    return [
        f"{time.strftime('%H:%M:%S', time.localtime(at))}  {words}"
        for at, words in sorted(found, reverse=True)
    ]
