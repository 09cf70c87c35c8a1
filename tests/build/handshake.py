"""TLS handshake messages, from the fields to the bytes. Never imports analyzer.tls: it must not share its mistakes.

Every function returns a message with its 4-byte header unless its name says `_body`, `_extension` or `sslv2`.
"""

from collections.abc import Iterable, Sequence

RANDOM = bytes(range(32))
RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
SUITES = (0xC02F, 0xC030, 0x009C, 0x00FF)
Extension = tuple[int, bytes]


def vector(width: int, data: bytes) -> bytes:
    """Data behind a length field of `width` bytes."""
    return len(data).to_bytes(width, "big") + data


def u16s(codes: Iterable[int]) -> bytes:
    """Numbers of two bytes each."""
    return b"".join(code.to_bytes(2, "big") for code in codes)


def message(kind: int, body: bytes = b"") -> bytes:
    """A handshake message: type, length, body."""
    return bytes([kind]) + vector(3, body)


def extensions_block(extensions: Sequence[Extension] | None) -> bytes:
    """The extensions block; nothing at all for None."""
    if extensions is None:
        return b""
    return vector(2, b"".join(code.to_bytes(2, "big") + vector(2, data) for code, data in extensions))


# ---- extensions --------------------------------------------------------------------------------------------------


def server_name_extension(*names: bytes) -> Extension:
    return 0, vector(2, b"".join(b"\0" + vector(2, name) for name in names)) if names else b""


def alpn_extension(*protocols: bytes) -> Extension:
    return 16, vector(2, b"".join(vector(1, protocol) for protocol in protocols))


def supported_versions_extension(*versions: int) -> Extension:
    return 43, vector(1, u16s(versions))


def selected_version_extension(version: int) -> Extension:
    return 43, version.to_bytes(2, "big")


def groups_extension(*groups: int) -> Extension:
    return 10, vector(2, u16s(groups))


def point_formats_extension(*formats: int) -> Extension:
    return 11, vector(1, bytes(formats))


def signature_schemes_extension(*schemes: int, code: int = 13) -> Extension:
    return code, vector(2, u16s(schemes))


def key_share_extension(*shares: tuple[int, bytes]) -> Extension:
    return 51, vector(2, b"".join(group.to_bytes(2, "big") + vector(2, key) for group, key in shares))


def server_key_share_extension(group: int, key: bytes) -> Extension:
    return 51, group.to_bytes(2, "big") + vector(2, key)


def pre_shared_key_extension(*identities: bytes) -> Extension:
    listed = b"".join(vector(2, identity) + bytes(4) for identity in identities)
    return 41, vector(2, listed) + vector(2, vector(1, bytes(32)) * len(identities))


def authorities_extension(*names: bytes) -> Extension:
    return 47, vector(2, b"".join(vector(2, name) for name in names))


# ---- messages ----------------------------------------------------------------------------------------------------


def client_hello(
    *,
    version: int = 0x0303,
    random: bytes = RANDOM,
    session_id: bytes = b"",
    suites: Sequence[int] = SUITES,
    compression: bytes = b"\0",
    extensions: Sequence[Extension] | None = (),
) -> bytes:
    """A ClientHello; `extensions=None` ends it before the extensions block."""
    body = version.to_bytes(2, "big") + random + vector(1, session_id) + vector(2, u16s(suites))
    return message(1, body + vector(1, compression) + extensions_block(extensions))


def server_hello(
    *,
    version: int = 0x0303,
    random: bytes = RANDOM,
    session_id: bytes = b"",
    suite: int = 0xC02F,
    compression: int = 0,
    extensions: Sequence[Extension] | None = (),
) -> bytes:
    """A ServerHello."""
    body = version.to_bytes(2, "big") + random + vector(1, session_id) + suite.to_bytes(2, "big")
    return message(2, body + bytes([compression]) + extensions_block(extensions))


def hello_retry_request(group: int = 0x0017, suite: int = 0x1301) -> bytes:
    """RFC 8446 section 4.1.4: a ServerHello with the known random."""
    extensions = [selected_version_extension(0x0304), (51, group.to_bytes(2, "big"))]
    return server_hello(random=RETRY_RANDOM, suite=suite, extensions=extensions)


def server_hello_13(suite: int = 0x1301, group: int = 0x001D, version: int = 0x0304) -> bytes:
    """A ServerHello that chooses TLS 1.3."""
    extensions = [selected_version_extension(version), server_key_share_extension(group, bytes(32))]
    return server_hello(suite=suite, session_id=bytes(32), extensions=extensions)


def certificate(*certificates: bytes) -> bytes:
    """The chain before TLS 1.3; no certificate at all is the empty message."""
    return message(11, vector(3, b"".join(vector(3, der) for der in certificates)))


def certificate_13(*certificates: bytes, context: bytes = b"") -> bytes:
    """The chain in TLS 1.3 form, each entry with an empty extensions block."""
    entries = b"".join(vector(3, der) + vector(2, b"") for der in certificates)
    return message(11, vector(1, context) + vector(3, entries))


def certificate_request(
    *names: bytes, types: bytes = b"\x01\x40", schemes: Sequence[int] | None = (0x0401, 0x0403)
) -> bytes:
    """A CertificateRequest; `schemes=None` is the form before TLS 1.2."""
    listed = b"" if schemes is None else vector(2, u16s(schemes))
    return message(13, vector(1, types) + listed + vector(2, b"".join(vector(2, name) for name in names)))


def certificate_request_13(*names: bytes, schemes: Sequence[int] = (0x0403, 0x0804)) -> bytes:
    """A CertificateRequest in TLS 1.3 form."""
    extensions = [signature_schemes_extension(*schemes)]
    if names:
        extensions.append(authorities_extension(*names))
    return message(13, vector(1, b"") + extensions_block(extensions))


def certificate_status(response: bytes = b"\x30\x03\x0a\x01\x00") -> bytes:
    """A stapled OCSP response."""
    return message(22, b"\1" + vector(3, response))


def compressed_certificate(packed: bytes, size: int, algorithm: int = 1) -> bytes:
    """RFC 8879: `packed` claims to unpack to `size` bytes."""
    return message(25, algorithm.to_bytes(2, "big") + size.to_bytes(3, "big") + vector(3, packed))


def server_key_exchange_ecdhe(
    curve: int = 0x0017, scheme: int | None = 0x0401, signature: bytes = bytes(256), point: bytes = b"\4" + bytes(64)
) -> bytes:
    """RFC 8422 section 5.4; `scheme=None` is the form before TLS 1.2."""
    signed = b"" if scheme is None else scheme.to_bytes(2, "big")
    return message(12, b"\3" + curve.to_bytes(2, "big") + vector(1, point) + signed + vector(2, signature))


def server_key_exchange_dhe(bits: int = 2048, scheme: int | None = 0x0401, signature: bytes = bytes(256)) -> bytes:
    """RFC 5246 section 7.4.3."""
    prime = (1 << (bits - 1) | 1).to_bytes((bits + 7) // 8, "big")
    signed = b"" if scheme is None else scheme.to_bytes(2, "big")
    public = vector(2, bytes((bits + 7) // 8))
    return message(12, vector(2, prime) + vector(2, b"\2") + public + signed + vector(2, signature))


def certificate_verify(scheme: int | None = 0x0804, signature: bytes = bytes(256)) -> bytes:
    """RFC 5246 section 7.4.8; `scheme=None` is the form before TLS 1.2."""
    signed = b"" if scheme is None else scheme.to_bytes(2, "big")
    return message(15, signed + vector(2, signature))


def new_session_ticket(ticket: bytes = bytes(160), lifetime: int = 7200) -> bytes:
    """RFC 5077 section 3.3."""
    return message(4, lifetime.to_bytes(4, "big") + vector(2, ticket))


def server_hello_done() -> bytes:
    return message(14)


def hello_request() -> bytes:
    return message(0)


def client_key_exchange(key: bytes = bytes(66)) -> bytes:
    return message(16, key)


# ---- SSLv2 format and the pseudo-TLS hellos ----------------------------------------------------------------------


def sslv2_client_hello(
    *,
    version: int = 0x0301,
    kinds: Sequence[int] = (0x010080, 0x000004, 0x00000A),
    session_id: bytes = b"",
    challenge: bytes = bytes(range(16)),
) -> bytes:
    """The whole record of a hello in SSLv2 format. RFC 5246 appendix E.2."""
    specs = b"".join(kind.to_bytes(3, "big") for kind in kinds)
    lengths = u16s([len(specs), len(session_id), len(challenge)])
    return sslv2_record(b"\1" + version.to_bytes(2, "big") + lengths + specs + session_id + challenge)


def sslv2_server_hello(
    *, der: bytes = b"\x30\x00", kinds: Sequence[int] = (0x010080,), connection_id: bytes = bytes(16)
) -> bytes:
    """The whole record of an SSLv2 SERVER-HELLO."""
    specs = b"".join(kind.to_bytes(3, "big") for kind in kinds)
    lengths = u16s([len(der), len(specs), len(connection_id)])
    return sslv2_record(b"\4\0\1\0\2" + lengths + der + specs + connection_id)


def sslv2_record(payload: bytes) -> bytes:
    """A record with the two-byte header of SSLv2."""
    return (0x8000 | len(payload)).to_bytes(2, "big") + payload


def ms_turn_client_hello(random: bytes = RANDOM) -> bytes:
    """[MS-TURN] section 2.1.1: the whole record, 50 bytes."""
    return bytes.fromhex("160301002d010000290301") + random + bytes.fromhex("00000200180100")


def ms_turn_server_hello(random: bytes = RANDOM, session_id: bytes = bytes(32)) -> bytes:
    """[MS-TURN] section 2.1.1: ServerHello and ServerHelloDone in one record, 83 bytes."""
    return bytes.fromhex("160301004e020000460301") + random + b"\x20" + session_id + bytes.fromhex("0018000e000000")


GOOGLE_CLIENT_HELLO = bytes.fromhex(
    "80460103010 02d00000010 010080 030080 0700c0 060040 020080 040080 000004 00feff 00000a 00fefe 000009 000064 000062"
    "000003 000006 1f170ca62f0078fc46552eb18339f1ea".replace(" ", "")
)
"""The fixed hello of the "ssltcp" transport: 72 bytes in SSLv2 format."""
GOOGLE_SERVER_HELLO = bytes.fromhex(
    "160301004a020000460301 428545a727a95da0b3c5e753da482b3fc65aca89c15852a1783c5b174600853f"
    "20 0ed306725b5b1b5f15ac13f988539d9be83d7b0c30326e384da27557416c345c 000400".replace(" ", "")
)
"""The fixed answer: 79 bytes."""
