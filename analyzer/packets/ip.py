"""IPv4 (RFC 791) and IPv6 (RFC 8200) of one packet, with extension headers."""

from __future__ import annotations

from analyzer.packets.layers import (
    IP_AH,
    IP_ESP,
    IP_FRAGMENT,
    IP_GRE,
    IP_ICMP,
    IP_ICMPV6,
    IP_IGMP,
    IP_IPV4,
    IP_IPV6,
    IP_SCTP,
    IP_TCP,
    IP_UDP,
    MAX_IP_HEADERS,
    Layer,
    Next,
    Packet,
)

HOP_BY_HOP, ROUTING, DESTINATION, MOBILITY = 0, 43, 60, 135
EXTENSIONS = frozenset((HOP_BY_HOP, ROUTING, DESTINATION, MOBILITY, 139, 140))
"""Extension headers whose second byte counts eight-byte words after the first (139: HIP, 140: Shim6)."""
JUMBO_OPTION = 0xC2  # RFC 2675

BY_PROTOCOL: dict[int, Next] = {
    IP_ICMP: Layer.ICMP,
    IP_ICMPV6: Layer.ICMP,
    IP_TCP: Layer.TCP,
    IP_UDP: Layer.UDP,
    IP_IPV4: Layer.IPV4,
    IP_IPV6: Layer.IPV6,
    IP_GRE: Layer.GRE,
    IP_IGMP: "igmp",
    IP_ESP: "esp",
    IP_SCTP: "sctp",
}


def by_version(packet: Packet) -> Next:
    """No ethertype: the version field says which IP it is."""
    if short := packet.lacks(1, "malformed-ip"):
        return short
    version = packet.data[packet.at] >> 4
    if version == 4:
        return Layer.IPV4
    return Layer.IPV6 if version == 6 else "malformed-ip"


def ipv4(packet: Packet) -> Next:
    if packet.ip_headers == MAX_IP_HEADERS:
        return "tunnel-depth"
    if short := packet.lacks(20, "malformed-ip"):
        return short
    data, at = packet.data, packet.at
    header, total = (data[at] & 15) * 4, packet.u16(2)
    if data[at] >> 4 != 4 or header < 20 or 0 < total < header:
        return "malformed-ip"
    packet.ip_at, packet.v4 = at, True
    packet.ip_headers += 1
    packet.tags = 0
    packet.source, packet.target = data[at + 12 : at + 16], data[at + 16 : at + 20]
    if total:  # else segmentation offload left it to the hardware: the frame's length counts
        _set_end(packet, at + total)
    if short := packet.lacks(header, "malformed-ip"):
        return short
    packet.code = data[at + 9]
    packet.at += header
    return Layer.FRAGMENT if packet.data[at + 6] & 0x3F or data[at + 7] else Layer.PROTOCOL


def ipv6(packet: Packet) -> Next:
    if packet.ip_headers == MAX_IP_HEADERS:
        return "tunnel-depth"
    if short := packet.lacks(40, "malformed-ip"):
        return short
    data, at = packet.data, packet.at
    if data[at] >> 4 != 6:
        return "malformed-ip"
    packet.ip_at, packet.v4 = at, False
    packet.ip_headers += 1
    packet.tags = 0
    packet.source, packet.target = data[at + 8 : at + 24], data[at + 24 : at + 40]
    length = packet.u16(4)
    packet.code = data[at + 6]
    packet.at += 40
    if not length and packet.code == HOP_BY_HOP:
        length = _jumbo_length(packet)
    if length:
        _set_end(packet, at + 40 + length)
    return Layer.PROTOCOL


def _set_end(packet: Packet, wire: int) -> None:
    """The IP header says where the packet ends: padding of the link is left out."""
    packet.wire = wire
    packet.end = min(packet.end, wire)


def _jumbo_length(packet: Packet) -> int:
    """The length in a Jumbo Payload option (RFC 2675); 0 if there is none."""
    at = packet.at + 2
    stop = min(packet.end, packet.at + 8 * (packet.data[packet.at + 1] + 1)) if packet.at + 2 <= packet.end else 0
    while at + 2 <= stop:
        kind, size = packet.data[at], packet.data[at + 1]
        if kind == JUMBO_OPTION and size == 4 and at + 6 <= stop:
            return int.from_bytes(packet.data[at + 2 : at + 6])
        at += 1 if kind == 0 else 2 + size
    return 0


def protocol(packet: Packet) -> Next:
    """What follows an IP header, after the extension headers."""
    while not packet.v4 and packet.code in EXTENSIONS:
        if short := packet.lacks(8, "malformed-ip"):
            return short
        size = 8 * (packet.data[packet.at + 1] + 1)
        if short := packet.lacks(size, "malformed-ip"):
            return short
        packet.code = packet.data[packet.at]
        packet.at += size
    if packet.code == IP_AH:
        return _authentication(packet)
    if packet.code == IP_FRAGMENT and not packet.v4:
        return Layer.FRAGMENT
    return BY_PROTOCOL.get(packet.code, f"ip-protocol-{packet.code}")


def _authentication(packet: Packet) -> Next:
    """Not encrypted: the payload follows in clear (RFC 4302)."""
    if short := packet.lacks(12, "malformed-ip"):
        return short
    size = 4 * (packet.data[packet.at + 1] + 2)
    if short := packet.lacks(max(size, 12), "malformed-ip"):
        return short
    packet.code = packet.data[packet.at]
    packet.at += max(size, 12)
    return Layer.PROTOCOL


def tcp(packet: Packet) -> Next:
    """The fixed header must be there; options may be cut or run past the end (RFC 9293 section 3.1)."""
    if short := packet.lacks(20, "malformed-tcp"):
        return short
    if packet.data[packet.at + 12] >> 4 < 5:
        return "malformed-tcp"
    return Layer.FOUND_TCP


def icmp(packet: Packet) -> Next:
    """Type, code and checksum must be there."""
    return packet.lacks(4, "malformed-icmp") or Layer.FOUND_ICMP
