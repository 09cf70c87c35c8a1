# Needs git, make and python3 (>= 3.11, with venv). Everything else goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

PANDAS_2 := $(VENV)/pandas-2.2

.PHONY: demo test test-pandas-2 bench bench-live check captures docs clean

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python >= 3.11 is needed; try: make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml
	@$(MAKE) -s $(BIN)/python
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e .
	@touch $@

$(VENV)/.installed-test: pyproject.toml
	@$(MAKE) -s $(BIN)/python
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[test]'
	@touch $@ $(VENV)/.installed

demo: $(VENV)/.installed  ## analyse captures/ and print the result
	@$(BIN)/mtlscope analyze --fail-on never captures || test $$? -eq 3  # 3: a damaged capture is among them on purpose

check: $(VENV)/.installed-test  ## ruff and mypy --strict
	@$(BIN)/ruff check -q .
	@$(BIN)/ruff format -q --check .
	@$(BIN)/mypy --no-error-summary

test: check  ## ruff, mypy and all tests
	@$(BIN)/pytest -n auto

test-pandas-2: $(VENV)/.installed-test  ## the tests of data frames with the oldest pandas that we promise
	@test -d $(PANDAS_2) || $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --only-binary :all: \
		--target $(PANDAS_2) 'pandas==2.2.3' pytz tzdata || \
		{ rm -rf $(PANDAS_2); echo "no pandas 2.2 for this Python: its tests are skipped" >&2; }
	@test ! -d $(PANDAS_2) || PYTHONPATH=$(PANDAS_2) $(BIN)/python -m pytest tests/report/test_dataframe.py tests/tools/test_frames_page.py

bench: $(VENV)/.installed  ## ratios against the installed peers, in one run
	@$(BIN)/python bench/bench.py

bench-live: $(VENV)/.installed-test  ## live capture at its bars; as root, with tcpreplay (SOAK_MINUTES=30 for the long one)
	@$(BIN)/python -m bench.live

captures: $(VENV)/.installed  ## make the captures anew; as root, with the stacks of captures/README.md
	@$(BIN)/python -m captures.make

docs: $(VENV)/.installed-test  ## write the generated pages anew
	@$(BIN)/python -m analyzer.cli.docs
	@$(BIN)/python -m tools.frames_page
	@$(BIN)/python -m tools.table_sample
	@$(BIN)/python -m tools.console_pages

clean:
	@rm -rf $(VENV) .bench build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
