"""Only the full-size packets of a flight get lost: something on the path cannot carry them and does not say so.

## What it does
Fires when full-size segments of a flight are never acknowledged and are sent again while smaller ones pass, when a router
reports by ICMP that a packet was too big and the flight still does not get through, or, seen from the receiver, when a
full-size piece of the flight never arrives while smaller packets behind it do.

## Why it matters
The certificates are the first full-size packets of a connection. TCP connects, the small ClientHello passes, and then
nothing happens: it looks like a TLS fault and is none. Tunnels, PPPoE and firewalls that drop ICMP are the usual causes.

## What to do
Let ICMP "fragmentation needed" and "packet too big" through, or clamp the TCP segment size (MSS) on the tunnel's router.
Test with `ping -f -l 1472` (Windows) or `ping -M do -s 1472` (Linux).

## When it cannot tell
Only one side's packets are in the capture.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen, Side, SideTraffic
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.story import first_alert, who
from analyzer.judgement.thresholds import limit_ns
from analyzer.packets.columns import IcmpError
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="path-mtu-black-hole",
    title="full-size packets get lost on the path, small ones pass",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.PAYLOAD, Seen.FAILED | Seen.UNKNOWN, Seen.RETRANSMISSION | Seen.ICMP),
    citations=("RFC 2923 section 2.1", "RFC 1191", "RFC 8201", "RFC 4821"),
)
ADVICE = (
    'Let ICMP "fragmentation needed" (IPv6: "packet too big") through on the path, or clamp the TCP segment size (MSS) on the '
    "router of the tunnel or PPPoE line; test with `ping -f -l 1472` (Windows) or `ping -M do -s 1472` (Linux)."
)

MOST_OPTIONS = 40
"""Bytes that TCP options can take from a segment (RFC 9293 section 3.1: a header has at most 60)."""


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    if first_alert(conn):
        return  # the flight did get through
    if conn.visibility.one_sided:
        if conn.client.retransmitted_full or conn.server.retransmitted_full:
            yield CannotTell(conn.visibility.limited)
        return
    too_big = next((error for error in conn.icmp if _too_big(error)), None)
    for side in Side:
        traffic = conn.traffic(side)
        told = too_big if too_big and _quotes(too_big, conn, side) else None
        stuck = traffic.acked_bytes is None or traffic.acked_bytes < traffic.sent_bytes
        lost = (told and stuck) or (traffic.unacked_full_size and _full_size(conn, traffic))
        if lost and traffic.retransmitted_full:
            yield _from_the_sender(conn, side, told)
            return
        if traffic.unacked_full_size and not traffic.retransmitted and _given_up(conn, side):
            yield _from_the_receiver(conn, side)
            return


def _from_the_sender(conn: Connection, side: Side, too_big: IcmpError | None) -> Finding:
    traffic = conn.traffic(side)
    told = ""
    if too_big is not None:
        told = f"; {too_big.reporter} reports by ICMP that the packet is too big"
        told += f" (next hop takes {too_big.mtu:,} bytes)" if too_big.mtu else ""
    return RULE.finding(
        conn,
        f"full-size packets of {who(conn, side)} ({traffic.max_segment:,} bytes of payload) never reach the {side.peer.value} "
        f"and are sent again, {traffic.retransmitted} times, while small ones pass{told}: a path MTU black hole",
        advice=ADVICE,
        frames=(*traffic.retransmitted_frames, *((too_big.frame,) if too_big else ())),
        confidence=Confidence.HIGH,
    )


def _from_the_receiver(conn: Connection, side: Side) -> Finding:
    frame = conn.traffic(side).last_payload_frame
    return RULE.finding(
        conn,
        f"a full-size piece of the flight of {who(conn, side)} never arrives and is never acknowledged, while the smaller "
        "packets behind it do arrive: a path MTU black hole",
        advice=ADVICE,
        frames=() if frame is None else (frame,),
        confidence=Confidence.MEDIUM,
    )


def _full_size(conn: Connection, traffic: SideTraffic) -> bool:
    """Its largest segments fill what both sides announced, options aside. A shorter one that gets lost is no matter of
    size."""
    sizes = [side.mss for side in (conn.client, conn.server) if side.mss is not None]
    return traffic.max_segment >= min(sizes, default=0) - MOST_OPTIONS


def _given_up(conn: Connection, side: Side) -> bool:
    """There was time to send the lost packet again: silence before the end, and not just the end of the capture."""
    last, closed = conn.traffic(side).last_payload_ns, conn.closed
    if closed.how == "open" or last is None:
        return False
    return closed.how == "timeout" or closed.time_ns - last >= limit_ns("never_answers_s")


def _too_big(error: IcmpError) -> bool:
    """Fragmentation needed (RFC 1191 section 4) or Packet Too Big (RFC 4443 section 3.2)."""
    return (error.type, error.code) == (3, 4) if error.v4 else error.type == 2


def _quotes(error: IcmpError, conn: Connection, side: Side) -> bool:
    """The quoted packet was this side's."""
    ip, port = (conn.client_ip, conn.client_port) if side is Side.CLIENT else (conn.server_ip, conn.server_port)
    return error.quoted[:2] == (ip, port)
