"""SST: Microsoft's serialized certificate store, as Export-Certificate -Type SST and the certificate console write it.

Source: [MS-OSHARED] section 2.3.9.1: version 0, "CERT", then elements of identifier, encoding, length (little-endian) and
value. Properties of a certificate stand before it; an element of identifier 0 ends the store.
"""

from __future__ import annotations

from analyzer.certificates.stores import shapes
from analyzer.certificates.stores.content import Content, Format

MAGIC = b"\0\0\0\0CERT"
HEADER = 12  # identifier, encoding, length
END, CERTIFICATE, CRL, CTL = 0, 0x20, 0x21, 0x22
_OTHERS = {CRL: shapes.CRL, CTL: shapes.TRUST_LIST}


def is_sst(data: bytes) -> bool:
    """Is it a serialized store?"""
    return data.startswith(MAGIC)


def read_store(data: bytes, into: Content) -> None:
    """Every certificate; properties are skipped."""
    at, number = len(MAGIC), 0
    while len(data) - at >= HEADER:
        kind = int.from_bytes(data[at : at + 4], "little")
        size = int.from_bytes(data[at + 8 : at + HEADER], "little")
        if kind == END:
            return
        start = at + HEADER
        if size > len(data) - start:
            into.problem(f"byte {at:,}", f"an element claims {size:,} bytes, {len(data) - start:,} are there")
            return
        if kind == CERTIFICATE:
            number += 1
            into.add(data[start : start + size], f"element {number:,} at byte {start:,}")
        elif kind in _OTHERS:
            into.other(_OTHERS[kind])
        at = start + size
    into.problem(f"byte {at:,}", "the store has no end: the file is cut short")


FORMAT = Format(name="serialized store (.sst)", sniff=is_sst, read=read_store)
