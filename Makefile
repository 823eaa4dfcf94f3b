# `make` lists the targets. Options are variables: make run MODEL=my.pkl
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.ONESHELL:
.SILENT:
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
POETRY ?= $(BIN)/poetry
# The environment is made anew when the locked packages change, not when a file is touched.
READY := $(VENV)/.ready-$(shell sha256sum requirements/dev.txt | cut -c1-12)

##@ To use

.PHONY: run
run: setup ## Run a model on sample data: make run [MODEL=my.pkl] [OPTIONS="--debug"]
	model='$(MODEL)'
	if [ -z "$$model" ]; then
	    python=$$($(BIN)/python -c 'import sys; print("{}.{}".format(*sys.version_info))')
	    model=tests/models/py$$python/two_arguments.pkl
	fi
	$(BIN)/numerai-predict run --model "$$model" $(OPTIONS)

.PHONY: setup
setup: $(READY) ## Make the environment in .venv; every other target does so itself

$(READY):
	supported=$$(sed -n 's/^version = "\(.*\)"/\1/p' versions.toml | grep -v '^3\.10$$' | sort -Vr)
	for candidate in python3 $$(printf 'python%s ' $$supported); do
	    found=$$("$$candidate" -c 'import sys; print("{}.{}".format(*sys.version_info))' 2>/dev/null) || continue
	    if grep -qx "$$found" <<<"$$supported"; then python=$$candidate; break; fi
	done
	if [ -z "$${python:-}" ]; then
	    echo "make setup: expected one of Python $$(paste -sd' ' <<<"$$supported"), found none: install one (apt install python3 python3-venv)" >&2
	    exit 1
	fi
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then
	    echo "make setup: expected Python's venv module, found none for $$python: install it (apt install python3-venv)" >&2
	    exit 1
	fi
	echo "Making $(VENV) with Python $$found. Once, it takes a minute or two:"
	rm -rf $(VENV)
	"$$python" -m venv $(VENV)
	echo "  installing $$(grep -c '==' requirements/dev.txt) locked packages"
	$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/dev.txt
	echo "  installing numerai-predict itself"
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

##@ To work on it

.PHONY: test
test: setup ## Run the tests: make test [TESTS=tests/runner] [OPTIONS="-k memory"]
	$(BIN)/pytest $(OPTIONS) $(TESTS)

.PHONY: check
check: setup check_generated ## Lint, check types and imports, compare generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

.PHONY: format
format: setup ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: setup ## Measure what the runner costs; kept in bench/RESULTS.md
	$(BIN)/python bench/runner.py

##@ Files that are made from others

.PHONY: lock
lock: setup ## Lock the newest allowed versions of our own environment
	$(POETRY) lock --regenerate
	$(MAKE) generate

.PHONY: generate
generate: setup ## Write the requirements and Dockerfiles from the locks and the template
	$(BIN)/python -m generate --poetry $(POETRY)

.PHONY: check_generated
check_generated: setup
	$(BIN)/python -m generate --check --poetry $(POETRY)

.PHONY: example_models
example_models: ## Make the example pickles anew, each with its own Python
	for version in $$(sed -n 's/^version = "\(.*\)"/\1/p' versions.toml); do
	    command -v python$$version >/dev/null || { echo "python$$version: not on this machine, left as it is"; continue; }
	    environment=$$(mktemp -d)
	    python$$version -m venv "$$environment"
	    "$$environment/bin/pip" install -qq --disable-pip-version-check -r tests/models/requirements.txt
	    "$$environment/bin/python" tests/models/make.py tests/models/py$$version
	    rm -rf "$$environment"
	    ls -l tests/models/py$$version
	done

.PHONY: clean
clean: ## Remove all that was made here
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache bench/.inputs

.PHONY: help
help:
	@awk 'BEGIN {FS = ":.*## "}
	    /^##@/ {printf "\n%s\n", substr($$0, 5)}
	    /^[a-z_0-9%]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
