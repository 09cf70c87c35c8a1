"""All certificates are there, but not in order: leaf first, then each one's issuer.

## What it does
Compares the order as sent with the order in which the certificates link. Fires when every link of the path was sent and
the order differs, also when a CA's certificate stands before the sender's own. Extra certificates between are not this
rule's matter, and a missing one is not either.

## Why it matters
The sender's certificate MUST come first and each following one has to certify the one before it (TLS 1.2 and older);
TLS 1.3 asks peers to cope with disorder. Windows and current OpenSSL sort the chain themselves, older Java, embedded and
telephony stacks do not. When the leaf is not first the peer takes the CA's certificate for the peer's: that is an error
if the peer refuses.

## What to do
Write the certificate file in this order: own certificate, its issuer, that one's issuer. On Windows the order follows
from the stores: import the PFX again with its chain.

## When it cannot tell
TLS 1.3 without keys and resumed sessions show no certificates.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from analyzer.certificates.chain import Chain
from analyzer.connection import Connection, Seen, SentChain
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.chains import as_meant, misplaced_leaf
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.memory import CAPACITY
from analyzer.judgement.phrases import called, some, where
from analyzer.judgement.refusal import Defect, weigh
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="chain-order",
    title="the chain's certificates are in the wrong order",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE,),
    citations=("RFC 5246 section 7.4.2", "RFC 8446 section 4.4.2"),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    for sent in conn.chains():
        order = wrong_order(sent.chain)
        if order:
            yield _finding(conn, sent, order)


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(not any(map(wrong_order, kind.chains())))


@lru_cache(maxsize=CAPACITY)
def wrong_order(chain: Chain) -> tuple[int, ...]:
    """Places (from 1) of the path's certificates, leaf first, if they do not ascend; () if they do, or a link is missing."""
    meant = as_meant(chain)
    if meant.gap:
        return ()
    place = {certificate.sha256: number for number, certificate in reversed([*enumerate(chain.certificates, 1)])}
    places = tuple(place[certificate.sha256] for certificate in meant.path)
    return places if list(places) != sorted(places) else ()


def _finding(conn: Connection, sent: SentChain, order: tuple[int, ...]) -> Finding:
    told = ", ".join(map(str, order))
    if misplaced_leaf(sent.chain) is None:
        return RULE.finding(
            conn,
            f"the {sent.side}'s chain is complete but out of order: read from the leaf upwards it is certificate {told}",
            advice=_advice(conn, sent),
            frames=sent.frames,
        )
    weight = weigh(conn, sent.side, Defect.ORDER, Severity.WARNING)
    summary = (
        f"the {sent.side} sent the CA's certificate {called(sent.chain.leaf)} first and its own, "
        f"{called(as_meant(sent.chain).leaf)}, only as number {order[0]}"
    )
    return RULE.judged(conn, weight.judgement(summary, _advice(conn, sent), sent.frames))


def _advice(conn: Connection, sent: SentChain) -> str:
    names = some(tuple(map(called, as_meant(sent.chain).path)), shown=8)
    return f"On {where(conn, sent.side)} put the certificate file (or import the PFX again) in this order: {names}."
