"""A certificate was not yet valid when it was used.

## What it does
Compares notBefore of the leaf, and of every certificate on its path, with the time of the connection (or `--at`). A
certificate above the leaf that is not yet valid is a note if another path among the sent certificates, or one to a known
root, is valid. Prints the dates, how long it still was, and whether it is so today too.

## Why it matters
Peers refuse it like an expired one (alerts certificate_expired, bad_certificate, or a bare reset). A few minutes or hours
mean clocks that differ: of the CA, of the peer, or of the machine that captured.

## What to do
Compare the clocks first. If they are right, the certificate was put to use too early: wait, or use the old one.

## When it cannot tell
A peer that takes it all the same is a sign that the capturing machine's clock is wrong, and so is a capture dated before 2000
or more than a year before the whole chain with its CAs: then the confidence is low. TLS 1.3
without keys and resumed sessions show no certificates. A capture that carries local time without its zone (Network Monitor
before 2.3, without `--timezone`) leaves 14 hours of doubt either way. Time stamps from before 1995 are a clock that was
never set. A date that cannot be read is not judged.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.kind import Kind, Period
from analyzer.judgement.refusal import Defect
from analyzer.judgement.validity import clock_of, out_of_date, plainly_valid, plainly_valid_period
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="certificate-not-yet-valid",
    title="a certificate was not yet valid",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE,),
    citations=("RFC 5280 section 4.1.2.5", "RFC 5280 section 6.1.3"),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    moment = context.judged_at(conn)
    if plainly_valid(conn, moment):
        return
    clock = clock_of(conn, moment, context.today_ns, given=context.now_ns is not None)
    for said in out_of_date(conn, clock, Defect.NOT_YET_VALID, context.history, context.trust.judging):
        yield said if isinstance(said, CannotTell) else RULE.judged(conn, said)


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return plainly_valid_period(kind.chains())
