# Straight after a clone, with python3 (3.11 or newer) and make: `make demo` and `make test` do everything.
# Another interpreter: make PYTHON=python3.12 test

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LAYOUT := build/layout
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt
SETTINGS := pyproject.toml constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test fuzz paper bench lint format types layers package check clean layout

help:  ## Say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "connectome needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run-installed: $(SETTINGS) | $(VENV)/.created
	@echo "installing connectome into $(VENV) (a few minutes the first time)"
	$(INSTALL) -e '.[view]'
	@touch $@

$(VENV)/.test-installed: $(SETTINGS) | $(VENV)/.created
	@echo "installing connectome and what its tests need into $(VENV) (a few minutes the first time)"
	$(INSTALL) -e '.[test]'
	@touch $@ $(VENV)/.run-installed

$(VENV)/.dev-installed: $(SETTINGS) | $(VENV)/.created
	@echo "installing connectome and the tools of its development into $(VENV) (a few minutes the first time)"
	$(INSTALL) -e '.[dev]'
	@touch $@ $(VENV)/.test-installed $(VENV)/.run-installed

demo: $(VENV)/.run-installed  ## Install, then build the connectome of a synthetic volume and show it
	$(BIN)/connectome demo

test: $(VENV)/.test-installed  ## Install, then run the tests (ARGS= are passed to pytest)
	$(BIN)/python -m pytest $(ARGS)

fuzz: $(VENV)/.test-installed  ## Thousands of inputs that were never meant, to every reader of outside data
	CONNECTOME_FUZZ_EXAMPLES=300 $(BIN)/python -m pytest tests/fuzz $(ARGS)

paper: $(VENV)/.run-installed  ## The paper's experiments with the shipped weights; rewrites benchmarks/results
	$(BIN)/python benchmarks/table1.py
	$(BIN)/python benchmarks/figure2.py
	$(BIN)/python benchmarks/large_scale.py

bench: $(VENV)/.test-installed  ## The benchmarks of speed and scale; rewrites benchmarks/results
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/machinery.py
	$(BIN)/python benchmarks/workers.py

lint: $(VENV)/.dev-installed  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.dev-installed  ## ruff: sort imports and format in place
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# cli/ and migrations/ become connectome.cli and connectome.migrations when installed. mypy and import-linter look at
# folders, so they are given a copy of the code in its installed layout.
layout:
	@rm -rf $(LAYOUT)
	@mkdir -p $(LAYOUT)
	@cp -Rp connectome $(LAYOUT)/
	@cp -Rp cli migrations $(LAYOUT)/connectome/

types: $(VENV)/.dev-installed layout  ## mypy
	cd $(LAYOUT) && "$(CURDIR)/$(BIN)/mypy" --cache-dir "$(CURDIR)/.mypy_cache" --config-file "$(CURDIR)/pyproject.toml" -p connectome

layers: $(VENV)/.dev-installed layout  ## import-linter: the floors
	cd $(LAYOUT) && "$(CURDIR)/$(BIN)/lint-imports" --config "$(CURDIR)/pyproject.toml"

package: $(VENV)/.dev-installed  ## Build the wheel and say what it holds
	rm -rf build/lib build/bdist* build/wheel
	$(BIN)/python -m pip wheel --disable-pip-version-check --quiet --no-deps --no-build-isolation -w build/wheel .
	$(BIN)/python -m zipfile -l build/wheel/connectome_em-*.whl

check: lint types layers test  ## Everything that CI asks for, except the package

clean:  ## Remove the environment and everything that was made; the data folder stays
	rm -rf $(VENV) build dist *.egg-info htmlcov .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find cli connectome migrations tests -name __pycache__ -type d -prune -exec rm -rf {} +
