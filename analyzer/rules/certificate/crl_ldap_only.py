"""The CRL can be fetched over LDAP only.

## What it does
Names the certificates on the path, leaf and intermediates, whose CRL distribution points have no http address: LDAP or file
addresses alone, or a name in a directory. A root needs none, nor does a cross-certificate of a known root.

## Why it matters
A fresh AD CS writes an LDAP address that only members of its forest can resolve. An edge server in a workgroup, a phone, a
partner and every other stack cannot: with a strict check they refuse, with a lenient one they wait for the time-out
(15 s or more on Windows may pass) at each handshake, and both look like a network problem.

## What to do
Add an http address in front of the LDAP one and issue the certificates anew. It must be reachable from every peer, for an
edge server from the Internet as well (TCP 80).

## When it cannot tell
TLS 1.3 without keys and resumed sessions show no certificates. A certificate, or an extension, that cannot be read. That the
address made the peer refuse cannot be seen here: see revocation-stall for attempts to fetch it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from analyzer.certificates.certificate import Certificate
from analyzer.connection import Connection, Seen, SentChain
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.crls import closed_points, unread_point
from analyzer.judgement.elements import both_worlds, have, judgement, needed, these
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.memory import CAPACITY
from analyzer.judgement.phrases import brief, where
from analyzer.judgement.refusal import beside
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="crl-ldap-only",
    title="the CRL can be fetched over LDAP only",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE,),
    citations=("RFC 5280 section 4.2.1.13", "Microsoft: environmental requirements for Skype for Business Server"),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    for sent in conn.chains():
        closed = needed(conn, sent, closed_points(sent.chain), context.history)
        if closed:
            yield _finding(conn, sent, closed)
        elif unread_point(sent.chain) is not None:
            yield CannotTell(f"the CRL distribution points in the {sent.side}'s chain cannot be read")


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(not any(closed_points(chain) or unread_point(chain) is not None for chain in kind.chains()))


def _finding(conn: Connection, sent: SentChain, closed: tuple[Certificate, ...]) -> Finding:
    what = these(sent.side, sent.chain, closed)
    summary = f"{what} {have(closed)} no CRL address that everybody can fetch, only {_address(closed[0])}"
    advice = _advice(where(conn, sent.side))
    return RULE.judged(conn, judgement(conn, sent, summary, advice, beside(conn, Severity.WARNING)))


@lru_cache(maxsize=CAPACITY)
def _address(certificate: Certificate) -> str:
    return brief(certificate.crl_urls[0].strip()) if certificate.crl_urls else "a name in a directory"


@lru_cache(maxsize=CAPACITY)
def _advice(machine: str) -> str:
    return f"Let the CA of {machine} write an http CRL address into its certificates. {both_worlds('crl-point')}"
