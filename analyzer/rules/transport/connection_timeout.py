"""The connection request was sent again and again and never answered.

## What it does
Fires when a SYN was repeated and neither the server nor a device in its name answered it over TCP, or when a router said
by ICMP that the server cannot or must not be reached. Confidence is medium when nothing else in the capture shows that
answers would be seen.

## Why it matters
A firewall drops the packets, the host is down, or the address is wrong (an old DNS record, a missing NAT rule). No
certificate plays a part yet.

## What to do
Follow the SYN hop by hop: capture on the server as well. If it arrives there, the answer is lost on the way back (routing,
asymmetric NAT, host firewall); if not, look at the firewalls in between.

## When it cannot tell
Only the client's packets are in the capture, or the capture ends before a second try had time to be answered.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.story import who
from analyzer.packets.columns import IcmpError
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="connection-timeout",
    title="the connection request was never answered",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.SYN, Seen.NO_DATA),
    citations=("RFC 9293 section 3.8.3", "RFC 6298 section 2", "RFC 792", "RFC 4443 section 3.1"),
)
GIVEN_UP_AFTER = 3
"""SYNs after which the wait was longer than any answer takes: the third is sent three seconds or more after the first."""
ADVICE = (
    "Check address and port (DNS, NAT), that the host is up, and every firewall on the way; capture on the server's side to "
    "see whether the SYN arrives."
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    if Seen.SYN_ACK & conn.seen or any(ending.side is Side.SERVER for ending in conn.endings):
        return
    tries = conn.client.syn_count
    refusal = next(filter(unreachable, conn.icmp), None)
    if refusal is not None:
        yield RULE.finding(
            conn,
            f"{who(conn, Side.SERVER)} cannot be reached: {refusal.reporter} answers {unreachable(refusal)} by ICMP",
            advice=f"Look at the routing table and the filters of {refusal.reporter}. {ADVICE}",
            frames=(*_first(conn), refusal.frame),
        )
        return
    if tries < 2:
        return
    if conn.visibility.one_sided:
        yield CannotTell(conn.visibility.limited)
    elif tries < GIVEN_UP_AFTER and conn.closed.how == "open":
        yield CannotTell("the capture ends while the client is still trying")
    else:
        yield _unanswered(conn, context, tries)


def _unanswered(conn: Connection, context: Context, tries: int) -> Finding:
    answers = context.history.answers_from(conn.server_ip) or context.history.both_directions()
    return RULE.finding(
        conn,
        f"{who(conn, Side.SERVER)} never answered the connection request: {tries} SYNs in {conn.duration:.0f} s, no answer"
        + ("" if answers else "; nothing else in the capture shows that answers would be seen here"),
        advice=ADVICE,
        frames=_first(conn),
        confidence=Confidence.HIGH if answers else Confidence.MEDIUM,
    )


def _first(conn: Connection) -> tuple[int, ...]:
    return () if conn.client.syn_frame is None else (conn.client.syn_frame,)


def unreachable(error: IcmpError) -> str:
    """How an ICMP error explains silence; "" if it does not (RFC 792, RFC 1812 section 5.2.7.1, RFC 4443 section 3.1)."""
    kinds = V4_UNREACHABLE if error.v4 else V6_UNREACHABLE
    return kinds.get((error.type, error.code), "")


V4_UNREACHABLE = {
    (3, 0): "network unreachable",
    (3, 1): "host unreachable",
    (3, 2): "protocol unreachable",
    (3, 3): "port unreachable",
    (3, 6): "network unknown",
    (3, 7): "host unknown",
    (3, 9): "network administratively prohibited",
    (3, 10): "host administratively prohibited",
    (3, 13): "communication administratively prohibited",
    (11, 0): "time to live exceeded",
}
V6_UNREACHABLE = {
    (1, 0): "no route to destination",
    (1, 1): "communication administratively prohibited",
    (1, 3): "address unreachable",
    (1, 4): "port unreachable",
    (1, 5): "source address failed policy",
    (1, 6): "route rejected",
    (3, 0): "hop limit exceeded",
}
