"""The same packets as another place shows them: behind routers, address translation, loss, and with a clock of its own.

    beyond = travel(talk.packets, way_ns=200_000, hops=3, lose={7}, nat={("192.0.2.10", 50_000): ("203.0.113.7", 61_000)})

`packets` are as the client's side shows them; what comes out is the server's side. No answer may be
faster than two ways. IPv4 in Ethernet, as tests/build/tcp.py makes.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from tests.build.frames import ethernet, ipv4
from tests.build.pcap import Packet

End = tuple[str, int]
ETHERNET, IP = 14, 20


def travel(
    packets: Sequence[Packet],
    server_port: int = 5061,
    *,
    clock_ns: int = 0,
    way_ns: int = 200_000,
    hops: int = 3,
    lose: Collection[int] = (),
    nat: Mapping[End, End] | None = None,
    mss: int | None = None,
) -> list[Packet]:
    """`lose`: indexes of packets that the other place does not have. `mss`: what a device in between writes into SYNs."""
    moved = [_moved(packet, server_port, clock_ns, way_ns, hops, nat or {}, mss) for packet in packets]
    return sorted((one for index, one in enumerate(moved) if index not in lose), key=lambda one: one.time_ns)


def ends_of(packet: Packet) -> tuple[End, End]:
    """Who sent it, and to whom."""
    header, segment = packet.data[ETHERNET : ETHERNET + IP], packet.data[ETHERNET + IP :]
    source, target = (str(ipaddress.IPv4Address(header[at : at + 4])) for at in (12, 16))
    return (source, int.from_bytes(segment[0:2])), (target, int.from_bytes(segment[2:4]))


def _moved(
    packet: Packet, server_port: int, clock_ns: int, way_ns: int, hops: int, nat: Mapping[End, End], mss: int | None
) -> Packet:
    header, segment = packet.data[ETHERNET : ETHERNET + IP], packet.data[ETHERNET + IP :]
    source, target = ends_of(packet)
    onward = 1 if target[1] == server_port else -1
    (src, sport), (dst, dport) = nat.get(source, source), nat.get(target, target)
    segment = sport.to_bytes(2) + dport.to_bytes(2) + segment[4:]
    if mss is not None and segment[13] & 0x02:
        segment = segment[:22] + mss.to_bytes(2) + segment[24:]
    ttl, ident = header[8] - onward * hops, int.from_bytes(header[4:6])
    data = ethernet(ipv4(segment, src=src, dst=dst, ttl=ttl, ident=ident))
    return replace(packet, data=data, time_ns=packet.time_ns + clock_ns + onward * way_ns)
