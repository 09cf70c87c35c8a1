"""The server asked for a client certificate, and the client answered that it has none.

## What it does
Fires when the client answers the CertificateRequest with an empty Certificate message: seen up to TLS 1.2, in TLS 1.3
inferred from the sizes of the encrypted records (with the confidence that these allow). It is an error when the connection
then dies and a note when it goes on.

## Why it matters
A server that insists ends the handshake: handshake_failure, bad_certificate, certificate_required, decode_error (GnuTLS
up to TLS 1.2), or just a reset. A client sends none because it has none, cannot use the private key, has none for client
authentication, or finds none of a CA on the server's list. User clients on a SIP port (5061) have no certificate for TLS
and go on without: that is normal.

## What to do
Servers as clients: see that a certificate with its private key is assigned, readable by the service's account, with the
clientAuth use, and of a CA that the server names. If the server's list looks cut, repair that first (`ca-list-truncated`).

## When it cannot tell
TLS 1.3 without keys when the records do not tell their content; and when the client's answer is missing from the capture.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import CertificateState, Connection, Seen, Side
from analyzer.findings import CannotTell, Confidence, Finding, Severity
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.phrases import counted, where
from analyzer.judgement.refusal import refusal_of
from analyzer.judgement.story import never_arrived
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="client-certificate-missing",
    title="asked for a certificate, the client sent none",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    needs=(Seen.CLIENT_CERTIFICATE_MESSAGE,),
    citations=("RFC 5246 section 7.4.6", "RFC 8446 section 4.4.2.4", "KB 2464556"),
)

NONE = (CertificateState.EMPTY, CertificateState.INFERRED_EMPTY)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    if conn.client_certificate_state not in NONE:
        return
    frames = conn.client_certificate_frames or (conn.client_auth_13.frames if conn.client_auth_13 else ())
    refusal = refusal_of(conn, Side.CLIENT)
    if refusal is not None:
        yield RULE.finding(
            conn,
            f"the client sent no certificate although the server asked for one{_wanted(conn)}; {refusal}",
            advice=_advice(conn),
            frames=(*frames, *refusal.frames),
            confidence=refusal.confidence,
        )
    elif _went_silent(conn):
        yield RULE.finding(
            conn,
            f"the client sent no certificate although the server asked for one{_wanted(conn)}; the server went silent",
            advice=_advice(conn),
            frames=frames,
            confidence=Confidence.LOW,
        )
    else:
        yield _note(conn, context, frames)


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(kind.client_state not in NONE)


def _went_silent(conn: Connection) -> bool:
    """The server had the answer and said nothing more."""
    timed_out = conn.failed and conn.closed.how == "timeout" and conn.closed.stage_side is not Side.SERVER
    return timed_out and not never_arrived(conn, Side.CLIENT)


def _note(conn: Connection, context: Context, frames: tuple[int, ...]) -> Finding:
    normal = ", as user clients do" if conn.server_port in context.sip_ports else ""
    how_on = "and the server went on without" if conn.established else "and nothing shows that the server minded"
    told = conn.client_auth_13
    return RULE.finding(
        conn,
        f"the client sent no certificate although the server asked for one{normal}, {how_on}",
        frames=frames,
        severity=Severity.NOTE,
        confidence=Confidence(told.confidence) if told else Confidence.HIGH,
    )


def _wanted(conn: Connection) -> str:
    """Whose certificate the server wanted, as a clause."""
    request = conn.certificate_request
    if request is None or not request.ca_list.names:
        return ""
    return f" (of {counted(len(request.ca_list.names), 'named CA')})"


def _advice(conn: Connection) -> str:
    listed = conn.certificate_request is None or bool(conn.certificate_request.ca_list.names)
    return (
        f"On {where(conn, Side.CLIENT)} look for a certificate with its private key (readable by the service's account) and "
        "the clientAuth use" + (", issued by a CA that the server names" if listed else "") + ", and assign it to the "
        "service; Schannel logs event 36875 there when it finds none."
    )
