"""Link types: from the first byte of a frame to its IP header.

`START` says with which layer the walk begins; `find_ip` does the commonest for many frames at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.capture.source import NOT_A_PACKET, Frames
from analyzer.packets.headers import gather
from analyzer.packets.layers import IPV4_TYPE, IPV6_TYPE, MAX_TAGS, Layer, Next, Packet

ETHERNET = 1
START: dict[int, Layer] = {
    0: Layer.LOOPBACK,  # NULL, in the byte order of the host that wrote it
    1: Layer.ETHERNET,
    6: Layer.TOKEN_RING,
    9: Layer.PPP,
    10: Layer.FDDI,
    12: Layer.IP,  # RAW, as some systems number it
    14: Layer.IP,
    50: Layer.SERIAL,
    51: Layer.PPPOE,  # PPP_ETHER: no Ethernet header before it
    100: Layer.LLC,
    101: Layer.IP,  # RAW
    104: Layer.HDLC,
    108: Layer.LOOPBACK,  # LOOP, big-endian
    113: Layer.COOKED,
    228: Layer.IP,  # IPV4
    229: Layer.IP,  # IPV6
    276: Layer.COOKED_2,
}
"""LINKTYPE_* number -> first layer (tcpdump.org/linktypes.html)."""
WIFI = frozenset((105, 119, 127, 163, 192))
"""802.11 with and without radio headers: mostly encrypted, not decoded."""
UNKNOWN_LINK = 0xFFFE
"""What a reader says of a medium that has no LINKTYPE_* number."""

VLANS = (0x8100, 0x88A8, 0x9100, 0x9200)
TAGS = dict.fromkeys(VLANS, 2) | {0x8909: 6, 0x8926: 4, 0x893F: 6}
"""Ethertypes of tags, and the bytes between them and the next ethertype: VLAN; Cisco metadata, VN-tag, E-tag."""
FAMILIES = (2, 10, 24, 28, 30)
"""Address families of IP that a loopback header has: IPv4, and IPv6 on Linux, NetBSD, FreeBSD, macOS."""
IP_FAMILIES = frozenset(FAMILIES) | {int.from_bytes(n.to_bytes(4), "little") for n in FAMILIES}

BY_NIBBLE, NOT_HERE = 0, 1
"""What `find_ip` says in place of an ethertype: read the version; leave the frame to the walk."""
HEAD = 36  # bytes: the longest link header with MAX_TAGS tags
_TYPED_LINKS = {1: (12, 14), 104: (2, 4), 113: (14, 16), 276: (0, 20)}
"""Link type -> where its ethertype is, and its length."""


def reason_of(link_type: int) -> str:
    """Why frames of a link type that is not in START are not decoded."""
    if link_type in WIFI:
        return "wifi"
    return {NOT_A_PACKET: "not-a-packet", UNKNOWN_LINK: "link-unknown"}.get(link_type, f"link-type-{link_type}")


def find_ip(frames: Frames, index: NDArray[np.intp], link_type: int) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
    """For frames of one link type: the length of the link header, and the ethertype, BY_NIBBLE or NOT_HERE.

    An offset may lie behind the captured bytes: the caller checks.
    """
    offset = np.zeros(len(index), np.int64)
    if START.get(link_type) is Layer.IP:
        return offset, np.full(len(index), BY_NIBBLE, np.uint16)
    if START.get(link_type) is Layer.LOOPBACK:
        family = gather(frames.data, frames.start[index], np.dtype("V4")).view("<u4")
        known = np.isin(family, tuple(IP_FAMILIES))
        return offset + 4, np.where(known, BY_NIBBLE, NOT_HERE).astype(np.uint16)
    if link_type not in _TYPED_LINKS:
        return offset, np.full(len(index), NOT_HERE, np.uint16)
    type_at, header = _TYPED_LINKS[link_type]
    heads = gather(frames.data, frames.start[index], np.dtype(f"V{HEAD}"))
    protocol = _column(heads, type_at)
    offset += header
    for tag in range(MAX_TAGS):
        tagged = np.isin(protocol, VLANS)
        if not tagged.any():
            break
        offset[tagged] += 4
        protocol[tagged] = _column(heads, header + 4 * tag + 2)[tagged]
    # Lengths (802.3) stand where ethertypes do, and could be taken for our marks.
    protocol[protocol < IPV4_TYPE] = NOT_HERE
    return offset, protocol


def _column(heads: NDArray[np.void], at: int) -> NDArray[np.uint16]:
    layout: Any = {"names": ["value"], "formats": [">u2"], "offsets": [at], "itemsize": HEAD}
    column: NDArray[np.uint16] = heads.view(np.dtype(layout))["value"].astype(np.uint16)
    return column


def ethernet(packet: Packet) -> Next:
    if short := packet.lacks(14, "malformed-link"):
        return short
    packet.code = packet.u16(12)
    packet.at += 14
    return Layer.TYPED if packet.code >= 0x600 else Layer.LLC  # IEEE 802.3: a length


def token_ring(packet: Packet) -> Next:
    """IEEE 802.5: access and frame control, addresses, perhaps a route (marked in the source address), 802.2."""
    if short := packet.lacks(14, "malformed-link"):
        return short
    routed = packet.data[packet.at + 8] & 0x80
    packet.at += 14
    if routed:
        if short := packet.lacks(2, "malformed-link"):
            return short
        packet.at += max(packet.data[packet.at] & 0x1F, 2)
    return Layer.LLC


def fddi(packet: Packet) -> Next:
    """Frame control, addresses, 802.2."""
    packet.at += 13
    return packet.lacks(0, "malformed-link") or Layer.LLC


def typed(packet: Packet) -> Next:
    """Whatever follows an ethertype."""
    if packet.code in TAGS:
        return _tag(packet, TAGS[packet.code])
    return BY_TYPE.get(packet.code, "non-ip")


def _tag(packet: Packet, size: int) -> Next:
    packet.tags += 1
    if packet.tags > MAX_TAGS:
        return "tunnel-depth"
    if short := packet.lacks(size + 2, "malformed-link"):
        return short
    packet.code = packet.u16(size)
    packet.at += size + 2
    return Layer.TYPED if packet.code >= 0x600 else Layer.LLC


BY_TYPE: dict[int, Next] = {
    IPV4_TYPE: Layer.IPV4,
    IPV6_TYPE: Layer.IPV6,
    0x0806: "arp",
    0x8035: "arp",
    0x6558: Layer.ETHERNET,  # transparent Ethernet bridging
    0x8847: Layer.MPLS,
    0x8848: Layer.MPLS,
    0x8864: Layer.PPPOE,
    0x880B: Layer.PPP,
}


def llc(packet: Packet) -> Next:
    """IEEE 802.2, with SNAP for IP (RFC 1042)."""
    if short := packet.lacks(3, "malformed-link"):
        return short
    head = packet.data[packet.at : min(packet.at + 8, packet.end)]
    if head[:3] == b"\x06\x06\x03":
        packet.at += 3
        return Layer.IP
    if head[:3] != b"\xaa\xaa\x03":
        return "non-ip"
    if short := packet.lacks(8, "malformed-link"):
        return short
    packet.code = packet.u16(6)
    packet.at += 8
    known = head[3:6] in (b"\0\0\0", b"\0\0\xf8") and packet.code >= 0x600  # the second: IEEE 802.1H
    return Layer.TYPED if known else "non-ip"


def cooked(packet: Packet) -> Next:
    return _header_with_type(packet, 14, 16)


def cooked_2(packet: Packet) -> Next:
    return _header_with_type(packet, 0, 20)


def hdlc(packet: Packet) -> Next:
    """Cisco HDLC: address, control, ethertype."""
    return _header_with_type(packet, 2, 4)


def _header_with_type(packet: Packet, type_at: int, size: int) -> Next:
    if short := packet.lacks(size, "malformed-link"):
        return short
    packet.code = packet.u16(type_at)
    packet.at += size
    if packet.code == 4:  # Linux cooked: 802.2 follows
        return Layer.LLC
    return Layer.TYPED if packet.code >= 0x600 else "non-ip"


def loopback(packet: Packet) -> Next:
    """Four bytes of address family, in either byte order."""
    if short := packet.lacks(4, "malformed-link"):
        return short
    family = int.from_bytes(packet.data[packet.at : packet.at + 4])
    packet.at += 4
    return Layer.IP if family in IP_FAMILIES else "non-ip"


def serial(packet: Packet) -> Next:
    """A serial line: Cisco HDLC by its address byte, else PPP."""
    if packet.data[packet.at : packet.at + 1] in (b"\x0f", b"\x8f"):
        return Layer.HDLC
    return Layer.PPP


def pppoe(packet: Packet) -> Next:
    """A session packet: version, code, session, length (RFC 2516)."""
    if short := packet.lacks(6, "malformed-link"):
        return short
    packet.at += 6
    return Layer.PPP


def ppp(packet: Packet) -> Next:
    """Address and control may be left out, and the protocol may be one byte (RFC 1661, RFC 1662)."""
    if short := packet.lacks(2, "malformed-link"):
        return short
    if packet.u16(0) == 0xFF03:
        packet.at += 2
        if short := packet.lacks(2, "malformed-link"):
            return short
    protocol, size = packet.u16(0), 2
    if protocol >> 8 & 1:
        protocol, size = protocol >> 8, 1
    packet.at += size
    return {0x21: Layer.IPV4, 0x57: Layer.IPV6, 0x281: Layer.MPLS, 0x283: Layer.MPLS}.get(protocol, "non-ip")


def mpls(packet: Packet) -> Next:
    """A label stack says nothing of what it carries: IP by its version, else an Ethernet pseudo-wire (RFC 4385)."""
    bottom = 0
    while not bottom:
        if short := packet.lacks(4, "malformed-link"):
            return short
        bottom = packet.data[packet.at + 2] & 1
        packet.at += 4
    if short := packet.lacks(1, "malformed-link"):
        return short
    version = packet.data[packet.at] >> 4
    if version in (4, 6):
        return Layer.IPV4 if version == 4 else Layer.IPV6
    packet.tags += 1
    if packet.tags > MAX_TAGS:
        return "tunnel-depth"
    if version == 0 and not _ethernet_here(packet):
        packet.at += 4  # the control word
    return Layer.ETHERNET


def _ethernet_here(packet: Packet) -> bool:
    """True if no control word stands before the Ethernet header: addresses may start with zeros, too."""
    known = (*BY_TYPE, *TAGS)
    here, behind = (packet.at + start + 12 for start in (0, 4))
    types = [int.from_bytes(packet.data[at : at + 2]) for at in (here, behind)]
    return types[0] in known and types[1] not in known
