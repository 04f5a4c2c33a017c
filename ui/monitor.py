"""What one looks at while a run trains."""

from __future__ import annotations

import time
from bisect import bisect_left

import streamlit as st

from cifar_core.events import BatchEvent, RunState
from cifar_core.history import History, Summary
from cifar_core.runs import Run
from cifar_core.slots import move_up
from cifar_core.split import steps_per_epoch
from ui import cached, curves
from ui.live_chart import live_chart
from ui.text import _, duration


def monitor(run: Run, axis: curves.Axis) -> None:
    """State, progress, figures, charts and log of one run."""
    summary, history = run.summary(), cached.history(run)
    images = summary.environment.get("train_images")
    steps = steps_per_epoch(images, summary.config) if images else None
    status(summary, history, steps)
    figures(history)
    total = summary.config.epochs * (1 if axis == "epoch" else steps or 1)
    for column, metric in zip(st.columns(2), curves.METRICS, strict=True):
        with column:
            st.markdown(f"**{curves.title(metric)}**")
            live_chart(
                curves.figure(
                    curves.curves(run, history, metric, axis, batches=True),
                    metric,
                    axis,
                    x_max=total if summary.state.is_live and steps else None,
                ),
                key=f"train-{metric}",
                label=_("{metric} of run {run}").format(metric=curves.title(metric), run=run.id),
            )
    with st.expander(_("Log"), icon=":material/notes:"):
        st.code("\n".join(log_lines(history)[-200:]) or " ", language=None, height=200)


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
            row[0].markdown(f"{place + 1}. {run.id}")
            row[1].button(
                _("Move up"),
                key=f"up-{run.id}",
                icon=":material/arrow_upward:",
                width="stretch",
                disabled=place == 0,
                on_click=move_up,
                args=(run,),
            )
            row[2].button(
                _("Cancel"),
                key=f"cancel-{run.id}",
                icon=":material/close:",
                width="stretch",
                on_click=run.request_stop,
            )


def status(summary: Summary, history: History, steps: int | None) -> None:
    """One line of words, and a bar while the run lives."""
    config = summary.config
    step = history.batches[-1].step if history.batches else 0
    recent = batches_of_worker(history)
    share = step / (steps * config.epochs) if steps else 0.0
    data = summary.data_name
    match summary.state:
        case RunState.STARTING:
            words = _("Starting")
        case RunState.QUEUED:
            words = _("Waiting in line until another training ends")
        case RunState.RUNNING if not recent:
            words = history.log[-1].message if history.log else _("Starting")
        case RunState.RUNNING:
            speed = recent[-1].images_per_second
            words = _("Epoch {epoch} of {epochs} · {speed} images/s · {left} left · {data}").format(
                epoch=recent[-1].epoch,
                epochs=config.epochs,
                speed=f"{speed:,.0f}",
                left=duration(time_left(recent, steps, config.epochs)),
                data=data,
            )
        case RunState.STOPPING:
            words = _("Stopping: saving the network and testing it")
        case RunState.FINISHED | RunState.STOPPED:
            ending = {
                RunState.FINISHED: _("Finished after {epochs} epochs"),
                RunState.STOPPED: _("Stopped after {epochs} whole epochs"),
            }[summary.state].format(epochs=summary.epochs)
            parts = [ending]
            if summary.test_accuracy is not None:
                figure = f"{summary.test_accuracy:.2%}"
                parts.append(_("test accuracy {figure}").format(figure=figure))
            words = " · ".join([*parts, data])
        case RunState.FAILED:
            words = _("Failed: {message}").format(message=summary.message)
        case _:
            words = _("Interrupted: the process that trained it is gone. Its epochs are kept.")
    if summary.state.is_live:
        st.progress(min(share, 1.0), text=words)
    elif summary.state is RunState.FAILED:
        st.error(words, icon=":material/error:")
    elif summary.state is RunState.INTERRUPTED:
        st.warning(words, icon=":material/warning:")
    else:
        st.success(words, icon=":material/check_circle:")


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
    for column, (name, label) in zip(st.columns(4), names.items(), strict=True):
        is_share = name.endswith("accuracy")
        value, change = (getattr(event, name, None) for event in (last, before))
        shown = "–" if value is None else f"{value:.2%}" if is_share else f"{value:.4f}"
        delta = None
        if value is not None and change is not None:
            moved = value - change
            delta = f"{100 * moved:+.2f}" if is_share else f"{moved:+.4f}"
        column.metric(label, shown, delta, delta_color="normal" if is_share else "inverse")


def batches_of_worker(history: History) -> list[BatchEvent]:
    """What the worker that is at it has told; a run that goes on has had another one before."""
    begun = history.states[-1].time if history.states else 0.0
    first = bisect_left(history.batches, begun, key=lambda event: event.time)
    return history.batches[first:]


def time_left(recent: list[BatchEvent], steps: int | None, epochs: int) -> float:
    """Seconds until the last epoch ends, at the pace since the worker's first batch event."""
    first, last = recent[0], recent[-1]
    if not steps or last.step == first.step:
        return float("nan")
    pace = (time.time() - first.time) / (last.step - first.step)
    return pace * (steps * epochs - last.step)


def log_lines(history: History) -> list[str]:
    """Messages and epochs in the order they came."""
    told = [(event.time, event.message) for event in history.log]
    told += [
        (
            event.time,
            f"epoch {event.epoch}: loss {event.loss:.4f}, accuracy {event.accuracy:.2%}, "
            f"val_loss {event.val_loss:.4f}, val_accuracy {event.val_accuracy:.2%}, "
            f"{event.seconds:.1f} s",
        )
        for event in history.epochs
    ]
    told += [
        (event.time, " ".join(filter(None, [event.state, event.message])))
        for event in history.states
    ]
    return [
        f"{time.strftime('%H:%M:%S', time.localtime(at))}  {words}" for at, words in sorted(told)
    ]
