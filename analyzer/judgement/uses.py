"""What a certificate may be used for: extended key usage and key usage (RFC 5280 sections 4.2.1.3 and 4.2.1.12)."""

from __future__ import annotations

from functools import lru_cache

from analyzer import knowledge
from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.connection import Connection, Side
from analyzer.judgement.chains import as_meant
from analyzer.judgement.memory import CAPACITY
from analyzer.judgement.phrases import some

USE = {Side.SERVER: "serverAuth", Side.CLIENT: "clientAuth"}
"""The extended key usage that a side's certificate needs."""
SIGNING, ENCIPHERING, AGREEING = "digitalSignature", "keyEncipherment", "keyAgreement"

_SERVER_NEEDS = (
    ("TLS_RSA_EXPORT", None),
    ("TLS_RSA_PSK_", ENCIPHERING),
    ("TLS_RSA_", ENCIPHERING),
    ("TLS_ECDHE_RSA_", SIGNING),
    ("TLS_ECDHE_ECDSA_", SIGNING),
    ("TLS_DHE_RSA_", SIGNING),
    ("TLS_DHE_DSS_", SIGNING),
    ("TLS_ECDH_RSA_", AGREEING),
    ("TLS_ECDH_ECDSA_", AGREEING),
    ("TLS_DH_RSA_", AGREEING),
    ("TLS_DH_DSS_", AGREEING),
)
"""Beginnings of suite names and what the server's key does there: RFC 5246 section 7.4.2, RFC 8422 section 5.3. An export
suite may sign a shorter key or encipher."""
_FIXED_KEYS = ("TLS_ECDH_", "TLS_DH_")
"""Suites in which a client's certificate may hold its share of the key exchange and signs nothing (RFC 5246 7.4.6)."""


def lacks_use(certificate: Certificate, use: str) -> bool:
    """An extendedKeyUsage extension is there, but without this use and without one that includes it."""
    names = certificate.eku_names
    return names is not None and knowledge.satisfying(use).isdisjoint(names)


@lru_cache(maxsize=CAPACITY)
def lacking(chain: Chain) -> tuple[Side, ...]:
    """The sides as which the leaf may not be used."""
    leaf = as_meant(chain).leaf
    return tuple(side for side, use in USE.items() if lacks_use(leaf, use))


def uses_of(certificate: Certificate) -> str:
    """ "serverAuth", "nothing"."""
    return some(certificate.eku_names or ()) or "nothing"


def missing_usage(conn: Connection, chain: Chain, side: Side) -> str | None:
    """The key usage that this side's key is put to in this handshake and that its certificate does not allow; None if it
    does, or if the use is not known."""
    return _missing(chain, conn.cipher or "", conn.version == "TLSv1.3", side is Side.SERVER)


@lru_cache(maxsize=CAPACITY)
def _missing(chain: Chain, cipher: str, signs_always: bool, server: bool) -> str | None:
    usage = SIGNING if signs_always else _server_needs(cipher) if server else _client_needs(cipher)
    leaf = as_meant(chain).leaf
    return usage if leaf.key_usage is not None and usage in _possible(leaf) - set(leaf.key_usage) else None


def _server_needs(cipher: str) -> str | None:
    return next((usage for start, usage in _SERVER_NEEDS if cipher.startswith(start)), None)


def _client_needs(cipher: str) -> str | None:
    return SIGNING if cipher.startswith("TLS_") and not cipher.startswith(_FIXED_KEYS) else None


def _possible(leaf: Certificate) -> frozenset[str]:
    """What a key of this kind can be put to in TLS: RSA keys encipher, others agree."""
    is_rsa = leaf.key is not None and leaf.key.algorithm == "RSA"
    return frozenset({SIGNING, ENCIPHERING if is_rsa else AGREEING})


@lru_cache(maxsize=CAPACITY)
def fits_any_exchange(chain: Chain) -> bool:
    """Whatever the key exchange, does the leaf's key usage allow it? The quick way out for nearly every chain."""
    leaf = as_meant(chain).leaf
    return leaf.key_usage is None or _possible(leaf) <= set(leaf.key_usage)
