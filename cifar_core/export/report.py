"""A run as one HTML page that stands alone: to read, to print, to hand in.

It needs no other file, no network and no script. It follows the reader's light or dark theme on a
screen, and is black on white on paper. How it looks is in report.html; what it says is put together
here.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from math import floor, isfinite, log10
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..analysis.diagnosis import Fit, of_summary
from ..analysis.evaluation import accuracy, confusion_matrix, confusions, cross_entropy, per_class
from ..analysis.significance import accuracy_interval
from ..config import option_of
from ..network.predict import Predictions
from ..percent import percent
from ..runs.events import EpochEvent
from ..runs.run import Run
from ..runs.summary import Summary

Translate = Callable[[str], str]

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
)
_TEMPLATES.filters["percent"] = percent


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
    summary, epochs = Summary.of(run), run.history().epochs
    # Those of the network that the run is at, not of one before it went on.
    predictions = None if summary.test_accuracy is None else run.predictions()
    return _TEMPLATES.get_template("report.html").render(
        _=_,
        language=language,
        summary=summary,
        name=summary.mark.name,
        data=summary.data_name or "–",
        measured_on=measured_on(summary, _),
        verdict=_verdict(summary, epochs, _),
        charts=[_chart(epochs, metric, _) for metric in ("accuracy", "loss") if epochs],
        test=predictions and _test(predictions, run.class_names()),
        **_settings(summary, _),
        environment=_environment(summary, _),
    )


def measured_on(summary: Summary, _: Translate) -> str:
    """What the train accuracy is of."""
    if summary.train_images is not None:
        return _("on {images} of its images").format(images=f"{summary.train_images:,}")
    if summary.kept_epoch is None:
        return _("running mean of its epoch")
    return _("running mean of epoch {epoch}").format(epoch=summary.kept_epoch)


def _verdict(summary: Summary, epochs: Sequence[EpochEvent], _: Translate) -> str:
    found = of_summary(summary, epochs)
    if found is None:
        return ""
    return {
        Fit.OVERFITS: _(
            "Overfits: it classifies images it learned from better than new ones by {gap} points."
        ),
        Fit.ABOUT_RIGHT: _(
            "About right: it does nearly as well on new images as on those it learned from; the "
            "gap is {gap} points."
        ),
        Fit.UNDERFITS: _("Underfits: it has not learned all it can; the gap is {gap} points."),
    }[found.fit].format(gap=f"{100 * found.gap:.2f}")


def _chart(
    epochs: Sequence[EpochEvent], metric: Literal["accuracy", "loss"], _: Translate
) -> dict[str, Any]:
    """Where training and validation over the epochs lie in an SVG, 400 by 240 pixels of it."""
    title = {"accuracy": _("Accuracy"), "loss": _("Loss")}[metric]
    sides = {
        "train": (_("train"), [getattr(event, metric) for event in epochs]),
        "validation": (_("validation"), [getattr(event, f"val_{metric}") for event in epochs]),
    }
    known = [value for _name, values in sides.values() for value in values if isfinite(value)]
    top = 1.0 if metric == "accuracy" else max(known, default=0.0) * 1.05 or 1.0
    last = max(epochs[-1].epoch, 1)

    def x(epoch: float) -> str:
        return f"{56 + 400 * epoch / last:.1f}"

    def y(value: float) -> str:
        return f"{270 - 240 * value / top:.1f}"

    def points(values: Sequence[float]) -> str:
        both = zip(epochs, values, strict=True)
        return " ".join(f"{x(one.epoch)},{y(value)}" for one, value in both if isfinite(value))

    label = _("{metric} over the epochs: train ends at {train}, validation at {validation}")
    number = "{value:.0%}" if metric == "accuracy" else "{value:g}"
    return {
        "title": title,
        "label": label.format(
            metric=title, **{side: f"{values[-1]:.4g}" for side, (_name, values) in sides.items()}
        ),
        "levels": [(y(value), number.format(value=value)) for value in _ticks(top, 5)],
        "ticks": [(x(one), f"{one:g}") for one in _ticks(last, 8) if one == int(one)],
        "curves": [(side, name, points(values)) for side, (name, values) in sides.items()],
    }


def _ticks(top: float, most: int) -> list[float]:
    """From 0 by 1, 2 or 5 times a power of ten, at most so many steps."""
    rough = top / most
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    return [float(f"{number * step:.10g}") for number in range(int(top / step * 1.0001) + 1)]


def _test(predictions: Predictions, names: Sequence[str]) -> dict[str, Any]:
    """What the test set says."""
    matrix = confusion_matrix(predictions)
    return {
        "accuracy": accuracy(predictions),
        "interval": accuracy_interval(predictions),
        "loss": cross_entropy(predictions),
        "matrix": list(zip(names, matrix.tolist(), strict=True)),
        "confused": ", ".join(
            f"{names[one.true]} → {names[one.predicted]} ({one.images:,})"
            for one in confusions(matrix)[:5]
        ),
        "classes": [
            (name, percent(one.precision), percent(one.recall), percent(one.f1), f"{one.images:,}")
            for name, one in zip(names, per_class(matrix), strict=True)
        ],
    }


def _settings(summary: Summary, _: Translate) -> dict[str, Any]:
    """Settings that are not at their defaults, the others, and how to train it again."""
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
    if summary.status.rates:
        changes = ", ".join(
            _("{rate:g} after step {step}").format(rate=one.learning_rate, step=f"{one.step:,}")
            for one in summary.status.rates
        )
        again = _(
            "The learning rate was changed while the run went: {changes}. No command trains it "
            "again; this one does without the change, on the same images ({data}):"
        ).format(changes=changes, data=summary.data_name or "–")
    return {"settings": rows, "others": others, "again": again, "command": command}


def _options(values: dict[str, object]) -> list[str]:
    options = []
    for name, value in values.items():
        options += [option_of(name)] if value is True else [option_of(name), str(value)]
    return options


def _environment(summary: Summary, _: Translate) -> list[tuple[str, str]]:
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
    return [(name, str(value)) for name, value in rows.items() if value not in (None, "")]


def _local(seconds: float, zone: str) -> str:
    """A time on the clock of the machine that trained; its zone as '+0130', else UTC."""
    try:
        clock, name = datetime.strptime(zone, "%z").tzinfo, zone
    except ValueError:
        clock, name = UTC, "UTC"
    return f"{datetime.fromtimestamp(seconds, clock):%Y-%m-%d %H:%M:%S} {name}"
