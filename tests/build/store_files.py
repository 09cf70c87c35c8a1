"""Files of certificates in the formats that trust stores come in."""

from __future__ import annotations

import base64
import textwrap

from tests.build import asn1

SIGNED_DATA = "1.2.840.113549.1.7.2"
DATA = "1.2.840.113549.1.7.1"
TRUST_LIST = "1.3.6.1.4.1.311.10.1"


def pem(der: bytes, label: str = "CERTIFICATE") -> bytes:
    """One block of PEM."""
    body = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n".encode()


def pkcs7(*ders: bytes, content: str = DATA) -> bytes:
    """Signed data without a signer; without certificates the element is left out."""
    certificates = asn1.explicit(0, *ders) if ders else b""
    signed = asn1.seq(asn1.integer(1), asn1.set_of(), asn1.seq(asn1.oid(content)), certificates, asn1.set_of())
    return asn1.seq(asn1.oid(SIGNED_DATA), asn1.explicit(0, signed))


def pkcs7_ber(*ders: bytes) -> bytes:
    """The same with indefinite lengths, as some tools stream it."""
    end = b"\0\0"
    listed = b"\xa0\x80" + b"".join(ders) + end
    signed = b"\x30\x80" + asn1.integer(1) + asn1.set_of() + asn1.seq(asn1.oid(DATA)) + listed + asn1.set_of() + end
    return b"\x30\x80" + asn1.oid(SIGNED_DATA) + b"\xa0\x80" + signed + end + end


def sst_element(kind: int, value: bytes, encoding: int = 1) -> bytes:
    """Identifier, encoding, length and value."""
    numbers = (kind, encoding, len(value))
    return b"".join(number.to_bytes(4, "little") for number in numbers) + value


def sst(*ders: bytes, properties: tuple[tuple[int, bytes], ...] = (), end: bool = True) -> bytes:
    """A serialized store, each certificate behind these properties."""
    before = b"".join(sst_element(kind, value) for kind, value in properties)
    body = b"".join(before + sst_element(0x20, der) for der in ders)
    return b"\0\0\0\0CERT" + body + (bytes(12) if end else b"")
