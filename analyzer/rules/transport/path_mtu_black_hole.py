"""Only the full-size packets of a flight get lost: something on the path cannot carry them and does not say so.

## What it does
Fires when full-size segments of a flight are never acknowledged and are sent again while smaller ones pass, when a router
reports by ICMP that a packet was too big and the flight still does not get through, or, seen from the receiver, when
exactly full-size pieces of the peer's flight never arrive while its short end does.

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

from analyzer.connection import Connection, Seen, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.story import first_alert, who
from analyzer.packets.columns import IcmpError
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="path-mtu-black-hole",
    title="full-size packets get lost on the path, small ones pass",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.PAYLOAD, Seen.FAILED | Seen.UNKNOWN, Seen.RETRANSMISSION | Seen.ICMP | Seen.LIMITED_VIEW),
    citations=("RFC 2923 section 2.1", "RFC 1191", "RFC 8201", "RFC 4821"),
)
ADVICE = (
    'Let ICMP "fragmentation needed" (IPv6: "packet too big") through on the path, or clamp the TCP segment size (MSS) on the '
    "router of the tunnel or PPPoE line; test with `ping -f -l 1472` (Windows) or `ping -M do -s 1472` (Linux)."
)
TIMESTAMP_OPTION = 12
"""Bytes that the TCP timestamp option takes from each segment (RFC 7323 section 3.2, padded)."""


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
        if traffic.unacked_full_size or (too_big and traffic.retransmitted_full and _quotes(too_big, conn, side)):
            yield _from_the_sender(conn, side, too_big)
            return
    if _hole_of_full_segments(conn):
        yield _from_the_receiver(conn, Side.SERVER)


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
    return RULE.finding(
        conn,
        f"{conn.visibility.gap_bytes:,} bytes of {who(conn, side)}, exactly full-size packets, never arrive and are never "
        f"acknowledged, while the short end of the same flight does arrive: a path MTU black hole",
        advice=ADVICE,
        frames=() if conn.server.last_payload_frame is None else (conn.server.last_payload_frame,),
        confidence=Confidence.MEDIUM,
    )


def _hole_of_full_segments(conn: Connection) -> bool:
    """Seen at the client: the hole in the server's flight is a whole number of full segments, and the client's
    acknowledgements stop in front of it, so the bytes were lost on the path and not by the capture."""
    view, server, mss = conn.visibility, conn.server, _mss(conn)
    hole = view.gap_bytes
    if not hole or view.gap_side is not Side.SERVER or server.acked_bytes is None or mss is None:
        return False
    not_acked = server.sent_bytes - server.acked_bytes
    short_end = not_acked - hole
    return 0 < short_end < mss and any(hole % size == 0 for size in (mss, mss - TIMESTAMP_OPTION))


def _mss(conn: Connection) -> int | None:
    sizes = [size for size in (conn.client.mss, conn.server.mss) if size is not None and size > TIMESTAMP_OPTION]
    return min(sizes, default=None)


def _too_big(error: IcmpError) -> bool:
    """Fragmentation needed (RFC 1191 section 4) or Packet Too Big (RFC 4443 section 3.2)."""
    return (error.type, error.code) == (3, 4) if error.v4 else error.type == 2


def _quotes(error: IcmpError, conn: Connection, side: Side) -> bool:
    """The quoted packet was this side's."""
    ip, port = (conn.client_ip, conn.client_port) if side is Side.CLIENT else (conn.server_ip, conn.server_port)
    return error.quoted[:2] == (ip, port)
