# Everything one does with a checkout. `make run` needs nothing but Python 3.11 or newer.
# Arguments: `make run ARGS="--port 9000"`, `make test ARGS="tests/services -k digest"`.

SHELL := /bin/sh
.DEFAULT_GOAL := help
BIN := .venv/bin
STAMP := .venv/.installed
ARGS ?=

.PHONY: help run test check chaos bench install secrets

help:
	@echo "make run     the demo: everything on this machine, addresses printed"
	@echo "make test    the whole suite"
	@echo "make check   format, lint, types, import contracts, sizes, migrations, compose file"
	@echo "make chaos   the matrices of kills, restarts and matchers, half an hour long (ARGS=--help)"
	@echo "make bench   every benchmark"
	@echo "make secrets new secrets for docker-compose.yml, where there are none"

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@./.ci/venv
	@touch $@

run: $(STAMP)
	@exec $(BIN)/goniec up --demo $(ARGS)

test: $(STAMP)
	@$(BIN)/python -m pytest -n 3 --dist loadscope $(ARGS)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(BIN)/python -m pytest tests/architecture

chaos: $(STAMP)
	@$(BIN)/python -m tests.journeys $(ARGS)

bench: $(STAMP)
	@set -e; for script in benchmarks/[a-z]*.py; do $(BIN)/python "$$script" $(ARGS); done

secrets:
	@./.ci/secrets
