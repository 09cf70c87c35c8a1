"""Which certificates of a chain end soon, so that they should be renewed now."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.connection import Connection, SentChain
from analyzer.findings import CannotTell, Severity
from analyzer.judgement.chains import Here, Known, as_meant
from analyzer.judgement.elements import both_worlds, judgement, these
from analyzer.judgement.phrases import DAY, HOUR, amount, where
from analyzer.judgement.refusal import Judgement, beside
from analyzer.judgement.validity import SECOND_NS, Clock, StoresOf, bypass, no_stores, seconds, window
from analyzer.knowledge import limit

Interval = tuple[int, int]


def far_from_ending(chain: Chain) -> Interval:
    """From when to when, in seconds since 1970, nothing on the path is about to end."""
    return -(2**62), window(chain)[1] - limit("expiring_days") * DAY - 1


def ending(chain: Chain, at: int) -> tuple[tuple[Certificate, int], ...]:
    """(certificate, seconds left) of those on the path that are still valid and end soon, leaf first."""
    left = ((c, seconds(c.not_after) - at) for c in as_meant(chain).path if c.not_after is not None)
    return tuple((certificate, rest) for certificate, rest in left if 0 <= rest <= limit("expiring_days") * DAY)


def expiring(
    conn: Connection, clock: Clock, known: Known, stores_of: StoresOf = no_stores
) -> Iterator[Judgement | CannotTell]:
    """The verdict of certificate-expiring: at most one for each side's chain."""
    at = clock.at_ns // SECOND_NS
    for sent in conn.chains():
        if at <= far_from_ending(sent.chain)[1]:
            continue
        soon = ending(sent.chain, at)
        if soon and clock.doubt_ns and min(left for _, left in soon) <= clock.doubt_ns // SECOND_NS:
            yield CannotTell(
                "the capture carries local time without a zone, and a certificate ends within "
                f"{clock.doubt_ns // SECOND_NS // HOUR} hours of it"
            )
        elif soon:
            stores = stores_of(conn, sent.side)
            goes_round = bypass(
                as_meant(sent.chain),
                tuple(c for c, _ in soon),
                at + limit("expiring_days") * DAY,
                Here(conn, known),
                stores,
            )
            yield _judge(conn, sent, soon, goes_round)


def _judge(conn: Connection, sent: SentChain, soon: tuple[tuple[Certificate, int], ...], goes_round: bool) -> Judgement:
    certificates = tuple(certificate for certificate, _ in soon)
    first, left = min(soon, key=lambda item: item[1])
    verb = "expires" if len(certificates) == 1 else "expire"
    summary = f"{these(sent.side, sent.chain, certificates)} {verb} soon: "
    summary += (
        f"{'the first ' if len(certificates) > 1 else ''}in {amount(left)}, on {first.not_after:%Y-%m-%d %H:%M} UTC"
    )
    if goes_round:
        summary += "; another path with valid dates goes round"
    is_leaf = as_meant(sent.chain).leaf in certificates
    what = "the certificate" if is_leaf else "the CA certificate in the chain"
    advice = f"Replace {what} on {where(conn, sent.side)} before that day. {both_worlds('renew' if is_leaf else 'replace-ca')}"
    return judgement(conn, sent, summary, advice, beside(conn, Severity.NOTE if goes_round else Severity.WARNING))
