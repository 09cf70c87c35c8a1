"""Bytes of the handshake are missing from the capture.

## What it does
Notes connections in which bytes of the handshake were acknowledged or overtaken but are not in the capture.

## Why it matters
The capture dropped packets, or they took another way. A message in the gap looks as if it had never been sent; verdicts
about what a side did not do are withheld.

## What to do
Capture again with a filter (`tcp port 5061`) and a bigger buffer (`dumpcap -B 64`), or nearer to the machine.

## When it cannot tell
Never: the sequence numbers count the bytes that are missing.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen
from analyzer.findings import CannotTell, Confidence, Finding, Severity
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="capture-gap",
    title="bytes of the handshake are missing from the capture",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    needs=(Seen.LIMITED_VIEW,),
    citations=("RFC 9293 section 3.4", "dumpcap(1), option -B"),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    view = conn.visibility
    if not view.gap_bytes or view.one_sided:
        return
    whose = "both sides" if view.gap_side is None else f"the {view.gap_side.value}"
    yield RULE.finding(
        conn,
        f"{view.gap_bytes:,} bytes that {whose} sent in the handshake are missing from the capture",
        advice="Capture again with a filter and a bigger buffer (`dumpcap -B 64 -f 'tcp port 5061'`), or nearer to the machine.",
    )
