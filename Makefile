# Needs Python 3.11 or newer (with venv) and make; nothing else has to be installed or configured.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
ARGS   ?=
PYTEST := $(BIN)/python -m pytest --numprocesses auto --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help install demo up test lint format chaos bench lock clean

help:  ## Show what can be done
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(READY)  ## Make the virtual environment

# Done once, and again when the lock or the project's metadata changes. Every package is checked against its hash.
# http-ece alone (web push) is published as source only: it is built here, with tools that are pinned as well.
$(READY): requirements.lock requirements-build.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one with: make PYTHON=/path/to/python3"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
	  -r requirements-build.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
	  --no-binary http-ece --no-build-isolation -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index \
	  --editable .
	@touch $@

demo: $(READY)  ## See orders live, some going wrong; ARGS=--exit ends by itself
	@$(BIN)/ordertrail demo $(ARGS)

up: $(READY)  ## Run the whole system on this machine, keeping its data
	@$(BIN)/ordertrail up $(ARGS)

# pytest's 5 means that nothing was selected (ARGS="-k …"): worth a line, but no failure of the code.
test: $(READY)  ## Run the whole suite
	@$(PYTEST) $(ARGS); code=$$?; if [ $$code -eq 5 ]; then echo "no tests were selected"; exit 0; fi; exit $$code

lint: $(READY)  ## Style, types, direction of imports
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)  ## Lay out the code
	$(BIN)/ruff format .

chaos: $(READY)  ## The long crash suite: everything is killed at random
	@$(BIN)/python -m tests.chaos $(ARGS)

bench: $(READY)  ## Measure what we promise, against floors in the same run
	$(BIN)/python -m bench $(ARGS)

# The second file holds what the container image needs: the same versions without the tools.
COMPILE := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header \
  --no-annotate --quiet
lock: $(READY)  ## Renew the locks to the newest versions pyproject.toml allows
	$(COMPILE) --extra dev --upgrade --output-file requirements.lock
	$(COMPILE) --constraints requirements.lock --output-file requirements-runtime.lock
	printf 'setuptools\nwheel\n' | $(BIN)/uv pip compile - --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --quiet --upgrade --output-file requirements-build.lock

clean:  ## Remove the virtual environment and everything generated
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
