"""Two live charts that grow twice a second, one that can be taken away, and still ones."""

import math

import numpy as np
import streamlit as st

from ui.components.live_chart import live_chart
from ui.figures.curves import Series, history_figure
from ui.figures.evaluation import confusion_figure, probability_figure

st.title("Live charts")
mounted = st.checkbox("Second chart", value=True)
validated = st.checkbox("Validation", value=True)


@st.fragment(run_every=0.5)
def live():
    """A hundred batches and one epoch more at every run."""
    epochs = st.session_state["epochs"] = st.session_state.get("epochs", 0) + 1
    x = np.arange(epochs * 100) / 100
    loss = 2.3 * np.exp(-x / 20) + 0.1 * np.sin(37 * x)
    whole = np.arange(1, epochs + 1)
    train = Series("Train", whole, 2.3 * np.exp(-whole / 20))
    validation = Series("Validation", whole, 2.3 * np.exp(-whole / 30), role="validation")
    series = [Series("Train, batches", x, loss, style="raw"), train]
    if validated:  # comes and goes before another trace
        series.insert(1, validation)
    x_max = 50 if epochs < 4 else 60
    figure = history_figure(series, metric="loss", by="epoch", x_max=x_max)
    live_chart(figure, key="loss", label="Loss by epoch")
    if mounted:
        up = [
            Series(one.name, one.x, 1 - np.asarray(one.y) / 2.6, one.role, one.style)
            for one in series
        ]
        figure = history_figure(up, metric="accuracy", by="epoch", x_max=x_max)
        live_chart(figure, key="accuracy", label="Accuracy by epoch", height=300)
    st.metric("Epochs", epochs)


live()

NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
matrix = np.full((10, 10), 25) + np.eye(10, dtype=int) * 750
matrix[3, 5] = 180
probabilities = np.array([math.exp(-i) for i in range(10)])[[3, 1, 2, 0, 4, 5, 6, 7, 8, 9]]
left, right = st.columns(2)
with left:
    live_chart(
        confusion_figure(matrix, NAMES, normalise=False),
        key="confusion",
        label="Confusion matrix",
        height=460,
    )
with right:
    live_chart(
        probability_figure(probabilities / probabilities.sum(), NAMES, predicted=3, true=1),
        key="probabilities",
        label="Probabilities",
    )
st.button("Start training", type="primary")
