"""A receiver's window stayed closed during the handshake: its program does not read.

## What it does
Fires when one side announced a receive window of 0 in the handshake, kept it there for two seconds or more, and the
handshake did not complete.

## Why it matters
The packets arrive, but the program behind the socket does not fetch them: it is hung, starved of processor time, or
waiting for something else (a virus scanner, a full log disk). The sender has to wait.

## What to do
Look at the program and the machine of the side whose window is closed: load, hung threads, security software.

## When it cannot tell
Only the packets of the other side are in the capture: no window of this side is seen. Or the capture does not show
whether the handshake completed after all.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Outcome, Seen, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.story import lasting, lowered, who
from analyzer.judgement.thresholds import limit_ns
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="zero-window",
    title="a receive window stayed closed during the handshake",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    depth=Depth.STEP,
    needs=(Seen.ZERO_WINDOW, Seen.FAILED | Seen.UNKNOWN),
    citations=("RFC 9293 section 3.8.6.1", "RFC 1122 section 4.2.2.17"),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    for side in Side:
        traffic = conn.traffic(side)
        if traffic.zero_window_frame is not None and traffic.zero_window_ns >= limit_ns("at_once_s"):
            if conn.outcome is Outcome.UNKNOWN and conn.visibility.limited:
                yield CannotTell(conn.visibility.limited)
                return
            yield RULE.finding(
                conn,
                f"{who(conn, side)} kept its receive window closed for {lasting(traffic.zero_window_ns)} during the "
                "handshake: its program does not read what arrives",
                advice=f"Look at the {side.value}'s program and machine: load, hung threads, security software. This is not "
                "a TLS fault.",
                frames=(traffic.zero_window_frame,),
                confidence=lowered(conn, RULE.confidence),
            )
