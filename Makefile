# Every target prepares .venv by itself: Python 3.11 or later, its venv module, and make are enough.

# The environment may forbid bytecode; start-up time needs it.
unexport PYTHONDONTWRITEBYTECODE
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
# What would send an installation elsewhere, or make it install something else than the lock says.
unexport PIP_USER PIP_TARGET PIP_PREFIX PIP_ROOT PIP_CONSTRAINT PIP_NO_DEPS
unexport UV_CONSTRAINT UV_OVERRIDE UV_EXCLUDE_NEWER UV_BUILD_CONSTRAINT UV_NO_DEPS UV_SYSTEM_PYTHON
# Packages of another environment, which would count as installed.
unexport PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

BIN := .venv/bin
# What runs Remit; what tests and checks it has all of that, and more.
RUNTIME := .venv/.runtime
DEV := .venv/.dev
SOURCES := $(wildcard src tests scripts bench)
PYTEST_FLAGS ?= -q
# Processes that share the tests, file by file; each has servers of its own. 0: none but pytest's.
# One more than there are cores, since tests wait for servers; tests/conftest.py orders the files.
PYTEST_PROCESSES ?= 3
PYTEST_SHARED = -n $(PYTEST_PROCESSES) --dist loadfile --no-loadscope-reorder
SOAK_ROUNDS ?= 5
LOCK_FLAGS ?=
UV_COMPILE = $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
	--no-strip-extras --no-emit-index-url --no-header --quiet

# The first interpreter that starts, is new enough and can make environments; PYTHON=... overrides.
CANDIDATES := python3.11 python3 python3.12 python3.13 python3.14 python
USABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))

INSTALL_REMIT = $(BIN)/uv pip install --quiet --python $(BIN)/python --no-build-isolation --no-deps \
	--editable .

.PHONY: help setup demo up test soak check format bench docs lock lock-drift wheel pythons packages clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(DEV) ## Prepare .venv (the other targets do it by themselves)

demo: $(RUNTIME) ## Drive the tour through the whole loop, on this machine alone
	@$(BIN)/remit demo

up: $(RUNTIME) ## Start Postgres, Temporal and a worker; Ctrl-C stops them
	@$(BIN)/remit up

test: $(DEV) packages ## Run every test, then hold the coverage gates
	@$(BIN)/python -m pytest $(PYTEST_FLAGS) $(PYTEST_SHARED) --cov --cov-report=

soak: $(DEV) packages ## Run every test SOAK_ROUNDS times with other seeds, and stop workers at work
	@for round in $$(seq $(SOAK_ROUNDS)); do \
		seed=$$RANDOM; load=(); \
		if (( round % 2 )); then for core in $$(seq $$(nproc)); do \
			$(BIN)/python -c 'while True: pass' & load+=($$!); \
		done; fi; \
		trap '[ $${#load[@]} = 0 ] || kill "$${load[@]}"' EXIT; \
		echo "soak: round $$round, seed $$seed, $${#load[@]} processes of load"; \
		$(BIN)/python -m pytest $(PYTEST_FLAGS) $(PYTEST_SHARED) \
			--hypothesis-profile=seeded --hypothesis-seed=$$seed; \
		[ $${#load[@]} = 0 ] || kill "$${load[@]}"; load=(); \
	done
	@$(BIN)/python -m tests.workflows.stops

check: $(DEV) ## Lint, format, types and import contracts; starts no server
	@$(BIN)/ruff check --quiet $(SOURCES) && echo "ruff check: clean"
	@$(BIN)/ruff format --quiet --check $(SOURCES) && echo "ruff format: clean"
	@$(BIN)/mypy --no-error-summary $(SOURCES) && echo "mypy: clean"
	@out=$$($(BIN)/lint-imports 2>&1) || { printf '%s\n' "$$out"; exit 1; }; \
		echo "lint-imports: $$(printf '%s\n' "$$out" | grep '^Contracts:')"

format: $(DEV) ## Mend what ruff can mend
	@$(BIN)/ruff check --quiet --fix $(SOURCES) || true
	@$(BIN)/ruff format --quiet $(SOURCES)

bench: $(RUNTIME) ## Measure Remit beside the bare floor it stands on
	@$(BIN)/python -m bench --write

docs: $(DEV) ## Write the generated documents anew
	@$(BIN)/python -m scripts.generate_docs

lock: $(RUNTIME) ## Pin and hash anew what pyproject.toml asks for (LOCK_FLAGS=--upgrade for the newest)
	@$(UV_COMPILE) $(LOCK_FLAGS) --group pyproject.toml:setup --output-file requirements/setup.txt
	@$(UV_COMPILE) $(LOCK_FLAGS) pyproject.toml \
		--constraints requirements/setup.txt --output-file requirements/runtime.txt
	@$(UV_COMPILE) $(LOCK_FLAGS) pyproject.toml --group dev --all-extras \
		--constraints requirements/setup.txt --constraints requirements/runtime.txt \
		--output-file requirements/dev.txt
	@echo "requirements/: locked"

lock-drift: $(DEV) ## Show that the lock is what pyproject.toml asks for, and that old pip installs it too
	@$(BIN)/python -m scripts.try_install lock

wheel: $(DEV) ## Build sdist and wheel, and run the tour from the wheel without the checkout
	@$(BIN)/python -m scripts.try_install wheel

pythons: $(DEV) ## Unit tests and the tour on each other Python that this machine has
	@$(BIN)/python -m scripts.try_install pythons

packages: # What tests need from Debian; as anybody but root, those tests say that they skip
	@if command -v promtool >/dev/null || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then exit 0; fi; \
	echo "setup: Debian's prometheus, for its promtool"; \
	export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1; \
	if ! { apt-get update -qq && \
		apt-get install -qq --yes --no-install-recommends prometheus; } >/dev/null 2>&1; then \
		echo "setup: it cannot be installed; the tests that need promtool say so" >&2; \
	fi

clean: ## Remove .venv and every cache
	@rm -rf .venv .venv-* .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache \
		.pytest_cache .ruff_cache build dist htmlcov
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUNTIME): requirements/setup.txt requirements/runtime.txt pyproject.toml scripts/environment.sh
	@python="$(PYTHON)"; \
	for candidate in $(CANDIDATES); do \
		[ -z "$$python" ] || break; \
		if "$$candidate" -c '$(USABLE)' 2>/dev/null; then python=$$candidate; fi; \
	done; \
	if ! "$${python:-false}" -c '$(USABLE)' 2>/dev/null; then \
		echo "error: Python 3.11 or later with its venv module is needed:" \
			"install it, or say where it is with make PYTHON=/path/to/python" >&2; \
		exit 1; \
	fi; \
	echo "setup: $$("$$python" --version) -> .venv, pinned and hashed"; \
	scripts/environment.sh .venv "$$python" requirements/runtime.txt
	@$(INSTALL_REMIT)
	@$(BIN)/python -m compileall -q src >/dev/null 2>&1 || true
	@touch $@

$(DEV): $(RUNTIME) requirements/dev.txt
	@echo "setup: what tests and checks it"
	@scripts/environment.sh .venv $(BIN)/python requirements/dev.txt
	@touch $@
