# EdgeOpt's chores. `make` alone lists them. Everything is installed into .venv and others beside it,
# nothing outside of this folder is touched. On Windows follow README.md by hand instead.

PYTHON ?= python3
VENV := .venv
CORE := .venv-core
WHEEL := .venv-wheel
RELEASE := .venv-release
PY := $(VENV)/bin/python
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
EXAMPLE := examples/fashion_mnist
SOURCES := $(shell find edgeopt -name '*.py' -o -name '*.toml' -o -name py.typed)
CORE_PYTHON := $(CURDIR)/$(CORE)/bin/python
README_EXTRAS := [torch,tflite]
WHEEL_PYTHON := $(CURDIR)/$(WHEEL)/bin/python

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo install core wheel dist test fast lint format docs audit licences coverage mutate compare clean distclean

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

core: $(CORE)/.edgeopt ## EdgeOpt's sdist with none of the extras, in .venv-core

wheel: $(WHEEL)/.edgeopt ## EdgeOpt's wheel with the extras that README.md names, in .venv-wheel

dist: dist/.edgeopt ## what is published, in dist/: the sdist and the wheel built from it

# What is timed goes first, alone in one process; the rest then shares the cores. Both always run.
test: $(VENV)/.dev $(CORE)/.edgeopt $(WHEEL)/.edgeopt ## every test
	@export EDGEOPT_CORE_PYTHON=$(CORE_PYTHON) EDGEOPT_WHEEL_PYTHON=$(WHEEL_PYTHON); \
	$(PY) -m pytest -m timing; timing=$$?; \
	$(PY) -m pytest -m 'not timing and not litert_torch' -n auto && exit $$timing

fast: $(VENV)/.dev ## what most changes break first, in about a minute
	$(PY) -m pytest --fast

lint: $(VENV)/.dev ## style, types and the direction of imports
	@status=0; for tool in 'ruff check' 'ruff format --check' mypy lint-imports; do \
	  echo "$$tool"; $(VENV)/bin/$$tool || status=1; done; exit $$status

format: $(VENV)/.dev ## mend what can be mended by itself
	$(VENV)/bin/ruff check --fix
	$(VENV)/bin/ruff format

docs: $(VENV)/.dev ## the documentation, in docs/_build/html
	$(VENV)/bin/sphinx-build --fail-on-warning --keep-going --quiet docs docs/_build/html
	@echo "docs/_build/html/index.html"

audit: $(RELEASE)/.tools ## known faults of the versions in constraints.txt, where a service can be asked
	@$(RELEASE)/bin/python .ci/audit.py constraints.txt

licences: $(VENV)/.dev $(RELEASE)/.tools ## of all dependencies, as a page of the documentation
	@$(PY) .ci/licences.py $(RELEASE)/lib/python3.*/site-packages

coverage: $(VENV)/.dev $(CORE)/.edgeopt $(WHEEL)/.edgeopt ## what the tests run, as a page of the documentation; takes long
	-@export EDGEOPT_CORE_PYTHON=$(CORE_PYTHON) EDGEOPT_WHEEL_PYTHON=$(WHEEL_PYTHON); \
	$(PY) -m coverage run -m pytest -m 'not timing and not litert_torch' -n auto
	$(PY) -m coverage combine --quiet || true
	$(PY) -m coverage json --quiet --ignore-errors -o .coverage.json
	$(PY) .ci/coverage_page.py .coverage.json

mutate: $(VENV)/.dev ## whether a test notices each small fault in encodings, ranges and the gate; takes long
	$(PY) -m tests.mutation

compare: $(VENV)/.dev ## EdgeOpt side by side with its peers, into docs/figures.md; takes hours
	$(PY) comparisons/run.py --write

clean: ## what can be made again, apart from environments and your artifacts in out/
	rm -rf build dist docs/_build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find edgeopt tests examples comparisons docs -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## the environments too
	rm -rf $(VENV) $(CORE) $(WHEEL) $(RELEASE)

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

$(RELEASE)/.tools: pyproject.toml constraints.txt
	$(new_environment)
	$(RELEASE)/bin/python $(PIP_INSTALL) --group release
	@touch $@

# The wheel comes out of the sdist; the one in dist/tree, straight from here, must be the same.
dist/.edgeopt: $(RELEASE)/.tools $(SOURCES) pyproject.toml constraints.txt README.md CHANGELOG.md LICENSE
	rm -rf dist
	PIP_CONSTRAINT=constraints.txt $(RELEASE)/bin/python -m build --quiet --outdir dist .
	PIP_CONSTRAINT=constraints.txt $(RELEASE)/bin/python -m build --quiet --wheel --outdir dist/tree .
	$(RELEASE)/bin/twine check --strict dist/edgeopt-*
	@touch $@

# Not editable: what is tested here is what is published, with the files that belong in it and no
# others. It is installed twice, as a version that is there already isn't replaced.
define install_published
	$(new_environment)
	$(@D)/bin/python $(PIP_INSTALL) --build-constraint constraints.txt "$$(echo $(2))$(1)"
	$(@D)/bin/python $(PIP_INSTALL) --build-constraint constraints.txt --no-deps --force-reinstall $(2)
	@touch $@
endef

$(CORE)/.edgeopt: dist/.edgeopt
	$(call install_published,,dist/edgeopt-*.tar.gz)

$(WHEEL)/.edgeopt: dist/.edgeopt
	$(call install_published,$(README_EXTRAS),dist/edgeopt-*.whl)
