"""How a test asks a rule about a whole capture: a view of some connections, and what the rule says of it."""

from __future__ import annotations

from typing import Any

from analyzer.connection import Connection
from analyzer.findings import Finding, Outcome, Verdict
from analyzer.judgement.capture_view import CaptureView
from analyzer.rules import survey_verdicts
from analyzer.sightings.watch import Sightings
from tests.build.connections import HANDSHAKE, SECOND_NS, START_NS, connection, context


def served(ip: str = "198.51.100.5", *ladder: str, at: float = 0, **facts: Any) -> Connection:
    """A healthy connection to this server, `at` seconds after the first one."""
    start = START_NS + round(at * SECOND_NS)
    return connection(*(ladder or HANDSHAKE), server_ip=ip, ts_ns=start, **facts)


def view(*conns: Connection, sightings: Sightings | None = None) -> CaptureView:
    """What these connections show together."""
    made = CaptureView(sightings)
    for conn in conns:
        made.learn(conn)
    return made


def verdict(rule: str, whole: CaptureView, **facts: Any) -> Verdict:
    """What one rule says."""
    said = next(v for v in survey_verdicts(whole, context(**facts)) if v.rule == rule)
    assert said.outcome is not Outcome.CRASHED, said.reason
    return said


def answer(rule: str, whole: CaptureView, **facts: Any) -> str:
    """The worst severity, "silent" or "cannot tell"."""
    said = verdict(rule, whole, **facts)
    if said.outcome is Outcome.HIT:
        return min(said.findings, key=lambda finding: finding.severity.rank).severity.value
    return {Outcome.CLEAR: "silent", Outcome.CANNOT_TELL: "cannot tell"}[said.outcome]


def finding(rule: str, whole: CaptureView, **facts: Any) -> Finding:
    """Its only finding."""
    (only,) = verdict(rule, whole, **facts).findings
    return only
