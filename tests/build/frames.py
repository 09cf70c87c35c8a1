"""Frames by hand: link, IP, TCP, UDP and ICMP headers as bytes, and batches of them. Right checksums unless told."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Sequence

import numpy as np

from analyzer.capture.source import PAD, Frames

ALICE, BOB = "192.0.2.1", "198.51.100.2"
ALICE_6, BOB_6 = "2001:db8::1", "2001:db8::2"
MACS = bytes.fromhex("02000000000a02000000000b")
IPV4_TYPE, IPV6_TYPE = 0x0800, 0x86DD
FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58


def checksum(data: bytes) -> int:
    """RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def tcp(
    payload: bytes = b"",
    sport: int = 40000,
    dport: int = 443,
    seq: int = 1,
    ack: int = 1,
    flags: int = ACK | PSH,
    window: int = 65535,
    options: bytes = b"",
    words: int | None = None,
) -> bytes:
    """A TCP segment; its checksum is filled in by `ipv4` or `ipv6`. `words`: header length to claim."""
    options += b"\1" * (-len(options) % 4)
    length = 5 + len(options) // 4 if words is None else words
    header = struct.pack(">HHIIBBHHH", sport, dport, seq % 2**32, ack % 2**32, length << 4, flags, window, 0, 0)
    return header + options + payload


def udp(payload: bytes = b"", sport: int = 40000, dport: int = 9999) -> bytes:
    return struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload


def icmp(kind: int, code: int, rest: bytes, word: int = 0) -> bytes:
    """`word`: the four bytes after the checksum; the MTU is in there. The checksum is right for IPv4."""
    body = struct.pack(">BBHI", kind, code, 0, word) + rest
    return body[:2] + checksum(body).to_bytes(2) + body[4:]


def ipv4(
    body: bytes,
    protocol: int = TCP,
    src: str = ALICE,
    dst: str = BOB,
    ttl: int = 64,
    ident: int = 7,
    options: bytes = b"",
    offset: int = 0,
    more: bool = False,
    total: int | None = None,
    good: bool = True,
) -> bytes:
    """A packet, or a fragment (`offset` in bytes). `good`: the checksum of TCP and UDP is right. `total`: length to claim."""
    addresses = ipaddress.IPv4Address(src).packed + ipaddress.IPv4Address(dst).packed
    if not offset and not more:
        body = _sum(body, protocol, addresses, good)
    options += b"\0" * (-len(options) % 4)
    size = 20 + len(options)
    length = (size + len(body)) if total is None else total
    header = struct.pack(
        ">BBHHHBBH", 0x40 | size // 4, 0, length & 0xFFFF, ident, more << 13 | offset // 8, ttl, protocol, 0
    )
    header += addresses + options
    return header[:10] + checksum(header).to_bytes(2) + header[12:] + body


def ipv6(
    body: bytes,
    protocol: int = TCP,
    src: str = ALICE_6,
    dst: str = BOB_6,
    hops: int = 64,
    extensions: Sequence[tuple[int, bytes]] = (),
    length: int | None = None,
    good: bool = True,
) -> bytes:
    """`extensions`: (number, bytes after the next-header byte) of each extension header, in order."""
    addresses = ipaddress.IPv6Address(src).packed + ipaddress.IPv6Address(dst).packed
    body = _sum(body, protocol, addresses, good)
    chain = [number for number, _ in extensions] + [protocol]
    for (_, rest), following in zip(reversed(extensions), reversed(chain), strict=False):
        body = bytes((following,)) + rest + body
    size = len(body) if length is None else length
    return struct.pack(">IHBB", 6 << 28, size, chain[0], hops) + addresses + body


def _sum(body: bytes, protocol: int, addresses: bytes, good: bool) -> bytes:
    at = {TCP: 16, UDP: 6, ICMPV6: 2}.get(protocol)
    if at is None or len(body) < at + 2:
        return body
    pseudo = addresses + struct.pack(">IHBB", len(body), 0, 0, protocol)
    value = checksum(pseudo + body[:at] + b"\0\0" + body[at + 2 :])
    return body[:at] + (value if good else value ^ 0x5555).to_bytes(2) + body[at + 2 :]


def ethernet(packet: bytes, ethertype: int | None = None, tags: Sequence[int] = (), pad: bool = False) -> bytes:
    """`tags`: ethertypes of VLAN tags, outermost first. `pad`: to 60 bytes, as on a real wire."""
    frame = MACS
    for tag in tags:
        frame += struct.pack(">HH", tag, 100)
    frame += type_of(packet, ethertype).to_bytes(2) + packet
    return frame.ljust(60, b"\xee") if pad else frame


def type_of(packet: bytes, ethertype: int | None = None) -> int:
    """`ethertype`, or that of an IP packet by its version."""
    if ethertype is not None:
        return ethertype
    return IPV6_TYPE if packet[:1] >= b"\x60" else IPV4_TYPE


def cooked(packet: bytes, ethertype: int | None = None) -> bytes:
    """Linux cooked, version 1 (link type 113)."""
    return struct.pack(">HHH8sH", 0, 1, 6, b"\2\0\0\0\0\x0a\0\0", type_of(packet, ethertype)) + packet


def cooked_2(packet: bytes, ethertype: int | None = None) -> bytes:
    """Linux cooked, version 2 (link type 276)."""
    return struct.pack(">HHIHBB8s", type_of(packet, ethertype), 0, 1, 1, 0, 6, b"\2\0\0\0\0\x0a\0\0") + packet


def loopback(packet: bytes, family: int = 2, order: str = "<") -> bytes:
    """NULL (link type 0) in either byte order, or LOOP (108) with ">"."""
    return struct.pack(order + "I", family) + packet


def gre(body: bytes, protocol: int = IPV4_TYPE, flags: int = 0) -> bytes:
    """`flags`: 0x8000 checksum, 0x2000 key, 0x1000 sequence number; each adds four bytes."""
    extra = sum(4 for bit in (0x8000, 0x2000, 0x1000) if flags & bit)
    return struct.pack(">HH", flags, protocol) + bytes(extra) + body


def vxlan(frame: bytes, port: int = 4789) -> bytes:
    """A UDP datagram."""
    return udp(struct.pack(">II", 0x08000000, 42 << 8) + frame, 50000, port)


def geneve(body: bytes, protocol: int = 0x6558, options: bytes = b"") -> bytes:
    """A UDP datagram; `options` in whole words."""
    return udp(struct.pack(">BBHI", len(options) // 4, 0, protocol, 42 << 8) + options + body, 50000, 6081)


def mpls(body: bytes, labels: Sequence[int] = (16,)) -> bytes:
    stack = [label << 12 | (place == len(labels) - 1) << 8 | 64 for place, label in enumerate(labels)]
    return struct.pack(f">{len(stack)}I", *stack) + body


def pppoe(packet: bytes) -> bytes:
    """A session packet with IP in it."""
    protocol = 0x57 if packet[:1] >= b"\x60" else 0x21
    return struct.pack(">BBHHH", 0x11, 0, 1, len(packet) + 2, protocol) + packet


def fragments_v4(packet: bytes, size: int) -> list[bytes]:
    """Cut an IPv4 packet without options into fragments of `size` bytes (a multiple of eight)."""
    header, body = packet[:20], packet[20:]
    cut = []
    for at in range(0, len(body), size):
        piece, more = body[at : at + size], at + size < len(body)
        head = header[:2] + (20 + len(piece)).to_bytes(2) + header[4:6] + (more << 13 | at // 8).to_bytes(2)
        head += header[8:10] + b"\0\0" + header[12:]
        cut.append(head[:10] + checksum(head).to_bytes(2) + head[12:] + piece)
    return cut


def fragments_v6(packet: bytes, size: int, ident: int = 7) -> list[bytes]:
    """Cut an IPv6 packet without extension headers into fragments of `size` bytes (a multiple of eight)."""
    header, body = packet[:40], packet[40:]
    cut = []
    for at in range(0, len(body), size):
        piece, more = body[at : at + size], at + size < len(body)
        extension = struct.pack(">BBHI", header[6], 0, at | more, ident)
        cut.append(header[:4] + (8 + len(piece)).to_bytes(2) + b"\x2c" + header[7:] + extension + piece)
    return cut


def batch(
    frames: Sequence[bytes],
    link_type: int | Sequence[int] = 1,
    snap: int | None = None,
    times: Sequence[int] | None = None,
    first_frame: int = 1,
    junk: int = 0,
) -> Frames:
    """A batch of whole frames, cut at `snap` bytes. Times are a millisecond apart unless given, in nanoseconds.

    `junk`: the byte that the pad is made of; a reader reuses its buffer, so it need not be zero.
    """
    cut = [frame[:snap] for frame in frames]
    sizes = np.array([len(frame) for frame in cut], np.int64)
    kinds = [link_type] * len(frames) if isinstance(link_type, int) else link_type
    return Frames(
        data=np.frombuffer(b"".join(cut) + bytes([junk]) * PAD, np.uint8),
        start=np.cumsum(sizes) - sizes,
        captured=sizes,
        original=np.array([len(frame) for frame in frames], np.int64),
        time_ns=np.array(times if times is not None else [10**18 + i * 10**6 for i in range(len(frames))], np.int64),
        link_type=np.array(kinds, np.uint16),
        first_frame=first_frame,
    )
