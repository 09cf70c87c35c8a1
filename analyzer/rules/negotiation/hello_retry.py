"""The server asked for a second ClientHello.

## What it does
Notes a HelloRetryRequest of TLS 1.3 and what the server wanted: another group, a cookie, or both.

## Why it matters
It is part of the protocol and costs one round trip. It happens when the client guessed a group that the server does not
take. Devices in between that do not know it may drop the second hello.

## What to do
Nothing. To save the round trip let the client send a key share for the server's group first.

## When it cannot tell
When the beginning of the connection is not in the capture.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer import knowledge
from analyzer.connection import Connection, Seen, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.rules.rule import Context, Rule
from analyzer.tls.names import is_grease

RULE = Rule(
    id="hello-retry",
    title="the server asked for a second ClientHello",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    depth=Depth.SYMPTOM,
    needs=(Seen.HELLO_RETRY,),
    citations=("RFC 8446 section 4.1.4",),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    retry = conn.hello_retry_request
    if retry is None:
        return
    hello = conn.first_client_hello or conn.client_hello
    shares = [code for code in (hello and hello.key_share_groups) or () if not is_grease(code)]
    if retry.key_share_group is None:
        wanted = "the same again, with a cookie"
    else:
        wanted = f"a key share of {knowledge.group(retry.key_share_group)}"
        wanted += f" instead of {', '.join(map(knowledge.group, shares))}" if shares else ""
    yield RULE.finding(
        conn,
        f"the server asked for a second ClientHello: {wanted}; that takes one more round trip",
        frames=conn.frames_of("HelloRetryRequest", Side.SERVER),
    )
