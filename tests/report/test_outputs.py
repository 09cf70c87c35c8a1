"""How outputs are found."""

import importlib
import pkgutil

import analyzer.report
from analyzer.report import find, outputs
from analyzer.report.output import Output


def test_the_sources_are_read_as_python_reads_them() -> None:
    """The names and helps that `--help` shows without an import are those of the modules."""
    modules = [
        importlib.import_module(f"analyzer.report.{m.name}") for m in pkgutil.iter_modules(analyzer.report.__path__)
    ]
    real = {
        module.OUTPUT.name: module.OUTPUT.help for module in modules if isinstance(getattr(module, "OUTPUT", 0), Output)
    }
    assert outputs() == real


def test_text_comes_first() -> None:
    assert next(iter(outputs())) == "text"


def test_find() -> None:
    found = find("jsonl")
    assert found is not None
    assert found.name == "jsonl"
    assert find("pdf") is None
