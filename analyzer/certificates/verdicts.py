"""What the owner of one trust store would say about a chain, and why: a diagnosis with reasons, not a yes or no.

Each side judges with its own store, so there is one verdict per store and per use. What is not in a capture stays open:
revocation, policies, distrust of single CAs, and certificates that a machine has in its cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.certificates.faults import Fault, Kind, Use, brief, faults_of, named
from analyzer.certificates.names import Name
from analyzer.certificates.paths import End, Path, Search, Step, Store, paths_of
from analyzer.dataclass import dataclass

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_NAMED = 6  # certificates of a path that a sentence names


class Answer(StrEnum):
    """TRUSTED: a path without a fault ends in a root of the store. PARTIAL: one ends in a CA of the store that is no
    root, which some verifiers take. FAULTY: every path into the store has a fault. UNTRUSTED: the paths end in roots that
    the store does not have. OPEN: an issuer is neither sent nor in the store. BROKEN: the issuer's name is there, its key
    is not. UNKNOWN: it cannot be told (see `why`)."""

    TRUSTED = "trusted"
    PARTIAL = "partial"
    FAULTY = "faulty"
    UNTRUSTED = "untrusted"
    OPEN = "open"
    BROKEN = "broken"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Missing:
    """A certificate that a verifier needs and does not get.

    Attributes:
        issuer: its subject.
        key_id: its subjectKeyIdentifier as the child names it; None if the child does not.
        child: the certificate that it issued.
        urls: where the child says it can be fetched (AIA caIssuers).
        offer: the certificate itself with who has it, if it is known from elsewhere; None if it is not.
    """

    issuer: Name
    key_id: bytes | None
    child: Certificate
    urls: tuple[str, ...]
    offer: Step | None


@dataclass(frozen=True, slots=True)
class Judged:
    """A path, and all that is wrong with it at the time asked for."""

    path: Path
    faults: tuple[Fault, ...]

    @property
    def usable(self) -> bool:
        """No fault, and nothing on it that the verifier does not get."""
        return not self.faults and not self.path.lent


@dataclass(frozen=True, slots=True)
class Verdict:
    """See Answer.

    Attributes:
        store: the store's name. use: what the leaf is put to.
        answer: see Answer.
        path: the path that the answer is about, the best one of its kind.
        faults: what is wrong with that path; () unless FAULTY.
        missing: OPEN only: what is missing; None otherwise.
        why: a clause that says why, with names.
        paths: all paths with their faults, best first: "valid by path A, expired by path B".
    """

    store: str
    use: Use
    answer: Answer
    path: Path
    faults: tuple[Fault, ...]
    missing: Missing | None
    why: str
    paths: tuple[Judged, ...]

    def __str__(self) -> str:
        """ "open: CN=Sub, which issued a.example, was not sent and is not in store.pem"."""
        return f"{self.answer.value}: {self.why}"


def judge(chain: Chain, store: Store, use: Use, at: int | None = None, others: tuple[Store, ...] = ()) -> Verdict:
    """The verdict of a verifier with this store.

    `at` is in seconds since 1970; without it dates do not count. `others` only tell where a missing certificate could
    come from. Never raises. The paths are searched once per chain and stores, which must not change.
    """
    search = paths_of(chain, store, others)
    judged = tuple([Judged(path, _faults(path, use, at)) for path in search.paths])
    answer, best = _answer(search, judged)
    missing = _missing(best.path) if answer is Answer.OPEN else None
    return Verdict(
        store=store.name,
        use=use,
        answer=answer,
        path=best.path,
        faults=best.faults if answer is Answer.FAULTY else (),
        missing=missing,
        why=_why(answer, best, missing, store, search),
        paths=judged,
    )


def _faults(path: Path, use: Use | None, at: int | None) -> tuple[Fault, ...]:
    faults = faults_of(path.certificates, use)
    return faults if at is None else (*faults, *dated(path.certificates, at))


def dated(path: Sequence[Certificate], at: int) -> tuple[Fault, ...]:
    """Certificates that are outside of their dates at this time (seconds since 1970); unreadable dates do not count."""
    found: list[Fault] = []
    for certificate in path:
        start, end = certificate.not_before, certificate.not_after
        if end is not None and at > _seconds(end):
            clause = f"{named(certificate)} expired on {end:%Y-%m-%d %H:%M:%S} UTC"
            found.append(Fault(Kind.EXPIRED, certificate, None, clause))
        elif start is not None and at < _seconds(start):
            clause = f"{named(certificate)} is not valid before {start:%Y-%m-%d %H:%M:%S} UTC"
            found.append(Fault(Kind.NOT_YET_VALID, certificate, None, clause))
    return tuple(found)


def _seconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(seconds=1)


def _answer(search: Search, judged: tuple[Judged, ...]) -> tuple[Answer, Judged]:
    """The answer and the path that it is about."""
    for end, answer in ((End.ANCHOR, Answer.TRUSTED), (End.PARTIAL, Answer.PARTIAL)):
        good = [one for one in judged if one.path.end is end and one.usable]
        sure = [one for one in good if not one.path.unverified]
        if good:
            return (answer, sure[0]) if sure else (Answer.UNKNOWN, good[0])
    if search.cut or not search.leaf.readable:
        return Answer.UNKNOWN, judged[0]
    for ends, answer in _OTHERWISE:
        found = [one for one in judged if one.path.end in ends and not one.path.lent]
        if found:
            return answer, min(found, key=lambda one: len(one.faults))
        lent = [one for one in judged if one.path.end in ends]
        if lent:
            return Answer.OPEN, min(lent, key=lambda one: len(one.faults))
    return Answer.UNKNOWN, judged[0]


_OTHERWISE = (
    ((End.ANCHOR, End.PARTIAL), Answer.FAULTY),
    ((End.ROOT,), Answer.UNTRUSTED),
    ((End.MISSING, End.LOOP), Answer.OPEN),
    ((End.BROKEN,), Answer.BROKEN),
)
"""Without a good path: what the first kind of end means that there is."""


def _missing(path: Path) -> Missing:
    """The lowest certificate that the verifier does not get: known from elsewhere, or to nobody."""
    lent = path.lent
    place = path.steps.index(lent[0]) if lent else len(path.steps)
    child = path.steps[place - 1].certificate
    return Missing(child.issuer, child.authority_key_id, child, child.aia_urls, lent[0] if lent else None)


def _why(answer: Answer, best: Judged, missing: Missing | None, store: Store, search: Search) -> str:
    path, top = best.path, named(best.path.top)
    if answer is Answer.TRUSTED:
        return f"{_drawn(path)}, a root in {brief(store.name)}"
    if answer is Answer.PARTIAL:
        return f"{_drawn(path)}, which is in {brief(store.name)}, though its own issuer is not: not all verifiers take that"
    if answer is Answer.FAULTY:
        return f"{_drawn(path)}, but {best.faults[0].clause}"
    if answer is Answer.UNTRUSTED:
        return f"{_drawn(path)}, a root that {brief(store.name)} does not have"
    if answer is Answer.BROKEN:
        return f"no key of {brief(path.top.issuer.text)} made the signature on {top}"
    if missing is not None:
        what = f"{brief(missing.issuer.text)}, which issued {named(missing.child)}, was not sent and is not in"
        offered = f" (known from {brief(missing.offer.source)})" if missing.offer else ""
        return f"{what} {brief(store.name)}{offered}"
    if not search.leaf.readable:
        return "the certificate cannot be read"
    if path.unverified and best.usable:
        return f"the signature on {named(path.unverified[0])} ({path.unverified[0].signature_algorithm}) cannot be verified"
    return "there are too many paths to try them all" if search.cut else f"{top} names no issuer"


def _drawn(path: Path) -> str:
    """ "a.example - Sub - Root"."""
    names = [named(certificate) for certificate in path.certificates]
    if len(names) > MOST_NAMED:
        names[MOST_NAMED - 1 : -1] = ["..."]
    return " - ".join(names)
