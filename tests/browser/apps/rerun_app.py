"""A press, and a fragment that runs by itself and wants the page again, taken in one run."""

import time

import streamlit as st

from ui.session.navigation import rerun

said = st.session_state
st.caption(f"The page has wished: {said.get('wishes', False)}")


@st.fragment(run_every=0.2)
def follow() -> None:
    if said.get("wishes") and not said.get("was_run"):
        rerun()


@st.fragment
def press() -> None:
    if st.button("Press"):
        said.presses = said.get("presses", 0) + 1
    st.write(f"Pressed {said.get('presses', 0)} times")


@st.fragment
def work() -> None:
    if st.button("Work"):
        time.sleep(2)
        said.wishes = True
    st.write("Works")


said.was_run = said.get("wishes", False)
follow()
press()
work()
