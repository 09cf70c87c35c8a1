"""ASN.1 string types to text. Every byte survives: what cannot be decoded becomes a lone surrogate (PEP 383).

Source: X.690 section 8.23; RFC 5280 section 4.1.2.4 (DirectoryString).
"""

from __future__ import annotations

import re

UTF8, NUMERIC, PRINTABLE, TELETEX, IA5, GRAPHIC, VISIBLE, GENERAL, UNIVERSAL, BMP = (
    0x0C, 0x12, 0x13, 0x14, 0x16, 0x19, 0x1A, 0x1B, 0x1C, 0x1E,
)  # fmt: skip

_PRINTABLE = re.compile(rb"[A-Za-z0-9 '()+,\-./:=?]*")
_NUMERIC = re.compile(rb"[0-9 ]*")
_LONE = re.compile("[\ud800-\udfff]")


def decode(tag: int, content: bytes) -> tuple[str, str | None] | None:
    """The text of a string element, and what is odd about it (None: nothing). None if `tag` is no string type.

    T.61 is read as Latin-1, which is what those who write it mean.
    """
    if tag == UTF8:
        return _from_utf8(content, "bad UTF8String")
    if tag == PRINTABLE:
        if _PRINTABLE.fullmatch(content):
            return content.decode("ascii"), None
        return _from_utf8(content)[0], "bad PrintableString"
    if tag in (IA5, VISIBLE, GENERAL, GRAPHIC):
        return (content.decode("ascii"), None) if content.isascii() else (_from_utf8(content)[0], "bad IA5String")
    if tag == TELETEX:
        return content.decode("latin-1"), None
    if tag == BMP:
        return _from_units(content, 2, "utf-16-be", "bad BMPString")
    if tag == UNIVERSAL:
        return _from_units(content, 4, "utf-32-be", "bad UniversalString")
    if tag == NUMERIC:
        return _from_utf8(content)[0], None if _NUMERIC.fullmatch(content) else "bad NumericString"
    return None


def readable(text: str) -> str:
    """Lone surrogates, which no output can encode, as "\\XX": the octet that could not be decoded."""
    return text if text.isascii() else _LONE.sub(lambda lone: f"\\{ord(lone[0]) & 0xFF:02x}", text)


def _from_utf8(content: bytes, complaint: str | None = None) -> tuple[str, str | None]:
    try:
        return content.decode(), None
    except UnicodeDecodeError:
        return content.decode("utf-8", "surrogateescape"), complaint


def _from_units(content: bytes, size: int, codec: str, complaint: str) -> tuple[str, str | None]:
    try:
        return content.decode(codec), None
    except UnicodeDecodeError:
        return content.decode("latin-1"), complaint
