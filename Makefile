# Every target works from a bare clone: it makes .venv itself and needs only Python 3.11+.
# PYTHON=/path/to/python picks the interpreter.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin

# Probed, not just looked up: a pyenv shim may exist for a version that is not active.
PROBE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
CANDIDATES := python3.13 python3.12 python3.11 python3 python
PYTHON ?= $(shell for p in $(CANDIDATES); do \
	"$$p" -c '$(PROBE)' >/dev/null 2>&1 && { echo "$$p"; break; }; done)

PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALL_SELF = $(PIP) install --no-deps --no-build-isolation --editable .

JOBS ?= 2
SEED ?= 7
CASES ?=
BENCH_CASES ?= 40
BENCH_DIR ?= build/bench-$(SEED)-$(BENCH_CASES)
MUTATE_ARGS ?=
BENCH_WEBHOOK_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow test-backends test-alerting test-alerting-full feishu check format lint typecheck layers bench bench-webhook mutate lock openapi test-openapi clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.runtime  ## name the cause of a recorded incident, with proof
	@$(BIN)/aegis demo

LIVE := --ignore=tests/live_prometheus --ignore=tests/live_alertmanager

test: $(VENV)/.dev  ## run every test but those of the other test- targets
	@$(BIN)/python -m pytest -n $(JOBS) -m "not slow" $(LIVE)

test-slow: $(VENV)/.dev  ## those that start servers of ours, flood them or wait
	@$(BIN)/python -m pytest -n $(JOBS) -m slow $(LIVE)

test-backends: $(VENV)/.dev  ## read from a real Prometheus, started on loopback (needs its Debian package)
	@$(BIN)/python -m pytest -n $(JOBS) --dist=loadfile tests/live_prometheus

test-alerting: $(VENV)/.dev  ## deliver a real Alertmanager's alerts through kill -9 (needs Debian's alertmanager, postgresql)
	@$(BIN)/python -m pytest --database=postgresql tests/store tests/delivery
	@$(BIN)/python -m pytest -n $(JOBS) --dist=load tests/live_alertmanager

test-alerting-full: $(VENV)/.dev  ## the same with 3,000 alerts, one and two Alertmanagers, two replicas
	@$(BIN)/python -m tests.live_alertmanager.storm

feishu: $(VENV)/.dev  ## a Feishu on this machine, to try messages by hand (docs/feishu.md)
	@$(BIN)/python -m tests.feishu_platform --port 18010

check: lint typecheck layers test  ## everything a change must pass

format: $(VENV)/.dev  ## rewrite the code in house style
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lint: $(VENV)/.dev  ## formatting and ruff rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

typecheck: $(VENV)/.dev  ## mypy, strict, tests too
	@$(BIN)/mypy

layers: $(VENV)/.dev  ## the import contracts
	@PYTHONPATH=src $(BIN)/lint-imports

bench: $(VENV)/.runtime  ## score the engine: CASES="dir …", or simulated ones (SEED, BENCH_CASES)
ifeq ($(strip $(CASES)),)
	@test -d $(BENCH_DIR) || $(BIN)/python -m lab.simulator --seed $(SEED) --cases $(BENCH_CASES) $(BENCH_DIR)
	@$(BIN)/aegis bench $(BENCH_DIR)
else
	@$(BIN)/aegis bench $(CASES)
endif

bench-webhook: $(VENV)/.dev  ## storms of alerts against the webhook and a bare echo (BENCH_WEBHOOK_ARGS="--json")
	@$(BIN)/python -m lab.webhook $(BENCH_WEBHOOK_ARGS)

mutate: $(VENV)/.dev  ## break the engine on purpose; tests must notice (MUTATE_ARGS="--sample 60")
	@$(BIN)/python -m lab.mutation --jobs $(JOBS) $(MUTATE_ARGS)

lock: $(VENV)/.dev  ## resolve the dependencies anew (LOCK_ARGS=--upgrade)
	@CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile $(LOCK_FLAGS) $(LOCK_ARGS) \
		--build-deps-for=editable --output-file=requirements.lock pyproject.toml
	@CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile $(LOCK_FLAGS) $(LOCK_ARGS) \
		--build-deps-for=editable --extra=dev --extra=feishu --extra=tracing --constraint=requirements.lock \
		--output-file=requirements-dev.lock pyproject.toml

LOCK_FLAGS := --quiet --generate-hashes --allow-unsafe --strip-extras --no-annotate \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host

openapi: $(VENV)/.runtime  ## write docs/openapi.json anew
	@$(BIN)/python -m aegis.entrypoints.http.openapi > docs/openapi.json

test-openapi: $(VENV)/.dev  ## send the HTTP routes much of what their OpenAPI allows and forbids
	@$(BIN)/python -m pytest tests/http/test_openapi.py --hypothesis-profile=thorough

clean:  ## remove what make made
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	rm -rf src/*.egg-info
	find src lab tests -name __pycache__ -type d -prune -exec rm -rf {} +

# --- The virtual environment; a stamp is newer than the lock it was made from ----------------

$(BIN)/python:
	@test -n "$(PYTHON)" || { \
		echo "Aegis needs Python 3.11 or newer with its venv module; none of $(CANDIDATES) is."; \
		echo "Install one (Debian, Ubuntu: apt-get install python3 python3-venv)"; \
		echo "or name one: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; } >&2
	@"$(PYTHON)" -c '$(PROBE)' || { \
		echo "$(PYTHON) is not Python 3.11 or newer with venv and ensurepip." >&2; exit 1; }
	@echo "Making $(VENV) with $(PYTHON) (once) …"
	@"$(PYTHON)" -m venv --clear $(VENV)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing what Aegis needs to run …"
	@$(PIP) install --require-hashes --requirement requirements.lock
	@$(INSTALL_SELF)
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "Installing what its tests need …"
	@$(PIP) install --require-hashes --requirement requirements-dev.lock
	@touch $@
