"""A run as one HTML page that stands alone: to read, to print, to hand in.

It needs no other file, no network and no script. It follows the reader's light or dark theme on a
screen, and is black on white on paper.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from html import escape
from typing import Literal

import numpy as np

from ..analysis.diagnosis import Fit, of_summary
from ..analysis.evaluation import (
    Predictions,
    confusion_matrix,
    confusions,
    cross_entropy,
    per_class,
)
from ..analysis.significance import wilson_interval
from ..percent import percent
from ..runs.events import EpochEvent
from ..runs.run import Run
from ..runs.summary import Summary

Translate = Callable[[str], str]

_STYLE = """
:root { color-scheme: light dark; --line: #8886; --train: #1a7fc1; --validation: #d55e00; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; overflow-wrap: anywhere; } h2 { font-size: 1.25rem; margin-top: 2rem; }
h1, h2 { line-height: 1.25; break-after: avoid; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2rem 0.6rem; border-bottom: 1px solid var(--line); text-align: left; }
td.number, th.number { text-align: right; }
td { overflow-wrap: break-word; } td.number { white-space: nowrap; }
.scroll { overflow-x: auto; }
.matrix td, .matrix th { text-align: right; padding: 0.25rem 0.45rem; font-size: 0.85rem;
  white-space: nowrap; }
.figures { display: flex; flex-wrap: wrap; gap: 0.5rem 2.5rem; }
.figures b { display: block; font-size: 1.5rem; }
.charts { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; flex: 1 1 24rem; break-inside: avoid; }
svg { width: 100%; height: auto; } svg text { fill: currentColor; font-size: 13px; }
svg .grid { stroke: var(--line); }
.train { stroke: var(--train); } .validation { stroke: var(--validation); stroke-dasharray: 6 4; }
.curve { fill: none; stroke-width: 2; }
.quiet { opacity: 0.75; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
@media print {
  :root { color-scheme: light; }
  body { margin: 0; max-width: none; font-size: 11pt; color: #000; background: #fff; }
  td { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  section { break-inside: avoid; }
}
"""


def html_report(run: Run, translate: Translate = str, language: str = "en") -> str:
    """The run's settings, environment, curves, test figures and verdict as one page.

    Args:
        run: any run; what it does not have yet is left out.
        translate: English to the reader's language.
        language: that language's code.

    Raises:
        RunError: its settings or predictions cannot be read.
    """
    _ = translate
    summary, history = Summary.of(run), run.history()
    parts = [_head(summary, _), _verdict(summary, history.epochs, _)]
    if history.epochs:
        charts = "".join(_chart(history.epochs, metric, _) for metric in ("accuracy", "loss"))
        parts.append(_section(_("Curves"), f'<div class="charts">{charts}</div>'))
    if (predictions := _own_predictions(summary)) is not None:
        matrix = confusion_matrix(predictions)
        names = run.class_names()
        parts.append(_section(_("Confusion matrix"), _matrix(matrix, names, _)))
        parts.append(_section(_("Each class"), _classes(matrix, names, _)))
    parts.append(_section(_("Settings"), _settings(summary, _)))
    parts.append(_section(_("Environment"), _environment(summary, _)))
    if summary.notes:
        parts.append(_section(_("Notes"), f"<pre>{escape(summary.notes)}</pre>"))
    title = escape(summary.mark.name or run.id)
    return (
        f'<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _own_predictions(summary: Summary) -> Predictions | None:
    """Those of the network that the run is at, not of one before it went on."""
    return None if summary.test_accuracy is None else summary.run.predictions()


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>\n"


def _head(summary: Summary, _: Translate) -> str:
    predictions = _own_predictions(summary)
    figures = []
    if predictions is not None:
        hits, images = int(predictions.hits.sum()), len(predictions.labels)
        low, high = wilson_interval(hits, images)
        interval = _("95% interval {low} to {high}").format(low=percent(low), high=percent(high))
        figures.append((_("Test accuracy"), percent(hits / images), interval))
        figures.append((_("Test loss"), f"{cross_entropy(predictions):.4f}", ""))
    if summary.train_accuracy is not None:
        figures.append(
            (_("Train accuracy"), percent(summary.train_accuracy), _measured_on(summary, _))
        )
    if summary.gap is not None:
        figures.append((_("Gap, train less test"), f"{100 * summary.gap:+.2f}", _("points")))
    if summary.seconds is not None:
        figures.append((_("Training time"), f"{summary.seconds:,.0f} s", ""))
    shown = "".join(
        f'<div>{escape(name)}<b>{escape(value)}</b><span class="quiet">{escape(more)}</span></div>'
        for name, value, more in figures
    )
    name = summary.mark.name
    own = f'<p class="quiet">{escape(summary.run.id)}</p>' if name else ""
    state = _("{state} after {epochs} of {planned} epochs, images: {data}").format(
        state=_(str(summary.state)),
        epochs=summary.epochs,
        planned=summary.config.epochs,
        data=summary.data_name or "–",
    )
    return (
        f"<h1>{escape(name or summary.run.id)}</h1>{own}<p>{escape(state)}</p>"
        f'<div class="figures">{shown}</div>\n'
    )


def _measured_on(summary: Summary, _: Translate) -> str:
    """What the train accuracy is of."""
    if summary.train_images is None:
        return _("running mean of epoch {epoch}, dropout at work").format(epoch=summary.kept_epoch)
    return _("on {images} of its training images, dropout off").format(
        images=f"{summary.train_images:,}"
    )


def _verdict(summary: Summary, epochs: Sequence[EpochEvent], _: Translate) -> str:
    found = of_summary(summary, epochs)
    if found is None:
        return ""
    words = {
        Fit.OVERFITS: _(
            "Overfits: it classifies images it learned from better than new ones by {gap} points."
        ),
        Fit.ABOUT_RIGHT: _(
            "About right: it does nearly as well on new images as on those it learned from; the "
            "gap is {gap} points."
        ),
        Fit.UNDERFITS: _("Underfits: it has not learned all it can; the gap is {gap} points."),
    }[found.fit].format(gap=f"{100 * found.gap:.2f}")
    leak = ""
    if summary.config.validation == "test":
        leak = _(
            "The validation curve is the test set's, as in the tutorial: no epoch or setting may "
            "be chosen by it."
        )
        leak = f'<p class="quiet">{escape(leak)}</p>'
    return f"<p><strong>{escape(words)}</strong></p>{leak}\n"


def _chart(epochs: Sequence[EpochEvent], metric: Literal["accuracy", "loss"], _: Translate) -> str:
    """Training and validation over the epochs, drawn as SVG."""
    title = {"accuracy": _("Accuracy"), "loss": _("Loss")}[metric]
    sides = {
        "train": (_("train"), [getattr(event, metric) for event in epochs]),
        "validation": (_("validation"), [getattr(event, f"val_{metric}") for event in epochs]),
    }
    known = [value for _name, values in sides.values() for value in values if math.isfinite(value)]
    top = 1.0 if metric == "accuracy" else max(known, default=0.0) * 1.05 or 1.0
    last = max(epochs[-1].epoch, 1)

    def place(epoch: float, value: float) -> str:
        return f"{56 + 400 * epoch / last:.1f},{270 - 240 * value / top:.1f}"

    lines = []
    for value in _ticks(top, 5):
        at = 270 - 240 * value / top
        shown = f"{value:.0%}" if metric == "accuracy" else f"{value:g}"
        lines.append(f'<line class="grid" x1="56" x2="456" y1="{at:.1f}" y2="{at:.1f}"/>')
        lines.append(f'<text x="48" y="{at + 4:.1f}" text-anchor="end">{shown}</text>')
    for epoch in _ticks(last, 8):
        if epoch == int(epoch):
            x = 56 + 400 * epoch / last
            lines.append(f'<text x="{x:.1f}" y="290" text-anchor="middle">{epoch:g}</text>')
    for number, (side, (name, values)) in enumerate(sides.items()):
        points = " ".join(
            place(event.epoch, value)
            for event, value in zip(epochs, values, strict=True)
            if math.isfinite(value)
        )
        lines.append(f'<polyline class="curve {side}" points="{points}"/>')
        x = 60 + 110 * number
        lines.append(f'<line class="curve {side}" x1="{x}" x2="{x + 26}" y1="12" y2="12"/>')
        lines.append(f'<text x="{x + 32}" y="16">{escape(name)}</text>')
    label = _("{metric} over the epochs: train ends at {train}, validation at {validation}").format(
        metric=title,
        train=f"{sides['train'][1][-1]:.4g}",
        validation=f"{sides['validation'][1][-1]:.4g}",
    )
    return (
        f"<figure><figcaption><strong>{escape(title)}</strong></figcaption>"
        f'<svg viewBox="0 0 472 316" role="img" aria-label="{escape(label, quote=True)}">'
        f"{''.join(lines)}"
        f'<text x="256" y="308" text-anchor="middle">{escape(_("Epoch"))}</text></svg></figure>'
    )


def _ticks(top: float, most: int) -> list[float]:
    """From 0 by 1, 2 or 5 times a power of ten, at most so many steps."""
    rough = top / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    return [float(f"{number * step:.10g}") for number in range(int(top / step * 1.0001) + 1)]


def _matrix(matrix: np.ndarray, names: Sequence[str], _: Translate) -> str:
    totals = np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(
            f'<td style="background:rgba(26,127,193,{0.7 * share:.2f})">{count:,}</td>'
            for count, share in zip(counts, shares, strict=True)
        )
        + "</tr>"
        for name, counts, shares in zip(names, matrix.tolist(), matrix / totals, strict=True)
    )
    common = confusions(matrix)[:5]
    taken = _("Most often taken for another: {pairs}.").format(
        pairs=", ".join(
            f"{names[one.true]} → {names[one.predicted]} ({one.images:,})" for one in common
        )
    )
    how = _("A row for each true class, a column for each predicted one.")
    return (
        f'<p>{escape(how)}{" " + escape(taken) if common else ""}</p><div class="scroll">'
        f'<table class="matrix"><tr><td></td>{heads}</tr>{rows}</table></div>'
    )


def _classes(matrix: np.ndarray, names: Sequence[str], _: Translate) -> str:
    rows = [
        (name, percent(one.precision), percent(one.recall), percent(one.f1), f"{one.images:,}")
        for name, one in zip(names, per_class(matrix), strict=True)
    ]
    heads = (_("Class"), _("Precision"), _("Recall"), _("F1"), _("Test images"))
    return _table(rows, heads, numbers=True)


def _settings(summary: Summary, _: Translate) -> str:
    config = summary.config
    specs = {spec.name: spec for spec in fields(config)}
    values = config.to_json()
    own = {name: value for name, value in values.items() if value != specs[name].default}
    rows = [(name, str(value), _(specs[name].metadata["help"])) for name, value in own.items()]
    others = ", ".join(f"{name} {value}" for name, value in values.items() if name not in own)
    asked = "synthetic" if summary.environment.get("spec") == "synthetic" else "official"
    kind = summary.environment.get("data", {}).get("kind", asked)
    images = {"official": [], "synthetic": ["--data", kind]}.get(kind, ["--data", "PATH"])
    command = shlex.join(["python", "-m", "cifar_core", "train", *images, *_options(own)])
    again = _("To train it again on the same images ({data}):")
    if "PATH" in images:
        again = _("To train it again, where PATH is that of the same images ({data}):")
    again = again.format(data=summary.data_name or "–")
    left = _("All others are at their defaults: {others}.").format(others=others)
    if summary.status.rates:
        changes = ", ".join(
            _("{rate:g} after step {step}").format(rate=one.learning_rate, step=f"{one.step:,}")
            for one in summary.status.rates
        )
        again = _(
            "The learning rate was changed while the run went: {changes}. No command trains it "
            "again; this one does without the change, on the same images ({data}):"
        ).format(changes=changes, data=summary.data_name or "–")
    return (
        _table(rows, (_("Setting"), _("Value"), _("What it is")))
        + f'<p class="quiet">{escape(left)}</p><p>{escape(again)}</p>'
        + f"<pre><code>{escape(command)}</code></pre>"
    )


def _options(values: dict[str, object]) -> list[str]:
    options = []
    for name, value in values.items():
        option = f"--{name.replace('_', '-')}"
        options += [option] if value is True else [option, str(value)]
    return options


def _environment(summary: Summary, _: Translate) -> str:
    environment = summary.environment
    data = environment.get("data", {})
    started = environment.get("started")
    rows = {
        _("Images"): data.get("name"),
        _("Checksum of the images"): data.get("checksum"),
        _("Training and test images"): " + ".join(
            f"{environment[name]:,}"
            for name in ("train_images", "test_images")
            if name in environment
        ),
        _("Device"): environment.get("device"),
        _("Platform"): environment.get("platform"),
        _("Versions"): ", ".join(
            f"{name} {environment[name]}"
            for name in ("python", "tensorflow", "keras", "numpy")
            if name in environment
        ),
        _("Seed"): summary.config.seed,
        _("Started"): started and _local(started, environment.get("zone", "")),
    }
    known = [(name, str(value)) for name, value in rows.items() if value not in (None, "")]
    return _table(known, ())


def _local(seconds: float, zone: str) -> str:
    """A time on the clock of the machine that trained; its zone as '+0130', else UTC."""
    try:
        clock, name = datetime.strptime(zone, "%z").tzinfo, zone
    except ValueError:
        clock, name = UTC, "UTC"
    return f"{datetime.fromtimestamp(seconds, clock):%Y-%m-%d %H:%M:%S} {name}"


def _table(rows: Sequence[Sequence[str]], heads: Sequence[str], numbers: bool = False) -> str:
    kind = ' class="number"' if numbers else ""
    head = "".join(
        f'<th scope="col"{kind if place else ""}>{escape(name)}</th>'
        for place, name in enumerate(heads)
    )
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f"<td{kind}>{escape(cell)}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return f'<div class="scroll"><table>{f"<tr>{head}</tr>" if heads else ""}{body}</table></div>'
