"""A second handshake follows inside the first: a client certificate may have been asked for out of sight.

## What it does
Fires when handshake records follow the complete handshake of TLS 1.2 or older, in which the client sent no certificate: a
renegotiation. IIS asks for client certificates this way unless its binding says otherwise. Tickets and key updates of TLS
1.3 are none.

## Why it matters
Request and certificate of the second handshake are encrypted, so no rule about client certificates can speak. If the
connection ends there, the client certificate is the first thing to look at. Clients that refuse to renegotiate, HTTP/2 and
TLS 1.3 break such a server.

## What to do
To see the certificates, let the server ask in the first handshake: on Windows `netsh http add sslcert ...
clientcertnegotiation=enable` for the binding. Else read the server's log, or decrypt the capture.

## When it cannot tell
When bytes are missing from the capture, records before them may be the first handshake's.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import CertificateState, Connection, Seen, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.phrases import where
from analyzer.judgement.renegotiation import SecondHandshake, second_handshake
from analyzer.knowledge import limit
from analyzer.rules.rule import Context, Rule
from analyzer.tls.names import TLS13

RULE = Rule(
    id="renegotiated-client-auth",
    title="a second, encrypted handshake: it may ask for a certificate",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    depth=Depth.SYMPTOM,
    needs=(Seen.ESTABLISHED, Seen.SERVER_HELLO),
    citations=("RFC 5246 section 7.4.1.1", "RFC 5746"),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    second = second_handshake(conn) if conn.client_certificate_state is not CertificateState.SENT else None
    if second is None:
        return
    if conn.visibility.limited:
        yield CannotTell(conn.visibility.limited)
        return
    yield RULE.finding(
        conn,
        f"{_what(second)}; it is encrypted, so a client certificate asked for there cannot be judged{_size(second)}",
        advice=f"To see it, let {where(conn, Side.SERVER)} ask in the first handshake (Windows: netsh http add sslcert ... "
        "clientcertnegotiation=enable for the binding); else read its log.",
        frames=second.frames,
    )


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(kind.version_code == TLS13 or kind.client_state is CertificateState.SENT)


def _what(second: SecondHandshake) -> str:
    if not second.client:
        return "the server asked for a second handshake after the first, and the client began none"
    return f"a second handshake follows the first{'' if second.server else ', unanswered by the server'}"


def _size(second: SecondHandshake) -> str:
    """What the client's records there are large enough for, as a clause."""
    largest = second.largest_answer
    if not second.server or not largest:
        return ""
    if largest >= limit("certificate_bytes_sure"):
        return f" (the client's largest record there has {largest:,} bytes: probably a certificate)"
    if largest < limit("certificate_bytes_least"):
        return f" (no record of the client there has room for a certificate: {largest:,} bytes at most)"
    return ""
