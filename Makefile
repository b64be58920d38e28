# Everything that is done with this repository, each by one word. Needs Python >= 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DISTRIBUTIONS := license_client license_server db_api
# --no-compile: bytecode is written at first import, which halves the time of an installation
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --no-compile
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-strip-extras --no-emit-package license-client
FUZZ_SECONDS ?= 300
# one more than there are cores: tests wait for processes and sockets half of their time
WORKERS := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
SOURCES := license_client/src license_server/src db_api/src migrations deploy tests

# where it is set, each of the many processes of the tests compiles all that it imports, again
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo secrets test test-system test-compose check lint isolation env-examples vectors bench fuzz lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.development ## install the three packages and all tools into .venv

demo: $(VENV)/.runtime ## start license server, license and data API, query it, stay up (DEMO_ONCE=1: exit)
	@$(BIN)/python deploy/demo/demo.py

secrets: $(VENV)/.runtime ## make what deploy/compose.yaml needs: keys, passwords, certificates (once)
	$(BIN)/python deploy/make_secrets.py

test: install ## run the tests: units, contract, integration and end to end
	$(BIN)/pytest -n $(WORKERS)

test-system: install ## run the tests that need Debian's packages (a false clock, system call faults)
	tests/system/install
	$(BIN)/pytest -n $(WORKERS) tests/system

test-compose: install secrets ## run the tests that need containers (LAB='lab.sh run --' where Docker is not)
	LAB_NET=1 $(LAB) docker compose -f deploy/compose.yaml --profile scale build --quiet
	LAB_NET=0 $(LAB) sh -c 'docker image ls --format "{{.Repository}}:{{.Tag}} {{.Size}}" && $(BIN)/pytest tests/e2e/compose'

check: test test-system lint isolation ## do all that CI does but test-compose
	$(BIN)/python tests/contract/make_vectors.py --check

lint: install ## check style, types, imports, dependencies and lock files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(SOURCES)
	$(BIN)/pyright
	$(BIN)/lint-imports
	@for name in $(DISTRIBUTIONS); do \
		(cd $$name && ../$(BIN)/deptry src) || exit 1; done
	$(BIN)/python deploy/write_env_examples.py --check
	@! git grep -n '://' -- '*.lock' || { echo 'a lock file names a host: run make lock' >&2; exit 1; }

isolation: install ## build each wheel, install it alone, run its unit tests there
	$(BIN)/python tests/isolation.py

env-examples: install ## write deploy/*.env.example from the settings again
	$(BIN)/python deploy/write_env_examples.py

vectors: install ## make the golden vectors of the contract again
	$(BIN)/python tests/contract/make_vectors.py

bench: install ## measure, as ratios to a bare uvicorn hello in the same run (BENCH=sections)
	PYTHONPATH=tests $(BIN)/python -m bench $(BENCH)

fuzz: install ## look for inputs that break the client's parsers or the server's APIs (FUZZ_SECONDS=300 each)
	FUZZ_SECONDS=$(FUZZ_SECONDS) PYTHONPATH=tests $(BIN)/python -m fuzz.client
	PYTHONPATH=tests $(BIN)/python -m fuzz $(FUZZ_SECONDS)

lock: $(BIN)/uv ## pin all dependencies again, with hashes and without a host
	$(COMPILE) --all-extras $(DISTRIBUTIONS:%=%/pyproject.toml) tests/requirements.in \
		-o tests/requirements.lock
	@for name in $(DISTRIBUTIONS); do \
		$(COMPILE) -c tests/requirements.lock --all-extras $$name/pyproject.toml \
			-o $$name/requirements.lock || exit 1; done
	$(COMPILE) -c tests/requirements.lock tests/unit/requirements.in -o tests/unit/requirements.lock
	$(COMPILE) -c tests/requirements.lock --all-extras $(DISTRIBUTIONS:%=%/pyproject.toml) \
		deploy/demo/requirements.in -o deploy/demo/requirements.lock
	@for name in license_server db_api; do \
		$(COMPILE) -c tests/requirements.lock $$name/pyproject.toml \
			-o deploy/$$name/requirements.lock || exit 1; done
	$(COMPILE) -c tests/requirements.lock deploy/packaging/requirements.in -o deploy/packaging/requirements.lock

clean: ## remove what was built and installed here
	rm -rf $(VENV) .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .grimp_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Python 3.11 or newer is needed: make PYTHON=/path/to/python3' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo 'no venv: on Debian, apt-get install python3-venv' >&2; exit 1; }

$(BIN)/uv: | $(VENV)/bin/python
	@$(PIP) uv

$(VENV)/.runtime: deploy/demo/requirements.lock $(DISTRIBUTIONS:%=%/pyproject.toml) | $(VENV)/bin/python
	@echo 'installing the packages and what they need into $(VENV)' >&2
	@$(PIP) --require-hashes -r deploy/demo/requirements.lock
	@$(PIP) --no-deps --no-build-isolation $(DISTRIBUTIONS:%=-e %)
	@touch $@

$(VENV)/.development: tests/requirements.lock $(VENV)/.runtime
	@echo 'installing the tools into $(VENV)' >&2
	@$(PIP) --require-hashes -r tests/requirements.lock
	@touch $@
