"""DER (.cer, .crt): one certificate, or several one behind the other."""

from __future__ import annotations

from analyzer.certificates.der import Der
from analyzer.certificates.stores.content import Content, Format
from analyzer.certificates.stores.shapes import CERTIFICATE, shape
from analyzer.errors import ParseError


def is_certificate(data: bytes) -> bool:
    """Does it start with a certificate?"""
    return shape(data) == CERTIFICATE


def read_certificates(data: bytes, into: Content) -> None:
    """Each certificate up to the end, or to the first byte that starts none."""
    reader, at = Der(data), 0
    while at < len(data):
        place = f"byte {at:,}"
        try:
            element = reader.element(at, len(data), clip=True)
        except ParseError as trouble:
            into.problem(place, trouble.reason)
            return
        der = reader.whole(element)
        if at and shape(der) != CERTIFICATE:
            into.problem(place, f"{len(data) - at:,} bytes behind the last certificate that start none")
            return
        into.add(der, place)
        at = element[3]


FORMAT = Format(name="DER (.cer)", sniff=is_certificate, read=read_certificates)
