# molloop: `make help` lists what there is to do.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
RUN_DIR ?=

.DEFAULT_GOAL := help
.PHONY: help run test test-system lint docs findings clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

run: $(VENV)/.ready ## Set up what is needed, then find molecules with a large IE in QM9
	$(BIN)/molloop run $(if $(RUN_DIR),--run-dir $(RUN_DIR))

test: $(VENV)/.ready-dev lint ## Set up what is needed, check style and types, run the tests
	$(BIN)/python -m pytest -n 3 --maxschedchunk 1

test-system: $(VENV)/.ready-dev ## Run the tests that want a scheduler, several hosts or a machine alone; says which it lacks
	$(BIN)/python -m pytest tests/system

lint: $(VENV)/.ready-dev ## Check style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: $(VENV)/.ready-docs ## Set up what is needed, build the documentation: docs/_build/html/index.html
	$(BIN)/python -m sphinx -n -W --keep-going -q -E -a docs docs/_build/html
	@echo "docs/_build/html/index.html"

findings: ## See whether what surprised in other libraries is still so; installs them in temporary folders
	@changed=; for one in findings/*.sh; do echo "$$one"; "$$one" || changed="$$changed $$one"; done; \
	    test -z "$$changed" || { echo "changed, or not to be installed:$$changed" >&2; exit 1; }

clean: ## Remove the environment and caches; runs stay
	rm -rf $(VENV) docs/_build .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "molloop needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.ready-docs: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@ $(VENV)/.ready

$(VENV)/.ready-dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.ready $(VENV)/.ready-docs
