"""How outputs are found, and what those for other tools say of ten captures: the golden files show a whole format."""

import importlib
import pkgutil
from collections.abc import Callable

import pytest

import analyzer.report
from analyzer.report import find, outputs
from analyzer.report.output import Output
from tests.report.logs import each_story, items_of, output_of


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


@each_story
@pytest.mark.parametrize(
    ("name", "ending"), [("ecs", "jsonl"), ("eve", "jsonl"), ("md", "md"), ("zeek", "txt"), ("zeek-json", "txt")]
)
def test_golden(story: str, name: str, ending: str, golden: Callable[[str, str], None]) -> None:
    golden(f"{name}-{story}.{ending}", output_of(name, items_of(story)).decode())
