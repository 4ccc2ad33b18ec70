# `make run` starts the broker, `make test` tests everything. Each sets up what it needs, in .venv, and is quick when
# that has been done. Needed beforehand: make, and Python 3.11 or newer.

.PHONY: help run test lint format types pytest mutants budget conformance bench bench-micro debian-packages clean
.DEFAULT_GOAL := help
SHELL := /bin/sh

VENV := .venv
BIN := $(VENV)/bin
# Another interpreter for the environment: make run PYTHON=pypy3
PYTHON ?=
# Arguments of `amq serve`: make run ARGS="--listen 0.0.0.0:5672"
ARGS ?=
# Arguments of pytest: make test PYTEST_ARGS="-k topic"
PYTEST_ARGS ?=
# Arguments of benchmarks/everything.py: make bench BENCH_ARGS="--only latency"
BENCH_ARGS ?=
# Processes that share the tests; empty for one. Most tests wait for brokers, so it may be more than there are cores.
WORKERS ?= 3
# Scripts in an environment, and what is installed editably, hold absolute paths: in a checkout that was moved or copied
# it must be made again. `activate` says where it was made.
IN_PLACE := [ -x $(BIN)/python ] && tr -d "\"'" <$(BIN)/activate | grep -qF "VIRTUAL_ENV=$(CURDIR)/$(VENV)"
STAMPS := $(VENV)/created $(VENV)/installed $(VENV)/installed-tests $(VENV)/installed-bench
$(shell { $(IN_PLACE); } 2>/dev/null || rm -f $(STAMPS))
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

help:
	@echo "make run          start the broker on 127.0.0.1:5672 (ARGS: arguments of 'amq serve')"
	@echo "make test         style, types and the whole suite (PYTEST_ARGS: arguments of pytest)"
	@echo "make mutants      break the journal in many ways, one at a time, and report which test notices each"
	@echo "make budget       what a message costs is to be what it costs now (tests/guard/budget.json)"
	@echo "make conformance  play dialogues and HTTP requests against a real RabbitMQ and report what differs"
	@echo "make bench        measure everything in short, beside RabbitMQ where it is installed (BENCH_ARGS: arguments of"
	@echo "                  benchmarks/everything.py, such as --full or --only latency,compare)"
	@echo "make bench-micro  microbenchmarks of the core"
	@echo "make format       put every file into the project's format"
	@echo "make clean        remove .venv and what the tools left behind"

run: $(VENV)/installed
	@exec $(BIN)/amq serve $(ARGS)

test: lint types pytest

lint: $(VENV)/installed-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .

format: $(VENV)/installed-tests
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/installed-tests
	$(BIN)/mypy

pytest: $(VENV)/installed-tests debian-packages
	$(BIN)/pytest $(if $(WORKERS),-n $(WORKERS) --dist loadfile) $(PYTEST_ARGS)

mutants: $(VENV)/installed-tests
	@$(BIN)/python -m tests.faults.mutants

budget: $(VENV)/installed-tests
	@$(BIN)/python -m tests.guard.budget

conformance: $(VENV)/installed-tests
	@command -v rabbitmq-server >/dev/null || [ -x /usr/sbin/rabbitmq-server ] || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || { \
	    echo "make conformance needs a RabbitMQ server. On Debian: sudo apt-get install rabbitmq-server" >&2; exit 1; }; \
	  $(call apt_install,rabbitmq-server); }
	$(BIN)/python tests/conformance/against_rabbitmq.py
	$(BIN)/python -m tests.conformance_http.against_rabbitmq

bench: $(VENV)/installed-bench
	$(BIN)/python benchmarks/everything.py $(BENCH_ARGS)

bench-micro: $(VENV)/installed-bench
	$(BIN)/python benchmarks/everything.py --only micro

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis src/*.egg-info
	find src tests examples benchmarks -name __pycache__ -prune -exec rm -rf {} +

define apt_install
{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(1) >/dev/null; }
endef

# The virtual environment; one that was made here already is kept. Debian's python3 comes without the module that makes one.
$(VENV)/created:
	@set -e; \
	if $(IN_PLACE) && $(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then touch $@; exit 0; fi; \
	python=; \
	for candidate in $(PYTHON) $(if $(PYTHON),,python3 python3.13 python3.12 python3.11 python pypy3); do \
	  if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  asked="$(or $(PYTHON),python3)"; \
	  version=$$($$asked --version 2>&1) || version="no Python that runs"; \
	  echo "amq needs Python 3.11 or newer; $$asked is $$version." >&2; \
	  echo "Install one (Debian: sudo apt-get install python3 python3-venv), or name one: make run PYTHON=/path/to/python3" >&2; \
	  exit 1; \
	fi; \
	if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
	  package=$$($$python -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'); \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then $(call apt_install,$$package); \
	  else echo "$$python cannot make virtual environments. On Debian: sudo apt-get install $$package" >&2; exit 1; fi; \
	fi; \
	echo "creating $(VENV) with $$($$python --version 2>&1)"; \
	rm -rf $(VENV); $$python -m venv $(VENV); touch $@

# Editable, so that the environment follows the sources and need not be made again after a pull.
$(VENV)/installed: setup.cfg pyproject.toml | $(VENV)/created
	@echo "installing amq into $(VENV)"
	@$(PIP) --editable '.[all]' && touch $@

$(VENV)/installed-tests: setup.cfg pyproject.toml | $(VENV)/created
	@echo "installing amq and what its tests need into $(VENV)"
	@$(PIP) --editable '.[tests]' && touch $(VENV)/installed $@

$(VENV)/installed-bench: setup.cfg pyproject.toml | $(VENV)/created
	@echo "installing amq and what its benchmarks need into $(VENV)"
	@$(PIP) --editable '.[bench]' && touch $(VENV)/installed $(VENV)/installed-tests $@

# Clients and a browser that are no Python packages. Tests that miss theirs are skipped and say so. Of rabbitmq-server
# nothing but the script rabbitmqadmin is wanted, and no server: it is taken out of the package.
debian-packages: $(VENV)/rabbitmqadmin
	@missing=; \
	command -v amqp-publish >/dev/null || missing="$$missing amqp-tools"; \
	command -v node >/dev/null || missing="$$missing nodejs"; \
	command -v npm >/dev/null || missing="$$missing npm"; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "installing$$missing" && $(call apt_install,$$missing); then :; \
	  else echo "not installed:$$missing. The tests with these clients are skipped" \
	    "(amqp-tools: rabbitmq-c; nodejs and npm: amqplib, axe-core; chromium: the console). On Debian: sudo apt-get install$$missing" >&2; fi; \
	fi

.PHONY: $(VENV)/rabbitmqadmin
$(VENV)/rabbitmqadmin: | $(VENV)/created
	@[ -e $@ ] || command -v rabbitmqadmin >/dev/null || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "fetching rabbitmqadmin" && $(call fetch_rabbitmqadmin,$@); } \
	  || echo "not installed: rabbitmqadmin. The tests with it are skipped. On Debian: sudo apt-get install rabbitmq-server" >&2

define fetch_rabbitmqadmin
{ folder=$$(mktemp -d) && chmod 755 $$folder && apt-get update -qq && (cd $$folder && apt-get download -qq -o APT::Sandbox::User=root rabbitmq-server) \
  && dpkg-deb --extract $$folder/*.deb $$folder/files && cp "$$(find $$folder/files -type f -name rabbitmqadmin | head -n 1)" $(1) \
  && rm -rf $$folder; }
endef
