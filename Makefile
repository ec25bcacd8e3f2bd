# The only door: everything a person or CI does starts here.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
WORKERS ?= 4
# Tests alone start hundreds of processes: what is compiled is kept, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help up test check bench bench-memory chaos soak lock format schemas sbom audit clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(VENV)/.run ## Run the whole system in the foreground; Ctrl-C stops it
	@exec $(BIN)/netral up

test: $(VENV)/.dev ## Every test, with a real NATS server, SMTP server and database
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal

check: $(VENV)/.dev ## Format, lint, import rules, types and the pure tests, in under a minute
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -n 2 -m "not broker and not thorough"

bench: $(VENV)/.dev ## Limits, Netral and the usual way in one run: a quarter of an hour, 18 GB of TMPDIR (QUICK=1: two minutes, little disk)
	@$(BIN)/python -m tests.bench $(if $(QUICK),--quick)
	$(if $(QUICK),,@$(BIN)/python -m tests.bench.account --keep)
	@$(BIN)/python -m tests.bench.rules $(if $(QUICK),,--keep)
	$(if $(QUICK),,@$(BIN)/python -m tests.bench.crowded --keep)
	@$(BIN)/python -m tests.bench.mails $(if $(QUICK),,--mails 1000 100000 1000000 --keep)
	@$(BIN)/python -m tests.bench.views $(if $(QUICK),,--cases 1000 100000 1000000 --keep)

bench-memory: $(VENV)/.dev ## Memory of routing and notifications beside a million cases and mails: 18 GB of TMPDIR
	@$(BIN)/python -m tests.bench.beside --keep

chaos: $(VENV)/.dev ## A seeded storm over every process, then the checker (MINUTES=10 SEED=42 POSTGRES=1)
	@$(BIN)/python -m tests.chaos $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) $(if $(POSTGRES),--postgres)

soak: $(VENV)/.dev ## An even load for an hour: memory, files and latency must stay flat (MINUTES=10 RATE=5)
	@$(BIN)/python -m tests.chaos.soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(RATE),--rate $(RATE))

format: $(VENV)/.dev ## Rewrite the code in the one format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

schemas: $(VENV)/.dev ## Write the published schemas, API documents, alerts and dashboards anew
	$(BIN)/python -m tests.golden
	$(BIN)/python -m deploy.observing

lock: $(VENV)/.dev ## Pin everything anew: hashes, no index address
	$(BIN)/pip install -q uv
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra build pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra build --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	echo pip-audit | $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header - -o requirements-audit.lock

sbom: $(VENV)/.dev ## Write sbom.json (CycloneDX): what the lock installs, with hashes
	@$(BIN)/cyclonedx-py requirements --output-reproducible --pyproject pyproject.toml -o sbom.json requirements.lock
	@echo "sbom.json"

audit: $(VENV)/.audit ## Look the locked packages up in the list of known vulnerabilities, where one answers
	@$(BIN)/python -m tests.audit $(VENV)/audit/bin/pip-audit requirements.lock

clean: ## Remove the environment (never the data)
	rm -rf $(VENV)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Netral needs Python 3.11 or newer; $(PYTHON) is older. Cure: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing. Cure: apt-get install python3-venv"; exit 1; }

$(VENV)/.run: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing the locked dependencies into $(VENV) …"
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@echo "Installing the locked development tools into $(VENV) …"
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/.audit: requirements-audit.lock | $(VENV)/bin/python
	@$(PYTHON) -m venv $(VENV)/audit
	@$(VENV)/audit/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements-audit.lock
	@touch $@
