"""X.509 extensions to values: one function per extension, found by OID in `READERS`.

Source: RFC 5280 section 4.2. A value that cannot be read is noted and left out.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

from analyzer.certificates import strings
from analyzer.certificates.der import BIT_STRING, BOOLEAN, INTEGER, OCTET_STRING, OID, SEQUENCE, Der, Element, oid_text
from analyzer.certificates.names import parse_name
from analyzer.dataclass import dataclass
from analyzer.errors import ParseError

EMAIL, DNS, DIRECTORY, URI, IP, REGISTERED_ID = 0x81, 0x82, 0xA4, 0x86, 0x87, 0x88  # GeneralName tags
KEY_USAGES = (
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
)
OCSP, CA_ISSUERS = "1.3.6.1.5.5.7.48.1", "1.3.6.1.5.5.7.48.2"


@dataclass(frozen=True, slots=True)
class SubjectAltName:
    """subjectAltName, each kind in order. `size`: bytes of the extension's value. `in_order`: dNSNames and the rest mixed
    as sent, "dns:a.example", "ip:192.0.2.1", "uri:...", "email:...", "other:<oid>"."""

    dns: tuple[str, ...] = ()
    ip: tuple[str, ...] = ()
    uri: tuple[str, ...] = ()
    email: tuple[str, ...] = ()
    in_order: tuple[str, ...] = ()
    size: int = 0


@dataclass(slots=True)
class Extensions:
    """What the extensions say, while they are read; the attributes are those of `Certificate`."""

    san: SubjectAltName | None = None
    eku: tuple[str, ...] | None = None
    key_usage: tuple[str, ...] | None = None
    crl_urls: tuple[str, ...] = ()
    aia_urls: tuple[str, ...] = ()
    ocsp_urls: tuple[str, ...] = ()
    is_ca: bool | None = None
    path_length: int | None = None
    subject_key_id: bytes | None = None
    authority_key_id: bytes | None = None


def read_extension(reader: Der, dotted: str, value: Element, into: Extensions) -> None:
    """Read one extension's value (the inside of its OCTET STRING) if we know it. Trouble is noted."""
    known = READERS.get(dotted)
    if known is None:
        return
    name, read = known
    try:
        outer = reader.element(value[2], value[3])
        if outer[3] != value[3]:
            reader.note(f"bytes behind the end of {name}")
        read(reader, outer, into)
    except ParseError as trouble:
        reader.note(f"invalid {name}: {trouble.reason}")


def _sequence(reader: Der, outer: Element) -> list[Element]:
    if outer[0] != SEQUENCE:
        raise ParseError(f"tag {outer[0]:#04x} where a SEQUENCE belongs")
    return reader.children(outer)


def _subject_alt_name(reader: Der, outer: Element, into: Extensions) -> None:
    kinds: dict[str, list[str]] = {"dns": [], "ip": [], "uri": [], "email": []}
    in_order: list[str] = []
    for name in _sequence(reader, outer):
        kind, text = _general_name(reader, name)
        if kind in kinds:
            kinds[kind].append(text)
        in_order.append(f"{kind}:{text}")
    if not in_order:
        reader.note("subjectAltName without a name")
    into.san = SubjectAltName(
        tuple(kinds["dns"]), tuple(kinds["ip"]), tuple(kinds["uri"]), tuple(kinds["email"]), tuple(in_order),
        outer[3] - outer[1],
    )  # fmt: skip


def _general_name(reader: Der, name: Element) -> tuple[str, str]:
    """Kind and text of a GeneralName (RFC 5280 section 4.2.1.6)."""
    tag = name[0]
    content = reader.content(name)
    if tag == DNS:
        return "dns", _ia5(reader, content)
    if tag == URI:
        return "uri", _ia5(reader, content)
    if tag == EMAIL:
        return "email", _ia5(reader, content)
    if tag == IP:
        return "ip", _address(reader, content)
    if tag == DIRECTORY:
        inner = parse_name(content)
        return "dir", inner.text
    if tag == REGISTERED_ID:
        return "id", oid_text(content)
    if tag == 0xA0:
        parts = reader.children(name)
        return "other", oid_text(reader.content(parts[0])) if parts and parts[0][0] == OID else "?"
    if tag not in (0xA3, 0xA5):
        reader.note(f"GeneralName of unknown tag {tag:#04x}")
    return "other", f"tag {tag & 0x1F}"


def _ia5(reader: Der, content: bytes) -> str:
    if content.isascii():
        if b"\0" in content:
            reader.note("NUL inside a name")
        return content.decode("ascii")
    reader.note("name with characters that are not ASCII")
    return strings.readable(content.decode("utf-8", "surrogateescape"))


def _address(reader: Der, content: bytes) -> str:
    if len(content) in (4, 16):
        return str(ip_address(content))
    reader.note(f"IP address of {len(content):,} bytes")
    return content.hex()


def _extended_key_usage(reader: Der, outer: Element, into: Extensions) -> None:
    uses = _sequence(reader, outer)
    if any(use[0] != OID for use in uses):
        reader.note("extendedKeyUsage with something that is no OID")
    into.eku = tuple([oid_text(reader.content(use)) for use in uses if use[0] == OID])


def _key_usage(reader: Der, outer: Element, into: Extensions) -> None:
    content = reader.content(outer)
    if outer[0] != BIT_STRING or not content:
        raise ParseError("no BIT STRING")
    value = int.from_bytes(content[1:3].ljust(2, b"\0"))
    into.key_usage = tuple([usage for at, usage in enumerate(KEY_USAGES) if value & 0x8000 >> at])
    if not into.key_usage:
        reader.note("keyUsage without a usage")
    if value & 0x0180 and not value & 0x0800:  # the last two only say how keys may be agreed on
        reader.note("keyUsage: encipherOnly or decipherOnly without keyAgreement")


def _basic_constraints(reader: Der, outer: Element, into: Extensions) -> None:
    into.is_ca = False
    for part in _sequence(reader, outer):
        content = reader.content(part)
        if part[0] == BOOLEAN:
            into.is_ca = content not in (b"\0", b"")
            if content != b"\xff":
                reader.note("basicConstraints: cA FALSE encoded" if content == b"\0" else "BOOLEAN that is not FF")
        elif part[0] == INTEGER and 1 <= len(content) <= 4:
            into.path_length = int.from_bytes(content, signed=True)
            if into.path_length < 0:
                reader.note("negative path length")
        else:
            reader.note("invalid basicConstraints")


def _subject_key_id(reader: Der, outer: Element, into: Extensions) -> None:
    if outer[0] != OCTET_STRING:
        raise ParseError("no OCTET STRING")
    into.subject_key_id = reader.content(outer)


def _authority_key_id(reader: Der, outer: Element, into: Extensions) -> None:
    for part in _sequence(reader, outer):
        if part[0] == 0x80:
            into.authority_key_id = reader.content(part)


def _crl_distribution_points(reader: Der, outer: Element, into: Extensions) -> None:
    urls: list[str] = []
    for point in _sequence(reader, outer):
        for part in reader.children(point):
            if part[0] != 0xA0:  # distributionPoint; the others are reasons and cRLIssuer
                continue
            for full_name in reader.children(part):
                if full_name[0] == 0xA0:
                    names = reader.children(full_name)
                    urls += [_ia5(reader, reader.content(name)) for name in names if name[0] == URI]
    into.crl_urls = tuple(urls)


def _authority_information(reader: Der, outer: Element, into: Extensions) -> None:
    issuers: list[str] = []
    ocsp: list[str] = []
    for description in _sequence(reader, outer):
        parts = reader.children(description)
        if len(parts) != 2 or parts[0][0] != OID:
            reader.note("invalid authorityInfoAccess")
        elif parts[1][0] == URI:
            method = oid_text(reader.content(parts[0]))
            where = issuers if method == CA_ISSUERS else ocsp if method == OCSP else []
            where.append(_ia5(reader, reader.content(parts[1])))
    into.aia_urls, into.ocsp_urls = tuple(issuers), tuple(ocsp)


READERS: dict[str, tuple[str, Callable[[Der, Element, Extensions], None]]] = {
    "2.5.29.14": ("subjectKeyIdentifier", _subject_key_id),
    "2.5.29.15": ("keyUsage", _key_usage),
    "2.5.29.17": ("subjectAltName", _subject_alt_name),
    "2.5.29.19": ("basicConstraints", _basic_constraints),
    "2.5.29.31": ("cRLDistributionPoints", _crl_distribution_points),
    "2.5.29.35": ("authorityKeyIdentifier", _authority_key_id),
    "2.5.29.37": ("extendedKeyUsage", _extended_key_usage),
    "1.3.6.1.5.5.7.1.1": ("authorityInfoAccess", _authority_information),
}
