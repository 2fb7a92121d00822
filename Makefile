# Every target sets up what it needs in .venv and never asks. Dependencies are installed from requirements/*.lock, hashes checked.
# A second run is quick: `.venv/.run-ready` and `.venv/.dev-ready` say which lock file was installed last.

.DEFAULT_GOAL := help
.PHONY: help demo test lint format bench bench-allowance bench-dashboard bench-50m bench-queries bench-queries-100m bench-signals soak soak-dashboard screenshots binary test-binary lock clean

# The first Python that is new enough; `make test PYTHON=/path/to/python3` chooses another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
# Plugins that are kept here, each a package of its own; for tests they are installed as their users install them.
PLUGINS := plugins/tallystick-percentile plugins/tallystick-weighted
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Tests that wait for a disk or for another process leave a core idle, and the others fill it: as many workers as cores, two at least.
WORKERS ?= $(shell cores=$$(nproc 2>/dev/null || echo 2); [ $$cores -gt 2 ] && echo $$cores || echo 2)
ARGS ?=
# Compiled when Tallystick is installed, if there is a C compiler (hatch_build.py).
NATIVE := $(wildcard core/tallystick/native/*.[ch])

help:
	@echo 'make demo            load real usage into a throw-away appliance and look at it (ARGS=--no-tui: print and end)'
	@echo 'make test            run the tests (ARGS="-k word" narrows)'
	@echo 'make lint            ruff and pyright'
	@echo 'make format          let ruff format and fix what it can'
	@echo 'make bench           measure against decode-and-discard and PostgreSQL; needs wrk and PostgreSQL 15'
	@echo 'make bench-allowance  measure what a customer has left, asked while events come, beside a Redis counter: a minute'
	@echo 'make bench-dashboard  measure what the dashboard takes beside 50,000 events a second, and how soon it answers a key'
	@echo 'make bench-50m       measure the engine alone at 50 million events: long, several gigabytes of disk'
	@echo 'make bench-queries   ask Tallystick, DuckDB, ClickHouse and PostgreSQL the same questions over 10 million events'
	@echo 'make bench-signals   time 1,000 signals on each of 10,000 customers beside ingest, from the event to the webhook'
	@echo 'make bench-queries-100m  the same questions at 100 million events against 10: long, many gigabytes of disk'
	@echo 'make screenshots     take the pictures of the documentation anew (docs/pictures)'
	@echo 'make soak            kill, break and restart the appliance for a long time'
	@echo 'make soak-dashboard  leave the dashboard open for an hour beside ingest, and see that what it holds does not grow'
	@echo 'make binary          the program as one folder that needs no Python, and as one file that installs it (Linux)'
	@echo 'make test-binary     make it, and run it in a bare Debian without Python; needs root and debootstrap'
	@echo 'make lock            pin the newest allowed versions of all dependencies, with hashes'

demo: .venv/.run-ready
	@$(BIN)/tallystick demo $(ARGS)

test: .venv/.dev-ready
	$(BIN)/python -m pytest -n $(WORKERS) -m "not bench and not soak and not binary" $(ARGS)

lint: .venv/.dev-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

format: .venv/.dev-ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/.dev-ready
	$(BIN)/python -m tests.bench $(ARGS)

bench-allowance: .venv/.dev-ready
	$(BIN)/python -m tests.bench.allowance $(ARGS)

bench-50m: .venv/.dev-ready
	$(BIN)/python -m tests.bench --only engine --engine-events 50000000 $(ARGS)

bench-queries: .venv/.bench-ready
	$(BIN)/python -m tests.bench.queries $(ARGS)

bench-queries-100m: .venv/.bench-ready
	$(BIN)/python -m tests.bench.queries --compare-sizes 10000000 100000000 $(ARGS)

bench-dashboard: .venv/.dev-ready
	$(BIN)/python -m tests.bench.dashboard $(ARGS)

soak-dashboard: .venv/.dev-ready
	$(BIN)/python -m tests.bench.dashboard_open $(ARGS)

bench-signals: .venv/.dev-ready
	$(BIN)/python -m tests.bench.signals $(ARGS)

soak: .venv/.dev-ready
	$(BIN)/python -m pytest -m soak $(ARGS)

screenshots: .venv/.dev-ready
	$(BIN)/python -m tests.tui.pictures $(ARGS)

binary: .venv/.dev-ready
	$(BIN)/python packaging/binary/build.py

test-binary: binary
	$(BIN)/python -m pytest -s -m binary tests/binary $(ARGS)

# pip-tools lives in a place of its own, so that it never meets the dependencies it pins. What stands in a machine's pip settings
# (an index, a folder of wheels) is used but not written down.
COMPILE = build/pip-tools/bin/pip-compile --quiet --upgrade --generate-hashes --strip-extras --allow-unsafe --no-header \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options --build-deps-for editable

lock:
	$(PYTHON) -m venv build/pip-tools
	build/pip-tools/bin/python -m pip --quiet install 'pip-tools>=7.5'
	$(COMPILE) --output-file requirements/run.lock pyproject.toml
	$(COMPILE) --extra dev --extra bench --constraint requirements/run.lock --output-file requirements/dev.lock pyproject.toml
	$(COMPILE) --extra dev --extra bench --extra bench-queries --constraint requirements/dev.lock --output-file requirements/bench.lock pyproject.toml

clean:
	rm -rf .venv build dist .pytest_cache .ruff_cache .hypothesis

.venv/bin/pip:
	@test -n "$(PYTHON)" || { echo 'Tallystick needs Python 3.11 or later: install it, or name it (make PYTHON=...)' >&2; exit 2; }
	@echo 'setting up .venv with $(PYTHON)' >&2
	@$(PYTHON) -m venv --clear .venv || { echo 'Python lacks its venv module: on Debian and Ubuntu, apt-get install python3-venv' >&2; exit 2; }

# The build back end is in the lock files too, so that nothing is fetched without a hash.
.venv/.run-ready: requirements/run.lock pyproject.toml hatch_build.py $(NATIVE) | .venv/bin/pip
	@echo 'installing requirements/run.lock' >&2
	@$(PIP) install --require-hashes --requirement requirements/run.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev-ready: requirements/dev.lock pyproject.toml $(PLUGINS:%=%/pyproject.toml) hatch_build.py $(NATIVE) | .venv/bin/pip
	@echo 'installing requirements/dev.lock' >&2
	@$(PIP) install --require-hashes --requirement requirements/dev.lock
	@$(PIP) install --no-deps --no-build-isolation --editable . $(PLUGINS:%=--editable %)
	@touch $@ .venv/.run-ready

# On top of what developers have: the stores that questions are compared with, 900 MB.
.venv/.bench-ready: requirements/bench.lock .venv/.dev-ready
	@echo 'installing requirements/bench.lock' >&2
	@$(PIP) install --require-hashes --requirement requirements/bench.lock
	@touch $@
