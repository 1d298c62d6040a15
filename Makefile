# Everything works on a fresh machine with Python 3.12; .venv is made and reused.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SECONDS_DEMO ?= 20
# Notebooks run at once; what they search for a time finds less where they share cores.
JOBS ?= 1
# Tests on every core; a core that has none left takes some of another one.
TOGETHER := -n auto --dist worksteal
READY := $(VENV)/.ready
PEERS := $(VENV)/peers
STATSFORECAST := $(VENV)/statsforecast
LOWER := $(VENV)/lower-bounds
# Those of them that are installed.
PYTHONS := python3.12 python3.13 python3.14
FAST := tests/clock tests/tables tests/rules tests/loaders/reading \
	tests/optimization/test_search.py tests/test_plan.py tests/test_portfolio.py \
	tests/test_public_api.py

# Python reads what it compiled once; without that every process that a test starts
# compiles the package again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-all coverage check notebooks bench data pictures docs dist lower-bounds clean

demo: $(READY)
	@$(BIN)/python -m pmo_analytics check data/example
	@$(BIN)/python -m pmo_analytics capacity data/example --out out/demo
	@$(BIN)/python -m pmo_analytics optimize data/example --seconds $(SECONDS_DEMO) --out out/demo
	@$(BIN)/python -m pmo_analytics verify data/example out/demo/schedule.csv
	@$(BIN)/python -m pmo_analytics status data/example --since 2026-11-30

# Every test runs; of the random cases some.
test: $(READY)
	$(BIN)/python -m pytest $(TOGETHER)

# All random cases.
test-all: $(READY)
	PMO_TESTS=all $(BIN)/python -m pytest $(TOGETHER)

# Lines of the package that the tests run, processes that they start included.
coverage: $(READY)
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest $(TOGETHER)
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report --skip-covered --sort=miss

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python tests/benchmarks/house.py

notebooks: $(READY)
	ls notebooks/*.ipynb | xargs -n 1 -P $(JOBS) \
		$(BIN)/python -m jupyter nbconvert --to notebook --execute --inplace

# `make bench FULL=1` runs the race against other optimizers in full, for hours.
bench: $(READY) $(PEERS)/.ready $(STATSFORECAST)/.ready
	$(BIN)/python tests/benchmarks/bench_supply.py
	$(BIN)/python tests/benchmarks/bench_real.py
	$(BIN)/python tests/benchmarks/bench_forecast.py
	$(BIN)/python tests/benchmarks/bench_explain.py
	$(BIN)/python tests/benchmarks/bench_level.py $(if $(FULL),--full)
	$(BIN)/python tests/benchmarks/bench_optimize.py $(if $(FULL),--full)

# Writes data/example again from its generator.
data: $(READY)
	$(BIN)/python -m pmo_analytics new data/example --force

# Draws the pictures of the README and the pages, some minutes.
pictures: $(READY)
	$(BIN)/python docs/building/pictures.py

# The site of the documentation, in out/site; warnings are errors.
docs: $(READY)
	$(BIN)/python docs/building/reference.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict

# Wheel and source archive, tried in an environment that holds nothing else.
dist: $(READY)
	rm -rf dist
	$(BIN)/python -m build --quiet
	@ls -l dist | awk 'NR > 1 {print $$9 ": " int($$5 / 1024) " kB"}'
	for python in $(PYTHONS); do \
		command -v $$python >/dev/null && $$python -c '' 2>/dev/null || continue; \
		rm -rf $(VENV)/wheel && $$python -m venv $(VENV)/wheel && \
		$(VENV)/wheel/bin/python -m pip install --quiet --disable-pip-version-check dist/*.whl && \
		$(BIN)/python tests/release/main_job.py $(VENV)/wheel/bin || exit 1; \
	done

# The fast tests with the oldest versions that pyproject.toml allows.
lower-bounds: $(READY)
	test -x $(LOWER)/bin/python || $(BIN)/python -m venv $(LOWER)
	$(BIN)/python tests/release/lower_bounds.py > $(LOWER)/pins.txt
	$(LOWER)/bin/python -m pip install --quiet --disable-pip-version-check \
		-r $(LOWER)/pins.txt pytest hypothesis pytest-xdist
	$(LOWER)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	$(LOWER)/bin/python -m pytest $(TOGETHER) -o filterwarnings=default $(FAST)

clean:
	rm -rf $(VENV) out build dist .pytest_cache .mypy_cache .ruff_cache

$(READY): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,notebooks]'
	@touch $(READY)

# Other optimizers, kept apart: PuLP would load them into every process of ours.
$(PEERS)/.ready: pyproject.toml | $(READY)
	test -x $(PEERS)/bin/python || $(BIN)/python -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[peers]'
	@touch $@

# A forecasting library to compare with; it holds pandas below the one used here.
$(STATSFORECAST)/.ready: | $(READY)
	test -x $(STATSFORECAST)/bin/python || $(BIN)/python -m venv $(STATSFORECAST)
	$(STATSFORECAST)/bin/python -m pip install --quiet --disable-pip-version-check 'statsforecast>=2,<3'
	@touch $@
