"""DER from the inside out: each function gives one whole element. Nothing is checked, so odd DER can be made as well."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime


def tlv(tag: int, content: bytes) -> bytes:
    """Tag, shortest length, content."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def seq(*elements: bytes) -> bytes:
    return tlv(0x30, b"".join(elements))


def set_of(*elements: bytes) -> bytes:
    return tlv(0x31, b"".join(elements))


def explicit(number: int, *elements: bytes) -> bytes:
    """[number] around whole elements."""
    return tlv(0xA0 | number, b"".join(elements))


def implicit(number: int, content: bytes) -> bytes:
    """[number] in place of a primitive tag."""
    return tlv(0x80 | number, content)


def integer(value: int) -> bytes:
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, signed=True))


def boolean(value: bool) -> bytes:
    return tlv(0x01, b"\xff" if value else b"\x00")


def octets(content: bytes) -> bytes:
    return tlv(0x04, content)


def bits(content: bytes, unused: int = 0) -> bytes:
    return tlv(0x03, bytes((unused,)) + content)


def null() -> bytes:
    return b"\x05\x00"


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    return tlv(0x06, b"".join(map(_base128, [first * 40 + second, *rest])))


def _base128(value: int) -> bytes:
    septets = [value & 0x7F]
    while value := value >> 7:
        septets.append(0x80 | value & 0x7F)
    return bytes(reversed(septets))


def utf8(text: str) -> bytes:
    return tlv(0x0C, text.encode())


def printable(text: str) -> bytes:
    return tlv(0x13, text.encode("ascii"))


def ia5(text: str) -> bytes:
    return tlv(0x16, text.encode("ascii"))


def teletex(text: str) -> bytes:
    return tlv(0x14, text.encode("latin-1"))


def bmp(text: str) -> bytes:
    return tlv(0x1E, text.encode("utf-16-be"))


def universal(text: str) -> bytes:
    return tlv(0x1C, text.encode("utf-32-be"))


def time(moment: datetime) -> bytes:
    """UTCTime up to 2049, then GeneralizedTime (RFC 5280 section 4.1.2.5)."""
    moment = moment.astimezone(UTC)
    if 1950 <= moment.year < 2050:
        return tlv(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())
    return tlv(0x18, f"{moment.year:04}{moment:%m%d%H%M%S}Z".encode())


def attribute(kind: str, value: bytes) -> bytes:
    """One AttributeTypeAndValue: a dotted OID and a whole string element."""
    return seq(oid(kind), value)


def name(*rdns: Iterable[bytes]) -> bytes:
    """A Name from its RDNs, root first; each RDN is a list of `attribute`s."""
    return seq(*(set_of(*rdn) for rdn in rdns))
