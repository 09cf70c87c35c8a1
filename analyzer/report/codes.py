"""Names of codes as reports write them: the IANA name, an unknown code as `0x7f1c`, a GREASE value as such."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from analyzer import knowledge
from analyzer.certificates.names import parse_name
from analyzer.tls.names import is_grease

_LEVELS = {1: "warning", 2: "fatal"}


def _greased(name: Callable[[int], str]) -> Callable[[int], str]:
    @cache
    def named(code: int) -> str:
        return f"GREASE 0x{code:04x}" if is_grease(code) else name(code)

    return named


@_greased
def version(code: int) -> str:
    """ "TLSv1.2" for 0x0303."""
    return knowledge.version_name(code)


@_greased
def cipher_suite(code: int) -> str:
    """ "TLS_AES_128_GCM_SHA256" for 0x1301."""
    return knowledge.cipher_suite(code)


@_greased
def extension(code: int) -> str:
    """ "server_name" for 0."""
    return knowledge.extension(code)


@_greased
def group(code: int) -> str:
    """ "x25519" for 29."""
    return knowledge.group(code)


@_greased
def signature_scheme(code: int) -> str:
    """ "rsa_pkcs1_sha256" for 0x0401."""
    return knowledge.signature_scheme(code)


def certificate_type(code: int) -> str:
    """ "rsa_sign" for 1."""
    return knowledge.certificate_type(code)


def alert(code: int) -> str:
    """ "unknown_ca" for 48."""
    return knowledge.alert(code)


def alert_level(code: int) -> str:
    """ "fatal" for 2; another number as itself."""
    return _LEVELS.get(code, str(code))


def oid(dotted: str) -> str:
    """ "serverAuth" for "1.3.6.1.5.5.7.3.1"."""
    return knowledge.oid(dotted)


def authorities(names: Sequence[bytes] | None) -> list[str] | None:
    """DER names in RFC 4514 form."""
    return None if names is None else [parse_name(name).text for name in names]
