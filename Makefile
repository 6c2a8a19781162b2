# Each target is one line of Python; `deploy/local/environment.py` first makes the environment that the line needs.
# Settings go on the command line: make up BUS=kafka STATE_DIR=.state2 PORT_BASE=8100

PYTHON ?= python3
RUN := @exec $(PYTHON) deploy/local/environment.py run
DEV := @exec $(PYTHON) deploy/local/environment.py dev

.NOTPARALLEL:
.DEFAULT_GOAL := help

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name what; do printf '  %-14s %s\n' "$$name" "$$what"; done

up:  ## start everything in the foreground; BUS=kafka POSTGRES=… CLOCK_START=… CLOCK_SPEED=…
	$(RUN) -m deploy.local up
down:  ## stop a stack that runs, or what is left of one
	$(RUN) -m deploy.local down
reset:  ## stop it and forget its state
	$(RUN) -m deploy.local reset
token:  ## print a token: make -s token ROLE=admin UNIT=37401 [STAFF=…]
	$(RUN) -m deploy.local token
demo:  ## play the whole life of an appeal in two minutes; BUS=kafka
	$(RUN) -m deploy.local.demo
dlq:  ## list dead letters, or replay them: make dlq [SERVICE=…] [DO=replay [KEY=…]], make dlq SERVICE=… DO=drop PLACE=…
	$(RUN) -m deploy.local dlq
verify:  ## find whatever was edited, removed or reordered in archive and trail: make verify [FILES=<folder or no>] [SERVICE=… [AGAINST=<file or DSN>] [SAVE=<file>]]
	$(RUN) -m deploy.local verify
kafka-console:  ## print a topic with Kafka's own consumer: make kafka-console TOPIC=visit.events
	$(RUN) -m deploy.local kafka-console

env:  ## make .venv with everything for development
	$(DEV) -c pass
test:  ## every promise once
	$(DEV) -m pytest
test-long:  ## counts, kills and sizes
	$(DEV) -m pytest -m long
lint:  ## style, types, import rules
	$(DEV) -m ruff check .
	$(DEV) -m ruff format --check .
	$(DEV) -m mypy
	$(DEV) -c "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
format:  ## put the style right
	$(DEV) -m ruff check --fix .
	$(DEV) -m ruff format .
generate:  ## write the generated files: schemas, AsyncAPI, OpenAPI, conformance, the lives
	$(DEV) -m contracts.generate
	$(DEV) -m tests.conformance
	$(DEV) -m appeal_tracker.appeals.drawing docs/life-of-an-appeal.md
	$(DEV) -m visit_api.visits.drawing docs/life-of-a-visit.md
	$(DEV) -m visit_api openapi contracts/openapi/visit_api.json
	$(DEV) -m appeal_tracker openapi contracts/openapi/appeal_tracker.json
	$(DEV) -m notifier openapi contracts/openapi/notifier.json
fresh:  ## generated files are up to date, and no released event was broken
	$(DEV) -m contracts.generate --check
	$(DEV) -m tests.conformance --check
	$(DEV) -m appeal_tracker.appeals.drawing docs/life-of-an-appeal.md --check
	$(DEV) -m visit_api.visits.drawing docs/life-of-a-visit.md --check
	$(DEV) -m contracts.compatibility
check: lint fresh test  ## what CI runs: lint, generated files fresh, tests
bench:  ## the benchmark table, or one row: make bench ROW=P2
	$(DEV) -m bench $(ROW)
clean:  ## remove the environment, caches and fetched jars; the state stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .state/cache build
	@find . -name __pycache__ -type d -not -path './.state/*' -prune -exec rm -rf {} +

.PHONY: help up down reset token demo dlq verify kafka-console env test test-long lint format generate fresh check bench clean
