# make demo   set up, then the whole job on real data
# make test   set up, then the tests, without a network where the system permits that (tests/offline.py)
# make check  lint, types, import arrows, generated documents; changes nothing
# make fix    mend what can be mended
# make sbom   the software bill of materials of requirements.lock, sbom.cdx.json (CycloneDX)
# make audit  compare requirements.lock with known vulnerabilities; needs a network
# make figures  measure the demo again and copy all kept figures into README.md and docs/benchmarks.md
#               (NAMES="demo uplift" measures others: benchmarks/figures.py)
PYTHON ?= python3
VENV := .venv
NAMES ?= demo
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1
export MLFLOW_DISABLE_TELEMETRY := true
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: setup demo test check fix sbom audit figures clean
setup: $(VENV)/installed

$(VENV)/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; ok = (3, 11) <= sys.version_info[:2] <= (3, 13); sys.exit(None if ok else "make: needs Python 3.11 to 3.13. Got %d.%d. Run make PYTHON=python3.12 ..." % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup
	$(BIN)/keepwell demo

test: setup
	OMP_NUM_THREADS=1 $(BIN)/python tests/offline.py $(BIN)/python -m pytest --numprocesses 2 --dist loadgroup  # two processes share two cores

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m pipelines.documents --check

fix: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python -m pipelines.documents

sbom: setup
	$(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-reproducible --output-file sbom.cdx.json

audit: setup
	$(BIN)/pip-audit --require-hashes --disable-pip --requirement requirements.lock

figures: setup
	$(BIN)/python -m benchmarks.figures $(NAMES)

clean:
	rm -rf $(VENV) data state outbox mlartifacts mlflow.db dvc_plots sbom.cdx.json .pytest_cache .ruff_cache
