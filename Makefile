# Two commands do all: `make fuzz` and `make test`. Each sets up .venv by itself.
PYTHON ?= python3
SECONDS ?= 60
# Always through the interpreter: a script's first line names the folder it was installed in.
RUN := .venv/bin/python -m
READY := .venv/ready

.PHONY: fuzz test test-slow test-all docs lint bench clean

fuzz: $(READY)
	$(RUN) watosfs_fuzz campaign --seconds $(SECONDS) --out findings

test: lint
	$(RUN) pytest -q -n auto -m "not slow"

test-slow: $(READY)
	$(RUN) pytest -q -n auto -m slow

test-all: test test-slow

docs: $(READY)
	$(RUN) pip install --quiet --disable-pip-version-check --editable '.[docs]'
	$(RUN) mkdocs build --quiet

lint: $(READY)
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy

bench: $(READY)
	$(RUN) pip install --quiet --editable '.[bench]'
	$(RUN) benchmarks

# The stamp is older than pyproject.toml when the dependencies may have changed: install again.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	    { echo "watosfs needs Python 3.11 to 3.13: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || \
	    { echo "cannot make a venv: on Debian, apt-get install python3-venv" >&2; exit 1; }
	$(RUN) pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $(READY)

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis findings site
