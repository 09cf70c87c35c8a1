# Needs git, make and python3 (>= 3.11, with venv). Everything else goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test bench check captures docs clean

$(VENV)/.installed: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e .
	@touch $@

$(VENV)/.installed-test: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[test]'
	@touch $@ $(VENV)/.installed

demo: $(VENV)/.installed  ## analyse captures/ and print the result
	@$(BIN)/mtlscope analyze --fail-on never captures

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
