# One command checks everything, the same for people and for CI. Needs Python 3.11 to 3.14 and make, nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Compiled modules are kept, beside the environment: tests start many processes, and each would compile everything again.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/$(VENV)/compiled

.PHONY: setup demo test check bench external nightly format clean

setup: $(READY)

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; ok = (3, 11) <= sys.version_info[:2] <= (3, 14); sys.exit(None if ok else f"kernos needs Python 3.11 to 3.14; {sys.executable} is {sys.version.split()[0]}. Name another one: make PYTHON=/path/to/python3.12")'
	@echo "Setting up $(VENV) (once, about a minute) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $(READY)

demo: $(READY)
	@$(BIN)/python -m examples.returns_desk.demo

check: $(READY)
	@echo "format ..."; $(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --check .; exit 1; }
	@echo "lint ..."; $(BIN)/ruff check --quiet .
	@echo "types ..."; $(BIN)/mypy
	@echo "imports ..."; $(BIN)/lint-imports --no-logo > $(VENV)/imports.txt || { cat $(VENV)/imports.txt; exit 1; }
	@$(BIN)/pytest -q -n 2 --dist loadgroup -m "not slow"

test: check
	@$(BIN)/pytest -q -n 2 --dist loadgroup -m slow

bench: $(READY)
	@$(BIN)/python -m benchmarks all

external: $(READY)
	@$(BIN)/python -m tests.external.taubench_matrix
	@$(BIN)/python -m tests.external.taubench_policy

nightly: $(READY)
	@KERNOS_NIGHTLY=1 $(BIN)/pytest -q -n 2 --dist loadgroup

format: $(READY)
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

clean:
	rm -rf $(VENV) .venvs demo-data build dist .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
