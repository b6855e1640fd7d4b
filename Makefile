# Needs Python 3.11 or newer and nothing else; every target prepares what it uses.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
JOBS   ?= auto

.DEFAULT_GOAL := help
.PHONY: help run test nightly check format bench lock clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(READY) ## Start the server on http://127.0.0.1:8000 with a SQLite database in ./data
	$(BIN)/scim-server serve

test: $(READY) ## Run the tests
	$(BIN)/pytest -n $(JOBS) -m "not nightly"

nightly: $(READY) ## Run the long tests too
	$(BIN)/pytest -n $(JOBS)

check: $(READY) ## Check style, types, import rules and the lock file
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/uv lock --check --quiet

format: $(READY) ## Format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(READY) ## Measure what requests cost
	$(BIN)/python -m bench

lock: $(READY) ## Move every dependency to the newest version pyproject.toml allows
	$(BIN)/uv lock --upgrade

clean: ## Remove the environment and all caches; ./data stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist

$(VENV)/bin/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet "uv>=0.13,<1"

# --inexact: uv itself lives in the environment and is in no lock file.
$(READY): uv.lock pyproject.toml | $(VENV)/bin/uv
	$(BIN)/uv sync --frozen --inexact --all-extras --quiet
	@touch $@
