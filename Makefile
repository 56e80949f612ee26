# Wardlight: every command a person needs. `make run` and `make test` set up what they use.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
UV_VERSION := 0.13.9
STUDY ?= support2
PORT ?= 8501

VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
# Stamps carry the hash of what they installed: a second call is instant, a changed lock installs anew.
hash = $(shell cat $(1) | sha256sum | cut -c1-16)
RUN_STAMP := $(VENV)/.run-$(call hash,requirements.lock pyproject.toml)
DEV_STAMP := $(VENV)/.dev-$(call hash,requirements.lock requirements-dev.lock pyproject.toml)
COMPILE := $(UV) pip compile --universal --fork-strategy fewest --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header --quiet

.PHONY: help run build test acceptance check format lock env dev-env docs bench figures screenshots clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: build ## Set up, build the embedded study if the store has none, serve on http://localhost:8501
	$(BIN)/wardlight serve --port $(PORT)

build: env ## All of `make run` but serving
	$(BIN)/wardlight build $(STUDY) --if-absent

test: dev-env ## Set up and run every test (browser tests where a Chromium is found)
	$(BIN)/python -m pytest -m "not acceptance"

acceptance: dev-env ## Full builds on real studies and other slow checks
	$(BIN)/python -m pytest -m acceptance

check: dev-env ## Format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: dev-env ## Format and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(UV) ## Resolve both locks anew (hashes, one stack for every Python, no host name)
	$(COMPILE) --upgrade pyproject.toml -o requirements.lock
	$(COMPILE) --upgrade pyproject.toml --extra figures --group dev -c requirements.lock -o requirements-dev.lock

env: $(RUN_STAMP)
dev-env: $(DEV_STAMP)

$(UV):
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("Wardlight needs Python 3.11 or newer, got: %d.%d. Name one with: make PYTHON=python3.12 ..." % v[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(RUN_STAMP): | $(UV)
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --require-hashes -r requirements.lock
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.run-* && touch $@

$(DEV_STAMP): | $(UV)
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --require-hashes -r requirements-dev.lock
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.dev-* $(VENV)/.run-* && touch $@ $(RUN_STAMP)

bench: dev-env ## Print the server time of pages on the published store, and the time of a bootstrap of 100 groups
	$(BIN)/python tests/benchmarks/page_time.py 2>/dev/null
	$(BIN)/python -m tests.benchmarks.subgroup_bootstrap

docs: env ## Write docs/store.md from the column contracts
	$(BIN)/python -m pipeline.store.docs > docs/store.md

figures: dev-env ## Redraw the figure of docs/support2-repair.md, with the evidence printed
	$(BIN)/python data/support2/repair_evidence.py

screenshots: dev-env ## Take the pictures of docs/screenshots from the store (needs a Chromium)
	$(BIN)/python -m tests.browser.screenshots

clean: ## Remove the environment and caches (the store and its releases stay)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache *.egg-info
