"""Texts of anybody's in each kind of place that Streamlit renders as Markdown."""

import json
import os

import streamlit as st

from ui.text import plain, tell

for number, text in enumerate(json.loads(os.environ["TEXTS"])):
    with st.container(key=f"markdown-{number}"):
        st.markdown(f"**{plain(text)}**")
    with st.container(key=f"item-{number}"):
        st.markdown(f"1. {plain(text)}")
    with st.container(key=f"caption-{number}"):
        st.caption(plain(text))
    with st.container(key=f"error-{number}"):
        tell(text)
    with st.container(key=f"button-{number}"):
        st.button(plain(text), key=f"pressed-{number}")
    with st.container(key=f"metric-{number}"):
        st.metric(plain(text), "")
    with st.container(key=f"progress-{number}"):
        st.progress(0.5, plain(text))
    with st.container(key=f"table-{number}"):
        st.table([plain(text)], hide_index=True, hide_header=True)
    st.toast(plain(text), duration="infinite")
st.html("<span data-testid='end'></span>")
