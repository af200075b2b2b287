# EdgeOpt's chores. `make` alone lists them. Everything is installed into .venv and .venv-core here,
# nothing outside of this folder is touched. On Windows follow README.md by hand instead.

PYTHON ?= python3
VENV := .venv
CORE := .venv-core
PY := $(VENV)/bin/python
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
EXAMPLE := examples/fashion_mnist
SOURCES := $(shell find edgeopt -name '*.py' -o -name '*.toml' -o -name py.typed)
CORE_PYTHON := $(CURDIR)/$(CORE)/bin/python

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo install core test lint format docs compare clean distclean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "PYTHON=python3.12 chooses another interpreter (3.11 or newer) for a new environment."

demo: $(VENV)/.edgeopt ## convert the example from PyTorch and from Keras; measure what came of it
	$(VENV)/bin/edgeopt convert $(EXAMPLE)/model.pt2 --to onnx,tflite --precision fp32,fp16,int8 \
	  --calibration $(EXAMPLE)/calibration.npz --evaluation $(EXAMPLE)/test.npz -o out/
	$(VENV)/bin/edgeopt benchmark out/model.*.onnx out/model.*.tflite --evaluation $(EXAMPLE)/test.npz
	$(VENV)/bin/edgeopt convert $(EXAMPLE)/model.keras --to onnx,tflite --precision fp32,int8 \
	  --calibration $(EXAMPLE)/samples.py:calibration --evaluation $(EXAMPLE)/samples.py:test -o out/keras/
	@echo
	@echo "The artifacts are in out/ and, from Keras, in out/keras/: model.fp32.onnx, model.fp32.tflite and"
	@echo "so on. The .json beside each says how it was made, the .host.benchmark.json how it ran here."
	@echo "Next: $(VENV)/bin/edgeopt inspect out/model.int8.onnx"

install: $(VENV)/.dev ## everything for working on EdgeOpt, in .venv

core: $(CORE)/.edgeopt ## EdgeOpt's wheel with none of the extras, in .venv-core

# What is timed goes first, alone in one process; the rest then shares the cores. Both always run.
test: $(VENV)/.dev $(CORE)/.edgeopt ## every test
	@export EDGEOPT_CORE_PYTHON=$(CORE_PYTHON); \
	$(PY) -m pytest -m timing; timing=$$?; \
	$(PY) -m pytest -m 'not timing and not litert_torch' -n auto && exit $$timing

lint: $(VENV)/.dev ## style, types and the direction of imports
	@status=0; for tool in 'ruff check' 'ruff format --check' mypy lint-imports; do \
	  echo "$$tool"; $(VENV)/bin/$$tool || status=1; done; exit $$status

format: $(VENV)/.dev ## mend what can be mended by itself
	$(VENV)/bin/ruff check --fix
	$(VENV)/bin/ruff format

docs: $(VENV)/.dev ## the documentation, in docs/_build/html
	$(VENV)/bin/sphinx-build --fail-on-warning --keep-going --quiet docs docs/_build/html
	@echo "docs/_build/html/index.html"

compare: $(VENV)/.dev ## EdgeOpt side by side with its peers; takes long
	$(PY) comparisons/run.py

clean: ## what can be made again, apart from environments and your artifacts in out/
	rm -rf build dist docs/_build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find edgeopt tests examples comparisons docs -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## the environments too
	rm -rf $(VENV) $(CORE)

# The environments. A stamp in each says that what it was made from hasn't changed since. The pip of
# a fresh environment may be too old for --group and --build-constraint, so it becomes the pinned one.

define new_environment
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "EdgeOpt needs Python 3.11 or newer, but '$(PYTHON)' is missing or older:" \
	    "name another one, as in: make $(or $(MAKECMDGOALS),demo) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python $(PIP_INSTALL) --upgrade pip
endef

$(VENV)/.edgeopt: pyproject.toml constraints.txt
	$(new_environment)
	$(PY) $(PIP_INSTALL) --build-constraint constraints.txt --group tensorflow --editable '.[torch,tflite,tensorrt]'
	@touch $@

$(VENV)/.dev: $(VENV)/.edgeopt
	$(PY) $(PIP_INSTALL) --group dev
	@touch $@

# Not editable: what is tested here is the wheel, with the files that belong in it and no others.
$(CORE)/.edgeopt: pyproject.toml constraints.txt $(SOURCES)
	$(new_environment)
	rm -rf $(CORE)/wheel
	$(CORE_PYTHON) -m pip wheel --quiet --disable-pip-version-check --no-deps \
	  --build-constraint constraints.txt --wheel-dir $(CORE)/wheel .
	$(CORE_PYTHON) $(PIP_INSTALL) $(CORE)/wheel/*.whl
	$(CORE_PYTHON) $(PIP_INSTALL) --no-deps --force-reinstall $(CORE)/wheel/*.whl
	@touch $@
