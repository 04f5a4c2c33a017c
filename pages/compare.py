"""Runs side by side."""

import streamlit as st

from ui import cached, charts, curves, frame, state
from ui.live_chart import live_chart
from ui.text import _

frame.guard("pages/compare.py")
frame.title(_("Compare"))
summaries = cached.store().summaries()
frame.need_runs(summaries, _("There is nothing to compare yet: train a network or two first."))

configs = [summary.config.to_json() for summary in summaries]
differing = [name for name in configs[0] if len({config[name] for config in configs}) > 1]
table: dict[str, list[object]] = {
    _("Run"): [summary.run.id for summary in summaries],
    _("State"): [summary.state for summary in summaries],
    _("Images"): [summary.data_name for summary in summaries],
    **{name: [config[name] for config in configs] for name in differing},
    _("Epochs done"): [summary.epochs for summary in summaries],
    _("Test accuracy"): [summary.test_accuracy for summary in summaries],
    _("Gap"): [summary.gap for summary in summaries],
    _("Seconds"): [summary.seconds for summary in summaries],
}
st.dataframe(
    table,
    hide_index=True,
    column_config={
        _("Run"): st.column_config.TextColumn(pinned=True),
        _("Test accuracy"): st.column_config.NumberColumn(format="percent"),
        _("Gap"): st.column_config.NumberColumn(
            format="percent", help=_("Train accuracy of the last epoch less test accuracy")
        ),
        _("Seconds"): st.column_config.NumberColumn(format="%.0f"),
    },
)
st.caption(_("Of the settings, only those that differ between runs are shown."))
if len({summary.data_name for summary in summaries if summary.data_name}) > 1:
    st.caption(
        _("The runs learned from different images: their accuracies do not measure the same thing.")
    )

found = {summary.run.id: summary.run for summary in summaries}
chosen = st.multiselect(
    _("Runs in the chart"), list(found), default=list(found)[:2], key=state.Key.RUNS
)
if not chosen:
    st.info(_("Choose two or more runs to lay their curves over one another."))
    st.stop()
colours = {run: charts.PALETTE[i % len(charts.PALETTE)] for i, run in enumerate(chosen)}
for column, metric in zip(st.columns(2), curves.METRICS, strict=True):
    series = [
        one
        for run in chosen
        for one in curves.curves(
            found[run], cached.history(found[run]), metric, name=run, colour=colours[run]
        )
    ]
    with column:
        st.markdown(f"**{curves.title(metric)}**")
        live_chart(
            curves.figure(series, metric),
            height=480,
            key=f"compare-{metric}",
            label=_("{metric} of the chosen runs").format(metric=curves.title(metric)),
        )
