"""The SSLv2 record format: old clients' hellos for any version, and SSLv2 itself up to where it is encrypted.

RFC 5246 appendix E.2 and RFC 6101 appendix E for hellos; the SSL 2.0 draft of 1995 for the rest.
"""

from __future__ import annotations

from analyzer.tls.fingerprints import ja4
from analyzer.tls.messages import Certificate, ClientHello, ServerHello
from analyzer.tls.names import SSL2
from analyzer.wire import Reader, numbers

CLIENT_HELLO, SERVER_HELLO, ERROR = 1, 4, 0
"""Message types of SSLv2 that come in clear."""
HEADER = 2
"""Bytes of the short record header; the long one, with padding, has three and is only seen encrypted."""
_LONG = 0x80
"""First byte: set for the short header."""
_CLIENT_FIXED, _SERVER_FIXED = 9, 11
"""Bytes of the fields before the variable part."""
_ERROR_BYTES = 3
_X509 = 1
_ERRORS = {1: "no cipher", 2: "no certificate", 4: "bad certificate", 6: "unsupported certificate type"}
_GOOGLE_CHALLENGE = bytes.fromhex("1f170ca62f0078fc46552eb18339f1ea")
"""The challenge of the fixed hello that Google's "ssltcp" transport sends."""
NEED = HEADER + _SERVER_FIXED
"""Bytes to see before a stream can be told to start in this format."""


def record_size(start: bytes) -> int | None:
    """Size of the record with its header if the stream starts with a hello in SSLv2 format; None if it does not.

    The lengths inside must add up, so chance and other protocols do not get through. `start` needs NEED bytes, or all of
    the stream if it is shorter.
    """
    if len(start) < HEADER + _ERROR_BYTES or not start[0] & _LONG:
        return None
    size, kind = (start[0] & 0x7F) << 8 | start[1], start[2]
    if kind == ERROR and size == _ERROR_BYTES and int.from_bytes(start[3:5], "big") in _ERRORS:
        return HEADER + size
    if len(start) < NEED:
        return None
    if kind == CLIENT_HELLO:
        lengths = [int.from_bytes(start[at : at + 2], "big") for at in (5, 7, 9)]
        fits = lengths[0] > 0 and lengths[0] % 3 == 0 and size == _CLIENT_FIXED + sum(lengths)
        return HEADER + size if fits and _is_version(start[3:5]) else None
    if kind == SERVER_HELLO and start[5:7] == b"\0\2":
        lengths = [int.from_bytes(start[at : at + 2], "big") for at in (7, 9, 11)]
        return HEADER + size if lengths[1] % 3 == 0 and size == _SERVER_FIXED + sum(lengths) else None
    return None


def parse_client_hello(payload: bytes) -> ClientHello:
    """A CLIENT-HELLO without its record header. Raise ParseError if it breaks."""
    reader = Reader(payload, 1)
    version = reader.u16("version")
    sizes = [reader.u16(what) for what in ("cipher_spec_length", "session_id_length", "challenge_length")]
    kinds = numbers(Reader(reader.take(sizes[0], "cipher_specs")), 3, "cipher_specs")
    session_id, challenge = reader.take(sizes[1], "session_id"), reader.take(sizes[2], "challenge")
    return ClientHello(
        legacy_version=version,
        random=challenge,
        session_id=session_id,
        cipher_suites=kinds,
        compression_methods=(),
        record_version=SSL2,
        sslv2=True,
        fixed_pattern="google" if challenge == _GOOGLE_CHALLENGE else None,
        ja4=ja4(version, None, kinds, (), (), None),
    )


def parse_server_hello(payload: bytes) -> tuple[ServerHello, Certificate]:
    """A SERVER-HELLO without its record header, and the certificate that it holds. Raise ParseError if it breaks.

    The server names several kinds and the client chooses: `cipher_suite` is the first of them.
    """
    reader = Reader(payload, 1)
    hit, form, version = reader.u8("session_id_hit"), reader.u8("certificate_type"), reader.u16("version")
    sizes = [reader.u16(what) for what in ("certificate_length", "cipher_specs_length", "connection_id_length")]
    der = reader.take(sizes[0], "certificate")
    kinds = numbers(Reader(reader.take(sizes[1], "cipher_specs")), 3, "cipher_specs")
    hello = ServerHello(
        legacy_version=version,
        selected_version=version,
        random=reader.take(sizes[2], "connection_id"),
        session_id=b"",
        cipher_suite=kinds[0] if kinds else 0,
        sslv2=True,
        oddities=("the session is resumed",) if hit else (),
    )
    return hello, Certificate((der,) if der and form == _X509 else ())


def parse_error(payload: bytes) -> str:
    """What an ERROR message says. Raise ParseError if it breaks."""
    code = Reader(payload, 1).u16("error code")
    return _ERRORS.get(code, f"0x{code:04x}")


def next_record_size(start: bytes) -> int:
    """Size with its header of an SSLv2 record whatever is in it, from its first two bytes. RFC 6101 appendix E: the short
    header holds 15 bits of length, the long one 14 and a padding byte."""
    if start[0] & _LONG:
        return HEADER + ((start[0] & 0x7F) << 8 | start[1])
    return HEADER + 1 + ((start[0] & 0x3F) << 8 | start[1])


def _is_version(version: bytes) -> bool:
    return version == b"\0\2" or (version[0] == 3 and version[1] <= 4)
