"""Order, links and gaps of a chain as sent: a diagnosis, not a yes or no."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice, pairwise

from analyzer import views
from analyzer.certificates.cache import BoundedCache
from analyzer.certificates.certificate import Certificate, load
from analyzer.certificates.names import Name
from analyzer.dataclass import dataclass

MAX_STEPS = 32  # certificates on a path; ours, no real path is half as long
MAX_CANDIDATES = 16  # certificates of one name that are weighed against each other; ours


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """A chain as one side sent it, at least one certificate. Equal lists give the same object (bounded cache).

    Attributes:
        certificates: as sent; [0] is the leaf by definition.
        path: the certificates that link upwards from the leaf by issuer name (key identifiers and signature choose among
            several candidates), leaf first; at least the leaf. A self-issued certificate ends it.
        missing_issuer: the issuer name that nobody in the message has as subject, at the top of `path`; None if the path
            ends in a self-issued certificate.
        unlinked: certificates to which no issuer name leads from the leaf, each once.
        alternatives: certificates to which an issuer name leads, but which were not chosen for `path` (cross-signed ones).
        gap: there are unlinked CA certificates above the missing issuer: a link between sent certificates is missing
            (the issuer of `path`'s top was not sent, but certificates of the same hierarchy above it may be).
        in_order: the certificates on `path` were sent in the order of `path` with nothing in between (RFC 5246 7.4.2).
        duplicates: certificates sent more than once.
        ends_in_root: the top of `path` is self-issued.
    """

    certificates: tuple[Certificate, ...]
    path: tuple[Certificate, ...]
    missing_issuer: Name | None
    unlinked: tuple[Certificate, ...]
    alternatives: tuple[Certificate, ...]
    gap: bool
    in_order: bool
    duplicates: tuple[Certificate, ...]
    ends_in_root: bool

    @property
    def leaf(self) -> Certificate:
        """The first certificate: the peer itself."""
        return self.certificates[0]

    @property
    def top(self) -> Certificate:
        """The last certificate of `path`."""
        return self.path[-1]

    @property
    def broken_links(self) -> tuple[tuple[Certificate, Certificate], ...]:
        """(child, parent) pairs on `path` whose names match but whose signature does not verify.

        Computed when asked for, since it needs the `cryptography` library; `Certificate.signed_by` remembers.
        """
        return tuple([(child, parent) for child, parent in pairwise(self.path) if child.signed_by(parent) is False])

    def _repr_html_(self) -> str | None:
        """For notebooks: the certificates as sent, and what is wrong with their order."""
        return views.html(self)


_assessed: BoundedCache[tuple[bytes, ...], Chain] = BoundedCache(max_entries=2048, max_weight=2**22)


def assess(ders: tuple[bytes, ...]) -> Chain:
    """The chain of these DER certificates, as sent; at least one. Never raises."""
    found = _assessed.get(ders)
    if found is not None:
        return found
    return _assessed.put(ders, _assess(tuple([load(der) for der in ders])), sum(map(len, ders)))


def _assess(certificates: tuple[Certificate, ...]) -> Chain:
    each = list(dict.fromkeys(certificates))
    children: dict[Name, list[Certificate]] = {}
    parents: dict[Name, list[Certificate]] = {}
    for certificate in each:
        if certificate.readable and not certificate.self_issued:
            children.setdefault(certificate.issuer, []).append(certificate)
        if certificate.subject.readable:
            parents.setdefault(certificate.subject, []).append(certificate)
    path = _path(each[0], parents, _below_a_root(each, children))
    top = path[-1]
    linked = _above(each[0], parents)
    unlinked = tuple([certificate for certificate in each if certificate not in linked])
    is_missing = top.issuer.readable and not top.self_issued and top.issuer not in parents
    return Chain(
        certificates=certificates,
        path=path,
        missing_issuer=top.issuer if is_missing else None,
        unlinked=unlinked,
        alternatives=_without([certificate for certificate in each if certificate in linked], path),
        gap=is_missing and any(certificate.is_ca or certificate.self_issued for certificate in unlinked),
        in_order=tuple(each[: len(path)]) == path,
        duplicates=_repeated(certificates),
        ends_in_root=top.self_issued,
    )


def _path(
    leaf: Certificate, parents: dict[Name, list[Certificate]], below_a_root: set[Certificate]
) -> tuple[Certificate, ...]:
    """Upwards from the leaf, at each step the best of those that bear the issuer's name; loops are not entered."""
    path = {leaf: None}
    top = leaf
    while not top.self_issued and top.issuer.readable and len(path) < MAX_STEPS:
        unvisited = (parent for parent in parents.get(top.issuer, ()) if parent not in path)
        candidates = list(islice(unvisited, MAX_CANDIDATES))
        if not candidates:
            break
        top = _best(top, candidates, below_a_root)
        path[top] = None
    return tuple(path)


def _best(child: Certificate, candidates: list[Certificate], below_a_root: set[Certificate]) -> Certificate:
    """Key identifier first, then signature, a CA, whether a root can be reached, then the later end of validity.

    Nothing depends on the order in which they were sent. A signature is verified only if keys differ.
    """
    if len(candidates) == 1:
        return candidates[0]
    if child.authority_key_id is not None:
        named = [parent for parent in candidates if parent.subject_key_id == child.authority_key_id]
        candidates = named or candidates
    if len({parent.spki_sha256 for parent in candidates}) > 1:
        signers = [parent for parent in candidates if child.signed_by(parent)]
        candidates = signers or candidates
    return max(
        candidates,
        key=lambda parent: (bool(parent.is_ca), parent in below_a_root, _until(parent), parent.sha256),
    )


def _until(certificate: Certificate) -> float:
    return certificate.not_after.timestamp() if certificate.not_after else 0.0


def _below_a_root(each: Iterable[Certificate], children: dict[Name, list[Certificate]]) -> set[Certificate]:
    """Every certificate from which issuer names lead to a self-issued one. Each name is looked up once."""
    found = {certificate for certificate in each if certificate.self_issued}
    waiting = list(found)
    pending = dict(children)
    while waiting:
        below = pending.pop(waiting.pop().subject, ())
        waiting += [certificate for certificate in below if certificate not in found]
        found.update(below)
    return found


def _above(leaf: Certificate, parents: dict[Name, list[Certificate]]) -> set[Certificate]:
    """The leaf and every certificate to which issuer names lead from it. Each name is looked up once."""
    found = {leaf}
    waiting = [leaf]
    pending = dict(parents)
    while waiting:
        child = waiting.pop()
        above = () if child.self_issued else pending.pop(child.issuer, ())
        waiting += [certificate for certificate in above if certificate not in found]
        found.update(above)
    return found


def _without(certificates: Iterable[Certificate], path: Sequence[Certificate]) -> tuple[Certificate, ...]:
    on_path = set(path)
    return tuple([certificate for certificate in certificates if certificate not in on_path])


def _repeated(certificates: Iterable[Certificate]) -> tuple[Certificate, ...]:
    seen: set[Certificate] = set()
    again: dict[Certificate, None] = {}
    for certificate in certificates:
        if certificate in seen:
            again[certificate] = None
        seen.add(certificate)
    return tuple(again)
