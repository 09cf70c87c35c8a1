"""RSASSA-PKCS1-v1_5 by modular arithmetic, for what the library does not verify: old hashes, small or odd keys.

Source: RFC 8017 section 8.2.2 and 9.2. Verifying needs no secret, so plain integers do.
"""

from __future__ import annotations

import hashlib
import hmac

from analyzer.certificates.algorithms import HASHES
from analyzer.certificates.der import BIT_STRING, INTEGER, SEQUENCE, Der, Element
from analyzer.errors import ParseError

MAX_MODULUS, MAX_EXPONENT = 2**13, 33  # bits; ours, they bound the work: real ones are far below
_OIDS = {name: dotted for dotted, name in HASHES.items()}


def verify_pkcs1(spki: bytes, signature: bytes, signed: bytes, digest: str) -> bool | None:
    """Does the RSA key in this SubjectPublicKeyInfo verify the signature? None if it is no such key, too large a one, or
    the hash is not known here. Never raises."""
    numbers = _read_key(spki)
    hashed = _hash(digest, signed)
    if numbers is None or hashed is None:
        return None
    modulus, exponent = numbers
    size = (modulus.bit_length() + 7) // 8
    value = int.from_bytes(signature)
    if len(signature) != size or value >= modulus:
        return False
    found = pow(value, exponent, modulus).to_bytes(size)
    # Some old signers leave the NULL of the hash algorithm out; RFC 8017 section 9.2 allows to take both.
    return any(hmac.compare_digest(found, wanted) for wanted in _encodings(digest, hashed, size))


def _hash(name: str, data: bytes) -> bytes | None:
    try:
        return hashlib.new(name, data, usedforsecurity=False).digest() if name in _OIDS else None
    except ValueError:  # a hash that this build of OpenSSL leaves out
        return None


def _encodings(name: str, hashed: bytes, size: int) -> list[bytes]:
    """EMSA-PKCS1-v1_5 with and without the NULL; none if the key is too small for the hash."""
    dotted = _oid(_OIDS[name])
    infos = [_tlv(0x30, _tlv(0x30, dotted + rest) + _tlv(0x04, hashed)) for rest in (b"\x05\x00", b"")]
    return [b"\0\1" + b"\xff" * (size - len(info) - 3) + b"\0" + info for info in infos if size >= len(info) + 11]


def _tlv(tag: int, content: bytes) -> bytes:
    return bytes((tag, len(content))) + content  # all of them are short


def _oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    octets = bytearray((first * 40 + second,))
    for arc in rest:
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(0x80 | arc & 0x7F)
        octets += bytes(reversed(septets))
    return _tlv(0x06, bytes(octets))


def _read_key(spki: bytes) -> tuple[int, int] | None:
    """Modulus and exponent (RFC 3279 section 2.3.1)."""
    reader = Der(spki)
    try:
        outer = reader.element(0, len(spki))
        bits = next((part for part in reader.children(outer) if part[0] == BIT_STRING), None)
        if bits is None:
            return None
        key = reader.element(bits[2] + 1, bits[3])
    except ParseError:
        return None
    numbers = [part for part in reader.children(key) if part[0] == INTEGER] if key[0] == SEQUENCE else []
    if len(numbers) != 2:
        return None
    modulus, exponent = (_number(reader, part) for part in numbers)
    fits = 0 < modulus.bit_length() <= MAX_MODULUS and 0 < exponent.bit_length() <= MAX_EXPONENT
    return (modulus, exponent) if fits and modulus > 0 and exponent > 0 else None


def _number(reader: Der, element: Element) -> int:
    """Unsigned: some old keys lack the leading zero octet."""
    return int.from_bytes(reader.content(element))
