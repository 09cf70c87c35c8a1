"""Every way upwards from a leaf: by name, key identifier and signature, among sent and other known certificates.

A path here is what some verifier could build (RFC 5280 section 6, RFC 4158). All are kept, best first, with where each
ends and why: whether one is any good is asked in faults.py (rules of the CAs on it) and verdicts.py (a trust store, a time).
The search is bounded: no name and key twice on a path, and a budget of links.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import islice
from typing import Protocol

from analyzer.certificates.cache import BoundedCache
from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.certificates.names import Name
from analyzer.dataclass import dataclass

MAX_DEPTH = 16  # certificates on a path; ours, real hierarchies have up to five or six
MAX_LINKS = 256  # links whose signature is looked at in one search; ours
MAX_PATHS = 32  # paths kept; ours
MAX_CANDIDATES = 64  # certificates of one name that are looked at; ours


class Store(Protocol):
    """Certificates that can be looked up: a trust store, or what else is known besides the sent ones."""

    @property
    def name(self) -> str:
        """As a sentence says it."""

    def find(self, subject: Name) -> Iterable[Certificate]:
        """Those with this subject."""


class Origin(StrEnum):
    """Where an element of a path is from."""

    SENT = "sent"
    STORE = "store"
    ELSEWHERE = "elsewhere"


class End(StrEnum):
    """Why a path goes no further.

    ANCHOR: the store has a root of this name and key. PARTIAL: it has this very CA (or leaf), which is no root: Java, Go
    and the library take that, OpenSSL and Windows want the root as well. ROOT: its own issuer, and not in the store.
    MISSING: nobody has the issuer. BROKEN: the issuer's name is there, but no such certificate's key made the signature.
    LOOP: all issuers are on the path already. UNREADABLE: it names no issuer. LIMIT: the search was cut off here.
    """

    ANCHOR = "anchor"
    PARTIAL = "partial"
    ROOT = "root"
    MISSING = "missing"
    BROKEN = "broken"
    LOOP = "loop"
    UNREADABLE = "unreadable"
    LIMIT = "limit"


_RANK = {end: rank for rank, end in enumerate(End)}


@dataclass(frozen=True, slots=True)
class Step:
    """One certificate of a path.

    Attributes:
        certificate: which.
        origin: sent by the peer itself, in the trust store, or known from elsewhere.
        source: name of the store it is from; "" if it was sent.
        verified: its key made the signature of the one below; None if that cannot be computed, and for the leaf.
        key_id_differs: the one below names another key identifier (a re-keyed CA; no fault if the signature is good).
    """

    certificate: Certificate
    origin: Origin
    source: str = ""
    verified: bool | None = None
    key_id_differs: bool = False


@dataclass(frozen=True, slots=True)
class Path:
    """One way upwards.

    Attributes:
        steps: the leaf first.
        end: why it goes no further.
        rejected: BROKEN only: certificates of the issuer's name whose key did not make the signature.
    """

    steps: tuple[Step, ...]
    end: End
    rejected: tuple[Certificate, ...] = ()

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """The leaf first."""
        return tuple([step.certificate for step in self.steps])

    @property
    def top(self) -> Certificate:
        """The last one."""
        return self.steps[-1].certificate

    @property
    def missing(self) -> Name | None:
        """The issuer that nobody has; None if the path ends for another reason."""
        return self.top.issuer if self.end is End.MISSING else None

    @property
    def unverified(self) -> tuple[Certificate, ...]:
        """Certificates whose signature cannot be computed."""
        pairs = zip(self.steps, self.steps[1:], strict=False)
        return tuple([child.certificate for child, parent in pairs if parent.verified is None])

    @property
    def lent(self) -> tuple[Step, ...]:
        """What neither was sent nor is in the trust store."""
        return tuple([step for step in self.steps if step.origin is Origin.ELSEWHERE])


@dataclass(frozen=True, slots=True)
class Search:
    """What was found.

    Attributes:
        leaf: where all paths begin.
        paths: best first (by End, in its order), at least one.
        cut: the budget was spent: there may be more paths.
    """

    leaf: Certificate
    paths: tuple[Path, ...]
    cut: bool

    @property
    def members(self) -> frozenset[Certificate]:
        """Every certificate that is on some path."""
        return frozenset([step.certificate for path in self.paths for step in path.steps])


_Key = tuple[Chain, int, tuple[int, ...]]
_found: BoundedCache[_Key, tuple[Search, object]] = BoundedCache(max_entries=512, max_weight=2**14)


def paths_of(chain: Chain, store: Store | None = None, others: tuple[Store, ...] = ()) -> Search:
    """All paths from the chain's first certificate. Asked once per chain and stores, which must not change meanwhile
    (bounded cache). Never raises."""
    key = (chain, id(store), tuple(map(id, others)))
    known = _found.get(key)
    if known is None:
        # The stores are kept too: their ids cannot go to other objects meanwhile.
        known = _found.put(
            key, (find_paths(chain.certificates, store, others), (store, others)), len(chain.certificates)
        )
    return known[0]


def find_paths(sent: Sequence[Certificate], store: Store | None = None, others: Sequence[Store] = ()) -> Search:
    """All paths from `sent[0]`. `store`: whose roots count as anchors; `others`: where else an issuer may be found."""
    return _Climb(sent, store, others).run()


class _Climb:
    """One search, depth first."""

    def __init__(self, sent: Sequence[Certificate], store: Store | None, others: Sequence[Store]) -> None:
        self._sent: dict[Name, list[Certificate]] = {}
        for certificate in dict.fromkeys(sent):
            if certificate.subject.readable:
                self._sent.setdefault(certificate.subject, []).append(certificate)
        self._leaf, self._store, self._others = sent[0], store, others
        self._by_name: dict[Name, tuple[Step, ...]] = {}
        self._in_store: dict[Name, tuple[Certificate, ...]] = {}
        self._paths: list[Path] = []
        self._links = 0
        self._cut = False

    def run(self) -> Search:
        self._climb((Step(self._leaf, Origin.SENT),))
        ranked = sorted(self._paths, key=_path_rank)  # stable: of equals the one found first
        return Search(self._leaf, tuple(ranked), self._cut)

    def _climb(self, steps: tuple[Step, ...]) -> None:
        """Keep every path that begins like this."""
        top = steps[-1].certificate
        held = self._held(top)
        if held is not None:
            self._paths.append(Path(steps, held))
        dead_end = Path(steps, End.ROOT) if _is_root(top) else self._go_on(steps)
        if dead_end is not None and held is None:
            self._paths.append(dead_end)

    def _go_on(self, steps: tuple[Step, ...]) -> Path | None:
        """Try all issuers of the last one; the dead end if there is none."""
        child = steps[-1].certificate
        if not child.issuer.readable or not child.issuer.text:
            return Path(steps, End.UNREADABLE)
        rejected: list[Certificate] = []
        looped, went_on = False, False
        used = {(step.certificate.subject, step.certificate.spki_sha256) for step in steps}
        for step in self._candidates(child):
            parent = step.certificate
            if (parent.subject, parent.spki_sha256) in used:
                looped = True
                continue
            if self._exhausted(steps):
                return None if went_on else Path(steps, End.LIMIT)
            self._links += 1
            verified = child.signed_by(parent)
            if verified is False:
                rejected.append(parent)
            else:
                went_on = True
                self._climb((*steps, _linked(step, child, verified)))
        if went_on:
            return None
        return Path(steps, End.BROKEN if rejected else End.LOOP if looped else End.MISSING, tuple(rejected))

    def _exhausted(self, steps: tuple[Step, ...]) -> bool:
        if len(steps) < MAX_DEPTH and self._links < MAX_LINKS and len(self._paths) < MAX_PATHS:
            return False
        self._cut = True
        return True

    def _held(self, certificate: Certificate) -> End | None:
        """ANCHOR if the store has a root of this name and key, perhaps in another edition; PARTIAL if it has this very
        certificate; None if neither."""
        subject = certificate.subject
        if self._store is None or not subject.readable:
            return None
        held = self._in_store.get(subject)
        if held is None:
            held = self._in_store[subject] = tuple(islice(self._store.find(subject), MAX_CANDIDATES))
        if certificate.self_issued and any(
            own.spki_sha256 == certificate.spki_sha256 for own in held if own.self_issued
        ):
            return End.ANCHOR
        return End.PARTIAL if certificate in held else None

    def _candidates(self, child: Certificate) -> list[Step]:
        """Who bears the issuer's name, the likeliest first: the key identifier, then the store, roots, and the later end.

        Nothing depends on the order in which they were sent.
        """
        named = self._by_name.get(child.issuer)
        if named is None:
            named = self._by_name[child.issuer] = self._named(child.issuer)
        return sorted(named, key=lambda step: _candidate_rank(step, child))

    def _named(self, subject: Name) -> tuple[Step, ...]:
        found: dict[str, Step] = {}
        in_store = islice(self._store.find(subject), MAX_CANDIDATES) if self._store is not None else ()
        steps = [Step(certificate, Origin.SENT) for certificate in self._sent.get(subject, ())]
        steps += [Step(certificate, Origin.STORE, self._store.name) for certificate in in_store if self._store]
        for other in self._others:
            steps += [
                Step(certificate, Origin.ELSEWHERE, other.name)
                for certificate in islice(other.find(subject), MAX_CANDIDATES)
            ]
        for step in steps:
            found.setdefault(step.certificate.sha256, step)
        self._cut = self._cut or len(found) > MAX_CANDIDATES
        return tuple(islice(found.values(), MAX_CANDIDATES))


def _is_root(certificate: Certificate) -> bool:
    """Self-issued, and by its own key: a CA that changes its key issues itself a certificate with the old one as well
    (RFC 5280 section 3.2). Computed only if the key identifiers do not say so."""
    if not certificate.self_issued:
        return False
    named = certificate.authority_key_id
    if named is None or certificate.subject_key_id is None or named == certificate.subject_key_id:
        return True
    return certificate.signed_by(certificate) is not False


def _linked(step: Step, child: Certificate, verified: bool | None) -> Step:
    differs = _key_id_rank(step.certificate, child) == 2
    return Step(step.certificate, step.origin, step.source, verified, differs)


def _key_id_rank(parent: Certificate, child: Certificate) -> int:
    """0: the identifiers agree, 1: one of them is absent, 2: they differ."""
    if child.authority_key_id is None or parent.subject_key_id is None:
        return 1
    return 0 if child.authority_key_id == parent.subject_key_id else 2


_ORIGINS = {Origin.STORE: 0, Origin.SENT: 0, Origin.ELSEWHERE: 1}


def _candidate_rank(step: Step, child: Certificate) -> tuple[int, int, bool, float, str]:
    parent = step.certificate
    until = parent.not_after.timestamp() if parent.not_after else 0.0
    return (_key_id_rank(parent, child), _ORIGINS[step.origin], not parent.self_issued, -until, parent.sha256)


def _path_rank(path: Path) -> tuple[int, int]:
    return (_RANK[path.end], len(path.lent))
