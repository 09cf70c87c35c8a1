"""Where the parts of a certificate lie: RFC 5280 section 4.1, read so that one bad part does not hide the others."""

from __future__ import annotations

from analyzer.certificates.der import (
    BIT_STRING,
    BOOLEAN,
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    Der,
    Element,
    is_shortest_oid,
    oid_text,
)
from analyzer.dataclass import dataclass
from analyzer.errors import ParseError


@dataclass(slots=True)
class Outline:
    """The elements of a certificate; None where a part is absent.

    Attributes:
        reader: holds the bytes and the oddities.
        tbs: the signed part. algorithm: of the signature, beside the signed part; signature: its BIT STRING.
        version: content of [0]. serial, inner_algorithm, issuer, validity, subject, spki: fields of the signed part.
        extensions: the SEQUENCE inside [3].
    """

    reader: Der
    tbs: Element | None = None
    algorithm: Element | None = None
    signature: Element | None = None
    version: Element | None = None
    serial: Element | None = None
    inner_algorithm: Element | None = None
    issuer: Element | None = None
    validity: Element | None = None
    subject: Element | None = None
    spki: Element | None = None
    extensions: Element | None = None


def outline(der: bytes) -> Outline:
    """Find the parts. Never raises: what is not there is None, and noted."""
    reader = Der(der)
    found = Outline(reader)
    try:
        outer = reader.element(0, len(der), clip=True)
        if outer[0] != SEQUENCE:
            raise ParseError(f"tag {outer[0]:#04x} where a SEQUENCE belongs")
        tbs = reader.element(outer[2], outer[3], clip=True)
        if tbs[0] != SEQUENCE:
            raise ParseError(f"tag {tbs[0]:#04x} where a SEQUENCE belongs")
    except ParseError as trouble:
        reader.note(f"no certificate: {trouble.reason}")
        return found
    if outer[3] < len(der) and der[outer[1] + 1] != 0x80:
        reader.note(f"{len(der) - outer[3]:,} bytes behind the end of the certificate")
    parts = reader.children(outer, clip=True)
    found.algorithm = parts[1] if len(parts) > 1 else None
    found.signature = parts[2] if len(parts) > 2 and parts[2][0] == BIT_STRING else None
    if len(parts) != 3 or found.signature is None:
        reader.note("the signature is missing" if len(parts) < 3 else "a certificate of other than three parts")
    elif der[parts[2][2] : parts[2][2] + 1] != b"\0":
        reader.note("a signature that is no whole octets")
    _fields(reader, tbs, found)
    if found.serial or found.issuer:
        found.tbs = tbs
    else:
        reader.note("no certificate: neither serial number nor issuer")
    return found


def _fields(reader: Der, tbs: Element, found: Outline) -> None:
    """The fields of TBSCertificate by their place; those of six that are not there are None."""
    fields = reader.children(tbs, clip=True)
    if fields and fields[0][0] == 0xA0:
        found.version = fields.pop(0)
    if fields and fields[0][0] == INTEGER:
        found.serial = fields.pop(0)
    elif len(fields) > 5 and fields[0][0] != SEQUENCE:
        del fields[0]  # something else in the place of the serial number
    if found.serial is None:
        reader.note("no serial number")
    places = [field if field[0] == SEQUENCE else None for field in fields[:5]]
    places += [None] * (5 - len(places))
    found.inner_algorithm, found.issuer, found.validity, found.subject, found.spki = places
    for place, name in zip(places, ("signature algorithm", "issuer", "validity", "subject", "public key"), strict=True):
        if place is None:
            reader.note(f"no {name}")
    for field in fields[5:]:
        if field[0] == 0xA3 and found.extensions is None:
            inner = reader.children(field)
            found.extensions = inner[0] if len(inner) == 1 and inner[0][0] == SEQUENCE else None
            if found.extensions is None:
                reader.note("unreadable extensions")
        elif field[0] not in (0x81, 0x82, 0xA1, 0xA2):  # unique identifiers, which nobody uses
            reader.note(f"a field of unknown tag {field[0]:#04x}")


def extension_list(found: Outline) -> list[tuple[str, bool, Element]]:
    """(dotted OID, critical, element whose content is the value) of each extension, in order."""
    reader = found.reader
    extensions: list[tuple[str, bool, Element]] = []
    seen: set[str] = set()
    for extension in reader.children(found.extensions) if found.extensions else ():
        parts = reader.children(extension)
        if extension[0] != SEQUENCE or len(parts) < 2 or parts[0][0] != OID or parts[-1][0] != OCTET_STRING:
            reader.note("unreadable extension")
            continue
        dotted = oid_text(reader.content(parts[0]))
        if not is_shortest_oid(reader.content(parts[0])):
            reader.note(f"an extension that has no proper OID ({dotted})")
        critical = False
        if len(parts) == 3 and parts[1][0] == BOOLEAN:
            flag = reader.content(parts[1])
            critical = flag not in (b"\0", b"")
            if flag != b"\xff":
                reader.note("critical FALSE encoded" if flag == b"\0" else "BOOLEAN that is not FF")
        elif len(parts) != 2:
            reader.note("unreadable extension")
        if dotted in seen:
            reader.note(f"duplicate extension {dotted}")
        seen.add(dotted)
        extensions.append((dotted, critical, parts[-1]))
    return extensions
