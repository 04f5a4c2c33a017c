"""A Plotly chart that is updated in place while one looks at it.

`st.plotly_chart` mounts a new chart whenever the figure's data changes, and with the old one go
zoom, hidden traces and hover. This component calls `Plotly.react` on one node instead. All
charts go through it: docs/architecture.md says why.
"""

from collections.abc import Callable
from pathlib import Path

import plotly
import plotly.graph_objects as go
import plotly.io as pio
import streamlit as st
from streamlit.components.v1 import declare_component

from ui.text import _

_CSS = """
.live-chart { width: 100%; overflow: hidden; }
.live-chart[data-clickable="true"] .nsewdrag { cursor: pointer; }
"""

# Registered when the module is imported: a registration in a page script would be repeated, with
# a warning, at every rerun.
_component = st.components.v2.component(
    "live_chart",
    html='<div class="live-chart" data-testid="live-chart" data-updates="0" role="img"></div>',
    css=_CSS,
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
    isolate_styles=False,
)
# Never drawn: a component of the older kind has a folder served, here the installed package's own.
# So nothing is copied, and a checkout need not be writable.
_plotly = declare_component("plotly", path=Path(plotly.__file__).parent / "package_data")

PLOTLY_JS = f"component/{_plotly.name}/plotly.min.js?{plotly.__version__}"
"""Where the server has Plotly.js, from its root; another version has another address."""


def load_ahead() -> None:
    """Let the browser load Plotly.js when it is idle, so that the first chart comes at once.

    On two slow cores that takes 0.8 s, in which the browser draws nothing else.
    """
    _component(key="plotly", height=1, data={"key": "plotly", "plotly": PLOTLY_JS})


def to_json(figure: go.Figure) -> str:
    """A figure as `live_chart` sends it: where several sessions show the same, it is made once."""
    return pio.to_json(figure, validate=False, remove_uids=False)


def live_chart(
    figure: go.Figure | str,
    *,
    key: str,
    label: str,
    height: int = 360,
    on_click: Callable[[float, float], None] | None = None,
) -> None:
    """Show `figure`, or update the chart of the same key to it.

    Colours that the figure leaves open follow Streamlit's theme; its own template is not used.
    A constant `layout.uirevision` keeps the zoom, and a `uid` on each trace (letters and digits)
    keeps the right ones hidden when traces come and go.

    Args:
        figure: What to draw, or `to_json` of it.
        key: The chart's identity, unique in the app.
        label: What the chart shows, for screen readers.
        height: In pixels; kept free from the start, so that nothing jumps.
        on_click: A callback that gets the place that was clicked, as x and y in the axes' units.
            The same must be within reach without a mouse.
    """

    def clicked() -> None:
        if on_click and (point := st.session_state[key].get("clicked")):
            on_click(*point)

    _component(
        key=key,
        height=height,
        data={
            # Ready-made JSON: Streamlit serializes its data twice, and a string is cheap to.
            "figure": figure if isinstance(figure, str) else to_json(figure),
            "key": key,
            "label": label,
            "height": height,
            "clickable": on_click is not None,
            "plotly": PLOTLY_JS,
            "reset": _("Reset the axes"),
            "unavailable": _(
                "The chart cannot be drawn: Plotly.js did not load. Reload the page to try again."
            ),
        },
        on_clicked_change=clicked,
    )
