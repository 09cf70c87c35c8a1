"""Bytes of a handshake message to its fields: one function per message, and a dict type -> function.

A body that breaks its format is Unreadable, or a message with oddities and what could be read. Nothing here raises but
the `parse_...` functions, which raise ParseError; `parse_message` never does.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from enum import Enum
from functools import cache, lru_cache

from analyzer import knowledge
from analyzer.dataclass import dataclass
from analyzer.errors import ParseError
from analyzer.tls import extensions as ext
from analyzer.tls.hellos import parse_client_hello, parse_old_retry, parse_server_hello
from analyzer.tls.memo import Memo
from analyzer.tls.messages import (
    Body,
    Certificate,
    CertificateRequest,
    CertificateStatus,
    CertificateVerify,
    CompressedCertificate,
    NewSessionTicket,
    Plain,
    ServerKeyExchange,
    Unreadable,
)
from analyzer.tls.names import TLS12, HandshakeType
from analyzer.wire import Reader, numbers

MAX_UNPACKED = 2**20
"""Ours: a certificate chain that unpacks to more is not unpacked. Bounds memory against RFC 8879 bombs."""
MAX_CHAIN = 100
"""Ours: certificates of a message that are kept. A peer can put 300,000 into 1 MiB; a real chain has a handful."""
_OCSP, _OCSP_MULTI = 1, 2
"""CertificateStatusType: RFC 6066 section 8, RFC 6961 section 2.2."""
_ZLIB = 1
_COMPRESSIONS = {1: "zlib", 2: "brotli", 3: "zstd"}
"""CertificateCompressionAlgorithm: RFC 8879 section 7.3."""
_NAMED_CURVE = 3
"""ECCurveType: RFC 8422 section 5.4."""
PLAIN = Plain()


@dataclass(slots=True)
class Context:
    """What the direction has said before, as far as a message's form hangs on it.

    Attributes:
        version: selected_version of this direction's ServerHello; 0 if it sent none.
        cipher_suite: of the same; 0 if none.
        record_version: version field of the record that carries the message.
    """

    version: int = 0
    cipher_suite: int = 0
    record_version: int = 0


_bodies: Memo[Body] = Memo()
_same_exchange = lru_cache(maxsize=1024)(ServerKeyExchange)
_same_verify = lru_cache(maxsize=1024)(CertificateVerify)
"""One object for equal fields: the rest of these messages, random as it is, is not kept."""


def parse_message(kind: int, data: bytes, context: Context, start: int = 0, end: int | None = None) -> Body:
    """The parsed body, `data[start:end]`, of a whole message. Never raises."""
    parse = _PARSERS.get(kind)
    if parse is None:
        return PLAIN
    if kind in _REPEATED:
        key = kind << 16 | context.version
        parsed = _bodies.find(key, data, start, end)
        if parsed is None:
            body = data[start:end]
            parsed = _parsed(parse, body, context)
            _bodies.keep(key, body, parsed)
        return parsed
    return _parsed(parse, data[start:end], context)


def _parsed(parse: Callable[[bytes, Context], Body], body: bytes, context: Context) -> Body:
    try:
        return parse(body, context)
    except ParseError as error:
        return Unreadable(f"{error.reason} (byte {error.at:,} of its body)")


# ---- certificates --------------------------------------------------------------------------------------------------


def parse_certificate(body: bytes, *, tls13: bool = False) -> Certificate:
    """RFC 5246 section 7.4.2, or with `tls13` RFC 8446 section 4.4.2.

    Keeps the whole certificates of a list that is cut, and of a very long one the first. Raise ParseError if not even the
    list's length is there.
    """
    reader = Reader(body)
    context = reader.vector(1, "certificate_request_context") if tls13 else b""
    size = reader.u24("certificate_list")
    oddities = []
    if size > reader.left:
        oddities.append(f"certificate_list says {size:,} bytes, {reader.left:,} remain")
    elif size < reader.left:
        oddities.append(f"certificate_list is followed by {reader.left - size:,} bytes too many")
    block = Reader(body, reader.pos, min(reader.pos + size, reader.end))
    chain: list[bytes] = []
    count = 0
    try:
        while block.left:
            der = block.vector(3, f"certificate {count + 1}")
            count += 1
            if not der and len(oddities) < ext.MAX_ODDITIES:
                oddities.append(f"certificate {count} is empty")
            if count <= MAX_CHAIN:
                chain.append(der)
            if tls13:
                block.block(2, "its extensions")
    except ParseError as error:
        oddities.append(error.reason)
    if count > MAX_CHAIN:
        oddities.append(f"{count:,} certificates, of which the first {MAX_CHAIN} are shown")
    return Certificate(tuple(chain), context, tuple(oddities))


def parse_compressed_certificate(body: bytes) -> CompressedCertificate:
    """RFC 8879 section 4. zlib is unpacked, at most to the announced size or 1 MiB. Raise ParseError if it breaks."""
    reader = Reader(body)
    algorithm, size = reader.u16("algorithm"), reader.u24("uncompressed_length")
    packed = reader.vector(3, "compressed_certificate_message")
    if algorithm != _ZLIB:
        name = _COMPRESSIONS.get(algorithm, f"0x{algorithm:04x}")
        return CompressedCertificate(algorithm, size, None, (f"packed with {name}, which is not unpacked here",))
    bound = min(size, MAX_UNPACKED)
    try:
        unpacked = zlib.decompressobj().decompress(packed, bound + 1)
    except zlib.error as error:
        return CompressedCertificate(algorithm, size, None, (f"cannot be unpacked: {error}",))
    if len(unpacked) != size:
        found = f"more than {bound:,}" if len(unpacked) > bound else f"{len(unpacked):,}"
        return CompressedCertificate(algorithm, size, None, (f"says {size:,} bytes, unpacks to {found}",))
    try:
        return CompressedCertificate(algorithm, size, parse_certificate(unpacked, tls13=True))
    except ParseError as error:
        return CompressedCertificate(algorithm, size, None, (error.reason,))


def parse_certificate_status(body: bytes) -> CertificateStatus:
    """RFC 6066 section 8; of RFC 6961's list the first response that is there. Raise ParseError if it breaks."""
    reader = Reader(body)
    status_type = reader.u8("status_type")
    if status_type == _OCSP:
        return CertificateStatus(status_type, reader.vector(3, "OCSPResponse"))
    if status_type == _OCSP_MULTI:
        responses = reader.block(3, "ocsp_response_list").list(lambda item: item.vector(3, "OCSPResponse"))
        return CertificateStatus(status_type, next((response for response in responses if response), None))
    return CertificateStatus(status_type, None)


# ---- the request for a client certificate ----------------------------------------------------------------------------


def parse_certificate_request(body: bytes, version: int = 0) -> CertificateRequest:
    """RFC 5246 section 7.4.4, with signature schemes from TLS 1.2 on.

    `version` 0 = unknown. If the body does not fit the version's form but fits the other one exactly, that one counts. A
    list that is cut keeps its whole names. Raise ParseError if it breaks before the list.
    """
    order = (True, False) if version == 0 or version >= TLS12 else (False, True)
    first_error: ParseError | None = None
    first: CertificateRequest | None = None
    for schemes in order:
        try:
            request = _read_request(body, schemes=schemes)
        except ParseError as error:
            first_error = first_error or error
            continue
        if request.complete and not request.oddities:
            return request
        first = first or request
    if first is None:
        raise first_error or ParseError("empty message")
    return first


def parse_certificate_request_13(body: bytes) -> CertificateRequest:
    """RFC 8446 section 4.3.2: everything is in extensions. Raise ParseError if it breaks before them."""
    reader, found = Reader(body), ext.RequestExtensions()
    reader.block(1, "certificate_request_context")
    ext.read_extensions(reader.block(2, "extensions"), found, ext.REQUEST)
    if reader.left:
        found.odd(f"the extensions block is followed by {reader.left:,} bytes too many")
    return CertificateRequest(
        (),
        found.signature_schemes,
        found.authorities,
        found.authorities_bytes,
        found.authorities_raw,
        found.complete,
        tuple(found.oddities),
    )


def _read_request(body: bytes, *, schemes: bool) -> CertificateRequest:
    """One form. Raise ParseError if it breaks before the list's length."""
    reader = Reader(body)
    types = numbers(reader.block(1, "certificate_types"), 1)
    accepted = None
    if schemes:
        listed = reader.block(2, "supported_signature_algorithms")
        accepted = numbers(listed, 2, "supported_signature_algorithms")
    size = reader.u16("certificate_authorities")
    oddities, start = [], reader.pos
    block = Reader(body, start, min(start + size, reader.end))
    names, whole = ext.read_names(block)
    if size > reader.left:
        oddities.append(f"certificate_authorities says {size:,} bytes, {reader.left:,} remain")
    elif size < reader.left:
        oddities.append(f"certificate_authorities is followed by {reader.left - size:,} bytes too many")
    if not whole and size <= reader.left:
        oddities.append(f"a name runs past the end of certificate_authorities after {len(names):,} whole ones")
    complete = whole and size <= reader.left
    return CertificateRequest(types, accepted, names, size, body[start : block.end], complete, tuple(oddities))


# ---- keys and proofs -------------------------------------------------------------------------------------------------


class _Exchange(Enum):
    """Forms of ServerKeyExchange."""

    EC = "elliptic curve"
    DH = "finite field"
    OTHER = "not read"


_EC = _Exchange.EC


@cache
def _exchange(suite: int) -> tuple[_Exchange | None, bool, bool]:
    """Form for a suite (None = the suite is unknown), whether an identity hint comes first, and whether a signature follows."""
    name = knowledge.cipher_suite(suite)
    hint, signed = "PSK" in name, "PSK" not in name and "anon" not in name
    if name.startswith("0x"):
        return None, False, True
    if "ECDHE_" in name or "ECDH_anon" in name:
        return _Exchange.EC, hint, signed
    if "DHE_" in name or "DH_anon" in name:
        return _Exchange.DH, hint, signed
    return _Exchange.OTHER, hint, signed


def parse_server_key_exchange(body: bytes, version: int, suite: int) -> ServerKeyExchange:
    """RFC 5246 section 7.4.3, RFC 8422 section 5.4, RFC 5489. Raise ParseError if the parameters break.

    `suite` 0 = the ServerHello was not seen: then, as for unknown suites, the form is told from the lengths.
    """
    form, hint, signed = _exchange(suite) if suite else (None, False, True)
    if form is None:
        form = _guess(body)
    if form is _EC and not hint and len(body) > 4 and body[0] == _NAMED_CURVE and len(body) >= 4 + body[3]:
        return _same_exchange(body[1] << 8 | body[2], None, _signed_with(body, 4 + body[3], signed, version))
    reader, curve, bits = Reader(body), None, None
    if hint:
        reader.block(2, "psk_identity_hint")
    if form is _Exchange.EC:
        if reader.u8("curve_type") != _NAMED_CURVE:
            return ServerKeyExchange()
        curve = reader.u16("namedcurve")
        reader.block(1, "public")
    elif form is _Exchange.DH:
        bits = int.from_bytes(reader.vector(2, "dh_p"), "big").bit_length()
        reader.block(2, "dh_g")
        reader.block(2, "dh_Ys")
    else:
        return ServerKeyExchange()
    return _same_exchange(curve, bits, _signed_with(body, reader.pos, signed, version))


def _signed_with(body: bytes, at: int, signed: bool, version: int) -> int | None:
    """The scheme before the signature at `at`, if there is one and the lengths fit."""
    if (
        not signed
        or 0 < version < TLS12
        or len(body) < at + 4
        or (body[at + 2] << 8 | body[at + 3]) != len(body) - at - 4
    ):
        return None
    return body[at] << 8 | body[at + 1]


def _guess(body: bytes) -> _Exchange:
    """Without a ServerHello: a named curve's point is 32 to 133 bytes behind a length of one byte."""
    if len(body) > 4 and body[0] == _NAMED_CURVE and 32 <= body[3] <= 133 and body[3] + 4 <= len(body):
        return _Exchange.EC
    return _Exchange.DH


def parse_certificate_verify(body: bytes) -> CertificateVerify:
    """RFC 5246 section 7.4.8. A client's direction does not tell the version, so the lengths decide: the one before the
    signature is the first field before TLS 1.2 and the second from then on. Raise ParseError if neither fits."""
    if len(body) < 2:
        raise ParseError(f"CertificateVerify of {len(body)} bytes", 0)
    first, size = body[0] << 8 | body[1], len(body)
    if size >= 4 and (body[2] << 8 | body[3]) == size - 4:
        return _same_verify(first, size - 4)
    if first == size - 2:
        return _same_verify(None, first)
    raise ParseError(f"signature's length does not fit a message of {size:,} bytes", 0)


def parse_new_session_ticket(body: bytes) -> NewSessionTicket:
    """RFC 5077 section 3.3. Raise ParseError if it breaks."""
    size = len(body) - 6
    if size < 0 or (body[4] << 8 | body[5]) > size:
        raise ParseError(f"ticket does not fit a message of {len(body):,} bytes", 4)
    return NewSessionTicket(int.from_bytes(body[:4], "big"), body[4] << 8 | body[5])


_NAMED_PARSERS: dict[HandshakeType, Callable[[bytes, Context], Body]] = {
    HandshakeType.client_hello: lambda body, context: parse_client_hello(body, context.record_version),
    HandshakeType.server_hello: lambda body, context: parse_server_hello(body),
    HandshakeType.hello_retry_request: lambda body, context: parse_old_retry(body),
    HandshakeType.new_session_ticket: lambda body, context: parse_new_session_ticket(body),
    HandshakeType.certificate: lambda body, context: parse_certificate(body),
    HandshakeType.server_key_exchange: lambda body, context: parse_server_key_exchange(
        body, context.version, context.cipher_suite
    ),
    HandshakeType.certificate_request: lambda body, context: parse_certificate_request(body, context.version),
    HandshakeType.certificate_verify: lambda body, context: parse_certificate_verify(body),
    HandshakeType.certificate_status: lambda body, context: parse_certificate_status(body),
    HandshakeType.compressed_certificate: lambda body, context: parse_compressed_certificate(body),
}
_PARSERS = {int(kind): parse for kind, parse in _NAMED_PARSERS.items()}  # plain numbers: enum members are slow to find
_REPEATED = frozenset(
    map(int, (HandshakeType.certificate, HandshakeType.certificate_request, HandshakeType.certificate_status))
)
"""Equal again and again from the same server or client: kept by their bytes."""
