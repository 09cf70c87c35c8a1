"""Tunnels: GRE (RFC 2784, RFC 2890, RFC 2637), ERSPAN, VXLAN (RFC 7348), GENEVE (RFC 8926), GTP-U (3GPP TS 29.281)."""

from __future__ import annotations

from analyzer.packets.layers import Layer, Next, Packet

CHECKSUM, ROUTING, KEY, SEQUENCE, ACKNOWLEDGE = 0x8000, 0x4000, 0x2000, 0x1000, 0x0080
ERSPAN, ERSPAN_3 = 0x88BE, 0x22EB


def gre(packet: Packet) -> Next:
    if short := packet.lacks(4, "malformed-tunnel"):
        return short
    flags, packet.code = packet.u16(0), packet.u16(2)
    version = flags & 7
    if version > 1 or flags & ROUTING:
        return "malformed-tunnel"
    size = 4 + 4 * sum(bool(flags & bit) for bit in (CHECKSUM, KEY, SEQUENCE))
    if version == 1:
        size += 4 * bool(flags & ACKNOWLEDGE)
    if packet.code == ERSPAN and flags & SEQUENCE:
        size += 8  # type II; without a sequence number it is type I, which has no header
    if packet.code == ERSPAN_3:
        if short := packet.lacks(size + 12, "malformed-tunnel"):
            return short
        size += 20 if packet.data[packet.at + size + 11] & 1 else 12
    if short := packet.lacks(size, "malformed-tunnel"):
        return short
    packet.at += size
    return Layer.ETHERNET if packet.code in (ERSPAN, ERSPAN_3) else Layer.TYPED


def vxlan(packet: Packet) -> Next:
    """The flag that says "the network identifier is valid" must be set, or the port means something else."""
    if packet.lacks(8, "udp") or not packet.data[packet.at] & 0x08:
        return "udp"
    packet.at += 8
    return Layer.ETHERNET


def geneve(packet: Packet) -> Next:
    """Version 0, options counted in words, then an ethertype's payload."""
    if packet.lacks(8, "udp") or packet.data[packet.at] >> 6:
        return "udp"
    size = 8 + 4 * (packet.data[packet.at] & 0x3F)
    packet.code = packet.u16(2)
    if short := packet.lacks(size, "malformed-tunnel"):
        return short
    packet.at += size
    return Layer.TYPED


def gtp_u(packet: Packet) -> Next:
    """Version 1, a user packet (type 255); one set flag brings four more bytes, and maybe extension headers."""
    data, at = packet.data, packet.at
    if packet.lacks(8, "udp") or data[at] >> 4 != 3 or data[at + 1] != 0xFF:
        return "udp"
    packet.at += 8
    if data[at] & 7:
        if short := packet.lacks(4, "malformed-tunnel"):
            return short
        packet.at += 4
    while data[at] & 4 and data[packet.at - 1]:  # the type of the next extension header, which counts words
        if short := packet.lacks(4, "malformed-tunnel"):
            return short
        size = 4 * max(data[packet.at], 1)
        if short := packet.lacks(size, "malformed-tunnel"):
            return short
        packet.at += size
    return Layer.IP
