"""Every failing connection of captures/: which finding comes first, and what it explains.

tests/golden/causes.txt has a line each: "capture stream: cause > trace, trace; another finding". Rewrite it with
`pytest --update-golden`, then read the diff: the first word of every line must be what an expert would say.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.connection import Connection
from analyzer.findings import Severity
from analyzer.pipeline import Run
from tests.rules.test_ranking import shown
from tests.test_captures import CAPTURES, NOTES, capture_of, title

GOLDEN = Path(__file__).parent / "golden" / "causes.txt"


def line(name: str, conn: Connection) -> str:
    """Notes left out."""
    return f"{name} {conn.stream}: {shown([one for one in conn.findings if one.severity is not Severity.NOTE])}"


def test_causes_come_first(request: pytest.FixtureRequest) -> None:
    lines = [
        line(title(notes), conn)
        for notes in NOTES
        if notes.parent == CAPTURES  # the formats tell one story
        for conn in Run([str(capture_of(notes))])
        if isinstance(conn, Connection)
        and (conn.failed or any(finding.severity is Severity.ERROR for finding in conn.findings))
    ]
    text = "\n".join(lines) + "\n"
    if request.config.getoption("--update-golden"):
        GOLDEN.write_text(text, encoding="utf-8", newline="")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_nothing_that_failed_is_left_without_a_cause() -> None:
    for told in GOLDEN.read_text(encoding="utf-8").splitlines():
        cause = told.partition(": ")[2]
        assert cause, told
        assert not cause.startswith("client-certificate-rejected; "), "a refusal without what it explains"
