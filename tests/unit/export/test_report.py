"""The HTML report: valid, alone, and with the run's own figures."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from cifar_core.analysis import evaluation
from cifar_core.config import TrainingConfig
from cifar_core.export.report import _ticks, html_report
from cifar_core.runs.events import EpochEvent, RunState, StateEvent
from cifar_core.runs.run import Mark, Run
from cifar_core.runs.store import RunStore
from cifar_core.runs.summary import Summary

VOID = {"meta", "line", "polyline", "br"}


class Page(HTMLParser):
    """Collects text, tags and attributes; a tag that is not closed in its turn is an error."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.attributes: list[tuple[str, str | None]] = []
        self.tags: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data + "\n"


@pytest.fixture
def run(trained: RunStore) -> Run:
    return trained.get("dropout")


def test_it_has_the_runs_figures(run: Run) -> None:
    page, summary = Page(html_report(run)), Summary.of(run)
    predictions = run.predictions()
    for figure in (
        f"{summary.test_accuracy:.2%}",
        f"{summary.test_loss:.4f}",
        f"{100 * summary.gap:+.2f}",
        summary.data_name,
        summary.environment["data"]["checksum"],
        summary.environment["tensorflow"],
        "python -m cifar_core train --data PATH --epochs 3 --dropout 0.4",
    ):
        assert figure in page.text
    matrix = evaluation.confusion_matrix(predictions)
    cells = [f"{count:,}" for count in matrix.ravel().tolist()]
    found = page.text[page.text.index("Confusion matrix") : page.text.index("Each class")]
    for name in run.class_names():
        found = found.replace(name, "")
    assert [word for word in found.split() if word.isdecimal()][-100:] == cells
    assert page.tags.count("svg") == 2
    assert page.tags.count("polyline") == 4


def test_it_needs_nothing_else_and_is_small(run: Run) -> None:
    html = html_report(run)
    page = Page(html)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not {"src", "href", "onclick", "onload"} & {name for name, _value in page.attributes}
    assert not re.search(r"https?:|url\(|@import", html)
    assert len(html) < 60_000


def test_both_themes_and_paper(run: Run) -> None:
    html = html_report(run)
    assert "color-scheme: light dark" in html
    assert "@media print" in html


def test_the_curves_are_where_the_figures_are(tmp_path) -> None:
    run = RunStore(tmp_path).create(TrainingConfig(epochs=2), "two")
    for epoch, (accuracy, val) in enumerate([(0.25, 0.5), (0.75, float("nan"))], 1):
        run.append(
            EpochEvent(
                step=epoch,
                epoch=epoch,
                loss=1,
                accuracy=accuracy,
                val_loss=1,
                val_accuracy=val,
                seconds=1,
            )
        )
    run.append(StateEvent(state=RunState.FINISHED))
    points = re.findall(r'points="([^"]*)"', html_report(run))
    # 240 pixels for 0 to 100 %, from 270 upwards; epoch 1 of 2 in the middle of 400, from 56.
    assert points[0] == "256.0,210.0 456.0,90.0"
    assert points[1] == "256.0,150.0"


@pytest.mark.parametrize("loss", [0.0, 1.4e-45, 1e-12])
def test_curves_of_losses_of_0_lie_on_the_axis(tmp_path, loss: float) -> None:
    run = RunStore(tmp_path).create(TrainingConfig(epochs=2), "perfect")
    for epoch in (1, 2):
        figures = {"loss": loss, "accuracy": 0.0, "val_loss": 0.0, "val_accuracy": 0.0}
        run.append(EpochEvent(step=epoch, epoch=epoch, seconds=1, **figures))
    run.append(StateEvent(state=RunState.FINISHED, train_accuracy=0.0, test_accuracy=0.0))
    html = html_report(run)
    points = re.findall(r'points="([^"]*)"', html)
    on_axis = "256.0,270.0 456.0,270.0"
    assert points[:2] + points[3:] == [on_axis] * 3
    assert loss or points[2] == on_axis
    ticks = re.findall(r'text-anchor="end">([^<]*)<', html)
    assert len(ticks) == len(set(ticks)) > 8


def test_strangers_words_stay_words(tmp_path) -> None:
    run = RunStore(tmp_path).create(TrainingConfig(), "one")
    run.save_mark(Mark("<script>alert(1)</script>"))
    run.save_notes("</pre><b>")
    run.save_environment({"data": {"name": "<i>"}, "classes": ["<a>", "&b"]})
    page = Page(html_report(run))
    assert not {"script", "b", "i", "a"} & set(page.tags)
    assert "<script>alert(1)</script>" in page.text


def test_a_run_with_nothing_yet_has_a_report(tmp_path) -> None:
    page = Page(html_report(RunStore(tmp_path).create(TrainingConfig(), "new")))
    assert "new" in page.text
    assert "svg" not in page.tags


def test_every_word_can_be_translated(run: Run) -> None:
    seen = []

    def translate(text: str) -> str:
        seen.append(text)
        return text.upper() if "{" not in text else text

    text = Page(html_report(run, translate)).text
    assert {"Settings", "Environment", "Curves", "Confusion matrix", "Each class"} <= set(seen)
    assert "SETTINGS" in text
    assert "Settings" not in text


@pytest.mark.parametrize(
    ("top", "most", "expected"),
    [
        (1.0, 5, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (15, 8, [0, 2, 4, 6, 8, 10, 12, 14]),
        (1, 8, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (1000, 8, [0, 200, 400, 600, 800, 1000]),
        (0.003, 5, [0, 0.001, 0.002, 0.003]),
        (2e-13, 5, [0, 5e-14, 1e-13, 1.5e-13, 2e-13]),
    ],
)
def test_ticks(top: float, most: int, expected: list[float]) -> None:
    assert _ticks(top, most) == pytest.approx(expected, rel=1e-6, abs=0)
