# The only list of commands. `make` alone explains them.
.DEFAULT_GOAL := help
.PHONY: help install install-dev up demo test test-fast lint format bench docs vendor lock
SHELL := /bin/bash
# Tests call the tools by name.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

PYTHON ?= python3
BIN    := .venv/bin
LISTEN ?= 127.0.0.1:8000
DATA   ?=
BENCH  ?=
SCALE  ?= 1
BIOME   = $(firstword $(wildcard node_modules/@biomejs/cli-linux-*/biome))
PYTEST := $(BIN)/python -m pytest

UP = $(BIN)/wardkeeper up --listen $(LISTEN) $(if $(DATA),--data $(DATA))

help: ## this list
	@echo "Wardkeeper: IT service management, CMDB and monitoring for hospitals."
	@echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'
	@echo
	@echo "  LISTEN=HOST:PORT and DATA=FOLDER work with up and demo; BENCH=NAME and SCALE=N with bench."

install: ## prepare .venv from the hashed pins; nothing else on the machine changes
	@$(PYTHON) scripts/install.py server

up: install ## run everything in the foreground: pages, workers, collectors, database, bus
	@exec $(UP)

demo: install ## the same with hospital M and simulated devices that really answer
	@exec $(UP) --demo

install-dev: ## prepare .venv for tests and tools, and the programs the tests talk to
	@$(PYTHON) scripts/install.py dev
	@$(PYTHON) scripts/peers.py
	@if command -v npm >/dev/null && [ ! -e node_modules/.installed -o package-lock.json -nt node_modules/.installed ]; then \
	  npm ci --no-fund --no-audit --loglevel=error && touch node_modules/.installed; fi

test: install-dev ## every test: unit and architecture, then real engines and peers, then the browser
	$(PYTEST) tests/unit tests/architecture -q -n 2
	$(PYTEST) tests/integration -q -n 2 --dist loadfile
	$(PYTEST) tests/e2e -q

test-fast: ## unit and architecture tests only: seconds, no engines
	@$(PYTHON) scripts/install.py dev
	$(PYTEST) tests/unit tests/architecture -q -n 2

lint: install-dev ## every check of style, types and the rules of the house; tells all failures, not only the first
	@$(MAKE) --no-print-directory --keep-going $(LINTS)

LINTS = lint-ruff lint-format lint-types lint-imports lint-templates lint-scripts lint-spelling lint-dependencies
.PHONY: $(LINTS)
lint-ruff:
	$(BIN)/ruff check --output-format concise .
lint-format:
	$(BIN)/ruff format --check .
lint-types:
	$(BIN)/mypy
lint-imports:
	$(BIN)/lint-imports
lint-templates:
	$(BIN)/djlint src --lint --quiet
lint-scripts:
	@if [ -n "$(BIOME)" ]; then $(BIOME) ci --colors=off --error-on-warnings; \
	  else echo "biome: npm is missing, style sheets and scripts were not checked"; [ "$$CI" != true ]; fi
lint-spelling:
	$(BIN)/codespell
lint-dependencies:
	$(BIN)/deptry src

format: install-dev ## let the formatters have their way
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	@[ -z "$(BIOME)" ] || $(BIOME) check --write

bench: install-dev ## measure (all, or BENCH=NAME); writes docs/reference/bench.md
	$(BIN)/python scripts/bench.py --scale $(SCALE) $(BENCH)

docs: install-dev ## write the generated reference pages and the example settings, then build site/
	$(BIN)/python scripts/docs.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

vendor: ## build the browser libraries again into static/*/vendor/ from their npm pins
	cd scripts/vendor && npm ci --no-fund --no-audit --loglevel=error && npm run --silent build

lock: ## resolve the hashed pins anew (needs uv, which install-dev brings)
	@bash scripts/lock.sh
