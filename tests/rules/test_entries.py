"""What is refused as a rule file, and why."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from analyzer.connection import Seen
from analyzer.findings import Confidence, Severity
from analyzer.rules import entries
from analyzer.rules.index import INDEX
from analyzer.rules.rule import Rule

ROOT = Path(__file__).parents[2]

PAGE = "One.\n\n## What it does\na\n\n## Why it matters\nb\n\n## What to do\nc\n\n## When it cannot tell\nd\n"


def module(page: str | None = PAGE, check: Any = print, **facts: Any) -> ModuleType:
    """A rule file that is right but for what is given."""
    usual: dict[str, Any] = {
        "id": "some-rule",
        "title": "something is wrong",
        "severity": Severity.ERROR,
        "confidence": Confidence.HIGH,
        "citations": ("RFC 8446",),
        "needs": (Seen.SYN,),
    }
    made = ModuleType("analyzer.rules.transport.some_rule", page)
    made.__dict__.update(RULE=Rule(**(usual | facts)), check=check)
    return made


@pytest.mark.parametrize(
    ("made", "problem"),
    [
        pytest.param(ModuleType("empty"), "no RULE", id="an empty file"),
        pytest.param(module(check=None), "no function check", id="no check"),
        pytest.param(module(id="other-rule"), "not the file's name", id="another id"),
        pytest.param(module(citations=()), "cites nothing", id="no citation"),
        pytest.param(module(citations=("",)), "cites nothing", id="an empty citation"),
        pytest.param(module(title="x" * 71), "title", id="a long title"),
        pytest.param(module(title="wrong."), "title", id="a full stop"),
        pytest.param(module(needs=(Seen(0),)), "needs", id="a need of nothing"),
        pytest.param(module(whole=True), "whole captures", id="needs of a rule about whole captures"),
        pytest.param(module(page=None), "lacks the heading", id="no page"),
        pytest.param(module(page=PAGE.replace("## What to do", "## Do")), "## What to do", id="a heading is missing"),
        pytest.param(module(page=PAGE + "## More\n"), "other headings", id="one heading too many"),
    ],
)
def test_what_is_wrong(made: ModuleType, problem: str) -> None:
    assert any(problem in line for line in entries.problems(made)), entries.problems(made)


def test_nothing_is_wrong() -> None:
    assert entries.problems(module()) == []


def test_a_wrong_file_is_an_error_that_names_it() -> None:
    with pytest.raises(entries.CatalogueError, match=r"transport\.some_rule: .*cites nothing"):
        entries._entry("transport", module(citations=()))


def test_a_page_has_everything() -> None:
    page = entries._entry("transport", module(needs=(Seen.SYN, Seen.FAILED | Seen.UNKNOWN))).page()
    assert page.startswith("# some-rule\n\nOne.\n")
    assert "Severity error, confidence high, family transport" in page
    assert "with: syn, failed or unknown." in page
    assert page.endswith("## References\n\n- RFC 8446\n")


def test_only_rules_that_a_connection_may_have_are_imported() -> None:
    code = (
        "import sys; from analyzer.connection import Seen; from analyzer.rules import entries\n"
        "print(*(entry.id for entry in entries.candidates(Seen.SYN | Seen.RESET | Seen.NO_DATA)))\n"
        "print(*(name for name in sys.modules if name.startswith('analyzer.rules.') and name.count('.') == 3))"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    ids, modules = (set(line.split()) for line in told.splitlines())
    assert "connection-refused" in ids
    assert {name.rpartition(".")[2].replace("_", "-") for name in modules} == ids


@pytest.mark.parametrize("seen", [Seen(0), Seen.SYN, Seen.CLIENT_HELLO | Seen.FAILED, ~Seen(0)], ids=str)
def test_the_index_leads_to_the_rules_whose_needs_are_met(seen: Seen) -> None:
    fitting = (e for e in entries.catalogue() if e.survey is None and all(need & seen for need in e.rule.needs))
    assert entries.candidates(seen) == tuple(fitting)


def test_the_index_leads_to_every_rule_about_captures() -> None:
    assert entries.surveys() == tuple(entry for entry in entries.catalogue() if entry.survey is not None)


@pytest.mark.parametrize("index", ["", "alert gone SYN\n" + INDEX], ids=["a new file", "a file that is gone"])
def test_an_index_of_other_files_is_not_trusted(index: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "INDEX", index)
    assert entries._rows.__wrapped__() == entries.read_index(INDEX)


def test_without_a_folder_the_index_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "__file__", "/no/such/archive.zip/entries.py")
    assert entries._rows.__wrapped__() == entries.read_index(INDEX)
