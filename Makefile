# Everything runs in .venv, which is made on first use and brought up to date when pyproject.toml or constraints.txt
# change. To keep CUDA libraries out on Linux, point pip at an index of CPU builds: PIP_EXTRA_INDEX_URL=... make test

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Twice quiet: errors, but no word on every index that lacks a package.
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt
# More arguments for a command: make test ARGS="-k convolution", make demo ARGS="--depth 1"
ARGS ?=
# Tables of measured speeds, for the experiments that read some: make experiments TABLES="one.csv other.csv"
TABLES ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint format docs ledger experiments index notebooks clean

help: ## say what there is to make
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1@\2/p' $(MAKEFILE_LIST) | while IFS=@ read -r target text; do \
		printf '%-17s %s\n' "$$target" "$$text"; done

demo: $(VENV)/core.stamp ## install what a user gets, and analyze ShuffleNet V2
	$(BIN)/macprof analyze --model shufflenet_v2 $(ARGS)

# All cores, a file of tests on one: what a file has built for its tests is built once.
WORKERS ?= logical
test: $(VENV)/dev.stamp ## run the tests on all cores, warnings being errors
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile $(ARGS)

lint: $(VENV)/dev.stamp ## check format, style, types and who imports whom
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/dev.stamp ## put the code in the project's format
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

docs: $(VENV)/docs.stamp ## build the documentation into site/, which needs no network
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

ledger: $(VENV)/dev.stamp ## write anew the pages of docs/ that are made from reports and from what commands print
	$(BIN)/python -m experiments.ledger
	$(BIN)/python -m website.shown
	$(BIN)/python -m website.terminal

experiments: $(VENV)/peers.stamp ## run every experiment in full, for hours; TABLES="A.csv ..." for those that read some
	$(BIN)/python -m experiments.reporting.everything $(TABLES) $(ARGS)

index: $(VENV)/core.stamp ## write reports/README.md from the experiments and their reports
	$(BIN)/python -m experiments.reporting.index

notebooks: $(VENV)/dev.stamp ## execute the notebooks, which measures for minutes, and keep what they show
	$(BIN)/python -m experiments.reporting.notebooks $(ARGS)

clean: ## remove .venv and what the tools leave behind
	rm -rf $(VENV) site .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

# torch goes first and alone: it is most of the download, and whatever asks for it later finds the pinned one.
$(VENV)/core.stamp: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing torch and macprof into $(VENV): minutes, the first time"
	@$(PIP) torch
	@$(PIP) --editable .
	@# pip compiles what it copies, not what it links to; a first call should not pay for that.
	@$(BIN)/python -m compileall -q mac_profiler
	@touch $@

$(VENV)/dev.stamp: $(VENV)/core.stamp
	@echo "Installing what lint and test need into $(VENV)"
	@$(PIP) --editable '.[dev]'
	@touch $@

$(VENV)/docs.stamp: $(VENV)/core.stamp
	@echo "Installing what the documentation needs into $(VENV)"
	@$(PIP) --editable '.[docs]'
	@touch $@

$(VENV)/peers.stamp: $(VENV)/core.stamp
	@echo "Installing what the experiments compare with into $(VENV)"
	@$(PIP) --editable '.[peers,torchvision,timm,parquet]'
	@touch $@

# An interpreter that is gone, or was upgraded away, leaves packages and stamps that belong to nobody: begin anew.
$(shell $(BIN)/python -c '' 2>/dev/null || rm -f $(BIN)/python $(VENV)/*.stamp)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		found=$$($(PYTHON) -c 'import sys; print(sys.version.split()[0])' 2>/dev/null || echo 'not there'); \
		echo "macprof needs Python 3.11 or newer; '$(PYTHON)' is $$found. Name another:" \
			"make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
