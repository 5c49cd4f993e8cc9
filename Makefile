# Everything runs in .venv, which the first target that needs it makes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOWEST := .venv-lowest

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench bench-attribution campaign lowest clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/installed  ## Scan the sample corpora and pay out 20 % of a profit of 500 million
	$(BIN)/royalty scan sample_corpora
	$(BIN)/royalty payout --profit 500e6 --rate 0.2

test: $(VENV)/tested  ## Run all tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/tested  ## Run the linters and the type checker
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/benched  ## Measure the scan and the payout, as ratios
	mkdir -p benchmarks/results
	$(BIN)/python benchmarks/scan.py
	$(BIN)/python benchmarks/formats.py --json benchmarks/results/formats.json
	$(BIN)/python benchmarks/others.py --json benchmarks/results/others.json
	$(BIN)/python benchmarks/cores.py --json benchmarks/results/cores.json
	$(BIN)/python benchmarks/cluster.py --json benchmarks/results/cluster.json
	$(BIN)/python benchmarks/memory.py --json benchmarks/results/memory.json
	$(BIN)/python benchmarks/rescan.py --json benchmarks/results/rescan.json
	$(BIN)/python benchmarks/sources.py
	$(BIN)/python benchmarks/allocation.py
	$(BIN)/python benchmarks/policies.py --json benchmarks/results/policies.json
	$(BIN)/python benchmarks/start.py

bench-attribution: $(VENV)/tested  ## Measure how well usage is attributed
	mkdir -p benchmarks/results
	$(BIN)/royalty bench attribution --json benchmarks/results/attribution.json

campaign: $(VENV)/tested  ## Run the long forms of the tests
	$(BIN)/python -m pytest --campaign

lowest:  ## Run all tests with the oldest packages that pyproject.toml allows
	$(PYTHON) -m venv --clear $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(LOWEST)/bin/uv pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct --editable '.[test]'
	$(LOWEST)/bin/python -m pytest -n 2 --dist loadfile

clean:  ## Remove the environment and all that was built
	rm -rf $(VENV) $(LOWEST) build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis .benchmark-corpus

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("royalty needs Python 3.11 or later; this is %s.%s: say make PYTHON=python3.12" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/tested: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,lint]'
	@touch $@ $(VENV)/installed

$(VENV)/benched: $(VENV)/tested
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,lint,others]'
	@touch $@
