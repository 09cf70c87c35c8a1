"""What is refused as a rule file, and why."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from analyzer.connection import Seen
from analyzer.findings import Confidence, Severity
from analyzer.rules import entries
from analyzer.rules.rule import Rule

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
