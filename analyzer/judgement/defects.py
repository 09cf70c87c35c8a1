"""All that is wrong with a client's chain, as clauses, for the sentence that explains why it was refused."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.connection import Connection, SentChain, Side
from analyzer.dataclass import dataclass
from analyzer.judgement.chains import Here, Known, as_meant, misplaced_leaf, missing_link
from analyzer.judgement.crls import closed_points, without_point
from analyzer.judgement.elements import have, needed
from analyzer.judgement.issuers import listing
from analyzer.judgement.phrases import called, dn, some
from analyzer.judgement.reading import broken_in
from analyzer.judgement.refusal import Defect
from analyzer.judgement.uses import lacking, missing_usage, uses_of
from analyzer.judgement.validity import Clock, clock_is_wrong, lapse
from analyzer.judgement.weakness import hash_name, old_hashes, pss_signatures, refused_then, short_keys

if TYPE_CHECKING:
    from analyzer.certificates.stores.store import Store

MOST_FLAWS = 8
"""More would not help anybody: a hostile chain could have thousands."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """One defect and how a sentence says it. `slight`: worth a word, but seldom why anybody refuses."""

    defect: Defect
    clause: str
    slight: bool = False


def self_signed_leaf(chain: Chain) -> Certificate | None:
    """The lone certificate, if it is its own issuer and its own key signed it; None otherwise."""
    leaf = chain.leaf
    if not leaf.self_issued or any(certificate is not leaf for certificate in chain.certificates):
        return None
    return None if leaf.signed_by(leaf) is False else leaf


def client_flaws(conn: Connection, known: Known, clock: Clock, stores: tuple[Store, ...] = ()) -> tuple[Flaw, ...]:
    """What is wrong with the client's chain, the likeliest reason for a refusal first; () if nothing, or none was seen.

    `stores`: those of the server's host.
    """
    return tuple(islice(_flaws(conn, known, clock, stores), MOST_FLAWS))


def _flaws(conn: Connection, known: Known, clock: Clock, stores: tuple[Store, ...]) -> Iterator[Flaw]:
    sent = conn.client_chain
    if sent is None:
        return
    chain = as_meant(sent.chain)
    for certificate in broken_in(sent.chain):
        yield Flaw(Defect.UNREADABLE, f"{called(certificate)} cannot be read")
    for defect in (Defect.EXPIRED, Defect.NOT_YET_VALID):
        found = lapse(sent.chain, defect, clock, Here(conn, known), stores)
        if found is not None and not found.bypassed and not found.doubtful:
            doubtful = defect is Defect.NOT_YET_VALID and clock_is_wrong(sent.chain, clock)
            yield Flaw(defect, f"{called(found.certificates[0])} is {defect}", slight=doubtful)
    if Side.CLIENT in lacking(sent.chain):
        yield Flaw(Defect.USE, f"its extended key usage lacks clientAuth (it has {uses_of(chain.leaf)})")
    link = missing_link(conn, Side.CLIENT, known)
    if link is not None:
        yield Flaw(Defect.INCOMPLETE, f"the certificate of its issuer {dn(link.issuer)} was not sent")
    if self_signed_leaf(chain) is not None:
        yield Flaw(Defect.SELF_SIGNED, "it is self-signed")
    elif listing(conn, known).listed is False:
        yield Flaw(Defect.NOT_LISTED, f"its issuer {dn(chain.top.issuer)} is not on the server's CA list")
    from analyzer.judgement.ways import wrong_above  # computes signatures

    yield from (Flaw(defect, clause) for defect, clause in wrong_above(sent.chain, Side.CLIENT))
    if misplaced_leaf(sent.chain) is not None:
        yield Flaw(Defect.ORDER, "the chain does not start with the client's own certificate")
    usage = missing_usage(conn, sent.chain, Side.CLIENT)
    if usage is not None:
        yield Flaw(Defect.KEY_USAGE, f"its key usage lacks {usage}")
    yield from _weak(conn, sent)
    yield from _slight(conn, sent, known)


def _weak(conn: Connection, sent: SentChain) -> Iterator[Flaw]:
    for certificate in short_keys(sent.chain):
        bits = f"{certificate.key.bits:,} bits" if certificate.key and certificate.key.bits else "too few bits"
        clause = f"{called(certificate)} has a key of only {bits}"
        yield Flaw(Defect.WEAK, clause, slight=not refused_then(conn, certificate))
    for certificate in old_hashes(sent.chain):
        clause = f"{called(certificate)} is signed with {hash_name(certificate)}"
        yield Flaw(Defect.WEAK, clause, slight=not refused_then(conn, certificate))


def _slight(conn: Connection, sent: SentChain, known: Known) -> Iterator[Flaw]:
    for certificate in pss_signatures(sent.chain):
        yield Flaw(Defect.SIGNATURE, f"{called(certificate)} is signed with RSASSA-PSS", slight=True)
    without = needed(conn, sent, without_point(sent.chain), known)
    if without:
        names = some(tuple(map(called, without)))
        yield Flaw(Defect.REVOCATION, f"{names} {have(without)} no CRL distribution point", slight=True)
    closed = needed(conn, sent, closed_points(sent.chain), known)
    if closed:
        names = some(tuple(map(called, closed)))
        yield Flaw(Defect.REVOCATION, f"the CRL of {names} is on no address that everybody can fetch", slight=True)
