# Everything that this project can do, a target each. `make help` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
export PIP_NO_PYTHON_VERSION_WARNING = 1

.DEFAULT_GOAL := help
.PHONY: help run test lint e2e bench accept docs fmt prices lock wheel clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ── setting up: a stamp per lock file, so that a second run costs nothing ────────────────────────

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "no $(PYTHON): install Python 3.11 or later"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than 3.11: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "no venv: on Debian, apt install python3-venv"; exit 1; }

$(VENV)/run.stamp: locks/run.txt pyproject.toml | $(VENV)/bin/python
	@echo "setting up .venv ..."
	@$(PIP) install --require-hashes -r locks/run.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/test.stamp: locks/dev.txt $(VENV)/run.stamp
	@echo "installing the tools of the test suite ..."
	@$(PIP) install --require-hashes -r locks/dev.txt
	@touch $@

# Byte code is made here because PYTHONDONTWRITEBYTECODE, where it is set, would have every command
# compile the package again (30 ms).
.PHONY: compiled
compiled: $(VENV)/run.stamp
	@$(BIN)/python -m compileall -q src

# ── using ────────────────────────────────────────────────────────────────────────────────────────

run: compiled ## set everything up and show the budget (sample sessions where you have none)
	@$(BIN)/python tools/first_run.py

# ── checking ─────────────────────────────────────────────────────────────────────────────────────

test: lint ## set everything up and pass the tests: lint, types, rooms, pytest
	@$(BIN)/python -m pytest -q --ignore=tests/e2e --numprocesses=auto --dist=loadfile

lint: compiled $(VENV)/test.stamp
	@$(BIN)/ruff check -q .
	@$(BIN)/ruff format --check -q .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo || { $(BIN)/lint-imports; exit 1; }

# A client waits as much as it works, so there are more of them than cores on a small machine.
CLIENTS ?= 3

e2e: compiled $(VENV)/test.stamp ## drive the real Claude Code client offline (installs it)
	@$(BIN)/python tests/e2e/install_clients.py
	@$(BIN)/python -m pytest -q tests/e2e --numprocesses=$(CLIENTS) --dist=loadfile

accept: compiled $(VENV)/test.stamp ## the long checks: many corpora, kills, many processes at once
	@$(BIN)/python tools/accept.py

bench: compiled $(VENV)/test.stamp ## measure beside the peer, write docs/benchmarks.md
	@$(BIN)/python tools/bench.py --output docs/benchmarks.md

# ── writing ──────────────────────────────────────────────────────────────────────────────────────

fmt: $(VENV)/test.stamp ## format the code
	@$(BIN)/ruff check --fix -q .
	@$(BIN)/ruff format -q .

docs: compiled ## write the generated pages (schema, commands) and the picture
	@$(BIN)/python tools/make_docs.py
	@$(BIN)/python tools/make_picture.py
	@$(BIN)/python tools/make_control_picture.py

prices: $(VENV)/test.stamp ## compile the dated price table from genai-prices
	@$(PYTHON) -m venv build/prices
	@build/prices/bin/python -m pip --quiet install --require-hashes -r locks/prices.txt
	@build/prices/bin/python tools/compile_prices.py --as-of "$$(date -u +%F)"

lock: $(VENV)/bin/python ## lock the dependencies again, with uv
	@$(PYTHON) -m venv build/uv && build/uv/bin/python -m pip --quiet install uv
	@build/uv/bin/python tools/lock.py build/uv/bin/uv

wheel: $(VENV)/run.stamp ## build dist/*.whl
	@$(BIN)/hatchling build -t wheel

clean: ## remove what was built
	@rm -rf build dist $(VENV)
