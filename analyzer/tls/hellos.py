"""ClientHello and ServerHello of SSL 3.0 to TLS 1.3: bytes to messages. A hello of a known shape is not parsed again."""

from __future__ import annotations

from analyzer.errors import ParseError
from analyzer.tls import extensions as ext
from analyzer.tls.fingerprints import ja3, ja3s, ja4
from analyzer.tls.memo import ShapeMemo
from analyzer.tls.messages import ClientHello, ServerHello
from analyzer.tls.names import TLS10
from analyzer.wire import Reader, numbers, text

RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""ServerHello.random of a HelloRetryRequest: RFC 8446 section 4.1.3."""
_DOWNGRADES = {b"DOWNGRD\x01": "TLSv1.2", b"DOWNGRD\x00": "TLSv1.1"}
"""Last 8 bytes of the random, RFC 8446 section 4.1.3."""
_SESSION_ID = 34
"""Offset of the session id's length: behind version and random."""
_MAX_SESSION_ID = 32
_MS_TURN_TAIL = bytes.fromhex("000200180100")
"""[MS-TURN] section 2.1.1: one suite 0x0018, no compression, no extensions."""
GOOGLE_SERVER_RANDOM = bytes.fromhex("428545a727a95da0b3c5e753da482b3fc65aca89c15852a1783c5b174600853f")
"""The random of the fixed ServerHello that Google's "ssltcp" transport sends."""
_RETRY_WITH_SUITE = 0x7F13
"""TLS 1.3 draft 19: HelloRetryRequest has a cipher suite from here on."""

Places = tuple[tuple[int, int], ...]
"""(start, end) of bytes in a hello's tail that differ from one hello to the next."""
_clients: ShapeMemo[tuple[ClientHello, tuple[int, int] | None, Places]] = ShapeMemo()
_servers: ShapeMemo[tuple[ServerHello, Places]] = ShapeMemo()


def parse_client_hello(body: bytes, record_version: int = 0) -> ClientHello:
    """RFC 8446 section 4.1.2. Raise ParseError if it breaks before the cipher suites."""
    tail_at = _tail_start(body)
    tail = body[tail_at:]
    known = _clients.find(body[:2], tail)
    if known is None:
        known = _read_client(body, tail_at)
    shape, name, _ = known
    oddities = shape.oddities
    if body[_SESSION_ID] > _MAX_SESSION_ID:
        oddities = (f"session id of {body[_SESSION_ID]} bytes is longer than {_MAX_SESSION_ID}", *oddities)
    fixed = "ms-turn" if tail == _MS_TURN_TAIL and tail_at == _SESSION_ID + 1 and record_version == TLS10 else None
    server_name = shape.server_name if name is None else text(tail[name[0] : name[1]])
    return _client(
        shape, body[2:_SESSION_ID], body[_SESSION_ID + 1 : tail_at], record_version, server_name, fixed, oddities
    )


def same_client_hello(known: ClientHello, random: bytes, session_id: bytes) -> ClientHello:
    """A hello equal to a known one but for these."""
    return _client(
        known, random, session_id, known.record_version, known.server_name, known.fixed_pattern, known.oddities
    )


def _client(
    shape: ClientHello,
    random: bytes,
    session_id: bytes,
    record_version: int,
    server_name: str | None,
    fixed_pattern: str | None,
    oddities: tuple[str, ...],
) -> ClientHello:
    return ClientHello(
        shape.legacy_version,
        random,
        session_id,
        shape.cipher_suites,
        shape.compression_methods,
        shape.extensions,
        record_version,
        server_name,
        shape.alpn,
        shape.supported_versions,
        shape.supported_groups,
        shape.key_share_groups,
        shape.signature_schemes,
        shape.signature_schemes_cert,
        shape.ec_point_formats,
        shape.psk_key_exchange_modes,
        shape.compress_certificate,
        shape.certificate_authorities,
        shape.session_ticket_bytes,
        shape.psk_identities,
        shape.early_data,
        shape.ech,
        False,
        fixed_pattern,
        shape.ja3,
        shape.ja4,
        oddities,
    )


def parse_server_hello(body: bytes) -> ServerHello:
    """RFC 8446 section 4.1.3, drafts before 22 included. Raise ParseError if it breaks before the suite."""
    if body[:1] == b"\x7f" or body[:2] == b"\3\4":
        draft = _read_draft(body, retry=False)
        if body[:1] == b"\x7f" or not draft.oddities:
            return draft
    tail_at = _tail_start(body)
    tail = body[tail_at:]
    known = _servers.find(body[:2], tail)
    shape = _read_server(body, tail_at) if known is None else known[0]
    return same_server_hello(shape, body[2:_SESSION_ID], body[_SESSION_ID + 1 : tail_at])


def same_server_hello(known: ServerHello, random: bytes, session_id: bytes) -> ServerHello:
    """A hello equal to a known one but for these, and for what the random itself says."""
    return ServerHello(
        known.legacy_version,
        known.selected_version,
        random,
        session_id,
        known.cipher_suite,
        known.compression_method,
        known.extensions,
        known.key_share_group,
        known.alpn,
        known.psk_identity,
        random == RETRY_RANDOM,
        _DOWNGRADES.get(random[24:]),
        False,
        "google" if random == GOOGLE_SERVER_RANDOM and known.extensions is None else None,
        known.ja3s,
        known.oddities,
    )


def varying_places(body: bytes, *, client: bool) -> Places | None:
    """Where a hello that was read lately differs from the next one of its sender: random, session id, keys, tickets; a
    server's name does not count. None if it is odd, or forgotten."""
    tail_at = _tail_start(body)
    if client:
        found = _clients.find(body[:2], body[tail_at:])
        places = None if found is None else tuple(place for place in found[2] if place != found[1])
    else:
        known = _servers.find(body[:2], body[tail_at:])
        places = None if known is None else known[1]
    if places is None:
        return None
    return ((2, _SESSION_ID), (_SESSION_ID + 1, tail_at), *((tail_at + a, tail_at + b) for a, b in places))


def parse_old_retry(body: bytes) -> ServerHello:
    """The HelloRetryRequest message (type 6) of TLS 1.3 drafts before 22. Raise ParseError if it breaks."""
    return _read_draft(body, retry=True)


def _tail_start(body: bytes) -> int:
    """Offset behind the session id: what is before differs in every hello, what follows hardly ever."""
    if len(body) <= _SESSION_ID:
        raise ParseError(f"hello of {len(body)} bytes ends before its session id", len(body))
    start = _SESSION_ID + 1 + body[_SESSION_ID]
    if start > len(body):
        left = len(body) - _SESSION_ID - 1
        raise ParseError(f"session id says {body[_SESSION_ID]} bytes, {left} remain", _SESSION_ID)
    return start


def _read_client(body: bytes, tail_at: int) -> tuple[ClientHello, tuple[int, int] | None, Places]:
    """Parse in full and remember. The second value is where the tail holds server_name's bytes."""
    reader, version = Reader(body, tail_at), int.from_bytes(body[:2], "big")
    compressions: tuple[int, ...] = ()
    found, types = ext.ClientExtensions(), None
    suites = _read_suites(reader, found)
    try:
        compressions = numbers(reader.block(1, "compression_methods"), 1)
        if reader.left:
            types = found.types
            ext.read_extensions(reader.block(2, "extensions"), found, ext.CLIENT)
            reader.finish("the extensions block")
    except ParseError as error:
        found.odd(error.reason)
    alpn, groups, formats = found.alpn, found.supported_groups or (), found.ec_point_formats or ()
    hello = ClientHello(
        legacy_version=version,
        random=b"",
        session_id=b"",
        cipher_suites=suites,
        compression_methods=compressions,
        extensions=None if types is None else tuple(types),
        server_name=found.server_name,
        alpn=None if alpn is None else tuple(text(name) for name in alpn),
        supported_versions=found.supported_versions,
        supported_groups=found.supported_groups,
        key_share_groups=found.key_share_groups,
        signature_schemes=found.signature_schemes,
        signature_schemes_cert=found.signature_schemes_cert,
        ec_point_formats=found.ec_point_formats,
        psk_key_exchange_modes=found.psk_key_exchange_modes,
        compress_certificate=found.compress_certificate,
        certificate_authorities=found.certificate_authorities,
        session_ticket_bytes=found.session_ticket_bytes,
        psk_identities=found.psk_identities,
        early_data=found.early_data,
        ech=found.ech,
        ja3=ja3(version, suites, found.types, groups, formats),
        ja4=ja4(
            version,
            found.supported_versions,
            suites,
            found.types,
            found.signature_schemes or (),
            alpn[0] if alpn else None,
        ),
        oddities=tuple(found.oddities),
    )
    name = found.server_name_at
    varying = tuple((start - tail_at, end - tail_at) for start, end in found.varying)
    known = hello, (None if name is None else (name[0] - tail_at, name[1] - tail_at)), varying
    if not found.oddities:
        _clients.keep(body[:2], body[tail_at:], varying, known)
    return known


def _read_suites(reader: Reader, found: ext.ClientExtensions) -> tuple[int, ...]:
    """The suites that are there, also of a list whose length is wrong."""
    size = reader.u16("cipher_suites")
    if size > reader.left:
        found.odd(f"cipher_suites says {size:,} bytes, {reader.left:,} remain")
    block = Reader(reader.take(min(size, reader.left)))
    if block.left % 2:
        found.odd(f"cipher_suites of {block.left:,} bytes is no multiple of 2")
        block.end -= 1
    return numbers(block, 2)


def _read_server(body: bytes, tail_at: int) -> ServerHello:
    """Parse in full and remember."""
    reader = Reader(body, tail_at)
    suite = reader.u16("cipher_suite")
    found, types, compression = ext.ServerExtensions(), None, 0
    try:
        compression = reader.u8("compression_method")
        if reader.left:
            types = found.types
            ext.read_extensions(reader.block(2, "extensions"), found, ext.SERVER)
            reader.finish("the extensions block")
    except ParseError as error:
        found.odd(error.reason)
    hello = _server(int.from_bytes(body[:2], "big"), suite, compression, found, types)
    if not found.oddities:
        varying = tuple((start - tail_at, end - tail_at) for start, end in found.varying)
        _servers.keep(body[:2], body[tail_at:], varying, (hello, varying))
    return hello


def _read_draft(body: bytes, *, retry: bool) -> ServerHello:
    """Drafts before 22 had no session id and no compression; a retry had no random, and a suite from draft 19 on."""
    reader = Reader(body)
    version = reader.u16("server_version")
    random = b"" if retry else reader.take(_SESSION_ID - 2, "random")
    suite = 0 if retry and version < _RETRY_WITH_SUITE else reader.u16("cipher_suite")
    found = ext.ServerExtensions()
    try:
        ext.read_extensions(reader.block(2, "extensions"), found, ext.SERVER)
        reader.finish("the extensions block")
    except ParseError as error:
        found.odd(error.reason)
    return _server(version, suite, 0, found, found.types, random, retry=retry)


def _server(
    version: int,
    suite: int,
    compression: int,
    found: ext.ServerExtensions,
    types: list[int] | None,
    random: bytes = b"",
    *,
    retry: bool = False,
) -> ServerHello:
    return ServerHello(
        legacy_version=version,
        selected_version=version if found.selected_version is None else found.selected_version,
        random=random,
        session_id=b"",
        cipher_suite=suite,
        compression_method=compression,
        extensions=None if types is None else tuple(types),
        key_share_group=found.key_share_group,
        alpn=None if found.alpn is None else text(found.alpn),
        psk_identity=found.psk_identity,
        hello_retry_request=retry,
        ja3s=ja3s(version, suite, found.types),
        oddities=tuple(found.oddities),
    )
