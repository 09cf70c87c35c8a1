"""Servers of one name: what each member presents, and in what they differ."""

from __future__ import annotations

from collections.abc import Iterable

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.dataclass import dataclass
from analyzer.judgement.capture_view import Presence
from analyzer.judgement.chains import as_meant
from analyzer.judgement.identities import DAY, date_of, identity
from analyzer.judgement.phrases import brief, dn
from analyzer.judgement.validity import seconds
from analyzer.knowledge import version_name
from analyzer.tls.names import TLS12, TLS13

SECOND_NS = 1_000_000_000
MAX_MEMBERS = 64
"""Members of one pool that are compared."""


@dataclass(frozen=True, slots=True)
class Member:
    """One address of a pool.

    Attributes:
        ip: the address. named: clients asked for the name themselves.
        chain: the latest one seen; None if none was.
        version: the highest version that it ever chose. offered: the highest that a client offered it.
        first_ns, last_ns: when it was seen. frames: where.
    """

    ip: str
    named: bool
    chain: Chain | None
    version: int
    offered: int
    first_ns: int
    last_ns: int
    frames: tuple[int, ...]

    @property
    def leaf(self) -> Certificate | None:
        """Its certificate; None if none was seen or it cannot be read."""
        leaf = as_meant(self.chain).leaf if self.chain is not None else None
        return leaf if leaf is not None and leaf.readable else None


@dataclass(frozen=True, slots=True)
class Difference:
    """In what `odd` is unlike `right`. `serious`: clients can fail because of it."""

    text: str
    odd: Member
    right: Member
    serious: bool = True


def members(servers: Iterable[Presence]) -> dict[tuple[str, int], list[Member]]:
    """(name, port) -> its members, in the order of the capture."""
    found: dict[tuple[str, int], dict[str, Member]] = {}
    for one in servers:
        if one.name is None or one.version is None:
            continue
        pool = found.setdefault((one.name, one.port), {})
        known = pool.get(one.ip)
        if known is not None or len(pool) < MAX_MEMBERS:
            pool[one.ip] = _merged(known, one)
    return {key: list(pool.values()) for key, pool in found.items()}


def differences(name: str, pool: list[Member], now_ns: int | None) -> list[Difference]:
    """The differences that were there at the same time, the most serious first; one of a kind."""
    certified = [member for member in pool if member.leaf is not None]
    kinds = (_coverage(name, certified), _dates(certified, now_ns), _issuers(certified), _completeness(certified))
    found = [difference for difference in (*kinds, _generations(certified), _versions(pool)) if difference is not None]
    return sorted(found, key=lambda difference: not difference.serious)


def _merged(known: Member | None, one: Presence) -> Member:
    """Of several things that one address presented, the latest certificate and the best version count."""
    version = one.version or 0
    if known is None:
        return Member(one.ip, one.named, one.chain, version, one.offered, one.first_ns, one.last_ns, one.frames)
    newer = one.chain is not None and (known.chain is None or one.last_ns >= known.last_ns)
    return Member(
        one.ip,
        known.named and one.named,
        one.chain if newer else known.chain,
        max(version, known.version),
        max(one.offered, known.offered),
        min(one.first_ns, known.first_ns),
        max(one.last_ns, known.last_ns),
        one.frames if newer else known.frames,
    )


def _together(one: Member, other: Member) -> bool:
    """Seen within a day of each other: a change over time is no difference."""
    return max(one.first_ns, other.first_ns) - min(one.last_ns, other.last_ns) <= DAY * SECOND_NS


def _coverage(name: str, pool: list[Member]) -> Difference | None:
    right = next((member for member in pool if member.leaf and member.leaf.covers(name)), None)
    odd = next((m for m in pool if m.leaf and not m.leaf.covers(name) and right and _together(m, right)), None)
    if right is None or odd is None or odd.leaf is None:
        return None
    return Difference(f"the certificate of {odd.ip} does not cover the name, that of {right.ip} does", odd, right)


def _dates(pool: list[Member], now_ns: int | None) -> Difference | None:
    def valid(member: Member) -> bool | None:
        return member.leaf.valid_at(member.last_ns if now_ns is None else now_ns) if member.leaf else None

    right = next((member for member in pool if valid(member)), None)
    odd = next((m for m in pool if valid(m) is False and right and _together(m, right)), None)
    if right is None or odd is None or odd.leaf is None or right.leaf is None:
        return None
    dates = f"{date_of(odd.leaf.not_before)} to {date_of(odd.leaf.not_after)}"
    return Difference(
        f"the certificate of {odd.ip} is out of its dates ({dates}), that of {right.ip} is valid", odd, right
    )


def _pairs(pool: list[Member]) -> Iterable[tuple[Member, Member, Certificate, Certificate]]:
    """Every later member beside the first one with the same kind of key, as far as they were there together."""
    first: dict[str, Member] = {}
    for member in pool:
        leaf = member.leaf
        if leaf is None or leaf.key is None:
            continue
        right = first.setdefault(leaf.key.algorithm, member)
        if right is not member and right.leaf is not None and right.leaf is not leaf and _together(right, member):
            yield right, member, right.leaf, leaf


def _issuers(pool: list[Member]) -> Difference | None:
    for right, odd, theirs, own in _pairs(pool):
        if own.issuer != theirs.issuer:
            text = (
                f"the certificate of {odd.ip} was issued by {dn(own.issuer)}, that of {right.ip} by {dn(theirs.issuer)}"
            )
            return Difference(text, odd, right)
    return None


def _completeness(pool: list[Member]) -> Difference | None:
    """Equal issuers, but one sends the way up and the other does not."""
    for odd in pool:
        for right in pool:
            if odd.leaf is None or right.leaf is None or odd.chain is None or right.chain is None:
                continue
            own, theirs = as_meant(odd.chain).path, as_meant(right.chain).path
            sends = [certificate for certificate in theirs[1:] if not certificate.self_issued]
            if len(own) == 1 and sends and odd.leaf.issuer == right.leaf.issuer and _together(odd, right):
                what = brief(sends[0].short)
                return Difference(f"{odd.ip} leaves out the intermediate {what}, {right.ip} sends it", odd, right)
    return None


def _generations(pool: list[Member]) -> Difference | None:
    """Equal names, issuer and uses, but another certificate, more than a day younger."""
    for right, odd, theirs, own in _pairs(pool):
        if identity(own) != identity(theirs) or identity(own) is None or own.issuer != theirs.issuer:
            continue
        assert own.not_before is not None
        assert theirs.not_before is not None
        if abs(seconds(own.not_before) - seconds(theirs.not_before)) > DAY:
            old, new = (odd, right) if own.not_before < theirs.not_before else (right, odd)
            assert old.leaf is not None
            assert new.leaf is not None
            until = f"until {date_of(old.leaf.not_after)}"
            text = f"{old.ip} has an older certificate ({until}) than {new.ip} (until {date_of(new.leaf.not_after)})"
            return Difference(text, old, new, serious=False)
    return None


def _versions(pool: list[Member]) -> Difference | None:
    """A member that never chose the best version of the pool, though a client offered it."""
    right = max(pool, key=lambda member: member.version)
    for odd in pool:
        if odd.version < right.version <= odd.offered and right.version <= TLS13 and _together(odd, right):
            text = (
                f"{odd.ip} chooses {version_name(odd.version)} where {right.ip} chooses {version_name(right.version)}"
            )
            return Difference(text, odd, right, serious=odd.version < TLS12)
    return None
