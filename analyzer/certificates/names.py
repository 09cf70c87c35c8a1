"""DistinguishedName: parse, compare (RFC 5280 section 7.1), print (RFC 4514)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import field

from analyzer import knowledge
from analyzer.certificates import strings
from analyzer.certificates.cache import BoundedCache
from analyzer.certificates.der import OID, SEQUENCE, SET, Der, is_shortest_oid, oid_text
from analyzer.dataclass import dataclass
from analyzer.errors import ParseError

Folded = tuple[tuple[tuple[str, str], ...], ...]
"""One tuple per RDN, of sorted (type, value made comparable)."""


@dataclass(frozen=True, slots=True, eq=False)
class Name:
    """A distinguished name.

    Two names are equal (`==`, `hash`) if their DER bytes are equal, or if they match by RFC 5280 section 7.1 (attribute
    by attribute, case folded and white space compressed, whatever the string type).

    Attributes:
        der: the bytes as sent.
        text: RFC 4514 form, most specific first ("CN=a,O=b"); "" for the empty name; "(unreadable name: <hex>)" if the
            DER cannot be read. Characters outside printable text are escaped as RFC 4514 says.
        attributes: (dotted OID or short name, value) in wire order (root first). A value that is no string is "#" and
            its DER in hex.
        readable: the DER could be read.
        oddities: what is odd in it ("bad PrintableString", ...); () for an ordinary one.
        folded: what is compared; None for a name that can only equal the same bytes.
    """

    der: bytes
    text: str
    attributes: tuple[tuple[str, str], ...] = ()
    readable: bool = True
    oddities: tuple[str, ...] = ()
    folded: Folded | None = field(default=None, repr=False)

    @property
    def common_name(self) -> str | None:
        """The most specific CN; None if there is none."""
        for kind, value in reversed(self.attributes):
            if kind == "CN":
                return value
        return None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Name):
            return NotImplemented
        return self.der == other.der or (self.folded is not None and self.folded == other.folded)

    def __hash__(self) -> int:
        return hash(self.der if self.folded is None else self.folded)

    def __str__(self) -> str:
        return self.text


_cache: BoundedCache[bytes, Name] = BoundedCache(max_entries=8192, max_weight=2**21)


def parse_name(der: bytes) -> Name:
    """Read a DER Name. Never raises: what cannot be read is a Name with `readable` False. Equal DER gives the same
    object (bounded cache)."""
    found = _cache.get(der)
    if found is not None:
        return found
    try:
        name = _parse(der)
    except ParseError as trouble:
        name = Name(der, f"(unreadable name: {der.hex()})", readable=False, oddities=(trouble.reason,))
    return _cache.put(der, name, 64 + len(der))


def _parse(der: bytes) -> Name:
    reader = Der(der)
    outer = reader.element(0, len(der))
    if outer[0] != SEQUENCE:
        raise ParseError(f"Name: tag {outer[0]:#04x} where a SEQUENCE belongs")
    if outer[3] != len(der):
        reader.note("bytes behind the end of the name")
    attributes: list[tuple[str, str]] = []
    texts: list[str] = []
    folded: list[tuple[tuple[str, str], ...]] = []
    at = outer[2]
    while at < outer[3]:
        rdn = reader.element(at, outer[3])
        at = rdn[3]
        parts = _rdn(reader, rdn)
        attributes += [(kind, value) for kind, value, _, _ in parts]
        texts.append("+".join([f"{kind}={text}" for kind, _, text, _ in parts]))
        folded.append(tuple(sorted([(kind, fold) for kind, _, _, fold in parts])))
    return Name(der, ",".join(reversed(texts)), tuple(attributes), True, tuple(reader.notes), tuple(folded))


def _rdn(reader: Der, rdn: tuple[int, int, int, int]) -> list[tuple[str, str, str, str]]:
    """Kind, value, RFC 4514 text and folded value of each attribute in one RelativeDistinguishedName."""
    if rdn[0] != SET or rdn[2] == rdn[3]:
        raise ParseError("Name: a RelativeDistinguishedName is no SET of attributes", rdn[1])
    parts: list[tuple[str, str, str, str]] = []
    at = rdn[2]
    while at < rdn[3]:
        pair = reader.element(at, rdn[3])
        at = pair[3]
        kind = reader.element(pair[2], pair[3])
        value = reader.element(kind[3], pair[3])
        if pair[0] != SEQUENCE or kind[0] != OID:
            raise ParseError("Name: an attribute does not start with its type", pair[1])
        if value[3] != pair[3]:
            reader.note("bytes behind the value of an attribute")
        dotted = oid_text(reader.content(kind))
        if not is_shortest_oid(reader.content(kind)):
            reader.note(f"an attribute type that is no proper OID ({dotted})")
        keyword = knowledge.attribute_keyword(dotted)
        parts.append((keyword or dotted, *_value(reader, value, keyword is not None)))
    return parts


def _value(reader: Der, value: tuple[int, int, int, int], known: bool) -> tuple[str, str, str]:
    """Value, RFC 4514 text and folded value. Values of unknown types are printed as hex (RFC 4514 section 2.4)."""
    decoded = strings.decode(value[0], reader.content(value))
    if decoded is None:
        reader.note(f"name with a value of tag {value[0]:#04x}, no string")
        raw = "#" + reader.whole(value).hex()
        return raw, raw, raw
    text, oddity = decoded
    if oddity is not None:
        reader.note(oddity)
    return strings.readable(text), escape(text) if known else "#" + reader.whole(value).hex(), _fold(text)


def _fold(text: str) -> str:
    """RFC 4518, as far as it matters: compatibility forms and case are one, white space is compressed and trimmed."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.casefold().split())


_PLAIN = re.compile(r"[A-Za-z0-9*][A-Za-z0-9*._/:@&'()?=-]*(?: [A-Za-z0-9*._/:@&'()?=-]+)*")
_SPECIAL = re.compile(r'[\\"+,;<>]')


def escape(value: str) -> str:
    """An attribute value as RFC 4514 section 2.4 writes it; what is not printable (controls, bidi marks, octets that
    could not be decoded) as pairs of hex digits of its UTF-8 octets."""
    if _PLAIN.fullmatch(value):
        return value
    value = _SPECIAL.sub(r"\\\g<0>", value)
    if not value.isprintable():
        value = "".join([char if char.isprintable() else _octets(char) for char in value])
    if value[:1] in ("#", " "):
        value = "\\" + value
    if value[-1:] == " " and value != "\\ ":
        value = value[:-1] + "\\ "
    return value


def _octets(char: str) -> str:
    return "".join([f"\\{octet:02X}" for octet in char.encode("utf-8", "surrogateescape")])
