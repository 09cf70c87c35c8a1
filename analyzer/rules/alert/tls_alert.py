"""One side ended the handshake with an alert that says why.

## What it does
Reports the first alert in clear that ended a handshake: who sent it, after which message, and what it means when this side
sends it at this step. Alerts about a certificate count whatever their level, because some stacks send them as warnings and
then close; close_notify and the warning form of unrecognized_name do not count.

## Why it matters
The alert is what the sender itself says about the cause, and the sender's log says more. Who sent it decides the meaning:
unknown_ca from the client is about the server's chain, from the server about the client's.

## What to do
Read the sender's log at that moment. On Windows the receiver logs Schannel event 36887 and the sender 36888, both with the
alert's number; .NET and Lync show the error code that belongs to it.

## When it cannot tell
Alerts after the keys are switched on are encrypted: see encrypted-alert.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer import knowledge
from analyzer.connection import Alert, CertificateState, Connection, Seen, Side, Step
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.alerts import ABOUT_CERTIFICATES, meaning, what_to_do
from analyzer.judgement.story import alert_name, first_alert, last_step, named, who
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="tls-alert",
    title="an alert ended the handshake",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    depth=Depth.ANNOUNCED,
    needs=(Seen.ALERT, Seen.FAILED | Seen.UNKNOWN | Seen.NOT_TLS),
    citations=(
        "RFC 8446 section 6.2",
        "RFC 5246 section 7.2.2",
        "learn.microsoft.com: Schannel error codes for TLS and SSL alerts",
    ),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    alert = first_alert(conn)
    if alert is None or alert.code is None:
        return
    before = _answered(conn, alert)
    after = f" after {named(before)}" if before else ""
    says = meaning(conn, alert)
    level = "" if alert.fatal else ", sent as a warning,"
    yield RULE.finding(
        conn,
        f"{who(conn, alert.side)} ended the handshake{after} with the alert {alert_name(alert.code)}{level}"
        + (f": {says}" if says else ""),
        advice=" ".join(filter(None, (what_to_do(conn, alert), _windows(alert)))),
        frames=((*before.frames[-1:],) if before else ()) + (alert.frame,),
    )


def _answered(conn: Connection, alert: Alert) -> Step | None:
    """The message that the alert answers: for one about a certificate the peer's Certificate, else its last message."""
    peer = alert.side.peer
    if alert.code in ABOUT_CERTIFICATES:
        state = conn.client_certificate_state if peer is Side.CLIENT else conn.server_certificate_state
        certificate = conn.step("Certificate", peer)
        if certificate is not None and state in (CertificateState.SENT, CertificateState.EMPTY):
            return certificate
    return last_step(conn, alert.time_ns, peer) or last_step(conn, alert.time_ns)


def _windows(alert: Alert) -> str:
    """What Windows logs about it."""
    info = knowledge.alert_info(alert.code or 0)
    code = f", error {info.schannel_error} (0x{info.schannel_code:08X})" if info.schannel_error else ""
    event = f"; also {info.schannel_event}" if info.schannel_event else ""
    receiver = alert.side.peer.value
    return f"Windows logs: Schannel event 36887 on the {receiver}{code}, 36888 on the {alert.side.value}{event}."
