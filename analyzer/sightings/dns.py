"""DNS messages, as far as names, addresses, aliases and services go (RFC 1035 section 4, RFC 3596, RFC 2782).

Tolerant: of a message that is cut, or wrong from some place on, everything before that place counts. Compressed names
cannot loop: a pointer must go back, and a name ends with its 255th byte (RFC 1035 section 3.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from analyzer.errors import ParseError
from analyzer.packets.addresses import packed_text
from analyzer.wire import Reader

HEADER = 12
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


def parse(data: bytes) -> Message | None:
    """The message, or as much of it as can be read; None if not even its header and its question can. Never raises."""
    if len(data) < HEADER:
        return None
    number, flags, questions, answers, authorities, more = (
        int.from_bytes(data[i : i + 2]) for i in range(0, HEADER, 2)
    )
    reader = Reader(data, HEADER)
    name, kind = "", 0
    try:
        for index in range(min(questions, MAX_RECORDS)):
            asked = _name(reader)
            if not index:
                name, kind = asked, reader.u16()
                reader.u16()
            else:
                reader.take(4)
    except ParseError:
        return None
    records: list[Record] = []
    try:
        for index in range(min(answers + authorities + more, MAX_RECORDS)):
            record = _record(reader)
            if record is not None and not answers <= index < answers + authorities:
                records.append(record)
    except ParseError:
        pass
    code = flags & RCODE
    return Message(number, bool(flags & ANSWER), RCODES.get(code, str(code)), name, kind, tuple(records))


def _record(reader: Reader) -> Record | None:
    """The next record; None if it is of a type that is passed over, or its data is not what its type has."""
    owner = _name(reader)
    kind = reader.u16()
    reader.take(6)  # class and time to live
    size = reader.u16()
    start = reader.pos
    body = reader.take(size)
    if kind in (Type.A, Type.AAAA):
        return Record(owner, kind, packed_text(body)) if size == (4 if kind == Type.A else 16) else None
    if kind == Type.CNAME:
        return Record(owner, kind, _name(Reader(reader.data, start, start + size)))
    if kind == Type.SRV and size > SRV_HEAD:
        target = _name(Reader(reader.data, start + SRV_HEAD, start + size))
        return Record(owner, kind, target, int.from_bytes(body[4:SRV_HEAD]))
    return None


def _name(reader: Reader) -> str:
    """The name at the reader's place, in lower case, without the last dot; "" is the root. Raise ParseError if it is none."""
    labels: list[str] = []
    data, size, jumps = reader.data, 0, 0
    inside, before = reader, reader.pos
    while True:
        length = inside.u8()
        if length >= POINTER:
            target = (length & ~POINTER) << 8 | inside.u8()
            jumps += 1
            if not target < before or jumps > MAX_JUMPS:
                raise ParseError("a name points forward, or around", inside.pos)
            before = target
            inside = Reader(data, target)
            continue
        if length > MAX_LABEL:
            raise ParseError("a label of an unknown kind", inside.pos)
        if not length:
            return ".".join(labels)
        size += length + 1
        if size > MAX_NAME:
            raise ParseError("a name of more than 255 bytes", inside.pos)
        labels.append(_label(inside.take(length)))


def _label(raw: bytes) -> str:
    """Bytes that are no part of a host name are written as in a zone file: "\\032" is a space, "\\046" a dot."""
    if raw.isalnum():
        return raw.decode().lower()
    return "".join(chr(b).lower() if b in _PLAIN else f"\\{b:03d}" for b in raw)


_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_*")
