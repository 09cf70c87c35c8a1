"""The capture shows only one side's packets.

## What it does
Notes connections of which one direction is missing although the other side's acknowledgements show that it spoke.

## Why it matters
What the missing side said, or did not say, cannot be judged. The usual causes: a mirror port that copies one direction, a
capture filter such as `dst host`, or asymmetric routing.

## What to do
Capture on one of the two machines, or mirror both directions; use `host A and port 5061` as the filter.

## When it cannot tell
Never: the acknowledgements count the bytes that are missing.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen
from analyzer.findings import CannotTell, Confidence, Finding, Severity
from analyzer.judgement.story import who
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="capture-one-sided",
    title="only one side's packets are in the capture",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    needs=(Seen.LIMITED_VIEW,),
    citations=("RFC 9293 section 3.4",),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    side = conn.visibility.one_sided
    if side is None:
        return
    frame = conn.traffic(side).first_frame
    yield RULE.finding(
        conn,
        f"only packets of {who(conn, side)} are in the capture: what the {side.peer.value} said cannot be judged",
        advice="Capture on one of the two machines or mirror both directions; do not filter by source or destination.",
        frames=() if frame is None else (frame,),
    )
