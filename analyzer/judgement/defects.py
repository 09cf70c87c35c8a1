"""All that is wrong with a client's chain, as clauses, for the sentence that explains why it was refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.connection import Connection, Side
from analyzer.judgement.chains import Known, as_meant, misplaced_leaf, missing_link
from analyzer.judgement.issuers import listing
from analyzer.judgement.phrases import called, dn, some
from analyzer.judgement.refusal import Defect
from analyzer.judgement.validity import Clock, lapse
from analyzer.knowledge import limit

MOST_FLAWS = 8
"""More would not help anybody: a hostile chain could have thousands."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """One defect and how a sentence says it."""

    defect: Defect
    clause: str


def self_signed_leaf(chain: Chain) -> Certificate | None:
    """The lone certificate, if it is its own issuer and its own key signed it; None otherwise."""
    leaf = chain.leaf
    if not leaf.self_issued or any(certificate is not leaf for certificate in chain.certificates):
        return None
    return None if leaf.signed_by(leaf) is False else leaf


def lacks_use(certificate: Certificate, use: str) -> bool:
    """An extendedKeyUsage extension is there, but without this use and without anyExtendedKeyUsage (RFC 5280 4.2.1.12)."""
    names = certificate.eku_names
    return names is not None and use not in names and "anyExtendedKeyUsage" not in names


def client_flaws(conn: Connection, known: Known, clock: Clock) -> tuple[Flaw, ...]:
    """What is wrong with the client's chain, the likeliest reason for a refusal first; () if nothing, or none was seen."""
    return tuple(islice(_flaws(conn, known, clock), MOST_FLAWS))


def _flaws(conn: Connection, known: Known, clock: Clock) -> Iterator[Flaw]:
    sent = conn.client_chain
    if sent is None:
        return
    chain = as_meant(sent.chain)
    for defect in (Defect.EXPIRED, Defect.NOT_YET_VALID):
        found = lapse(sent.chain, defect, clock, known)
        if found is not None and not found.bypassed and not found.doubtful:
            yield Flaw(defect, f"{called(found.certificates[0])} is {defect}")
    if lacks_use(chain.leaf, "clientAuth"):
        uses = some(chain.leaf.eku_names or ()) or "nothing"
        yield Flaw(Defect.USE, f"its extended key usage lacks clientAuth (it has {uses})")
    link = missing_link(conn, Side.CLIENT, known)
    if link is not None:
        yield Flaw(Defect.INCOMPLETE, f"the certificate of its issuer {dn(link.issuer)} was not sent")
    if self_signed_leaf(chain) is not None:
        yield Flaw(Defect.SELF_SIGNED, "it is self-signed")
    elif listing(conn, known).listed is False:
        yield Flaw(Defect.NOT_LISTED, f"its issuer {dn(chain.top.issuer)} is not on the server's CA list")
    if chain.broken_links:
        child, parent = chain.broken_links[0]
        yield Flaw(Defect.LINK, f"the signature on {called(child)} is not by the {called(parent)} that was sent")
    if misplaced_leaf(sent.chain) is not None:
        yield Flaw(Defect.ORDER, "the chain does not start with the client's own certificate")
    yield from _weak(chain)


def _weak(chain: Chain) -> Iterator[Flaw]:
    for certificate in chain.path:
        key = certificate.key
        if key is not None and key.algorithm == "RSA" and key.bits and key.bits < limit("weak_rsa_bits"):
            yield Flaw(Defect.WEAK, f"{called(certificate)} has a key of only {key.bits:,} bits")
        if certificate.signature_hash in ("md5", "sha1") and not certificate.self_issued:
            yield Flaw(Defect.WEAK, f"{called(certificate)} is signed with {certificate.signature_hash.upper()}")
