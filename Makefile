# Two commands on a fresh machine: `make demo` and `make test`. They need Python >= 3.11 and make.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
READY := .venv/.ready
# One worker a core; the tests that start several processes are few.
WORKERS ?= auto

.DEFAULT_GOAL := help
.PHONY: help demo test run check lint types fix openapi migration clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements-dev.lock requirements-sdk.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name it with make PYTHON=…"; exit 1; }
	@test -x $(BIN)/python || { echo "Making .venv with $(PYTHON)"; $(PYTHON) -m venv .venv; }
	@echo "Installing the locked packages"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --root-user-action=ignore \
		--require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --root-user-action=ignore \
		--no-deps --no-build-isolation -e .
	@# python-alipay-sdk lies apart: it and the official SDK both bring alipay/__init__.py.
	@$(BIN)/python -m pip install -q --disable-pip-version-check --root-user-action=ignore \
		--no-deps --no-build-isolation --use-pep517 --require-hashes --upgrade --target .venv/sdk \
		-r requirements-sdk.lock
	@touch $@

demo: $(READY) ## Set everything up and play one day of the city, to the last fen
	@$(BIN)/python -m simulator.city demo

test: $(READY) ## Set everything up and run all tests
	@$(BIN)/pytest -q -n $(WORKERS)

run: $(READY) ## Web, worker and simulator on the embedded database, until Ctrl-C
	@$(BIN)/python -m simulator.city run

check: test lint types ## What CI runs: tests, lint, types

lint: $(READY)
	@$(BIN)/ruff check -q . && $(BIN)/ruff format -q --check .

types: $(READY)
	@$(BIN)/mypy

fix: $(READY) ## Format the code and mend what can be mended
	@$(BIN)/ruff check -q --fix . ; $(BIN)/ruff format -q .

openapi: $(READY) ## Write openapi/v1.json and the state diagrams anew
	@$(BIN)/flask openapi write && $(BIN)/flask states write

migration: $(READY) ## Start a migration: make migration M="what it does" [PLUGIN=transit]
	@test -n "$(M)" || { echo 'Say what it does: make migration M="add a column"'; exit 1; }
	@$(BIN)/flask migrate new $(if $(PLUGIN),--plugin $(PLUGIN)) "$(M)"

clean: ## Remove the virtual environment and the embedded database's data
	@test ! -d .data || find .data -name lies-in -exec sh -c \
		'case "$$(cat "$$1")" in /var/lib/qiantang/data-*) rm -rf "$$(cat "$$1")";; esac' _ {} \;
	@rm -rf .venv .data
