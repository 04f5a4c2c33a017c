# `make run` opens the dashboard, `make test` checks everything; `make test-quick` is for while one
# works, `make test-busy` for tests that shall pass on a busy machine, too, `make bench` measures what
# docs/performance.md holds, in its short form, `make graph` draws who imports whom. Each installs what it
# needs. TESTS names fewer tests: make test-busy TESTS=tests/browser/test_compare.py
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# TensorFlow has packages for these alone. PYTHON names one; else the newest there is, else uv's.
PYTHONS := $(or $(PYTHON),python3.13 python3.12 python3.11 python3 python)
fits = $(1) -c 'import sys, $(2); sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null
VENV := $(shell $(call fits,$(BIN)/python,pip) || echo venv)

# Side by side, the tests of a file in one process; tests/conftest.py has the long ones come first.
# One process more than there are cores, as a test often waits; four at most.
CORES := $(shell nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 3)
PYTEST := $(BIN)/python -m pytest --numprocesses $(shell echo $$(($(CORES) < 4 ? $(CORES) + 1 : 4))) \
	--dist loadfile --no-loadscope-reorder
TESTS ?=

BENCHMARKS ?= time_to_accuracy floor watching first_point cold_start pages long_log

.PHONY: run test test-quick test-busy bench graph install venv chromium clean

run: .venv/installed
	$(BIN)/streamlit run dashboard.py --server.address 127.0.0.1 --server.port 8501

install: .venv/installed

test: .venv/installed-dev chromium
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PYTEST) $(TESTS)

test-quick: .venv/installed-dev
	$(BIN)/ruff check .
	$(PYTEST) -m "not slow" $(or $(TESTS),tests/unit tests/pages)

test-busy: .venv/installed-dev chromium
	$(BIN)/python -m tests.busy $(PYTEST) $(TESTS)

bench: .venv/installed-dev chromium
	for name in $(BENCHMARKS); do $(BIN)/python -m benchmarks.$$name --short || exit 1; done

graph: .venv/installed-dev
	$(BIN)/python -m docs.import_graph

.venv/installed: requirements.txt $(VENV)
	$(PIP) -r requirements.txt
	touch $@

.venv/installed-dev: requirements.txt requirements-export.txt requirements-dev.txt $(VENV)
	$(PIP) -r requirements-dev.txt
	touch .venv/installed $@

venv:
	@for python in $(PYTHONS); do \
	  $(call fits,$$python,ensurepip) && rm -rf .venv && exec $$python -m venv .venv; \
	done; \
	[ -z "$(PYTHON)" ] && command -v uv >/dev/null \
	&& rm -rf .venv && exec uv venv --quiet --seed --python '>=3.11,<3.14' .venv; \
	echo >&2 "TensorFlow needs Python 3.11, 3.12 or 3.13 with venv," \
	  "which $(if $(PYTHON),$(PYTHON) is not,is not on the PATH): install one from your system's" \
	  "packages or https://www.python.org/downloads, or uv, which brings one, from" \
	  "https://docs.astral.sh/uv, or name one: make PYTHON=/path/to/python3.13"; \
	exit 1

# A browser for the tests: from the PATH, else Debian's package, else Playwright's own.
chromium: .venv/installed-dev
	@command -v chromium chromium-browser google-chrome >/dev/null \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	     && apt-get update -qq && apt-get install -qq -y chromium >/dev/null; } \
	|| $(BIN)/playwright install chromium

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache
