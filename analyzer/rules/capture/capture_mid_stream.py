"""The capture starts inside the connection.

## What it does
Notes connections that were already going when the capture began: there is no SYN.

## Why it matters
The handshake, or its beginning, was before the capture. How it went cannot be judged.

## What to do
Start the capture first and let the connection be made afterwards: restart the service or the client, or wait for the next
connection.

## When it cannot tell
Never: a connection that starts in the capture starts with a SYN.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen
from analyzer.findings import CannotTell, Confidence, Finding, Severity
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="capture-mid-stream",
    title="the capture starts inside the connection",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    needs=(Seen.LIMITED_VIEW,),
    citations=("RFC 9293 section 3.5",),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    if not conn.visibility.mid_stream:
        return
    seen = "; the ClientHello is there" if conn.client_hello else "; its handshake cannot be judged"
    frames = [side.first_frame for side in (conn.client, conn.server) if side.first_frame is not None]
    yield RULE.finding(
        conn,
        f"the connection was already open when the capture began{seen}",
        advice="Start the capture before the connection is made: restart the service or wait for its next connection.",
        frames=(min(frames),) if frames else (),
    )
