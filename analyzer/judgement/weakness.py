"""Keys that are too short and hashes that are too old, in a chain as sent; and since when a peer refuses them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache, lru_cache

from analyzer.certificates.algorithms import PublicKey
from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.connection import Connection, SentChain
from analyzer.findings import Severity
from analyzer.judgement.chains import as_meant
from analyzer.judgement.elements import below_root
from analyzer.judgement.memory import CAPACITY
from analyzer.judgement.refusal import Defect, Weight, beside, weigh
from analyzer.knowledge import limit

SECOND_NS = 1_000_000_000
FACTORED = ("RSA", "DSA", "DH")
"""Keys whose strength is that of a number of as many bits."""
OLD_HASHES = {"md2": "md5", "md4": "md5", "md5": "md5", "sha1": "sha1"}
"""Hashes with known collisions, and whose limit in knowledge/stack_limits.toml counts."""
PSS = "RSASSA-PSS"


@lru_cache(maxsize=CAPACITY)
def short_keys(chain: Chain) -> tuple[Certificate, ...]:
    """Certificates on the path, a root too, whose key is too short."""
    return tuple(certificate for certificate in as_meant(chain).path if is_short(certificate.key))


def is_short(key: PublicKey | None) -> bool:
    """Fewer bits than an attacker needs to be kept away."""
    if key is None or not key.bits:
        return False
    if key.algorithm in FACTORED:
        return key.bits < limit("weak_rsa_bits")
    return key.algorithm == "EC" and key.bits < limit("weak_ec_bits")


@lru_cache(maxsize=CAPACITY)
def old_hashes(chain: Chain) -> tuple[Certificate, ...]:
    """Certificates on the path, below its root, that were signed with a broken hash."""
    return tuple(certificate for certificate in below_root(chain) if certificate.signature_hash in OLD_HASHES)


@lru_cache(maxsize=CAPACITY)
def pss_signatures(chain: Chain) -> tuple[Certificate, ...]:
    """Certificates on the path, below its root, that were signed with RSASSA-PSS."""
    return tuple(certificate for certificate in below_root(chain) if certificate.signature_algorithm == PSS)


def hash_name(certificate: Certificate) -> str:
    """ "SHA-1", "MD5"."""
    return (certificate.signature_hash or "").upper().replace("SHA1", "SHA-1")


@cache
def _start_of(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * SECOND_NS


def refused_then(conn: Connection, certificate: Certificate) -> bool:
    """Did anybody refuse a certificate for such a key or hash when this connection was captured?"""
    names = []
    if is_short(certificate.key):
        tiny = (certificate.key.bits or 0) < limit("tiny_rsa_bits") if certificate.key else False
        names.append("tiny_key_refused_since" if tiny else "short_key_refused_since")
    if certificate.signature_hash in OLD_HASHES:
        names.append(f"{OLD_HASHES[certificate.signature_hash]}_refused_since")
    return any(conn.end_ns >= _start_of(limit(name)) for name in names)


def weigh_weakness(conn: Connection, sent: SentChain, weak: tuple[Certificate, ...]) -> Weight:
    """A warning; an error if the peer refused and peers refused such certificates at that time."""
    if any(refused_then(conn, certificate) for certificate in weak):
        return weigh(conn, sent.side, Defect.WEAK, Severity.WARNING)
    return beside(conn, Severity.WARNING)
