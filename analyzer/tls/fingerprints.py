"""JA3, JA3S and JA4: names for the way a client or server says hello. GREASE values (RFC 8701) never count.

JA3: github.com/salesforce/ja3. JA4: github.com/FoxIO-LLC/ja4, technical details of JA4.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from analyzer.tls.names import SSL2, SSL3, TLS10, TLS11, TLS12, TLS13, ExtensionType, is_grease

_JA4_VERSIONS = {TLS13: "13", TLS12: "12", TLS11: "11", TLS10: "10", SSL3: "s3", SSL2: "s2"}
_NO_HASH = "000000000000"
_HASH_CHARS = 12
_MAX_COUNT = 99
"""Two digits are all that JA4 has for a count."""
_NOT_HASHED = {ExtensionType.server_name, ExtensionType.application_layer_protocol_negotiation}
"""JA4 shows these two in its first part instead."""


def ja3(
    version: int, suites: Iterable[int], extensions: Iterable[int], groups: Iterable[int], formats: Iterable[int]
) -> str:
    """MD5 (lower hex) of the client's version, suites, extensions, groups and point formats, in wire order."""
    lists = (suites, extensions, groups, formats)
    return _md5(",".join([str(version), *("-".join(str(code) for code in _real(codes)) for codes in lists)]))


def ja3s(version: int, suite: int, extensions: Iterable[int]) -> str:
    """MD5 (lower hex) of the server's version field, suite and extensions, in wire order."""
    return _md5(f"{version},{suite},{'-'.join(str(code) for code in _real(extensions))}")


def ja4(
    legacy_version: int,
    supported_versions: Iterable[int] | None,
    suites: Iterable[int],
    extensions: Iterable[int],
    schemes: Iterable[int],
    first_alpn: bytes | None,
) -> str:
    """The client's JA4, e.g. "t13d1516h2_8daaf6152771_e5627efa2ab1". `first_alpn`: first protocol offered, if any."""
    suites, extensions, schemes = _real(suites), _real(extensions), _real(schemes)
    version = max(_real(supported_versions or ()), default=legacy_version)
    name = "d" if ExtensionType.server_name in extensions else "i"
    counts = f"{min(len(suites), _MAX_COUNT):02}{min(len(extensions), _MAX_COUNT):02}"
    start = f"t{_JA4_VERSIONS.get(version, '00')}{name}{counts}{_alpn_letters(first_alpn)}"
    hashed = _hex_list(sorted(code for code in extensions if code not in _NOT_HASHED))
    if extensions and schemes:
        hashed += "_" + _hex_list(schemes)
    suites_part = _sha256(_hex_list(sorted(suites))) if suites else _NO_HASH
    return f"{start}_{suites_part}_{_sha256(hashed) if hashed else _NO_HASH}"


def _real(codes: Iterable[int]) -> list[int]:
    return [code for code in codes if not is_grease(code)]


def _alpn_letters(protocol: bytes | None) -> str:
    """First and last character; of the hexadecimal form if either is neither letter nor digit."""
    if not protocol:
        return "00"
    ends = protocol[:1] + protocol[-1:]
    if ends.isalnum():
        return ends.decode("ascii")
    digits = protocol.hex()
    return digits[0] + digits[-1]


def _hex_list(codes: Iterable[int]) -> str:
    return ",".join(f"{code:04x}" for code in codes)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode("ascii"), usedforsecurity=False).hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:_HASH_CHARS]
