"""The CIFAR-10 training dashboard: `streamlit run dashboard.py`."""

from base64 import b64encode
from pathlib import Path

import streamlit as st

from ui import cached, frame
from ui.text import _

# A Material icon would be fetched from elsewhere, and a file is gone for a moment at every rerun.
ICON = (Path(__file__).parent / "static" / "icon.png").read_bytes()

st.set_page_config(
    page_title=_("CIFAR-10 dashboard"),
    page_icon=f"data:image/png;base64,{b64encode(ICON).decode()}",
    layout="wide",
)
# Off in config.toml until here: a fresh server first lists the files in pages/ by itself, and a
# press on such a link is lost when the list below takes its place.
st.set_option("client.showSidebarNavigation", True)
page = st.navigation(
    [
        st.Page("pages/data.py", title=_("Data"), icon=":material/grid_view:", default=True),
        st.Page("pages/model.py", title=_("Model"), icon=":material/layers:"),
        st.Page("pages/train.py", title=_("Train"), icon=":material/play_arrow:"),
        st.Page("pages/evaluate.py", title=_("Evaluate"), icon=":material/monitoring:"),
        st.Page("pages/predict.py", title=_("Predict"), icon=":material/image_search:"),
        st.Page("pages/compare.py", title=_("Compare"), icon=":material/compare_arrows:"),
    ]
)
frame.enter(page.url_path)
page.run()
cached.tensorflow()  # begun only now, so that it does not hold up the first page
