"""Internet checksums (RFC 1071): only where two packets disagree, or where bytes are replaced, are they looked at."""

from __future__ import annotations

ONES = 0xFFFF
"""What sums are taken modulo: in ones' complement it is another name of 0."""


def ones_sum(data: bytes) -> int:
    """The ones' complement sum of the 16-bit words, below ONES; an odd last byte counts as if a zero came behind it."""
    return int.from_bytes(data + b"\0" if len(data) % 2 else data, "big") % ONES


def tcp_fits(headers: bytes, payload: bytes) -> bool:
    """The TCP checksum fits (RFC 9293 section 3.1). `headers`: IP and TCP. True as well where it cannot be computed."""
    version = headers[0] >> 4 if headers else 0
    if version == 4:
        tcp, addresses = headers[(headers[0] & 15) * 4 :], headers[12:20]
    elif version == 6 and headers[6] == 6:
        tcp, addresses = headers[40:], headers[8:40]
    else:
        return True
    size = len(tcp) + len(payload)
    return ones_sum(addresses + (6).to_bytes(2, "big") + size.to_bytes(2, "big") + tcp + payload) == 0
