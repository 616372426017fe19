# Every target prepares .venv by itself: Python 3.11 or later, its venv module, and make are enough.

# The environment may forbid bytecode; start-up time needs it.
unexport PYTHONDONTWRITEBYTECODE
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
# pip runs from the environment; these two would send it elsewhere.
unexport PIP_USER
unexport PIP_TARGET

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

BIN := .venv/bin
STAMP := .venv/.stamp
SOURCES := $(wildcard src tests scripts bench)
PYTEST_FLAGS ?= -q
# Processes that share the tests, file by file; each has servers of its own. 0: none but pytest's.
PYTEST_PROCESSES ?= 2
LOCK_FLAGS ?=
UV_COMPILE = "$$uv" pip compile pyproject.toml --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header --quiet $(LOCK_FLAGS)

# The first interpreter that starts, is new enough and can make environments; PYTHON=... overrides.
CANDIDATES := python3.11 python3 python3.12 python3.13 python3.14 python
USABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))

.PHONY: help setup demo up test check format bench docs lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Prepare .venv (the other targets do it by themselves)

demo: $(STAMP) ## Drive the tour through the whole loop, on this machine alone
	@$(BIN)/remit demo

up: $(STAMP) ## Start Postgres, Temporal and a worker; Ctrl-C stops them
	@$(BIN)/remit up

test: $(STAMP) ## Run every test, then hold the coverage gates
	@$(BIN)/python -m pytest $(PYTEST_FLAGS) -n $(PYTEST_PROCESSES) --dist loadfile --cov --cov-report=

check: $(STAMP) ## Lint, format, types and import contracts; starts no server
	@$(BIN)/ruff check --quiet $(SOURCES) && echo "ruff check: clean"
	@$(BIN)/ruff format --quiet --check $(SOURCES) && echo "ruff format: clean"
	@$(BIN)/mypy --no-error-summary $(SOURCES) && echo "mypy: clean"
	@out=$$($(BIN)/lint-imports 2>&1) || { printf '%s\n' "$$out"; exit 1; }; \
		echo "lint-imports: $$(printf '%s\n' "$$out" | grep '^Contracts:')"

format: $(STAMP) ## Mend what ruff can mend
	@$(BIN)/ruff check --quiet --fix $(SOURCES) || true
	@$(BIN)/ruff format --quiet $(SOURCES)

bench: $(STAMP) ## Measure Remit beside the bare floor it stands on
	@$(BIN)/python -m bench --write

docs: $(STAMP) ## Write the generated documents anew
	@$(BIN)/python -m scripts.generate_docs

lock: $(STAMP) ## Pin and hash anew what pyproject.toml asks for (LOCK_FLAGS=--upgrade for the newest)
	@uv=$$(command -v uv || true); \
	if [ -z "$$uv" ]; then $(BIN)/python -m pip install -qq uv; uv=$(BIN)/uv; fi; \
	$(UV_COMPILE) --output-file requirements/runtime.txt; \
	$(UV_COMPILE) --group dev --all-extras --constraints requirements/runtime.txt \
		--output-file requirements/dev.txt
	@echo "requirements/: locked"

clean: ## Remove .venv and every cache
	@rm -rf .venv .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache \
		.pytest_cache .ruff_cache build dist htmlcov
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): requirements/runtime.txt requirements/dev.txt pyproject.toml
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
	echo "setup: $$("$$python" --version) -> .venv"; \
	if ! $(BIN)/python -c '$(USABLE)' 2>/dev/null; then "$$python" -m venv --clear .venv; fi
	@echo "setup: pinned and hashed dependencies (a minute the first time)"
	@$(BIN)/python -m pip install -qq --require-hashes --requirement requirements/dev.txt
	@echo "setup: remit, editable"
	@$(BIN)/python -m pip install -qq --no-build-isolation --no-deps --editable .
	@echo "setup: bytecode"
	@$(BIN)/python -m compileall -q -j 0 src .venv/lib >/dev/null 2>&1 || true
	@touch $@
