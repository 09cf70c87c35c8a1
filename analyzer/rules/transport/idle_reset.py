"""A reset that ends a connection which had done its work: normal.

## What it does
Notes a RST after a complete handshake that came after application data in both directions, after long silence, or after a
close_notify or FIN.

## Why it matters
Such resets are often taken for failures. Windows programs, load balancers and firewalls with idle timers end connections
like this every day; TLS has nothing to do with it.

## What to do
Nothing. If long-lived connections drop after a fixed idle time, look for an idle timer on the path and use keep-alives.

## When it cannot tell
The handshake is not in full view, so it is not known whether it was complete.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Ending, Seen
from analyzer.findings import CannotTell, Confidence, Finding, Severity
from analyzer.judgement.story import lasting, who
from analyzer.judgement.thresholds import limit_ns
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="idle-reset",
    title="reset after the work was done: normal",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    needs=(Seen.RESET, Seen.ESTABLISHED),
    citations=("RFC 9293 section 3.5.2", "RFC 2525 section 2.17"),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    reset = next((ending for ending in conn.endings if ending.how == "rst"), None)
    why = _why(conn, reset) if reset else ""
    if reset is not None and why:
        yield RULE.finding(
            conn,
            f"{who(conn, reset.side)} reset the connection {why}: a normal end",
            frames=(reset.frame,),
        )


def _why(conn: Connection, reset: Ending) -> str:
    """After what the reset came; "" if that does not make it an ordinary end."""
    if any(ending.how == "fin" and ending.time_ns <= reset.time_ns for ending in conn.endings):
        return "after the close"
    if any(alert.time_ns <= reset.time_ns for alert in conn.alerts):
        return "after an alert that announced the close"
    if conn.client.app_records and conn.server.app_records:
        return "after data in both directions"
    silence = reset.time_ns - _last_payload(conn, reset.time_ns)
    return f"after {lasting(silence)} of silence" if silence >= limit_ns("long_after_s") else ""


def _last_payload(conn: Connection, now_ns: int) -> int:
    times = [side.last_payload_ns for side in (conn.client, conn.server) if side.last_payload_ns is not None]
    return max(times, default=now_ns)
