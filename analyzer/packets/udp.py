"""UDP: counted, never decoded, but QUIC and DTLS by name, and tunnels looked into.

The tests are written with operators that mean the same for one packet (int) and for a column of packets (array).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from analyzer.packets.layers import Layer, Next, Packet

HEADER = 8
NAMED_FROM = 13
"""Payload bytes below which nothing is named: a DTLS record header has 13, and a QUIC packet is longer."""
DNS_PORT, HTTPS_PORT = 53, 443
TUNNELS: dict[int, Layer] = {
    4789: Layer.VXLAN,  # RFC 7348 section 5
    8472: Layer.VXLAN,  # what Linux used before
    6081: Layer.GENEVE,  # RFC 8926 section 3.3
    2152: Layer.GTP_U,  # 3GPP TS 29.281
}
"""Port -> what is in it."""

Value = Any  # an int, or an array of them


def is_tunnel(src: Value, dst: Value) -> Value:
    """Either port is one of TUNNELS."""
    hit = False
    for port in TUNNELS:
        hit = hit | (dst == port) | (src == port)
    return hit


def is_dtls(first: Value, word: Value) -> Value:
    """Content type 20 to 25 and a DTLS version: 1.0 (fe ff), 1.2 (fe fd) or 1.3 (fe fc)."""
    version = word >> 16
    return (first >= 20) & (first <= 25) & ((version == 0xFEFF) | (version == 0xFEFD) | (version == 0xFEFC))


def is_quic(first: Value, word: Value, src: Value, dst: Value) -> Value:
    """A long header (RFC 9000 section 17.2) with a version in use, or port 443 with the fixed bit set."""
    known = (word == 1) | (word == 0x6B3343CF) | (word >> 8 == 0xFF0000) | (word >> 8 == 0xFACEB0)
    known = known | ((word & 0x0F0F0F0F) == 0x0A0A0A0A) | (word >> 16 == 0x5130)  # reserved versions; "Q0", Google's
    https = (src == HTTPS_PORT) | (dst == HTTPS_PORT)
    negotiation = (first >= 0x80) & (word == 0)
    return ((first >= 0xC0) & known) | (https & (((first & 0x40) != 0) | negotiation))


def names(src: Value, dst: Value, payload: Value, first: Value, word: Value) -> Iterator[tuple[str, Value]]:
    """Each name that UDP can have and whether it is so; the first that is counts.

    `first`: the first payload byte. `word`: the four after it, big-endian.
    """
    enough = payload >= NAMED_FROM
    yield "dtls", enough & is_dtls(first, word)
    yield "quic", enough & is_quic(first, word, src, dst)
    yield "dns", (src == DNS_PORT) | (dst == DNS_PORT)


def step(packet: Packet) -> Next:
    """Look into a tunnel, or end with a name."""
    if short := packet.lacks(HEADER, "malformed-udp"):
        return short
    src, dst = packet.ports = packet.u16(0), packet.u16(2)
    packet.at += HEADER
    data, at = packet.data, packet.at
    if tunnel := TUNNELS.get(dst) or TUNNELS.get(src):
        return tunnel
    start = data[at : min(at + 5, packet.end)].ljust(5, b"\0")
    word = int.from_bytes(start[1:])
    for name, hit in names(src, dst, packet.end - at, start[0], word):
        if hit:
            return name
    return "udp"
