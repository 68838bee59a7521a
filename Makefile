# Needs python3 (3.11 or newer, with venv) and make; everything else goes into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
CHROMIUM := $(firstword $(wildcard /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome))
TEMPLATES := $(wildcard admin_web/templates bot/simulator/templates)
BENCHES := $(filter-out tests/bench/_%,$(wildcard tests/bench/*.py))

.DEFAULT_GOAL := help
.PHONY: help demo run test check fmt prove bench lock clean python chromium

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.runtime ## Start everything with made-up customers (CUSTOMERS=2000 PORT=8080 WEBHOOK=1 to change it)
	@$(BIN)/regulars demo $(if $(CUSTOMERS),--customers $(CUSTOMERS)) $(if $(PORT),--port $(PORT)) \
		$(if $(WEBHOOK),--webhook)

run: $(VENV)/.runtime ## Start everything with your own data, as set in the environment
	@$(BIN)/regulars run

test: check chromium ## All checks and all tests; under CI nothing is skipped
	$(BIN)/python -m pytest -n 2 --ignore=tests/browser
	# Apart, because Playwright's loop would stand in the way of the others'. What shares a demo runs in one process.
	$(BIN)/python -m pytest -n 2 --dist loadgroup tests/browser

check: $(VENV)/.dev ## Lint, format, types, import rules, templates
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(if $(TEMPLATES),$(BIN)/djlint --quiet --lint $(TEMPLATES))

fmt: $(VENV)/.dev ## Format the code and mend what ruff can mend
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

prove: $(VENV)/.dev ## The crash, race and fault proofs at full size
	REGULARS_PROVE=1 $(BIN)/python -m pytest -m prove --timeout=1800; code=$$?; \
		if [ $$code = 5 ]; then echo "There are no proofs yet."; else exit $$code; fi

bench: $(VENV)/.dev ## Every benchmark, each beside its limit
	@$(if $(BENCHES),,echo "There are no benchmarks yet: put them in tests/bench/, one module each.")
	@for file in $(BENCHES); do module=$$(echo $${file%.py} | tr / .); \
		echo "== $$module"; $(BIN)/python -m $$module || exit 1; done

lock: ## Compute both lock files again (for maintainers: needs uv on the PATH)
	@command -v uv >/dev/null || { echo "make lock needs uv (https://docs.astral.sh/uv/); nothing else here does."; exit 1; }
	@overrides=$$(mktemp) && trap 'rm -f $$overrides' EXIT && \
	printf '%s\n' "django ; python_version < '0'" "asgiref ; python_version < '0'" > $$overrides && \
	compile="uv pip compile pyproject.toml --quiet --generate-hashes --no-emit-index-url --universal \
		--python-version 3.11 --override $$overrides" && \
	$$compile --custom-compile-command "make lock" $(LOCK_FLAGS) -o requirements.lock && \
	$$compile --custom-compile-command "make lock" $(LOCK_FLAGS) --extra dev -c requirements.lock -o requirements-dev.lock

clean: ## Remove .venv and every cache (never your data)
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- how .venv is made: only from the locks, each file held against its hash

python:
	@command -v $(PYTHON) >/dev/null || { echo "Regulars needs python3, version 3.11 or newer; it is not on the PATH." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Regulars needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Name another with: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Python's venv is missing. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.runtime: requirements.lock pyproject.toml | python
	@echo "Installing into $(VENV) …"
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --quiet --no-compile --require-hashes --no-deps -r requirements.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | python
	@echo "Installing into $(VENV), with the tools for tests and checks …"
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --quiet --no-compile --require-hashes --no-deps -r requirements-dev.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $(VENV)/.runtime $@

# --- the browser that the tests drive

chromium:
ifeq ($(CHROMIUM),)
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing chromium for the browser tests …"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; \
	else \
		echo "The browser tests need chromium: apt-get install chromium (as root)." >&2; \
		[ -z "$$CI" ] || exit 1; \
		echo "Going on without them." >&2; \
	fi
endif
