"""A fixed hello that only looks like TLS: media relay traffic (MS-TURN, or Google's variant) on port 443.

## What it does
Notes connections that begin with the fixed pseudo-TLS hello of MS-TURN, or the variant that Google's clients send.

## Why it matters
The A/V edge of Lync and Skype for Business speaks TURN behind a hello that is there to please firewalls. There is no
certificate, no key exchange and no end of the handshake: it is no failed TLS connection.

## What to do
Nothing. A device that inspects TLS on this port breaks such connections; exempt the A/V edge.

## When it cannot tell
Never: the pattern is there or it is not.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.kind import FOREVER, Kind, Period
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="ms-turn-pseudo-tls",
    title="media relay behind a fixed hello that only looks like TLS",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.CLIENT_HELLO | Seen.SERVER_HELLO,),
    citations=("[MS-TURN] section 2.1.1",),
)
KINDS = {"ms-turn": "MS-TURN", "google": "the variant of Google's clients"}


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    client, server = conn.client_hello, conn.server_hello
    pattern = (client and client.fixed_pattern) or (server and server.fixed_pattern)
    if not pattern:
        return
    yield RULE.finding(
        conn,
        f"pseudo-TLS, {KINDS.get(pattern, pattern)}: a fixed hello in front of media relay traffic; no certificates and no "
        "TLS are to be expected",
        frames=(*conn.frames_of("ClientHello")[:1], *conn.frames_of("ServerHello")[:1]),
    )


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return FOREVER  # pseudo-TLS is of no kind
