"""Scripts with a live chart under AppTest."""

from streamlit.testing.v1 import AppTest


def app():
    import streamlit as st

    from ui.components.live_chart import live_chart
    from ui.figures.curves import Series, history_figure

    @st.fragment(run_every=0.5)
    def live():
        series = [Series("Train", [1, 2], [2.0, float("nan")])]
        figure = history_figure(series, metric="loss", by="epoch")
        live_chart(figure, key="loss", label="Loss")

    live()
    st.button("Again")


def test_a_script_with_a_live_chart_runs_under_apptest():
    tested = AppTest.from_function(app).run()
    tested.button[0].click().run()
    assert not tested.exception
