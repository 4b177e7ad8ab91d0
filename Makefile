# Two commands do all: `make fuzz` and `make test`. Each sets up .venv by itself.
PYTHON ?= python3
SECONDS ?= 60
BIN := .venv/bin
READY := .venv/ready

.PHONY: fuzz test test-slow lint bench clean

fuzz: $(READY)
	$(BIN)/watosfs-fuzz campaign --seconds $(SECONDS) --out findings

test: lint
	$(BIN)/python -m pytest -q -n auto -m "not slow"

test-slow: $(READY)
	$(BIN)/python -m pytest -q -n auto -m slow

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/pip install --quiet --editable '.[targets]'
	$(BIN)/python -m benchmarks

$(READY): pyproject.toml
	$(PYTHON) -m venv .venv || { echo "python3 -m venv failed: on Debian, apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/pip install --quiet --editable '.[test]'
	touch $(READY)

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis findings
