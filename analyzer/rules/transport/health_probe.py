"""A TCP handshake, not one byte of payload, and the close: a load balancer, a monitor or a port scanner.

## What it does
Notes connections that were opened and closed without a byte from either side; a reset after the SYN-ACK counts too
(half-open monitors do that). Equal ones are counted together, with their period.

## Why it matters
They are no failed TLS connections, but servers log them as such: Lync writes events 14502 and 14501 for the port checks of
a load balancer on 5061.

## What to do
Nothing, unless the source is not a monitor that you know. If the log noise matters, let the monitor check another port or
do a whole TLS handshake.

## When it cannot tell
Only one side's packets are in the capture: what the other side sent cannot be seen.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen, Side
from analyzer.findings import CannotTell, Confidence, Finding, Severity
from analyzer.judgement.story import first_ending, lasting, who
from analyzer.judgement.thresholds import limit_ns
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="health-probe",
    title="opened and closed without a byte: a monitor, a balancer or a scanner",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    needs=(Seen.SYN_ACK, Seen.NO_DATA, Seen.RESET | Seen.FIN),
    citations=("RFC 9293 section 3.6",),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    if conn.visibility.limited:
        yield CannotTell(conn.visibility.limited)
        return
    ending = first_ending(conn)
    if ending is None:
        return
    after = max(0, ending.time_ns - conn.ts_ns)
    if ending.side is Side.SERVER and ending.how == "rst" and after < limit_ns("at_once_s"):
        return  # thrown out before it could say anything: reset-during-handshake
    verb = "reset" if ending.how == "rst" else "closed"
    if ending.side is Side.CLIENT:
        summary = f"{who(conn, Side.CLIENT)} connected, sent nothing and {verb} the connection after {lasting(after)}"
        advice = (
            "Nothing to do if this is your load balancer or monitor; servers may log such probes as failed connections."
        )
    else:
        summary = f"{who(conn, Side.CLIENT)} connected and sent nothing; the server {verb} the connection after {lasting(after)}"
        advice = "Nothing to do if clients keep connections in stock; else find out what the client waits for."
    yield RULE.finding(conn, summary, advice=advice, frames=(*_opening(conn), ending.frame))


def _opening(conn: Connection) -> tuple[int, ...]:
    return tuple(frame for frame in (conn.client.syn_frame, conn.server.syn_frame) if frame is not None)
