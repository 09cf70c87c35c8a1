"""PKCS#7 (.p7b, .p7c, .spc): the certificates of signed data, in DER or BER (RFC 5652 section 5.1)."""

from __future__ import annotations

from analyzer.certificates.der import OID, SEQUENCE, Der, Element, oid_text
from analyzer.certificates.stores import shapes
from analyzer.certificates.stores.content import Content, Format
from analyzer.errors import ParseError

_EXPLICIT_0 = 0xA0
_TRUST_LIST_OID = "1.3.6.1.4.1.311.10.1"
"""Signed data whose content is a list of hashes (.stl); the certificates in it are those of its signer."""


def is_pkcs7(data: bytes) -> bool:
    """Is it signed data?"""
    return shapes.shape(data) == shapes.SIGNED_DATA


def read_certificates(data: bytes, into: Content, where: str = "") -> None:
    """Every certificate in it; `where` stands in front of the places."""
    reader = Der(data)
    fields = _fields(reader, data)
    listed = next((one for one in fields[3:] if one[0] == _EXPLICIT_0), None)
    if len(fields) > 2 and _content_type(reader, fields[2]) == _TRUST_LIST_OID:
        into.other(shapes.TRUST_LIST)
    elif listed is None:
        into.other("PKCS#7 without certificates")
    else:
        for number, element in enumerate(reader.children(listed, clip=True), 1):
            place = f"{where}element {number:,} at byte {element[1]:,}"
            if element[0] == SEQUENCE:
                into.add(reader.whole(element), place)
            else:
                into.problem(place, f"tag {element[0]:#04x}, no certificate of X.509")
    for note in reader.notes:
        if note.startswith(("cut short", "DER:")):
            into.problem(f"{where}PKCS#7", note)


def _fields(reader: Der, data: bytes) -> list[Element]:
    """The elements of the SignedData: version, digests, content, then certificates and whatever else; [] if there are none."""
    try:
        outer = reader.children(reader.element(0, len(data), clip=True), clip=True)
    except ParseError:
        return []
    explicit = reader.children(outer[1], clip=True) if len(outer) > 1 else []
    return reader.children(explicit[0], clip=True) if explicit else []


def _content_type(reader: Der, content: Element) -> str:
    parts = reader.children(content, clip=True)
    return oid_text(reader.content(parts[0])) if parts and parts[0][0] == OID else ""


FORMAT = Format(name="PKCS#7 (.p7b)", sniff=is_pkcs7, read=read_certificates)
