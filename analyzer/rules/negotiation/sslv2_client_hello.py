"""The client sent its hello in the record format of SSLv2.

## What it does
Reports a ClientHello in the SSLv2 format; a note while the handshake goes on, a warning when it does not.

## Why it matters
This format has no room for extensions: no server name, no groups, no signature schemes, no secure renegotiation. Servers
that follow RFC 6176 may refuse it, often by closing without a word.

## What to do
Switch off "SSL 2.0" and "Multi-Protocol Unified Hello" on the client (Windows: SCHANNEL\\Protocols), or update its TLS
library (old Java: remove SSLv2Hello from the enabled protocols).

## When it cannot tell
Never: the format is seen.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer import knowledge
from analyzer.connection import Connection, Seen, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.story import who
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="sslv2-client-hello",
    title="ClientHello in the format of SSLv2: no SNI, no extensions",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    depth=Depth.STEP,
    needs=(Seen.CLIENT_HELLO,),
    citations=("RFC 6176 section 3", "RFC 5246 appendix E.2"),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    hello = conn.client_hello
    if hello is None or not hello.sslv2 or hello.fixed_pattern:
        return
    yield RULE.finding(
        conn,
        f"{who(conn, Side.CLIENT)} sent its hello in the SSLv2 format (offering up to "
        f"{knowledge.version_name(hello.legacy_version)}): no server name and no other extension is possible in it",
        advice="Switch off SSL 2.0 and Multi-Protocol Unified Hello on the client (Windows: SCHANNEL\\Protocols), or remove "
        "SSLv2Hello from its enabled protocols (Java).",
        frames=conn.frames_of("ClientHello"),
        severity=Severity.WARNING if conn.failed else Severity.NOTE,
    )


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(not kind.sslv2)
