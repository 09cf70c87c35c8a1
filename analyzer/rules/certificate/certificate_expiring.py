"""A certificate ends within 30 days of the capture.

## What it does
Compares notAfter of the leaf, and of every certificate on its path, with the time of the connection (or `--at`). Names all
that are still valid then and end within 30 days. It is a note if another path among the sent certificates, or one to a
known root, lasts longer. It never is the cause of a failure.

## Why it matters
Everything still works, and stops at once on that day, on every connection of this machine. An expired intermediate stops
all machines below it at the same moment.

## What to do
Renew it now, and assign the new one to every listener and service. Look for old bindings afterwards: one port often keeps
the old certificate.

## When it cannot tell
TLS 1.3 without keys and resumed sessions show no certificates. A capture that carries local time without its zone (Network
Monitor before 2.3, without `--timezone`) leaves 14 hours of doubt either way: a certificate that ends within them may have
ended. A date that cannot be read is not judged.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.expiry import expiring, far_from_ending
from analyzer.judgement.kind import FOREVER, Kind, Period, common
from analyzer.judgement.validity import clock_of
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="certificate-expiring",
    title="a certificate ends within 30 days",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE,),
    citations=("RFC 5280 section 4.1.2.5",),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    clock = clock_of(conn, context.judged_at(conn), given=context.now_ns is not None)
    for said in expiring(conn, clock, context.history, context.trust.judging):
        yield said if isinstance(said, CannotTell) else RULE.judged(conn, said)


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    period = FOREVER
    for chain in kind.chains():
        period = common(period, far_from_ending(chain))
    return period
