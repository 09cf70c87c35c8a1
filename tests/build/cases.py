"""Rows of a rule's test table: what one rule says about one connection. Every rule has hits, silent cases and cases that
it cannot tell; tests/test_catalogue.py looks for them in the `CASES` of tests/rules/<family>/test_<id>.py:

    CASES = [
        hit("the server resets", connection(*HELLOS, "< RST"), says=("server", "ServerHello")),
        clear("a healthy connection", connection(*HANDSHAKE, *DATA)),
        cannot_tell("the other side is missing", connection(..., visibility={"one_sided": Side.CLIENT})),
    ]

    @pytest.mark.parametrize("case", CASES)
    def test_verdict(case: Case) -> None:
        case.check("reset-during-handshake")
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from analyzer import rules
from analyzer.connection import Connection
from analyzer.findings import Confidence, Finding, Outcome, Severity
from analyzer.rules.rule import Context
from tests.build.connections import context as usual_context

SILENT = (Outcome.CLEAR, Outcome.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Case:
    """One row. `kind` is "hit", "clear" or "cannot tell"; `severity`, `confidence` and `depth` only count if given;
    every word of `says` must be in the summary or the advice (for "cannot tell" in the reason)."""

    kind: str
    conn: Connection
    context: Context
    severity: Severity | None = None
    confidence: Confidence | None = None
    says: tuple[str, ...] = ()
    frames: tuple[int, ...] | None = None

    def check(self, rule_id: str) -> Finding | None:
        """Run the rule; the finding of a hit, for tests that look closer."""
        entry = rules.find(rule_id)
        assert entry is not None, f"no rule {rule_id}"
        verdict = rules.verdict(entry, self.conn, self.context)
        assert verdict.outcome is not Outcome.CRASHED, verdict.reason
        if self.kind == "clear":
            assert verdict.outcome in SILENT, verdict
            return None
        if self.kind == "cannot tell":
            assert verdict.outcome is Outcome.CANNOT_TELL, verdict
            assert all(word in verdict.reason for word in self.says), verdict.reason
            return None
        assert verdict.outcome is Outcome.HIT, verdict
        finding = verdict.findings[0]
        self._compare(finding)
        return finding

    def _compare(self, finding: Finding) -> None:
        for word in self.says:
            assert word in f"{finding.summary} {finding.advice}", f"{word!r} not in {finding.summary!r}"
        if self.severity is not None:
            assert finding.severity is self.severity, finding.summary
        if self.confidence is not None:
            assert finding.confidence is self.confidence, finding.summary
        if self.frames is not None:
            assert finding.frames == self.frames, finding.summary


def hit(sentence: str, conn: Connection, *, context: Context | None = None, **facts: Any) -> Any:
    """The rule has a finding."""
    return pytest.param(Case("hit", conn, context or usual_context(), **facts), id=sentence)


def clear(sentence: str, conn: Connection, *, context: Context | None = None) -> Any:
    """The rule has nothing to say."""
    return pytest.param(Case("clear", conn, context or usual_context()), id=sentence)


def cannot_tell(sentence: str, conn: Connection, *, context: Context | None = None, says: tuple[str, ...] = ()) -> Any:
    """The capture does not show what the verdict needs."""
    return pytest.param(Case("cannot tell", conn, context or usual_context(), says=says), id=sentence)
