# `make run` opens the dashboard, `make test` checks everything. Both install what they need.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run test install chromium clean

run: .venv/installed
	$(BIN)/streamlit run dashboard.py --server.address 127.0.0.1 --server.port 8501

install: .venv/installed

test: .venv/installed-dev chromium
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

.venv/installed: requirements.txt | $(BIN)/python
	$(PIP) -r requirements.txt
	touch $@

.venv/installed-dev: requirements.txt requirements-export.txt requirements-dev.txt | $(BIN)/python
	$(PIP) -r requirements-dev.txt
	touch .venv/installed $@

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .venv

# A browser for the tests: from the PATH, else Debian's package, else Playwright's own.
chromium: .venv/installed-dev
	@command -v chromium chromium-browser google-chrome >/dev/null \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	     && apt-get update -qq && apt-get install -qq -y chromium >/dev/null; } \
	|| $(BIN)/playwright install chromium

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache
