"""What is missing from a chain as sent, and whether the capture shows otherwise that its top is a root.

A sender may leave out the root alone (RFC 8446 section 4.4.2, RFC 5246 section 7.4.2). Whether an issuer is a root
cannot be read from its child: so the name is looked up among all that the capture shows.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import Protocol

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain, assess
from analyzer.certificates.names import Name
from analyzer.connection import CaList, Connection, Seen, Side
from analyzer.dataclass import dataclass
from analyzer.findings import CannotTell, Confidence, Severity
from analyzer.judgement.memory import CAPACITY, per_object
from analyzer.judgement.phrases import called, dn, where
from analyzer.judgement.refusal import Defect, Judgement, Weight, weigh

MAX_CLIMB = 8
"""Levels of CAs that are followed above a chain; no real hierarchy is deeper."""
MAX_CANDIDATES = 8
"""Certificates of one name whose key is tried, so that an odd chain cannot cost much."""


class Known(Protocol):
    """What the rest of the run showed: the part of the history that is asked here."""

    def known_root(self, name: Name) -> str | None:
        """How this name is known to be a root; None if nothing shows it."""

    def intermediates(self, subject: Name) -> tuple[Certificate, ...]:
        """CA certificates with this subject that somebody sent."""

    def sender_of(self, sha256: str) -> str | None:
        """Who sent this certificate."""


@dataclass(frozen=True, slots=True)
class MissingLink:
    """A certificate that the other side needs and was not sent.

    Attributes:
        child: the certificate whose issuer is missing.
        issuer: the name of what is missing.
        lone: nothing above the leaf was sent; False: there is a hole between certificates that were sent.
        elsewhere: the missing certificate, seen elsewhere in the capture; None if nobody sent it.
        sender: who sent it; "" if nobody did.
    """

    child: Certificate
    issuer: Name
    lone: bool
    elsewhere: Certificate | None = None
    sender: str = ""


@lru_cache(maxsize=CAPACITY)
def misplaced_leaf(chain: Chain) -> Certificate | None:
    """The end-entity certificate, if a CA's certificate that is above it was sent first; None if the leaf is first.

    RFC 5246 section 7.4.2: the sender's certificate MUST come first.
    """
    first = chain.leaf
    if len(chain.certificates) < 2 or first.is_ca is False:
        return None
    issuers = {certificate.issuer for certificate in chain.certificates if not certificate.self_issued}
    ends = {c.sha256: c for c in chain.certificates[1:] if c.is_ca is not True and c.subject not in issuers}
    if first.subject not in issuers or len(ends) != 1:
        return None
    return next(iter(ends.values()))


@lru_cache(maxsize=CAPACITY)
def as_meant(chain: Chain) -> Chain:
    """The chain with the end-entity certificate first; the same object if it already is."""
    leaf = misplaced_leaf(chain)
    if leaf is None:
        return chain
    return assess((leaf.der, *(c.der for c in chain.certificates if c is not leaf)))


@lru_cache(maxsize=CAPACITY)
def roots_in(chain: Chain) -> tuple[Certificate, ...]:
    """The self-issued CA certificates that were sent. One that does not say whether it is a CA, as in version 1, counts
    behind the leaf alone: a lone self-signed certificate of that kind speaks for a host."""
    first = chain.leaf
    return tuple(c for c in chain.certificates if c.self_issued and (c.is_ca or (c.is_ca is None and c is not first)))


@per_object
def names_of(ca_list: CaList) -> frozenset[Name]:
    """The names of a CA list, for look-ups."""
    return frozenset(ca_list.names)


def root_shown(conn: Connection, name: Name, known: Known) -> str | None:
    """What shows that this name is a root's: this connection's own CA list or chains, or the history; None if nothing."""
    request = conn.certificate_request
    if request is not None and name in names_of(request.ca_list):
        return "the server's CA list names it"
    for sent in conn.chains():
        if any(root.subject == name for root in roots_in(sent.chain)):
            return f"the {sent.side} sent its self-issued certificate"
    return known.known_root(name)


@dataclass(frozen=True, slots=True)
class Here:
    """What the rest of the run showed, and what this connection shows of roots itself. Implements `Known`."""

    conn: Connection
    known: Known

    def known_root(self, name: Name) -> str | None:
        """See `root_shown`."""
        return root_shown(self.conn, name, self.known)

    def intermediates(self, subject: Name) -> tuple[Certificate, ...]:
        """CA certificates with this subject that somebody sent."""
        return self.known.intermediates(subject)

    def sender_of(self, sha256: str) -> str | None:
        """Who sent this certificate."""
        return self.known.sender_of(sha256)


@lru_cache(maxsize=CAPACITY)
def is_open(chain: Chain) -> bool:
    """Does the chain, by itself, end where an intermediate may be missing? A lone leaf, or a hole between certificates.

    Two or more certificates that link well and end below an unseen issuer are ordinary: roots are left out.
    """
    meant = as_meant(chain)
    return meant.missing_issuer is not None and (meant.gap or len(meant.path) == 1)


def plainly_complete(chain: Chain) -> bool:
    """Is nothing missing, whatever else the capture shows?"""
    return not is_open(chain) and chain.leaf.readable


def missing_link(conn: Connection, side: Side, known: Known) -> MissingLink | None:
    """The certificate that is missing from this side's chain; None if nothing is, or its issuer is known to be a root."""
    sent = conn.chain(side)
    if sent is None:
        return None
    chain = as_meant(sent.chain)
    name = chain.missing_issuer
    if name is None or not is_open(sent.chain) or not name.readable or not name.text:
        return None
    if root_shown(conn, name, known) is not None:
        return None
    child, lone = chain.top, not chain.gap
    parent, sender = _parent(conn, side, child, known)
    return MissingLink(child, name, lone, parent, sender)


def _parent(conn: Connection, side: Side, child: Certificate, known: Known) -> tuple[Certificate | None, str]:
    """The CA certificate that issued `child`, if the other side or an earlier connection sent it, and who that was."""
    peer = conn.chain(side.peer)
    named = (c for c in (peer.chain.certificates if peer else ()) if c.subject == child.issuer and not c.self_issued)
    for certificate in islice(named, MAX_CANDIDATES):
        if child.signed_by(certificate) is not False:
            return certificate, f"the {side.peer} sent it on this connection"
    for certificate in known.intermediates(child.issuer)[:MAX_CANDIDATES]:
        if not certificate.self_issued and child.signed_by(certificate) is not False:
            sender = known.sender_of(certificate.sha256)
            return certificate, f"{sender} sent it" if sender else ""
    return None, ""


def issuers_above(conn: Connection, side: Side, known: Known) -> tuple[Name, ...]:
    """Issuer names above this side's chain, as far as somebody else sent the CA certificates; may be ()."""
    return tuple([ca.issuer for ca in cas_above(conn, side, known)])


def cas_above(conn: Connection, side: Side, known: Known) -> tuple[Certificate, ...]:
    """The CA certificates above this side's chain that somebody else sent, lowest first; may be ()."""
    sent = conn.chain(side)
    found: list[Certificate] = []
    child = as_meant(sent.chain).top if sent else None
    for _ in range(MAX_CLIMB):
        if child is None or child.self_issued:
            break
        child, _sender = _parent(conn, side, child, known)
        if child is not None:
            found.append(child)
    return tuple(found)


def incompleteness(conn: Connection, side: Side, known: Known) -> Judgement | CannotTell | None:
    """The verdict of server-chain-incomplete and client-chain-incomplete; None if nothing is missing."""
    sent = conn.chain(side)
    if sent is None:
        return None
    if plainly_complete(sent.chain):
        return None  # nearly every chain: nothing else needs to be looked at
    leaf = as_meant(sent.chain).leaf
    if not leaf.readable or not leaf.issuer.readable:
        return CannotTell(f"the {side}'s certificate cannot be read, so its issuer is unknown")
    link = missing_link(conn, side, known)
    if link is None:
        return None
    if link.lone and link.elsewhere is None and side is Side.CLIENT and Seen.CERTIFICATE_REQUEST & conn.hidden:
        return CannotTell("the server's CA list, which may name the issuer as a root, is not in the capture")
    weight = weigh(conn, side, Defect.INCOMPLETE, Severity.WARNING)
    proof = Confidence.HIGH if link.elsewhere else Confidence.MEDIUM
    return weight.judgement(_summary(conn, side, link, weight), _advice(conn, side, link), sent.frames, proof)


def _summary(conn: Connection, side: Side, link: MissingLink, weight: Weight) -> str:
    if link.lone:
        what = (
            f"the {side} sent its certificate {called(link.child)} alone, without that of its issuer {dn(link.issuer)}"
        )
    else:
        what = (
            f"the {side}'s chain has a hole: {called(link.child)} was issued by {dn(link.issuer)}, which was not sent"
        )
    what += f", so the {side.peer} cannot build a path to a root"
    if link.elsewhere is None and link.lone:
        what += ", unless that issuer is one itself"
    if weight.refusal is None and conn.established:
        fetched = ", fetched it" if link.child.aia_urls else ""
        what += f" (it worked here: the {side.peer} had that issuer{fetched} or does not check)"
    return what


def _advice(conn: Connection, side: Side, link: MissingLink) -> str:
    text = (
        f"Install {dn(link.issuer)} on {where(conn, side)} among the intermediates (Windows: store Intermediate Certification "
        "Authorities of the computer; elsewhere: append it to the certificate file) and restart the service, so that it "
        "is sent along."
    )
    if link.child.aia_urls:
        text += f" The certificate says it is at {link.child.aia_urls[0]}."
    if link.sender:
        text += f" In this capture {link.sender}."
    if link.lone and link.elsewhere is None and conn.failed:
        other = ", or use a certificate of a CA that the server names" if side is Side.CLIENT else ""
        text += f" If it is a root itself, import it on {where(conn, side.peer)} among the trusted roots{other}."
    return text
