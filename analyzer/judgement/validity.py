"""Which dates of a chain are over, or still to come, on every path that the sent certificates allow.

RFC 5280 section 4.1.2.5: a certificate is valid from notBefore through notAfter, both inclusive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import takewhile
from typing import TYPE_CHECKING

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.connection import Connection, Outcome, SentChain, Side
from analyzer.dataclass import dataclass
from analyzer.findings import CannotTell, Confidence, Severity
from analyzer.judgement.chains import Here, Known, as_meant
from analyzer.judgement.elements import both_worlds, in_the_log
from analyzer.judgement.memory import CAPACITY
from analyzer.judgement.phrases import DAY, HOUR, amount, called, where
from analyzer.judgement.refusal import Defect, Judgement, weigh
from analyzer.knowledge import limit
from analyzer.tls.names import AlertDescription

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND_NS = 1_000_000_000
FIRST_SSL_NS = 788_918_400 * SECOND_NS
"""1995-01-01: SSL 2.0 came out in that February. Machines without a clock start at 1970 or 1980."""
Y2000_NS = 946_684_800 * SECOND_NS
"""2000-01-01: no certificate of before is in use; a clock that says so is one that was never set."""
YEAR = 365 * DAY
"""Seconds. A whole chain, its CAs included, is not made so long ahead of its use."""

if TYPE_CHECKING:
    from analyzer.certificates.paths import Store

StoresOf = Callable[[Connection, Side], "tuple[Store, ...]"]
"""The trust stores that judge this side's chain: those of the other side; () if none is known."""


def no_stores(conn: Connection, side: Side) -> tuple[Store, ...]:
    """The answer while no trust store was given."""
    return ()


@dataclass(frozen=True, slots=True)
class Clock:
    """The moment of judgement.

    Attributes:
        at_ns: the moment.
        doubt_ns: by how much it may be off, either way: local time without a zone.
        today_ns: the time of the run; None if it must not be mentioned.
        given: the user gave the moment: it is not the connection's own time, and beyond doubt.
    """

    at_ns: int
    doubt_ns: int = 0
    today_ns: int | None = None
    given: bool = False


@dataclass(frozen=True, slots=True)
class Lapse:
    """Certificates of a chain outside their dates.

    Attributes:
        certificates: which, leaf first.
        bypassed: another path, valid at that time, goes round all of them.
        doubtful: within the doubt about the time, none is outside for sure.
    """

    certificates: tuple[Certificate, ...]
    bypassed: bool
    doubtful: bool


def clock_of(conn: Connection, at_ns: int, today_ns: int | None = None, given: bool = False) -> Clock:
    """The clock for this connection, with the doubt about its time."""
    doubt = limit("local_time_doubt_h") * HOUR * SECOND_NS if conn.local_time_doubt and not given else 0
    return Clock(at_ns, doubt, today_ns, given)


def seconds(moment: datetime) -> int:
    """Whole seconds since 1970, rounded down."""
    return (moment - EPOCH) // timedelta(seconds=1)


@lru_cache(maxsize=CAPACITY)
def window(chain: Chain) -> tuple[int, int]:
    """Latest notBefore and earliest notAfter on every way up that was sent, in seconds since 1970; dates that cannot be read
    do not count."""
    ways = (*as_meant(chain).path, *beside_the_path(chain))
    starts = [seconds(c.not_before) for c in ways if c.not_before is not None]
    ends = [seconds(c.not_after) for c in ways if c.not_after is not None]
    return max(starts, default=-(2**62)), min(ends, default=2**62)


def beside_the_path(chain: Chain) -> tuple[Certificate, ...]:
    """Certificates that were sent as another way up: of an issuer of the path, but not on it. Some peers know no other way
    than the first one that they find."""
    path = as_meant(chain).path
    issuers = {certificate.issuer for certificate in path}
    return tuple(c for c in chain.certificates if c.subject in issuers and c not in path)


def plainly_valid(conn: Connection, at_ns: int) -> bool:
    """Are the dates of both chains at least a day away? The quick way out for nearly every connection."""
    period = plainly_valid_period([sent.chain for sent in conn.chains()])
    return period is not None and period[0] <= at_ns // SECOND_NS <= period[1]


def plainly_valid_period(chains: Iterable[Chain]) -> tuple[int, int] | None:
    """From and to, in seconds since 1970, when the dates of all these chains are at least a day away; it may be empty. None
    if a leaf cannot be read."""
    first, last = -(2**62), 2**62
    for chain in chains:
        if not chain.leaf.readable:
            return None
        start, end = window(chain)
        first, last = max(first, start + DAY), min(last, end - DAY)
    return first, last


def inside(chain: Chain, clock: Clock) -> bool:
    """Is every certificate on the path within its dates, beyond doubt? The quick way out for healthy chains."""
    start, end = window(chain)
    at, doubt = clock.at_ns // SECOND_NS, clock.doubt_ns // SECOND_NS
    return start <= at - doubt and at + doubt <= end


def lapse(chain: Chain, defect: Defect, clock: Clock, known: Known, stores: tuple[Store, ...] = ()) -> Lapse | None:
    """What is expired (or not yet valid) on the chain's path; None if nothing is. `stores` are those of the side that
    judges: their roots may open another path."""
    if inside(chain, clock):
        return None
    meant = as_meant(chain)
    sure = tuple(c for c in meant.path if _outside(c, defect, clock.at_ns, clock.doubt_ns))
    if sure:
        return Lapse(sure, bypass(meant, sure, clock.at_ns // SECOND_NS, known, stores), doubtful=False)
    maybe = tuple(c for c in meant.path if _outside(c, defect, clock.at_ns, -clock.doubt_ns))
    if maybe:
        return Lapse(maybe, bypassed=False, doubtful=True)
    beside = tuple(c for c in beside_the_path(chain) if _outside(c, defect, clock.at_ns, clock.doubt_ns))
    return Lapse(beside, bypassed=True, doubtful=False) if beside else None


def _outside(certificate: Certificate, defect: Defect, at_ns: int, margin_ns: int) -> bool:
    """Outside by more than the margin; with a negative margin: possibly outside."""
    date = _date(certificate, defect)
    if date is None:
        return False
    if defect is Defect.EXPIRED:
        return (at_ns - margin_ns) // SECOND_NS > seconds(date)
    return (at_ns + margin_ns) // SECOND_NS < seconds(date)


def _date(certificate: Certificate, defect: Defect) -> datetime | None:
    return certificate.not_after if defect is Defect.EXPIRED else certificate.not_before


def bypass(
    chain: Chain, lapsed: tuple[Certificate, ...], at: int, known: Known, stores: tuple[Store, ...] = ()
) -> bool:
    """Is there a usable path without these certificates: valid at this time, allowed by its CAs, to a root or to where a
    root may follow?"""
    if chain.leaf in lapsed:
        return False
    from analyzer.certificates.faults import faults_of  # only a chain with a lapse needs them
    from analyzer.certificates.paths import End, paths_of

    searches = [paths_of(chain, store) for store in stores or (None,)]
    for path in (path for search in searches for path in search.paths):
        sound = tuple(takewhile(lambda certificate: _valid(certificate, at), path.certificates[1:]))
        certificates = (chain.leaf, *sound)
        if faults_of(certificates):
            continue
        if len(certificates) == len(path.steps):
            if path.end in (End.ANCHOR, End.ROOT, End.MISSING):
                return True
        elif not path.certificates[len(certificates)].self_issued and known.known_root(certificates[-1].issuer):
            return True  # only a cross-certificate lapsed: the peer can have a root of that name
    return False


def _valid(certificate: Certificate, at: int) -> bool:
    start, end = certificate.not_before, certificate.not_after
    return start is not None and end is not None and seconds(start) <= at <= seconds(end)


def out_of_date(
    conn: Connection, clock: Clock, defect: Defect, known: Known, stores_of: StoresOf = no_stores
) -> Iterator[Judgement | CannotTell]:
    """The verdicts of certificate-expired and certificate-not-yet-valid: at most one for each side's chain.

    `stores_of` gives the trust stores that judge a side's chain.
    """
    for sent in conn.chains():
        found = lapse(sent.chain, defect, clock, Here(conn, known), stores_of(conn, sent.side))
        if found is not None and clock.at_ns < FIRST_SSL_NS and not clock.given:
            yield CannotTell("the capture's time stamps are older than SSL itself, so they cannot be right")
        elif found is None:
            if not sent.chain.leaf.readable:
                yield CannotTell(f"the {sent.side}'s certificate cannot be read, so its dates are unknown")
        elif found.doubtful:
            yield CannotTell(
                f"the capture carries local time without a zone, and {called(found.certificates[0])} "
                f"({_dates(found.certificates[0], defect)}) is within {clock.doubt_ns // SECOND_NS // HOUR} hours of it"
            )
        else:
            yield _judge(conn, sent, defect, found, clock)


def _judge(conn: Connection, sent: SentChain, defect: Defect, found: Lapse, clock: Clock) -> Judgement:
    first = found.certificates[0]
    standing = Severity.NOTE if found.bypassed else Severity.ERROR
    weight = weigh(conn, sent.side, defect, standing)
    is_leaf = first is as_meant(sent.chain).leaf
    proof = Confidence.MEDIUM if first.self_issued and not is_leaf else Confidence.HIGH
    role = f"the {sent.side}'s certificate" if is_leaf else f"a CA certificate in the {sent.side}'s chain,"
    summary = f"{role} {called(first)} {_dates(first, defect)}, {_distance(first, defect, clock)}"
    more = len(found.certificates) - 1
    if more:
        summary += f"; so {'has' if defect is Defect.EXPIRED else 'is'} {called(found.certificates[1])}"
        summary += f" and {more - 1} more above it" if more > 1 else " above it"
    if found.bypassed:
        summary += "; another path with valid dates goes round it"
    clock_wrong = defect is Defect.NOT_YET_VALID and clock_is_wrong(sent.chain, clock)
    if clock_wrong:
        refusal = weight.refusal
        if refusal is None or refusal.code != AlertDescription.certificate_expired:
            proof = Confidence.LOW  # else the peer says so too: its clock may be the same one
        at = EPOCH + timedelta(seconds=clock.at_ns // SECOND_NS)
        summary += f"; the capture is dated {at:%Y-%m-%d}: most likely its clock is wrong, not the certificate"
    elif (
        defect is Defect.NOT_YET_VALID
        and not found.bypassed
        and conn.outcome is Outcome.ESTABLISHED
        and not clock.given
    ):
        proof = Confidence.LOW  # a clock that is behind looks just like this, and peers check this date
        summary += "; the other side took it, so the clock of the capturing machine may be wrong"
    advice = _advice(conn, sent, defect, is_leaf)
    if clock_wrong:
        advice = f"Correct the clock of the capturing machine, or give the right time with `--at`. {advice}"
    advice += in_the_log(conn, weight, defect)
    return weight.judgement(summary + _today(first, defect, clock), advice, sent.frames, proof)


def clock_is_wrong(chain: Chain, clock: Clock) -> bool:
    """Is the capture's time the likelier culprit: of the last century, or long before all of a chain with its CA?"""
    if clock.given:
        return False
    if clock.at_ns < Y2000_NS:
        return True
    latest = clock.at_ns // SECOND_NS + YEAR
    path = as_meant(chain).path
    return len(path) > 1 and all(c.not_before is not None and seconds(c.not_before) > latest for c in path)


def _dates(certificate: Certificate, defect: Defect) -> str:
    date = _date(certificate, defect)
    shown = f"{date:%Y-%m-%d %H:%M:%S} UTC" if date else "an unknown date"
    return f"expired on {shown}" if defect is Defect.EXPIRED else f"is not valid before {shown}"


def _distance(certificate: Certificate, defect: Defect, clock: Clock) -> str:
    date = _date(certificate, defect)
    assert date is not None
    away = amount(abs(clock.at_ns // SECOND_NS - seconds(date)))
    moment = "the time it is judged at" if clock.given else "this connection"
    return f"{away} before {moment}" if defect is Defect.EXPIRED else f"{away} after {moment}"


def _today(certificate: Certificate, defect: Defect, clock: Clock) -> str:
    """Is it so today as well? "" if the time of the run must not be mentioned, or if nothing has changed on this day: a live
    run and a file run over its copy say the same."""
    if clock.today_ns is None:
        return ""
    today = clock.today_ns // SECOND_NS
    if abs(clock.today_ns - clock.at_ns) < DAY * SECOND_NS and not _valid(certificate, today):
        return ""
    if _valid(certificate, today):
        status = "it is valid"
    elif certificate.not_after is not None and today > seconds(certificate.not_after):
        status = "it is expired"
    else:
        status = "it is not yet valid"
    return f" (today, {EPOCH + timedelta(seconds=today):%Y-%m-%d}, {status})"


def _advice(conn: Connection, sent: SentChain, defect: Defect, is_leaf: bool) -> str:
    machine = where(conn, sent.side)
    if defect is Defect.NOT_YET_VALID:
        text = (
            f"Compare the clocks of {machine}, of the other side, of the CA and of the capturing machine; if they are "
        )
        return f"{text}right, use this certificate only from that date on. {both_worlds('clocks')}"
    if is_leaf:
        text = f"Renew the certificate on {machine} and assign it to every listener and service that uses the old one."
        return f"{text} {both_worlds('renew')}"
    text = f"Replace the CA certificate in the chain that {machine} sends by its current generation and remove the old one."
    return f"{text} {both_worlds('replace-ca')}"
