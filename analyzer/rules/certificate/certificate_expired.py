"""A certificate had expired when it was used.

## What it does
Compares notAfter of the leaf, and of every certificate on its path, with the time of the connection (or `--at`). An
expired certificate above the leaf is a note if another path among the sent certificates, or one to a known root, is
valid. Prints the dates, how long ago it was, and whether it is so today too.

## Why it matters
Nearly every peer refuses an expired certificate: OpenSSL with certificate_expired, Windows with events 36881 or 36887
(code 45), applications often with a bare reset. Where it still works, somebody does not check.

## What to do
Renew it, and assign the new one to every listener and service: an old certificate often stays bound to one port after a
renewal. For an expired intermediate or cross-certificate send the current one and delete the old from the store.

## When it cannot tell
TLS 1.3 without keys and resumed sessions show no certificates. A capture that carries local time without its zone (Network
Monitor before 2.3, without `--timezone`) leaves 14 hours of doubt either way. A date that cannot be read is not judged.
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
    id="certificate-expired",
    title="a certificate had expired",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE,),
    citations=("RFC 5280 section 4.1.2.5", "RFC 5280 section 6.1.3", "RFC 8446 section 6.2 (certificate_expired)"),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    moment = context.judged_at(conn)
    if plainly_valid(conn, moment):
        return
    clock = clock_of(conn, moment, context.today_ns, given=context.now_ns is not None)
    for said in out_of_date(conn, clock, Defect.EXPIRED, context.history, context.trust.judging):
        yield said if isinstance(said, CannotTell) else RULE.judged(conn, said)


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return plainly_valid_period(kind.chains())
