"""A new setting is one field: what is made of it comes by itself."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.cli import Parser, argument_of
from cifar_core.config import TrainingConfig, Zero, choice, count, share, switch
from cifar_core.errors import ConfigError
from cifar_core.runs.store import RunStore
from cifar_core.runs.summary import Summary
from tests.conftest import ROOT
from tests.pages.elements import by_label, figure, texts
from ui.compare.table import Row
from ui.session.keys import Key
from ui.session.settings import Begun

BLURS = {"box": "even", "bell": "by distance"}


@dataclass(frozen=True)
class More(TrainingConfig):
    """Settings of each kind beside the usual ones."""

    sharpness: int = count(0, "Sharpness", "augmentation", "sharpen so often", 9, slider=True)
    blur: str = choice(BLURS, "box", "Blur", "augmentation", "how pixels mix", ("smear",))
    centred: bool = switch("Centred", "normalisation", "move the object to the centre")
    noise: float = share(
        "Noise", "regularisation", "share added", 0.9, 0.1, zero=Zero("off", "Level", 0.2)
    )
    pause: int = count(
        0, "Pause", "machine", "rest", 99, zero=Zero("never", "Steps", 7, is_no_limit=True)
    )


CHANGED = More(sharpness=3, blur="bell", centred=True, noise=0.5, pause=20)


def test_it_is_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--sharpness", "3", "--smear", "Bell", "--centred", "--noise", "0.5", "--pause", "20"]
    parser = Parser(prog="train")
    for spec in fields(More):
        names, more = argument_of(spec)
        parser.add_argument(*names, **more)
    given = parser.parse_args(words)
    assert More(**{name: getattr(given, name) for name in CHANGED.to_query()}) == CHANGED
    with pytest.raises(SystemExit):
        parser.parse_args(["--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "--noise FLOAT share added; 0 is off; in [0, 1) (default: 0.0" in told


def test_its_rule_is_kept() -> None:
    rule = "`sharpness` must be a whole number from 0 to 9. Received: sharpness=10."
    with pytest.raises(ConfigError, match=rule):
        More(sharpness=10)


def test_it_is_in_a_link_and_in_a_runs_settings() -> None:
    query = {"sharpness": "3", "blur": "bell", "centred": "true", "noise": "0.5", "pause": "20"}
    assert CHANGED.to_query() == query
    assert More.from_query(query) == (CHANGED, [])
    assert More.from_json(CHANGED.to_json()) == CHANGED


def test_it_has_a_widget_and_is_said_to_be_set(environment) -> None:
    app = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60)
    app.session_state[Key.SETTINGS] = Begun.of(More())
    app.session_state[Key.MORE] = True
    app.run()
    app.session_state[Key.ADDRESS] = {}  # dashboard.py does it, which AppTest passes by
    app.session_state[Key.ADDRESS_KEPT] = True  # as a browser tells it
    app.switch_page("pages/train.py").run()
    by_label(app.slider, "Sharpness").set_value(3)
    by_label(app.selectbox, "Blur").set_value("bell")
    by_label(app.toggle, "Centred").set_value(True)
    by_label(app.toggle, "Noise").set_value(True)
    by_label(app.toggle, "Pause").set_value(True)
    assert by_label(app.number_input, "Level").disabled
    app.run()
    assert by_label(app.number_input, "Level").value == 0.2
    by_label(app.number_input, "Level").set_value(0.5)
    by_label(app.number_input, "Steps").set_value(20)
    app.run()
    assert not app.exception
    said = "Also set: Sharpness 3 · Blur by distance · Centred · Noise 0.5 · Pause 20."
    assert said in texts(app)
    assert dict(app.query_params) == CHANGED.to_query()
    assert by_label(app.toggle, "Noise").help == "Share added; 0 is off."


def compared(rows) -> None:
    """A page with Compare's table and its chart of settings."""
    import streamlit as st

    from ui.compare.curves import settings_and_accuracy
    from ui.compare.table import table

    st.session_state.setdefault("runs", [])
    table(rows, st.container())
    settings_and_accuracy(rows, [])


def test_it_is_a_column_and_an_axis_where_runs_differ_in_it(trained: RunStore) -> None:
    first, second = (Summary.of(trained.get(name)) for name in ("plain", "dropout"))
    rows = [Row([replace(first, config=More())]), Row([replace(second, config=CHANGED)])]
    app = AppTest.from_function(compared, args=(rows,), default_timeout=60).run()
    assert not app.exception
    table = app.dataframe[0].value.set_index("Run")
    labels = ["Sharpness", "Blur", "Centred", "Noise", "Pause"]
    assert table.loc["dropout", labels].tolist() == [3, "bell", True, 0.5, 20]
    assert table["Noise"].tolist() == [0, 0.5]
    assert table["Pause"].isna().tolist() == [True, False]
    axes = {one["label"]: one for one in figure(app, "parallel")["data"][0]["dimensions"]}
    assert set(labels) <= set(axes)
    assert axes["Pause"]["ticktext"] == ["20", "never"]
    columns = by_label(app.multiselect, "Columns").options
    assert len(columns) == len(set(columns)), "no two columns have one name"
