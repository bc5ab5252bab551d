# `make demo` does the whole main job on the quickstart recipe; `make test` runs every test;
# `make bench` plans and simulates the published layers. All create the environment in .venv on first use, with the versions in requirements.lock.
#
# On Linux, PyPI's PyTorch brings gigabytes of CUDA. Where there is no GPU, this saves them:
#   PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make demo
# Another Python: make demo PYTHON=/path/to/python3.12

VENV := .venv
RECIPE := quickstart
OUT := out/$(RECIPE)
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c '$(SUPPORTED)' 2>/dev/null && { echo $$python; break; }; done)

# Relative: pip takes a path with spaces for several.
export PIP_CONSTRAINT := requirements.lock
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test bench lint docs clean

demo: $(VENV)/ready
	$(VENV)/bin/ernn run $(RECIPE) --out $(OUT)

bench: $(VENV)/ready
	$(VENV)/bin/ernn bench --out out/bench

test: $(VENV)/ready-dev
	$(VENV)/bin/pytest -n 2 --dist worksteal --durations=30

lint: $(VENV)/ready-dev
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy

docs: $(VENV)/ready-dev
	$(VENV)/bin/python -m sphinx --fail-on-warning --keep-going -q docs out/docs
	@echo "the site is out/docs/index.html"

clean:
	rm -rf $(VENV) out dist .pytest_cache .ruff_cache .mypy_cache .hypothesis

$(VENV)/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c '$(SUPPORTED)' 2>/dev/null || { \
		echo "ernn needs Python 3.11, 3.12 or 3.13; install one, or name it: make PYTHON=/path/to/python3.12"; \
		exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --editable '.[all]'
	@touch $@

$(VENV)/ready-dev: $(VENV)/ready
	$(VENV)/bin/pip install --quiet --editable '.[dev]'
	@touch $@
