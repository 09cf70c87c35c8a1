"""DNS messages, as far as names, addresses, aliases and services go (RFC 1035 section 4, RFC 3596, RFC 2782).

Tolerant: of a message that is cut, or wrong from some place on, everything before that place counts. Compressed names
cannot loop: a pointer must go back, and a name ends with its 255th byte (RFC 1035 section 3.1).
"""

from __future__ import annotations

import struct
from enum import IntEnum
from functools import lru_cache

from analyzer.dataclass import dataclass
from analyzer.errors import ParseError
from analyzer.packets.addresses import packed_text

HEADER = 12
CACHED = 4_096
"""Labels whose text is remembered."""
ANSWER = 0x8000
"""The flag of an answer."""
RCODE = 0x000F
MAX_RECORDS = 64
"""Records read of one message: no honest one that matters here has more."""
MAX_NAME, MAX_LABEL = 255, 63
MAX_JUMPS = 32
"""Pointers followed in one name: a hostile message could string thousands together."""
POINTER = 0xC0
SRV_HEAD = 6
"""Priority, weight and port before the target."""
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}


class Type(IntEnum):
    """Record types that are read; others are passed over."""

    A = 1
    CNAME = 5
    AAAA = 28
    SRV = 33


A, CNAME, AAAA, SRV = (int(kind) for kind in Type)  # members of an enum are slow to look up


@dataclass(frozen=True, slots=True)
class Record:
    """One resource record: `value` is the address, the alias's target or the service's target. `port`: of a service."""

    owner: str
    type: int
    value: str
    port: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        id: its number. answer: it is an answer, not a question. rcode: "NOERROR", "NXDOMAIN", ... or the number.
        name, type: the first question; "" and 0 if there is none.
        records: those of the answer and the additional section that are read, in order.
    """

    id: int
    answer: bool
    rcode: str
    name: str
    type: int
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Service:
    """An SRV record: `owner` is served by `target` on `port`. Names in lower case, without the last dot."""

    owner: str
    target: str
    port: int
    frame: int


@dataclass(frozen=True, slots=True)
class Alias:
    """A CNAME record."""

    owner: str
    target: str
    frame: int


def parse(data: bytes) -> Message | None:
    """The message, or as much of it as can be read; None if not even its header and its question can. Never raises."""
    if len(data) < HEADER:
        return None
    number, flags, questions, answers, authorities, more = _HEADER.unpack_from(data)
    name, kind, at = "", 0, HEADER
    records: list[Record] = []
    try:
        for index in range(min(questions, MAX_RECORDS)):
            asked, at = _name(data, at)
            if not index:
                name, kind = asked, data[at] << 8 | data[at + 1]
            at += 4
    except (ParseError, IndexError):
        return None
    if at > len(data):
        return None
    try:
        for index in range(min(answers + authorities + more, MAX_RECORDS)):
            record, at = _record(data, at)
            if record is not None and not answers <= index < answers + authorities:
                records.append(record)
    except (ParseError, IndexError, struct.error):
        pass  # cut, or wrong from here on: what came before counts
    code = flags & RCODE
    return Message(number, bool(flags & ANSWER), RCODES.get(code, str(code)), name, kind, tuple(records))


def _record(data: bytes, at: int) -> tuple[Record | None, int]:
    """The next record, and where it ends; None if it is of a type that is passed over, or its data is not what its type has.

    Raise ParseError, IndexError or struct.error past the end.
    """
    owner, at = _name(data, at)
    kind, size = _RECORD.unpack_from(data, at)
    at += _RECORD.size
    end = at + size
    if end > len(data):
        raise ParseError("a record runs past the end", at)
    if kind in (A, AAAA):
        fits = size == (4 if kind == A else 16)
        return (Record(owner, kind, packed_text(data[at:end])) if fits else None), end
    if kind == CNAME:
        return Record(owner, kind, _name(data, at)[0]), end
    if kind == SRV and size > SRV_HEAD:
        return Record(owner, kind, _name(data, at + SRV_HEAD)[0], data[at + 4] << 8 | data[at + 5]), end
    return None, end


def _name(data: bytes, at: int) -> tuple[str, int]:
    """The name at a place, in lower case, without the last dot ("" is the root), and where it ends.

    Raise ParseError if it is none, IndexError past the end.
    """
    labels: list[str] = []
    size = jumps = end = 0
    before = at
    while True:
        length = data[at]
        if length >= POINTER:
            jumps += 1
            target = (length & ~POINTER) << 8 | data[at + 1]
            end = end or at + 2
            if not target < before or jumps > MAX_JUMPS:
                raise ParseError("a name points forward, or around", at)
            at = before = target
            continue
        if length > MAX_LABEL:
            raise ParseError("a label of an unknown kind", at)
        at += 1
        if not length:
            return ".".join(labels), end or at
        size += length + 1
        if size > MAX_NAME or at + length > len(data):
            raise ParseError("a name that is too long, or runs past the end", at)
        labels.append(_label(data[at : at + length]))
        at += length


@lru_cache(maxsize=CACHED)
def _label(raw: bytes) -> str:
    """Bytes that are no part of a host name are written as in a zone file: "\\032" is a space, "\\046" a dot."""
    return "".join(chr(b).lower() if b in _PLAIN else f"\\{b:03d}" for b in raw)


_HEADER, _RECORD = struct.Struct(">6H"), struct.Struct(">H6xH")
"""Of a record: type; class and time to live, which are passed over; length."""
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_*")
