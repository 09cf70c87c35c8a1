"""Silence after a certificate, and what the silent host did meanwhile to find out whether it is revoked."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from analyzer.certificates.chain import Chain
from analyzer.connection import CertificateState, Connection, Side, Steps
from analyzer.dataclass import dataclass
from analyzer.findings import Confidence
from analyzer.judgement.memory import CAPACITY
from analyzer.judgement.phrases import brief, some
from analyzer.judgement.thresholds import limit_ns
from analyzer.sightings.facts import Act, Errand
from analyzer.sightings.watch import Sightings

Moment = tuple[Side, str, int, int]
"""Side, name, time and last frame of a step."""
ENDS = frozenset({"FIN", "RST"})
OPENING = frozenset({"SYN", "SYN-ACK"})
SHOWN = {Side.SERVER: ("Certificate", "EncryptedHandshake"), Side.CLIENT: ("Certificate", "Finished")}
"""The step with a side's certificate; before TLS 1.3, and since (where it is encrypted)."""
PRESENTED = frozenset({CertificateState.SENT, CertificateState.INFERRED_SENT})
FRAMES_SHOWN = 6
ASKED_FOR = {"CRL": "a CRL", "OCSP": "an OCSP answer", "AIA": "a CA certificate", "root list": "the list of roots"}


@dataclass(frozen=True, slots=True)
class Stall:
    """`by` was silent from `since_ns` to `until_ns` after the other side's certificate. `host`: its address.

    Attributes:
        unanswered: it never spoke again but to end the connection, or not even that.
        frames: the last message before the silence, and the first after it.
    """

    by: Side
    host: str
    since_ns: int
    until_ns: int
    unanswered: bool
    frames: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """What the host did meanwhile: a clause, the frames, what it wanted to reach, and how sure it is that this is why."""

    text: str
    goal: str
    frames: tuple[int, ...]
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a chain says that its lists are: host names in lower case; `ldap`: one is an LDAP address."""

    hosts: frozenset[str]
    ldap: bool


def stalls(conn: Connection) -> Iterator[Stall]:
    """Long silences of either side after the other's certificate, the client's first."""
    moments = [moment for moment in _moments(conn) if moment[1] not in OPENING]
    for sender in (Side.SERVER, Side.CLIENT):
        found = _stall(conn, moments, sender)
        if found is not None:
            yield found


def _stall(conn: Connection, moments: list[Moment], sender: Side) -> Stall | None:
    """The silence of the sender's peer between the last message before its own next one, and that one."""
    if sender is Side.CLIENT and conn.client_certificate_state not in PRESENTED:
        return None
    names = SHOWN[sender]
    name = names[0] if conn.chain(sender) is not None else names[1] if _is_13(conn) else ""
    start = next((i for i, moment in enumerate(moments) if moment[0] is sender and moment[1] == name), None)
    if start is None:
        return None
    peer, before = sender.peer, moments[start]
    for moment in moments[start + 1 :]:
        if moment[0] is peer or moment[1] in ENDS:
            return _if_long(conn, peer, before, moment, unanswered=moment[1] in ENDS or "Alert" in moment[1])
        before = moment
    last = (peer, "", max(conn.end_ns, before[2]), before[3])
    return _if_long(conn, peer, before, last, unanswered=True)


def _if_long(conn: Connection, peer: Side, before: Moment, after: Moment, *, unanswered: bool) -> Stall | None:
    if after[2] - before[2] < limit_ns("revocation_stall_s"):
        return None
    host = conn.client_ip if peer is Side.CLIENT else conn.server_ip
    return Stall(peer, host, before[2], after[2], unanswered, (before[3], after[3]))


def _moments(conn: Connection) -> Iterator[Moment]:
    if isinstance(conn.steps, Steps):  # without making an object of every step
        for row in conn.steps.rows:
            yield row[3], row[4], row[6], row[5][-1]
    else:
        for step in conn.steps:
            yield step.side, step.name, step.time_ns, step.frames[-1]


def _is_13(conn: Connection) -> bool:
    return conn.client_auth_13 is not None or conn.version == "TLSv1.3"


# ---- what the host did meanwhile --------------------------------------------------------------------------------------


def evidence(conn: Connection, stall: Stall, sightings: Sightings) -> Trace | None:
    """What `stall.host` did about revocation during its silence, if that explains the silence; None otherwise."""
    done = sightings.errands(stall.host, stall.since_ns, stall.until_ns)
    if not done:
        return None
    sent = conn.chain(stall.by.peer)
    addresses = addresses_of(sent.chain) if sent is not None else Addresses(frozenset(), ldap=False)
    named = [errand for errand in done if _is_named(errand, addresses, sightings)]
    found = named or [errand for errand in done if errand.act is Act.FETCH or _is_ldap(errand, addresses)]
    found = [errand for errand in found if errand.ok is not None or errand.answered_ns is None]
    if not found:
        return None
    failed = any(_failed(errand, stall) for errand in found)
    fills = _filled(found, stall) * 2 >= stall.until_ns - stall.since_ns
    if not (fills or (failed and named)):
        return None
    confidence = Confidence.HIGH if named and fills else Confidence.MEDIUM if named or failed else Confidence.LOW
    return Trace(_told(found, stall), _goal(found), tuple(errand.frame for errand in found[:FRAMES_SHOWN]), confidence)


@lru_cache(maxsize=CAPACITY)
def addresses_of(chain: Chain) -> Addresses:
    """Of all certificates that were sent."""
    hosts, ldap = set(), False
    for certificate in chain.certificates:
        for url in (*certificate.crl_urls, *certificate.aia_urls, *certificate.ocsp_urls):
            scheme, _, rest = url.partition("://")
            host = rest.partition("/")[0].rpartition("@")[2].lower()
            host = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
            ldap = ldap or scheme.lower() in ("ldap", "ldaps")
            if host:
                hosts.add(host.removesuffix("."))
    return Addresses(frozenset(hosts), ldap)


def _is_named(errand: Errand, addresses: Addresses, sightings: Sightings) -> bool:
    """It is about a host that the certificates name."""
    if errand.name in addresses.hosts:
        return True
    if errand.act is Act.LOOKUP:
        return False
    return errand.peer in addresses.hosts or not addresses.hosts.isdisjoint(sightings.means(errand.host, errand.peer))


def _is_ldap(errand: Errand, addresses: Addresses) -> bool:
    """An LDAP connection while the certificates have an LDAP address, which often names no host."""
    return errand.act is Act.ATTEMPT and errand.what == "LDAP" and addresses.ldap


def _failed(errand: Errand, stall: Stall) -> bool:
    """It was refused, or not answered by the end of the silence."""
    return errand.ok is False or errand.answered_ns is None or errand.answered_ns > stall.until_ns


def _filled(found: list[Errand], stall: Stall) -> int:
    """Nanoseconds of the silence in which one of them was waiting for its answer."""
    total, reached = 0, stall.since_ns
    for errand in sorted(found, key=lambda one: one.time_ns):
        end = stall.until_ns if errand.answered_ns is None else min(errand.answered_ns, stall.until_ns)
        start = max(errand.time_ns, reached)
        if end > start:
            total, reached = total + end - start, end
    return total


def _told(found: list[Errand], stall: Stall) -> str:
    """What it did and what came of it: the most telling ones first, each once."""
    fetched = {errand.peer for errand in found if errand.act is Act.FETCH}
    telling = [
        errand for errand in found if errand.act is not Act.ATTEMPT or not errand.ok or errand.peer not in fetched
    ]
    ranked = sorted(telling, key=lambda one: (not _failed(one, stall), one.act is Act.LOOKUP, one.time_ns))
    return some(tuple(dict.fromkeys(_clause(errand, stall) for errand in ranked)), shown=3)


def _clause(errand: Errand, stall: Stall) -> str:
    late = errand.answered_ns is None or errand.answered_ns > stall.until_ns
    answer = "no answer" if late else errand.answer
    if errand.act is Act.LOOKUP:
        return f"asked DNS for {brief(errand.name)} ({'answered' if errand.ok and not late else answer})"
    if errand.act is Act.FETCH:
        return f"asked for {ASKED_FOR.get(errand.what, errand.what)} at {brief(errand.where)} ({answer})"
    again = f" {errand.tries} times" if errand.tries > 1 else ""
    return f"tried to connect to {errand.peer} port {errand.where}{again} ({answer})"


def _goal(found: list[Errand]) -> str:
    names = tuple(dict.fromkeys(errand.name or errand.peer for errand in found))
    return some(names, shown=3)
