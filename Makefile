# `make` lists the targets. Options are given as variables: make run MODEL=my.pkl
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.ONESHELL:
.SILENT:
.DELETE_ON_ERROR:

DOCKER ?= docker
export DOCKER

# A recipe that names MAKE itself is executed even by `make -n`, and with .ONESHELL all of it is.
SUBMAKE = $(MAKE)

VERSIONS := $(shell sed -n 's/^version = "\(.*\)"/\1/p' versions.toml)
TAGS := $(subst .,_,$(VERSIONS))
GIT_REF := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)

VENV := .venv
BIN := $(VENV)/bin
POETRY ?= $(BIN)/poetry
# The environment is rebuilt when the locked packages change, not when a file is touched.
READY := $(VENV)/.ready-$(shell sha256sum requirements/dev.txt | cut -c1-12)

# The tree engine, compiled where this machine has a C compiler.
ENGINE := $(if $(shell command -v $${CC:-cc}),numerai_predict/acceleration/trees.so)

##@ Use

.PHONY: run
run: setup ## Run a model on sample data: make run [MODEL=my.pkl] [OPTIONS="--debug"]
	model='$(MODEL)'
	if [ -z "$$model" ]; then
	    python=$$($(BIN)/python -c 'import sys; print("{}.{}".format(*sys.version_info))')
	    model=tests/models/py$$python/two_arguments.pkl
	fi
	$(BIN)/numerai-predict run --build-image --model "$$model" $(OPTIONS)

.PHONY: setup
setup: $(READY) $(ENGINE) ## Create the environment in .venv; the other targets do this when needed

$(READY):
	supported=$$(printf '%s\n' $(filter-out 3.10,$(VERSIONS)) | sort -Vr)
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

# Without a compiler the libraries of tree models predict them: slower, with the same results.
$(ENGINE): $(wildcard numerai_predict/acceleration/native/*) | $(READY)
	$(BIN)/python -m numerai_predict.acceleration.build

##@ Develop

.PHONY: test
test: setup ## Run all tests, and with a container engine those of the slim images: make test [TESTS=tests/runner]
	if [ -n "$(TESTS)" ]; then $(BIN)/pytest $(OPTIONS) $(TESTS); exit; fi
	$(SUBMAKE) test_unit test_integration
	if $(DOCKER) info >/dev/null 2>&1; then
	    $(SUBMAKE) -j 2 $(addprefix build_slim_,$(TAGS))
	    $(SUBMAKE) test_built IMAGES="$(VERSIONS:%=%-slim)"
	else
	    echo "'$(DOCKER)' does not respond: skipping the tests of the images"
	fi

.PHONY: test_unit
test_unit: setup ## Run the unit tests: no processes, servers, Ray or containers; one worker per CPU
	$(BIN)/pytest -m unit -n auto --dist worksteal $(OPTIONS)

# Two files at a time and no more: these tests measure time and memory, which parallel runs share.
# A Ray cluster takes all CPUs.
.PHONY: test_integration
test_integration: setup ## Run the other tests, except those that need images
	$(BIN)/pytest -m "not unit and not docker and not ray" -n 2 --dist loadfile $(OPTIONS)
	$(BIN)/pytest -m "ray and not docker" $(OPTIONS)

.PHONY: check
check: lint check_generated docs ## Lint, check types, imports and workflows, compare generated files, build the docs

.PHONY: docs
docs: setup ## Build the documentation into site/; any warning is an error
	$(BIN)/zensical build --clean --strict

.PHONY: lint
lint: setup ## Lint, check types, imports and workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/shellcheck images/add_python images/build images/lock images/push images/python images/test_predict images/versions .ci/run
	$(BIN)/hadolint --ignore DL3008 $(VERSIONS:%=py%/Dockerfile) shell/Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*
	$(BIN)/zizmor --offline --quiet --min-severity medium .github/workflows

.PHONY: format
format: setup ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: setup ## Measure the runner's overhead; writes bench/RESULTS.md
	$(BIN)/python bench/runner.py

##@ Images: two flavours per Python, like numerai_predict_py_3_12:latest and :latest-slim

.PHONY: build
build: $(addprefix build_,$(TAGS)) build_shell ## Build every image; for one Python: make build_3_12 or make build_slim_3_12

build_slim_%:
	images/build $(subst _,.,$*) slim

build_full_%:
	images/build $(subst _,.,$*) full

.PHONY: build_shell
build_shell: ## Build the shell image, in which the tests of predict.py run
	images/build shell

build_3%:
	$(SUBMAKE) build_full_3$* build_slim_3$*

.PHONY: test_predict
test_predict: setup build_shell $(addprefix build_slim_,$(TAGS)) ## Test the runner in the shell image and in every slim image
	images/test_predict $(VERSIONS)

test_3%: setup build_3%
	$(SUBMAKE) test_built IMAGES="$(subst _,.,3$*)-slim $(subst _,.,3$*)-full"

.PHONY: test_images
test_images: setup ## Build, test and remove every flavour of every Python, one after the other
	for version in $(TAGS); do
	    $(SUBMAKE) test_$$version
	    $(DOCKER) image rm --force "numerai_predict_py_$$version:latest" >/dev/null
	done

# Tests images that are already built, named in IMAGES.
.PHONY: test_built
test_built: setup
	NUMERAI_PREDICT_TEST_IMAGES="$(IMAGES)" $(BIN)/pytest -m docker -n 2 --dist loadfile $(OPTIONS)

push_latest: $(addprefix push_latest_,$(TAGS)) ## Push :latest and :<git-sha> of every image to REGISTRY
push_latest_%: require_registry
	images/push "$(REGISTRY)" $(subst _,.,$*) latest "$(GIT_REF)"

push_stable: $(addprefix push_stable_,$(TAGS)) ## Push :stable of every image to REGISTRY
push_stable_%: require_registry
	images/push "$(REGISTRY)" $(subst _,.,$*) stable

.PHONY: require_registry
require_registry:
	[ -n "$(REGISTRY)" ] || { echo "make push: expected a registry to push to, like REGISTRY=ghcr.io/you" >&2; exit 1; }

.PHONY: add_python
add_python: setup ## Add a Python version: make add_python VERSION=3.14 HOSTED=packages.txt
	POETRY="$(POETRY)" images/add_python "$(VERSION)" "$(HOSTED)"

.PHONY: lock_images
lock_images: setup ## Update the locks of the images: make lock_images [PACKAGE=boto3]
	export POETRY="$(POETRY)"
	for version in $(VERSIONS); do images/lock $$version py$$version $(if $(PACKAGE),update --lock $(PACKAGE)); done
	$(SUBMAKE) generate

##@ Slow tests and benchmarks

.PHONY: bench_images
bench_images: setup ## Measure size and start-up of the images of Python 3.12; writes bench/RESULTS.md
	$(SUBMAKE) build_3_12
	$(BIN)/python bench/images.py

.PHONY: bench_inspection
bench_inspection: setup ## Measure the inspection of a pickle; writes bench/RESULTS.md
	$(BIN)/python bench/inspection.py

.PHONY: bench_isolation
bench_isolation: setup ## Measure what the isolation layers cost a run; writes bench/RESULTS.md: make bench_isolation [RUNS=25]
	$(BIN)/python bench/isolation.py $(RUNS)

.PHONY: bench_trees
bench_trees: setup ## Measure the tree engine, compared with the libraries; writes bench/RESULTS.md: make bench_trees [EQUALITY=500 | OTHERS=1]
	$(BIN)/python bench/trees.py $(if $(EQUALITY),--equality $(EQUALITY)) $(if $(OTHERS),--others)

.PHONY: bench_termination
bench_termination: setup ## Measure how long a run takes to end after SIGTERM; writes bench/RESULTS.md
	$(BIN)/python bench/termination.py

.PHONY: bench_crafted
bench_crafted: setup ## Measure the inspection of pickles crafted to be expensive; writes bench/RESULTS.md
	$(BIN)/python bench/crafted_pickles.py

.PHONY: test_attacks
test_attacks: setup ## Run models that try to break out, locally and in containers; writes tests/attacks/ESCAPES.md
	images=
	if $(DOCKER) info >/dev/null 2>&1; then
	    $(SUBMAKE) build_slim_3_12
	    images=numerai_predict_py_3_12:latest-slim
	else
	    echo "'$(DOCKER)' does not respond: running the attempts on this machine only"
	fi
	$(BIN)/python tests/attacks/suite.py $$images

.PHONY: test_faults
test_faults: setup ## Inject faults into a thousand runs, kill two hundred; writes tests/storage/FAULTS.md
	$(BIN)/python tests/storage/fault_runs.py $(or $(RUNS),1000) $(or $(SEED),6)

.PHONY: bench_transfers
bench_transfers: setup ## Measure the speed of a fetch, compared with curl; writes bench/RESULTS.md
	$(BIN)/python bench/transfers.py

.PHONY: test_rounds
test_rounds: setup ## Kill fifty rounds, inject faults into forty; writes tests/tournament/ROUNDS.md
	$(BIN)/python tests/tournament/suite.py $(or $(KILLS),50) $(or $(RUNS),4) $(or $(SEED),8)

.PHONY: test_numerapi
test_numerapi: setup ## Test the practice server with other versions of numerapi: make test_numerapi [RELEASES="3.1.1 2.22.0"]
	releases='$(RELEASES)'
	folder=$$(mktemp -d)
	trap 'rm -rf "$$folder"' EXIT
	paths=
	for release in $${releases:-newest}; do
	    wanted=numerapi$${release:+==$$release}
	    [ "$$release" != newest ] || wanted=numerapi
	    $(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --target "$$folder/$$release" "$$wanted"
	    paths="$$paths:$$folder/$$release"
	done
	NUMERAPI_RELEASES="$${paths#:}" $(BIN)/pytest tests/tournament/test_numerapi.py $(OPTIONS)

.PHONY: bench_view
bench_view: setup ## Measure the memory of views, compared with pandas; writes bench/RESULTS.md
	$(BIN)/python bench/view.py

.PHONY: bench_diagnose
bench_diagnose: setup ## Measure a diagnosis, compared with a plain script; writes bench/RESULTS.md: make bench_diagnose [ERAS=100 TREES=1]
	$(BIN)/python bench/diagnose.py $(ERAS) $(if $(TREES),--trees)

.PHONY: simulations
simulations: setup ## Measure how often intervals of scores hold the true value, and what the purge prevents; writes bench/RESULTS.md
	$(BIN)/python bench/simulations.py
	$(BIN)/python bench/promotions.py
	$(BIN)/python bench/purge.py

.PHONY: blending
blending: setup ## Measure how often a blend chosen by payout earns more on untouched eras, and whether noise claims one; writes bench/RESULTS.md: make blending [SEEDS=20]
	$(BIN)/python bench/blending.py $(SEEDS)

.PHONY: bench_noise
bench_noise: setup ## Measure how often training, diagnosis and comparison find skill in noise; writes bench/RESULTS.md
	$(BIN)/python bench/noise.py $(SEEDS)

.PHONY: test_fleet
test_fleet: setup ## Run 300 models, a third of them broken, while every kind of process is killed
	$(BIN)/python tests/fleet/suite.py $(or $(MODELS),300) $(or $(SEED),7)

.PHONY: test_published
test_published: setup ## Run all models as people publish them, locally, in a fleet and in the images that are built
	export NUMERAI_PREDICT_EVERY_CASE=1
	$(BIN)/pytest tests/cases $(OPTIONS)
	NUMERAI_PREDICT_TEST_IMAGES="3.12-slim 3.12-full" $(BIN)/pytest -m docker tests/images/test_published_models.py $(OPTIONS)

.PHONY: test_registry
test_registry: setup ## Change a registry by 8 processes at once, and kill them; writes tests/registry/STRESS.md
	$(BIN)/python tests/registry_stress.py $(or $(DURATION),60) $(or $(PROCESSES),8) $(or $(SEED),1)

.PHONY: test_restarts
test_restarts: setup ## Kill and restart fleet runs with changed data 200 times; writes tests/fleet/RESTARTS.md
	$(BIN)/python tests/fleet_restarts.py $(or $(RESTARTS),200) $(or $(SEED),17)

.PHONY: bench_fleet
bench_fleet: setup ## Measure the fleet, compared with containers and plain predictions: make bench_fleet [MODELS=50 TRIVIAL=0]
	$(BIN)/python bench/fleet.py $(or $(MODELS),200) $(TRIVIAL)

.PHONY: test_training
test_training: setup ## Kill and resume twenty trainings; writes tests/training/KILLS.md
	$(BIN)/python tests/training/kills.py $(or $(KILLS),20) $(or $(SEED),9)

.PHONY: bench_pages
bench_pages: setup ## Measure the report of 10,000 models, in a headless Chromium too; writes bench/RESULTS.md
	$(BIN)/python bench/pages.py

.PHONY: bench_train
bench_train: setup ## Measure memory and time of a training; writes bench/RESULTS.md: make bench_train [ROWS=300000]
	$(BIN)/python bench/train.py $(ROWS)

.PHONY: bench_trainers
bench_trainers: setup ## Measure the memory per row of each trainer; writes bench/RESULTS.md
	$(BIN)/python bench/trainers.py

.PHONY: test_inspection
test_inspection: setup ## Run the pickles of every Python on every Python: make test_inspection [SHAPES="loops closure"]
	$(BIN)/python tests/inspection/matrix.py --run $(if $(SHAPES),--shapes $(SHAPES))

.PHONY: fuzz_inspection
fuzz_inspection: setup ## Inspect mutated pickles: make fuzz_inspection [MINUTES=10]
	$(BIN)/python tests/inspection/fuzz.py $(or $(MINUTES),10)

##@ Generated files

.PHONY: lock
lock: setup ## Lock the newest allowed versions of the development environment
	$(POETRY) lock --regenerate
	# Descriptions of packages may name servers; a lock must not.
	sed -i 's/^description = .*/description = ""/' poetry.lock
	$(SUBMAKE) generate

.PHONY: generate
generate: setup ## Write the requirements and Dockerfiles from the locks and the template
	$(BIN)/python -m generate --poetry $(POETRY)

.PHONY: check_generated
check_generated: setup
	$(BIN)/python -m generate --check --poetry $(POETRY)

.PHONY: example_models
example_models: $(addprefix example_models_,$(TAGS)) ## Rebuild the example pickles, each in the image of its Python

example_models_%: build_slim_%
	folder=tests/models/py$(subst _,.,$*)
	mkdir -p $$folder
	$(DOCKER) run --rm --network none --user "$$(id -u):$$(id -g)" -v "$$PWD:$$PWD" -w "$$PWD" \
	    --entrypoint python numerai_predict_py_$*:latest-slim tests/models/make.py $$folder
	ls -l $$folder

.PHONY: inspection_corpus
inspection_corpus: setup ## Rebuild the pickles of the inspection's tests, with every installed Python
	$(BIN)/python tests/inspection/matrix.py --make

.PHONY: python_tables
python_tables: ## Rebuild the inspection's table of Python versions, with every installed Python
	python3 generate/pythons.py

.PHONY: clean
clean: ## Remove everything that make created here
	rm -rf $(VENV) site .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .inspection .s3rver bench/.inputs

.PHONY: help
help:
	awk 'BEGIN {FS = ":.*## "}
	    /^##@/ {printf "\n%s\n", substr($$0, 5)}
	    /^[a-z_0-9]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	printf '\nImages of one Python\n'
	printf '  make %-12s make %-11s make %-18s make %s\n' \
	    $(foreach tag,$(TAGS),build_$(tag) test_$(tag) push_latest_$(tag) push_stable_$(tag))
