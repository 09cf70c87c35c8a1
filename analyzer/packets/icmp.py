"""ICMP (RFC 792) and ICMPv6 (RFC 4443) errors that quote a TCP segment."""

from __future__ import annotations

from analyzer.packets.addresses import packed_text
from analyzer.packets.columns import IcmpError
from analyzer.packets.ip import EXTENSIONS
from analyzer.packets.layers import IP_FRAGMENT, IP_TCP, Packet

ERRORS, ERRORS_V6 = frozenset((3, 4, 5, 11, 12)), frozenset((1, 2, 3, 4))
UNREACHABLE, FRAGMENTATION_NEEDED, PACKET_TOO_BIG = 3, 4, 2
HEADER, QUOTED_TCP = 8, 8  # an error quotes at least ports and sequence number


def tcp_error(packet: Packet, frame: int) -> IcmpError | None:
    """The error whose ICMP header starts at `packet.at`; None if it is none or does not quote enough of TCP."""
    data, at = packet.data[: packet.end], packet.at
    kind, code = data[at], data[at + 1]
    if kind not in (ERRORS if packet.v4 else ERRORS_V6) or at + HEADER > len(data):
        return None
    quoted = _quoted_v4(data[at + HEADER :]) if packet.v4 else _quoted_v6(data[at + HEADER :])
    if quoted is None:
        return None
    source, target, tcp = quoted
    mtu = None
    if packet.v4 and (kind, code) == (UNREACHABLE, FRAGMENTATION_NEEDED):
        mtu = int.from_bytes(data[at + 6 : at + 8]) or None  # before RFC 1191 it was zero
    elif not packet.v4 and kind == PACKET_TOO_BIG:
        mtu = int.from_bytes(data[at + 4 : at + 8])
    return IcmpError(
        frame=frame,
        time_ns=packet.time_ns,
        reporter=packed_text(packet.source),
        v4=packet.v4,
        type=kind,
        code=code,
        mtu=mtu,
        quoted=(
            packed_text(source),
            int.from_bytes(tcp[:2]),
            packed_text(target),
            int.from_bytes(tcp[2:4]),
        ),
        quoted_seq=int.from_bytes(tcp[4:8]),
    )


Quote = tuple[bytes, bytes, bytes]
"""Source, target, and what there is of the TCP header."""


def _quoted_v4(data: bytes) -> Quote | None:
    if len(data) < 20 or data[0] >> 4 != 4 or data[9] != IP_TCP or data[6] & 0x1F or data[7]:
        return None
    tcp = data[(data[0] & 15) * 4 :]
    return (data[12:16], data[16:20], tcp) if len(tcp) >= QUOTED_TCP and data[0] & 15 >= 5 else None


def _quoted_v6(data: bytes) -> Quote | None:
    if len(data) < 40 or data[0] >> 4 != 6:
        return None
    following, at = data[6], 40
    while following != IP_TCP:
        if at + 8 > len(data):
            return None
        if following == IP_FRAGMENT and not (data[at + 2] or data[at + 3] & 0xF8):
            size = 8
        elif following in EXTENSIONS:
            size = 8 * (data[at + 1] + 1)
        else:
            return None
        following, at = data[at], at + size
    tcp = data[at:]
    return (data[8:24], data[24:40], tcp) if len(tcp) >= QUOTED_TCP else None
