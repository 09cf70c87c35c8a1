"""Who appears in the tests of certificate rules, and how a test asks a rule.

A two-level hierarchy: Root issued Sub, Sub issued the server sip.example.com and the client edge.example. Other is a
second root that has nothing to do with them.
"""

from __future__ import annotations

from typing import Any

from analyzer.certificates.certificate import Certificate, load
from analyzer.certificates.chain import Chain, assess
from analyzer.certificates.names import Name, parse_name
from analyzer.connection import Connection
from analyzer.findings import Finding, Outcome, Verdict
from analyzer.rules import judge, verdicts
from analyzer.rules.rule import Context
from tests.build import pki
from tests.build.connections import FakeHistory, context

ROOT = pki.root("Root")
SUB = ROOT.issue("Sub", ca=True)
SERVER = SUB.issue("sip.example.com", san=["sip.example.com"], aia=["http://pki.example/sub.crt"])
CLIENT = SUB.issue("edge.example", san=["edge.example"], eku=["serverAuth", "clientAuth"])
OTHER = pki.root("Other")

NOBODY = FakeHistory()
ROOTS_KNOWN = FakeHistory(roots={"CN=Root": "a CA list on the wire", "CN=Sub": "a trust store"})


def chain(*identities: pki.Identity) -> Chain:
    """A chain of these certificates, in this order."""
    return assess(tuple(identity.der for identity in identities))


def raw(*ders: bytes) -> Chain:
    """A chain of these bytes."""
    return assess(ders)


def certificate(identity: pki.Identity) -> Certificate:
    """The certificate as the rules see it."""
    return load(identity.der)


def name(identity: pki.Identity) -> Name:
    """Its subject."""
    return parse_name(identity.subject)


def ask(conn: Connection, asked: Context) -> tuple[Verdict, ...]:
    """What every rule says. `judge` must find the same, also where it leaves out rules that are quiet about this kind."""
    said = verdicts(conn, asked)
    if all(verdict.outcome is not Outcome.CRASHED for verdict in said):
        for _ in range(2):  # a kind is planned when it comes for the second time
            judge(conn, asked)
        assert set(judge(conn, asked)) == {finding for verdict in said for finding in verdict.findings}
    return said


def answer(rule: str, conn: Connection, asked: Context | None = None) -> str:
    """What the rule says about this record: the worst severity, "silent", "cannot tell" or "does not apply"."""
    verdict = next(v for v in ask(conn, asked or context()) if v.rule == rule)
    if verdict.outcome is Outcome.HIT:
        return min(verdict.findings, key=lambda finding: finding.severity.rank).severity.value
    words = {Outcome.CLEAR: "silent", Outcome.CANNOT_TELL: "cannot tell", Outcome.NOT_APPLICABLE: "does not apply"}
    assert verdict.outcome in words, verdict.reason
    return words[verdict.outcome]


def findings(rule: str, conn: Connection, history: FakeHistory = NOBODY, **facts: Any) -> tuple[Finding, ...]:
    """The findings of this rule."""
    return next(v for v in ask(conn, context(history, **facts)) if v.rule == rule).findings


def finding(rule: str, conn: Connection, history: FakeHistory = NOBODY, **facts: Any) -> Finding:
    """Its only finding."""
    (only,) = findings(rule, conn, history, **facts)
    return only
