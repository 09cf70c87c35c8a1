# Needs git, make and python3 (>= 3.11, with venv). Everything else goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test bench check captures docs clean

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

bench: $(VENV)/.installed  ## ratios against the installed peers, in one run
	@$(BIN)/python bench/bench.py

captures: $(VENV)/.installed  ## make the captures anew; as root, with the stacks of captures/README.md
	@$(BIN)/python -m captures.make

docs: $(VENV)/.installed-test  ## write the generated pages anew
	@$(BIN)/python -m analyzer.cli.docs

clean:
	@rm -rf $(VENV) .bench build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
