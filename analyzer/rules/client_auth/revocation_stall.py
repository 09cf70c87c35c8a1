"""One side fell silent after a certificate, and meanwhile looked for a CRL, an OCSP answer or a CA certificate.

## What it does
Looks for five seconds or more of silence by the side that had just received a certificate, and for what the same host did in that
time: DNS questions for the hosts of the certificate's CRL, OCSP and AIA addresses, HTTP requests for such things, connection
attempts to these hosts, refused and unanswered ones too, and LDAP. Speaks if something of that failed, or filled most of the
silence. An error when the handshake then died, a warning when it went on.

## Why it matters
Windows waits about 15 seconds for each list that it cannot fetch, some services twice that, and the other side may give up first.
Then it looks like a network problem, comes and goes with the cache, and hits servers without a way to the internet: edges,
front ends, gateways.

## What to do
Open the way from that host to the addresses named here (TCP 80 outwards; for LDAP addresses publish the list over HTTP instead),
or publish the list where it can be reached and reissue. Check there: `certutil -verify -urlfetch CERT.cer`, CAPI2 event log,
`netsh winhttp show proxy`; for OpenSSL-based stacks the CRL or OCSP settings of the service.

## When it cannot tell
The capture shows nothing else of the silent host: it was made on the other side, or with a filter for the TLS port alone.
Or the handshake is not in full view.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from analyzer.connection import Connection, Outcome, Seen
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.phrases import where
from analyzer.judgement.story import lasting
from analyzer.judgement.thresholds import limit_ns
from analyzer.rules.rule import Context, Rule

if TYPE_CHECKING:
    from analyzer.judgement.revocation import Stall, Trace

RULE = Rule(
    id="revocation-stall",
    title="silence after a certificate while a CRL, OCSP or AIA was sought",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.SERVER_HELLO,),
    citations=(
        "RFC 5280 section 6.3",
        "RFC 6960",
        "Microsoft: Network retrieval of CRLs, time-outs (CryptoAPI; the default may differ)",
    ),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    if conn.end_ns - conn.ts_ns < limit_ns("revocation_stall_s") or conn.resumed:
        return
    from analyzer.judgement.revocation import evidence, stalls  # most captures have no such silence

    for stall in stalls(conn):
        if conn.visibility.limited:
            yield CannotTell(conn.visibility.limited)
            continue
        trace = evidence(conn, stall, context.sightings)
        if trace is not None:
            yield _finding(conn, stall, trace)
        elif not context.sightings.remembers(stall.host, stall.since_ns):
            yield CannotTell(f"the capture shows nothing of what {stall.host} did beside TLS during its silence")


def _finding(conn: Connection, stall: Stall, trace: Trace) -> Finding:
    died = conn.outcome is Outcome.FAILED and stall.unanswered
    whose = f"the {stall.by.peer.value}'s certificate"
    return RULE.finding(
        conn,
        f"the {stall.by.value} {where(conn, stall.by)} was silent for {lasting(stall.until_ns - stall.since_ns)} after {whose}, "
        f"and meanwhile {trace.text}",
        advice=f"Let {stall.host} reach {trace.goal} (DNS, TCP, proxy), or publish the list where it can. On that host: certutil "
        "-verify -urlfetch, the CAPI2 event log, netsh winhttp show proxy.",
        frames=(*stall.frames, *trace.frames),
        severity=Severity.ERROR if died and trace.confidence is not Confidence.LOW else None,
        confidence=trace.confidence,
    )
