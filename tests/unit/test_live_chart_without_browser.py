"""The live chart without a browser: its copy of Plotly.js, and scripts under AppTest."""

from pathlib import Path

import plotly
from streamlit.testing.v1 import AppTest

from ui.live_chart import ensure_plotly_js


def test_plotly_js_is_the_installed_packages_and_replaces_older_copies(tmp_path):
    static = tmp_path / "static"
    static.mkdir()
    (static / "plotly-1.0.0.min.js").write_text("old")
    (static / "other.js").write_text("not ours")
    name = ensure_plotly_js(static)
    assert name == f"plotly-{plotly.__version__}.min.js"
    assert {path.name for path in static.iterdir()} == {name, "other.js"}
    source = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    assert (static / name).read_bytes() == source.read_bytes()
    before = (static / name).stat()
    assert ensure_plotly_js(static) == name
    assert (static / name).stat().st_mtime_ns == before.st_mtime_ns


def app():
    import streamlit as st

    from ui.charts import Series, history_figure
    from ui.live_chart import live_chart

    @st.fragment(run_every=0.5)
    def live():
        words = {"metric": "loss", "by": "epoch", "x_title": "Epoch", "y_title": "Loss"}
        figure = history_figure([Series("Train", [1, 2], [2.0, float("nan")])], **words)
        live_chart(figure, key="loss", label="Loss")

    live()
    st.button("Again")


def test_a_script_with_a_live_chart_runs_under_apptest():
    tested = AppTest.from_function(app).run()
    tested.button[0].click().run()
    assert not tested.exception
