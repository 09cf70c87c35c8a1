"""An earlier session was resumed: no certificates are to be expected.

## What it does
Notes handshakes that take up an earlier session, by session id, ticket or pre-shared key.

## Why it matters
A resumed handshake carries no Certificate and no CertificateRequest, so nothing can be said about certificates. Some
servers of a pool cannot read each other's tickets (KB 2901554, events 32402 and 61045 of Skype for Business).

## What to do
To see the certificates, capture a first connection: restart the client, or wait for its session cache to expire (Windows:
10 hours).

## When it cannot tell
The server's answer is missing from the capture or its hello is not readable.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen
from analyzer.findings import CannotTell, Confidence, Finding, Severity
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="session-resumed",
    title="resumed session: no certificates in this handshake",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    needs=(Seen.RESUMED,),
    citations=("RFC 5246 section 7.3", "RFC 5077 section 3.1", "RFC 8446 section 2.2"),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    hello = conn.server_hello
    if hello is not None and hello.psk_identity is not None:
        how = "by pre-shared key"
    elif conn.client_hello and conn.client_hello.session_ticket_bytes:
        how = "by session ticket"
    else:
        how = "by session id"
    yield RULE.finding(
        conn,
        f"an earlier session was resumed {how}: this handshake carries no certificates",
        frames=(*conn.frames_of("ClientHello")[:1], *conn.frames_of("ServerHello")[:1]),
    )
