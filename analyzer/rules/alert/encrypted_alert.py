"""One side ended the handshake with an alert whose code cannot be seen.

## What it does
Reports an encrypted alert before the sender's or the peer's Finished. In TLS 1.3, where an alert looks like any other
record, a record of an alert's size counts if it is the server's only answer to the client's Finished, or if the client
sends it instead of its Finished.

## Why it matters
The alert says why, but only to its receiver. That it was sent at this step tells who refused, and usually what: in TLS 1.3
a server refuses the client's certificate only after the client believes that the handshake is over.

## What to do
Read the code in the log of either side (Windows: Schannel event 36887 on the receiver, 36888 on the sender; OpenSSL: the
error text), or give the session's keys to the analysis.

## When it cannot tell
Parts of the handshake are missing from the capture: the alert may be the close_notify of a healthy connection.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Alert, CertificateState, Connection, Outcome, Seen, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.story import hidden_alert, last_step, named, who
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="encrypted-alert",
    title="an encrypted alert ended the handshake",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    depth=Depth.ANNOUNCED,
    needs=(Seen.ENCRYPTED_ALERT, Seen.FAILED | Seen.UNKNOWN),
    citations=("RFC 8446 section 6", "RFC 8446 section 5.2", "RFC 5246 section 7.2"),
)
PRESENTED = frozenset({CertificateState.SENT, CertificateState.INFERRED_SENT})
EMPTY = frozenset({CertificateState.EMPTY, CertificateState.INFERRED_EMPTY})


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    inferred = conn.client_auth_13
    alert = hidden_alert(conn)
    if alert is None and inferred is not None and inferred.refused:
        alert = next((a for a in conn.alerts if a.encrypted and a.side is Side.SERVER), None)
    if alert is None:
        return
    if conn.visibility.limited:
        yield CannotTell(conn.visibility.limited)
    elif conn.outcome is Outcome.FAILED:
        yield _finding(conn, alert)


def _finding(conn: Connection, alert: Alert) -> Finding:
    before = last_step(conn, alert.time_ns, alert.side.peer)
    after = f" after {named(before)}" if before else ""
    kind = "a record of the size of an alert and the close" if alert.inferred else "an encrypted alert"
    return RULE.finding(
        conn,
        f"{who(conn, alert.side)} ended the handshake{after} with {kind}; the code cannot be seen{_about(conn, alert)}",
        advice=f"Read the alert's code in a log: Schannel event 36887 on the {alert.side.peer.value}, 36888 on the "
        f"{alert.side.value}, or the error text of OpenSSL or Java on either side.",
        frames=((*before.frames[-1:],) if before else ()) + (alert.frame,),
        confidence=Confidence.MEDIUM if alert.inferred else None,
    )


def _about(conn: Connection, alert: Alert) -> str:
    """What the step suggests."""
    if alert.side is Side.CLIENT:
        if conn.step("Finished", Side.CLIENT) is None:
            return "; at this step a client refuses the server's certificate"
        return (
            "; it had gone on after the server's certificate, so look at what came last: keys that differ, bytes changed on the "
            "path, or a certificate judged late"
        )
    if conn.client_certificate_state in EMPTY:
        return "; the client had no certificate to send, and the server most likely insists on one"
    if conn.client_certificate_state in PRESENTED:
        return "; most likely the server does not accept the client's certificate"
    return ""
