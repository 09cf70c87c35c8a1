"""The server's host answered the connection request with a reset: nothing listens there, or something forbids it.

## What it does
Fires when a SYN is answered by a RST of the server's address and no connection to it came about.

## Why it matters
The host (or a firewall in its name) is there, the service is not: it is stopped, listens on another port, or did not
start because its certificate is missing or unusable. A reset from a firewall usually has another TTL than the host.

## What to do
Check that the service runs and listens on this port (`netstat -ano`, `ss -ltn`). Lync and Skype for Business services
stop at once when their configured certificate cannot be used (events 14397, 14694, 12303).

## When it cannot tell
Never: the answer is seen, or the rule does not apply.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.story import first_ending, who
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="connection-refused",
    title="the connection request was answered with a reset",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.SYN, Seen.RESET, Seen.NO_DATA),
    citations=("RFC 9293 section 3.5.2", "RFC 9293 section 3.10.7.1"),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    reset = first_ending(conn)
    if Seen.SYN_ACK & conn.seen or reset is None or reset.side is not Side.SERVER or reset.how != "rst":
        return
    tries = conn.client.syn_count
    yield RULE.finding(
        conn,
        f"{who(conn, Side.SERVER)} refused the connection: it answered the SYN with a reset"
        + (f" ({tries} tries)" if tries > 1 else ""),
        advice="Check that the service runs and listens on this port (`netstat -ano`, `ss -ltn`); a service whose "
        "certificate cannot be used often does not start at all (Lync events 14397, 14694). If it does listen, look for a "
        "firewall that answers in its place.",
        frames=_frames(conn, reset.frame),
    )


def _frames(conn: Connection, reset: int) -> tuple[int, ...]:
    return (reset,) if conn.client.syn_frame is None else (conn.client.syn_frame, reset)
