"""PEM (RFC 7468): certificates between dashes, in whatever text stands around them."""

from __future__ import annotations

import binascii
import re

from analyzer.certificates.der import SEQUENCE, Der
from analyzer.certificates.stores import pkcs7, shapes
from analyzer.certificates.stores.content import Content, Format
from analyzer.errors import ParseError

CERTIFICATES = frozenset({"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"})
PKCS7_LABELS = frozenset({"PKCS7", "PKCS #7 SIGNED DATA", "CMS"})
OTHERS = {"X509 CRL": shapes.CRL, "CERTIFICATE REQUEST": shapes.REQUEST, "NEW CERTIFICATE REQUEST": shapes.REQUEST}

_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 #]{1,64})-----")
_END = b"-----END "
_SPACE = re.compile(rb"\s+")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]*={0,2}")


def is_pem(data: bytes) -> bool:
    """Is there any block between dashes, in any encoding of the text?"""
    return _BEGIN.search(as_octets(data)) is not None


def read_pem(data: bytes, into: Content) -> None:
    """Every block, in order."""
    text = as_octets(data)
    line, counted, end = 1, 0, -1
    begin = _BEGIN.search(text)
    while begin is not None:
        line, counted = line + text.count(b"\n", counted, begin.start()), begin.start()
        following = _BEGIN.search(text, begin.end())
        if end < begin.end() and end != len(text):  # each END is looked for once, so that the time is linear
            end = text.find(_END, begin.end())
            end = len(text) if end < 0 else end
        label, place = begin[1].decode("ascii"), f"line {line:,}"
        if end == len(text) or (following is not None and following.start() < end):
            into.problem(place, f"a block {label} without an end: the file is cut short or two were joined")
        else:
            _block(label, text[begin.end() : end], place, into)
        begin = following


def as_octets(data: bytes) -> bytes:
    """The text with one octet a character: PowerShell writes UTF-16, editors put a byte-order mark in front."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace").encode("ascii", "replace")
    return data


def base64_der(data: bytes) -> bytes | None:
    """The DER in a block of Base64; None if it is none."""
    packed = _SPACE.sub(b"", data)
    if not packed or not _BASE64.fullmatch(packed):
        return None
    try:
        return binascii.a2b_base64(packed)
    except binascii.Error:
        return None


def _block(label: str, body: bytes, place: str, into: Content) -> None:
    if label.endswith("PRIVATE KEY"):
        into.other(shapes.PRIVATE_KEY)
    elif label in OTHERS:
        into.other(OTHERS[label])
    elif label not in CERTIFICATES | PKCS7_LABELS:
        into.other(f"a PEM block {label}")
    elif (der := base64_der(body)) is None:
        into.problem(place, f"a block {label} that is no Base64")
    elif label in PKCS7_LABELS or shapes.shape(der) == shapes.SIGNED_DATA:  # some tools write PKCS#7 as CERTIFICATE
        pkcs7.read_certificates(der, into, f"{place}, ")
    else:
        into.add(_first_element(der) if label == "TRUSTED CERTIFICATE" else der, place)


def _first_element(der: bytes) -> bytes:
    """OpenSSL puts uses and an alias behind a trusted certificate."""
    reader = Der(der)
    try:
        first = reader.element(0, len(der))
    except ParseError:
        return der
    return reader.whole(first) if first[0] == SEQUENCE else der


FORMAT = Format(name="PEM", sniff=is_pem, read=read_pem)
