"""Is what one side signed, and what its chain is signed with, among the schemes that the other side says it accepts?

ClientHello: signature_algorithms_cert for chains if it is there, else signature_algorithms (RFC 8446 section 4.2.3).
CertificateRequest of TLS 1.2: supported_signature_algorithms (RFC 5246 section 7.4.4). Before TLS 1.2 nobody says.
"""

from __future__ import annotations

from functools import lru_cache

from analyzer import knowledge
from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.connection import Connection, Side
from analyzer.judgement.chains import as_meant
from analyzer.judgement.memory import CAPACITY
from analyzer.tls.names import TLS12

Schemes = tuple[int, ...]


def accepted(conn: Connection, by: Side) -> tuple[Schemes, Schemes] | None:
    """(for signatures in the handshake, for those of certificates), as this side announced them; None if it did not."""
    if (conn.version_code or 0) < TLS12:
        return None
    hello, request = conn.client_hello, conn.certificate_request
    if by is Side.CLIENT:
        if hello is None or hello.signature_schemes is None:
            return None
        return hello.signature_schemes, hello.signature_schemes_cert or hello.signature_schemes
    if request is None or request.signature_schemes is None:
        return None
    return request.signature_schemes, request.signature_schemes


@lru_cache(maxsize=CAPACITY)
def unaccepted(chain: Chain, schemes: Schemes) -> tuple[Certificate, ...]:
    """Certificates on the chain's path whose signature is by no scheme of these, leaf first. Those that are self-issued do
    not count (nobody checks the signature of a root), nor those of algorithms that we do not know."""
    names = set(map(knowledge.signature_scheme, schemes))
    found = []
    for certificate in as_meant(chain).path:
        meant = knowledge.certificate_schemes(certificate.signature_algorithm, certificate.signature_hash)
        if meant and not certificate.self_issued and names.isdisjoint(meant):
            found.append(certificate)
    return tuple(found)


def own_scheme(conn: Connection, side: Side) -> int | None:
    """The scheme with which this side proved its key; None if it is not known."""
    return conn.server_signature_scheme if side is Side.SERVER else conn.client_signature_scheme
