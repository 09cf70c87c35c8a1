"""DNS messages by hand (RFC 1035 section 4). Names are not compressed unless given as bytes."""

from __future__ import annotations

import ipaddress
import struct

A, CNAME, AAAA, SRV = 1, 5, 28, 33
Record = tuple[str | bytes, int, bytes]


def name(text: str | bytes) -> bytes:
    """A name as labels; bytes are taken as they are (a pointer, something broken)."""
    if isinstance(text, bytes):
        return text
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".") if label) + b"\0"


def question(asked: str | bytes, kind: int = A, *, number: int = 1) -> bytes:
    """A query for one name."""
    return struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + name(asked) + struct.pack(">HH", kind, 1)


def answer(
    asked: str | bytes, *records: Record, kind: int = A, number: int = 1, rcode: int = 0, more: tuple[Record, ...] = ()
) -> bytes:
    """The answer to it, with these records; `more` in the additional section."""
    head = struct.pack(">HHHHHH", number, 0x8180 | rcode, 1, len(records), 0, len(more))
    return head + name(asked) + struct.pack(">HH", kind, 1) + b"".join(map(_record, (*records, *more)))


def address(owner: str | bytes, text: str) -> Record:
    """An A or AAAA record."""
    packed = ipaddress.ip_address(text).packed
    return owner, A if len(packed) == 4 else AAAA, packed


def alias(owner: str | bytes, target: str | bytes) -> Record:
    """A CNAME record."""
    return owner, CNAME, name(target)


def service(owner: str | bytes, target: str | bytes, port: int = 5061) -> Record:
    """An SRV record."""
    return owner, SRV, struct.pack(">HHH", 0, 0, port) + name(target)


def _record(record: Record) -> bytes:
    owner, kind, data = record
    return name(owner) + struct.pack(">HHIH", kind, 1, 300, len(data)) + data
