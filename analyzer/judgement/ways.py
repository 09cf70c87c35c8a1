"""All ways up from a leaf: where they break, which certificates are on none, what their CAs do not allow.

Asked only after the quick questions of links.py, and imported only then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.certificates.faults import Fault, Kind, Use, faults_of
from analyzer.certificates.names import Name
from analyzer.certificates.paths import End, Search, find_paths, paths_of
from analyzer.connection import Connection, Side
from analyzer.dataclass import dataclass
from analyzer.judgement.chains import Known, as_meant, root_shown
from analyzer.judgement.memory import CAPACITY
from analyzer.judgement.phrases import brief, called
from analyzer.judgement.reading import broken
from analyzer.judgement.refusal import Defect

MAX_OFFERS = 8
"""Certificates of one name whose key is tried, so that an odd chain cannot cost much."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A link that does not hold, on every way up.

    Attributes:
        child: the certificate whose signature is by none of the keys that were sent.
        wrong: what was sent under its issuer's name.
        generation: the child names another key than any of these has: another generation of that CA.
        damaged: the key identifiers agree and the signature does not hold: one of the two was changed or made up.
    """

    child: Certificate
    wrong: tuple[Certificate, ...]
    generation: bool
    damaged: bool

    @property
    def only_roots(self) -> bool:
        """Only a root is of the wrong generation: a peer takes its own copy."""
        return all(certificate.self_issued for certificate in self.wrong)

    def offered(self, known: Known) -> tuple[Certificate, str] | None:
        """The right issuer, if an earlier connection showed it, and who sent it ("" if that is forgotten)."""
        for certificate in known.intermediates(self.child.issuer)[:MAX_OFFERS]:
            if self.child.signed_by(certificate):
                return certificate, known.sender_of(certificate.sha256) or ""
        return None


@lru_cache(maxsize=CAPACITY)
def broken_link(chain: Chain) -> Broken | None:
    """The link at which every way up from the leaf ends; None if one goes on to a root or to where a root may follow, or
    if the lower certificate itself is damaged: then its signature says nothing about the upper one."""
    best = paths_of(as_meant(chain)).paths[0]
    if best.end is not End.BROKEN or broken(best.top):
        return None
    child = best.top
    ids = [certificate.subject_key_id for certificate in best.rejected]
    differ = child.authority_key_id is not None and all(one not in (None, child.authority_key_id) for one in ids)
    return Broken(child, best.rejected, differ, child.authority_key_id is not None and child.authority_key_id in ids)


@lru_cache(maxsize=CAPACITY)
def doubt(chain: Chain) -> str:
    """Why it cannot be told whether all links hold; "" if it can."""
    search = paths_of(as_meant(chain))
    best = search.paths[0]
    if not search.leaf.readable:
        return "the certificate cannot be read"
    if search.cut and best.end in (End.BROKEN, End.LIMIT):
        return "there are too many ways up to try them all"
    if best.end is End.BROKEN and broken(best.top):
        return f"{called(best.top)} cannot be read whole"
    if best.unverified:
        algorithm = best.unverified[0].signature_algorithm or "unreadable"
        return f"a signature of the kind {algorithm[:64]} cannot be verified"
    return ""


@dataclass(frozen=True, slots=True)
class Strangers:
    """Certificates on no path.

    Attributes:
        sure: they belong to no link, whatever else there may be.
        unsure: CA certificates that may stand above a missing one.
    """

    sure: tuple[Certificate, ...]
    unsure: tuple[Certificate, ...] = ()


@lru_cache(maxsize=CAPACITY)
def strangers(chain: Chain) -> Strangers:
    """As far as the chain itself tells."""
    return _sorted_out(chain, paths_of(as_meant(chain)))


def unclear_leaf(chain: Chain, unrelated: tuple[Certificate, ...]) -> bool:
    """A CA's certificate was sent first, and one that it issued seems unrelated: that may be the sender's own."""
    first = as_meant(chain).leaf
    return first.is_ca is True and any(c.issuer == first.subject and not c.self_issued for c in unrelated)


def strangers_among(conn: Connection, chain: Chain, known: Known) -> Strangers:
    """The same with what the rest of the capture shows: who is a root, and the CA certificates that others sent."""
    found = strangers(chain)
    if not found.unsure:
        return found
    search = find_paths(as_meant(chain).certificates, None, (_Seen(known),))
    found = _sorted_out(chain, search)
    names = [path.missing for path in search.paths if path.missing is not None]
    if found.unsure and all(root_shown(conn, name, known) is not None for name in names):
        return Strangers((*found.sure, *found.unsure))
    return found


@dataclass(frozen=True, slots=True)
class _Seen:
    """CA certificates that somebody else sent, as a `Store`."""

    known: Known
    name: str = "somebody else in the capture"

    def find(self, subject: Name) -> Iterable[Certificate]:
        """Those with this subject."""
        return self.known.intermediates(subject)[:MAX_OFFERS]


def _sorted_out(chain: Chain, search: Search) -> Strangers:
    """What cannot be read, or was sent as an issuer with the wrong key, is the matter of other rules."""
    members = search.members
    wrong = {certificate for path in search.paths if path.end is End.BROKEN for certificate in path.rejected}
    left = [
        certificate
        for certificate in dict.fromkeys(chain.certificates)
        if certificate not in members and certificate.readable and certificate.subject.readable
    ]
    if search.paths[0].end is End.BROKEN:
        left = [certificate for certificate in left if certificate not in wrong]
    hole = any(path.end in (End.MISSING, End.BROKEN) for path in search.paths)
    maybe = [one for one in left if hole and _may_be_above(one, search)]
    return Strangers(tuple([one for one in left if one not in maybe]), tuple(maybe))


def _may_be_above(certificate: Certificate, search: Search) -> bool:
    """A CA can stand above what is missing, unless its name is on the way already: then it is another generation."""
    named = {ca.issuer for path in search.paths for ca in path.certificates}
    return (certificate.is_ca is True or certificate.self_issued) and certificate.subject not in named


_SOFTER = {Kind.USE: 1, Kind.CRITICAL: 2}
"""Of several faults these are named last: some peers do not mind them."""


@lru_cache(maxsize=CAPACITY)
def forbidden(chain: Chain, side: Side) -> tuple[Fault, ...]:
    """What the CAs do not allow on the way up that has the fewest such faults; () if one way has none, or there is no way
    up. The leaf's own uses are another question."""
    search = paths_of(as_meant(chain))
    use = Use.SERVER if side is Side.SERVER else Use.CLIENT
    ways = [path for path in search.paths if path.end in (End.ROOT, End.MISSING)]
    if search.cut or not ways:
        return ()
    found = [
        tuple(
            [fault for fault in faults_of(path.certificates, use) if fault.kind is not Kind.USE or fault.by is not None]
        )
        for path in ways
    ]
    fewest = min(found, key=len)
    return tuple(sorted(fewest, key=lambda fault: _SOFTER.get(fault.kind, 0)))


def wrong_above(chain: Chain, side: Side) -> Iterator[tuple[Defect, str]]:
    """A link that does not hold, and the hardest limit that is broken, each with a clause for a sentence."""
    link = broken_link(chain)
    if link is not None:
        yield (
            Defect.LINK,
            f"the signature on {called(link.child)} is not by the {called(link.wrong[0])} that was sent",
        )
    for fault in forbidden(chain, side)[:1]:
        yield Defect.FORBIDDEN, brief(fault.clause)
