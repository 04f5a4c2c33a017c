"""The dashboard under AppTest: the real script, without a browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from cifar_core.runs.store import RunStore
from tests.conftest import ROOT
from ui.session.keys import Key

OpenPage = Callable[[str], AppTest]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, blobs_npz: Path) -> Path:
    """The easy images, and an empty runs' folder, which it gives."""
    runs = tmp_path / "runs"
    monkeypatch.setenv("CIFAR10_DATA", str(blobs_npz))
    monkeypatch.setenv("CIFAR10_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CIFAR10_RUNS", str(runs))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    st.cache_resource.clear()
    return runs


@pytest.fixture
def open_page(environment: Path) -> OpenPage:
    """Opens a page, from dashboard.py, and sees to it that it raised nothing."""

    def open_it(name: str) -> AppTest:
        app = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60)
        app.run()
        app.session_state[Key.ADDRESS] = {}  # dashboard.py does it, which AppTest passes by
        app.session_state[Key.ADDRESS_KEPT] = True  # as a browser tells it
        app.session_state[Key.MORE] = True  # all settings are there to be set
        assert not app.exception
        app.switch_page(f"pages/{name}.py").run()
        assert not app.exception
        return app

    return open_it


@pytest.fixture
def with_runs(open_page: OpenPage, trained: RunStore, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """The two finished runs as the dashboard's."""
    monkeypatch.setenv("CIFAR10_RUNS", str(trained.root))
    return trained
