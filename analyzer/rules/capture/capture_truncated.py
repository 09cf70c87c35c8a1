"""The snapshot length of the capture cut packets of the handshake.

## What it does
Notes connections of which the capture keeps only the first bytes of packets that carry handshake messages.

## Why it matters
Certificates and CA lists are in the bytes that were cut off. Verdicts that need them are withheld, not guessed.

## What to do
Capture again with whole packets: `tcpdump -s 0`, `dumpcap -s 0`, `netsh trace start capture=yes` with
`packettruncatebytes=0`, `pktmon start --capture --pkt-size 0`.

## When it cannot tell
Never: the capture file says how long each packet was.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen
from analyzer.findings import CannotTell, Confidence, Finding, Severity
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="capture-truncated",
    title="the capture's snapshot length cut the handshake",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    needs=(Seen.LIMITED_VIEW,),
    citations=("tcpdump(1), option -s", "learn.microsoft.com: pktmon start"),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    view = conn.visibility
    undecided = bool(Seen.UNKNOWN & conn.seen)
    if not view.truncated_packets or not (view.truncated_handshake or undecided):
        return
    packets = "1 packet" if view.truncated_packets == 1 else f"{view.truncated_packets:,} packets"
    yield RULE.finding(
        conn,
        f"the snapshot length of the capture cut {packets} of this connection; what was cut off cannot be judged",
        advice="Capture again with whole packets: `tcpdump -s 0`, `dumpcap -s 0`, `pktmon start --capture --pkt-size 0`.",
    )
