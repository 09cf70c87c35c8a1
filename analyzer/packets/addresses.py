"""Addresses as text, as Wireshark shows them."""

from __future__ import annotations

from functools import lru_cache

CACHED = 65_536


@lru_cache(maxsize=CACHED)
def address_text(v4: bool, hi: int, lo: int) -> str:
    """The address whose 64-bit halves these are; IPv4 in the low 32 bits of `lo`. IPv6 as in RFC 5952."""
    if v4:
        return ".".join(str(byte) for byte in (lo & 0xFFFFFFFF).to_bytes(4))
    return ipv6_text((hi << 64 | lo).to_bytes(16))


@lru_cache(maxsize=CACHED)
def packed_text(address: bytes) -> str:
    """As `address_text`, for 4 or 16 bytes."""
    value = int.from_bytes(address)
    return address_text(len(address) == 4, value >> 64, value & 0xFFFFFFFF_FFFFFFFF)


def ipv6_text(address: bytes) -> str:
    """The longest run of zero groups becomes "::"; an embedded IPv4 address is written with dots (RFC 5952 section 5)."""
    groups = [address[i] << 8 | address[i + 1] for i in range(0, 16, 2)]
    start, length = _zeros(groups)
    mapped = start == 0 and (length == 6 or (length == 5 and groups[5] == 0xFFFF))
    words = [f"{group:x}" for group in groups]
    if mapped:
        words[6:] = [".".join(str(byte) for byte in address[12:])]
    if length < 2:
        return ":".join(words)
    return f"{':'.join(words[:start])}::{':'.join(words[start + length :])}"


def _zeros(groups: list[int]) -> tuple[int, int]:
    """Start and length of the first longest run of zeros."""
    best, run = (0, 0), 0
    for place, group in enumerate(groups):
        run = 0 if group else run + 1
        if run > best[1]:
            best = (place - run + 1, run)
    return best
