"""What a piece of DER is, by the outline of its first levels: certificates, and what is mistaken for a file of them."""

from __future__ import annotations

from analyzer.certificates.der import (
    BIT_STRING,
    GENERALIZED_TIME,
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    UTC_TIME,
    Der,
    Element,
    oid_text,
)
from analyzer.errors import ParseError

CERTIFICATE = "a certificate"
SIGNED_DATA = "PKCS#7 signed data"
PKCS12 = "a PKCS#12 file (certificates and a private key behind a password)"
PRIVATE_KEY = "a private key"
ENCRYPTED_KEY = "an encrypted private key"
PUBLIC_KEY = "a public key without a certificate"
REQUEST = "a certificate request (CSR)"
CRL = "a certificate revocation list (CRL)"
TRUST_LIST = "a certificate trust list (hashes, no certificates)"
OTHER_PKCS7 = "PKCS#7, but no signed data"
NOT_DER = "no DER"
UNKNOWN = "DER of an unknown kind"

_SIGNED_DATA_OID = "1.2.840.113549.1.7.2"  # RFC 5652 section 5.1
_PKCS7_ARC = "1.2.840.113549.1.7."
_CONTEXT_0 = 0xA0
_LOOK_AT = 8  # elements of one level that are looked at; no shape needs more


def shape(der: bytes) -> str:
    """One of the texts above. Never raises."""
    reader = Der(der)
    try:
        outer = reader.element(0, len(der), clip=True)
    except ParseError:
        return NOT_DER
    if outer[0] != SEQUENCE:
        return NOT_DER
    parts = _children(reader, outer)
    if not parts:
        return UNKNOWN
    if parts[0][0] == OID:
        dotted = oid_text(reader.content(parts[0]))
        return SIGNED_DATA if dotted == _SIGNED_DATA_OID else OTHER_PKCS7 if dotted.startswith(_PKCS7_ARC) else UNKNOWN
    if parts[0][0] == INTEGER:
        return _numbered(reader, parts)
    return _nested(reader, parts) if parts[0][0] == SEQUENCE else UNKNOWN


def _numbered(reader: Der, parts: list[Element]) -> str:
    """A version number in front: keys (RFC 8017, 5915, 5958) and PKCS#12 (RFC 7292)."""
    second = parts[1][0] if len(parts) > 1 else None
    if second == SEQUENCE:
        inner = _children(reader, parts[1])
        is_pkcs12 = bool(inner) and oid_text(reader.content(inner[0])).startswith(_PKCS7_ARC)
        return PKCS12 if is_pkcs12 else PRIVATE_KEY
    return PRIVATE_KEY if second in (INTEGER, OCTET_STRING) else UNKNOWN


def _nested(reader: Der, parts: list[Element]) -> str:
    """A SEQUENCE in front: what is signed, or an algorithm."""
    inner = _children(reader, parts[0])
    if not inner:
        return UNKNOWN
    if inner[0][0] == OID and len(parts) > 1:
        return {BIT_STRING: PUBLIC_KEY, OCTET_STRING: ENCRYPTED_KEY}.get(parts[1][0], UNKNOWN)
    tags = [element[0] for element in inner]
    if tags[0] == _CONTEXT_0:
        return CERTIFICATE
    if tags[0] == INTEGER:
        tags = tags[1:]
    elif tags[2:3] != [UTC_TIME] and tags[2:3] != [GENERALIZED_TIME]:
        return UNKNOWN
    if tags[2:3] in ([UTC_TIME], [GENERALIZED_TIME]):
        return CRL
    if tags[:2] == [SEQUENCE, SEQUENCE] and (len(tags) == 2 or tags[2] == _CONTEXT_0):
        return REQUEST
    return CERTIFICATE if tags[:3] == [SEQUENCE, SEQUENCE, SEQUENCE] else UNKNOWN


def _children(reader: Der, parent: Element) -> list[Element]:
    """The first elements inside; a damaged one ends the list."""
    found: list[Element] = []
    at = parent[2]
    while at < parent[3] and len(found) < _LOOK_AT:
        try:
            child = reader.element(at, parent[3], clip=True)
        except ParseError:
            break
        found.append(child)
        at = child[3]
    return found
