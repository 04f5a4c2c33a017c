"""One page, one entry of the browser's history, whatever the page writes into its address."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from ui.session.navigation import address_is_kept, keep_address

_component = st.components.v2.component(
    "address",
    html="<span></span>",
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


@st.fragment
def keep() -> None:
    """Let pages replace their entry; what they have to say waits until the browser knows how."""
    known = address_is_kept()
    result = _component(
        key="address",
        height=1,
        data={"known": known},
        default={"ready": False},
        on_ready_change=lambda: None,
    )
    if result.ready and not known:
        keep_address()
