"""A certificate has no CRL distribution point.

## What it does
Names the certificates on the path, leaf and intermediates, that do not say where their CRL is. It is a warning, and an error
on SIP ports, where Lync and Skype for Business insist. Elsewhere a certificate that has an OCSP address, lives ten days at
most, or says that it cannot be revoked makes it a note. A root needs none, nor does a cross-certificate of a known root.

## Why it matters
A peer that checks revocation cannot, and may refuse or wait. The Lync 2013 client and the Mediation Server then stop at the
start of the handshake, while older clients, browsers and telnet work. Microsoft requires a CRL distribution point in
every server certificate.

## What to do
Let the CA write an http address into what it issues, and issue the named certificates anew. It must be reachable from
every peer, for an edge server from the Internet as well (TCP 80).

## When it cannot tell
TLS 1.3 without keys and resumed sessions show no certificates. A certificate, or an extension, that cannot be read. That a
missing address made the peer refuse is never more than a guess: it is named behind other causes, with low confidence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.connection import Connection, Seen, SentChain, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.crls import needs_none, unread_point, without_point
from analyzer.judgement.elements import both_worlds, have, judgement, needed, these
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.memory import CAPACITY
from analyzer.judgement.phrases import where
from analyzer.judgement.refusal import Defect, Weight, beside, weigh
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="crl-missing",
    title="a certificate has no CRL distribution point",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE,),
    citations=(
        "RFC 5280 section 4.2.1.13",
        "Microsoft: environmental requirements for Skype for Business Server",
        "RFC 9608 (noRevAvail)",
    ),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    for sent in conn.chains():
        without = needed(conn, sent, without_point(sent.chain), context.history)
        if without:
            yield _finding(conn, sent, without, conn.server_port in context.sip_ports)
        elif unread_point(sent.chain) is not None:
            yield CannotTell(f"the CRL distribution points in the {sent.side}'s chain cannot be read")


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(not any(without_point(chain) or unread_point(chain) is not None for chain in kind.chains()))


def _finding(conn: Connection, sent: SentChain, without: tuple[Certificate, ...], sip: bool) -> Finding:
    summary, ways = _words(sent.side, sent.chain, without, sip)
    weight = _weight(conn, sent, sip, ways)
    summary += ", and that may be why" if weight.refusal else ""
    return RULE.judged(
        conn, judgement(conn, sent, summary, _advice(where(conn, sent.side)), weight, Defect.REVOCATION, Confidence.LOW)
    )


@lru_cache(maxsize=CAPACITY)
def _words(side: Side, chain: Chain, without: tuple[Certificate, ...], sip: bool) -> tuple[str, bool]:
    """What is said, and whether there is another way for each: it is said on each of thousands of connections."""
    ways = all(certificate.ocsp_urls or needs_none(certificate) for certificate in without)
    summary = f"{these(side, chain, without)} {have(without)} no CRL distribution point"
    if sip:
        summary += ", which Lync and Skype for Business require"
    elif ways:
        summary += "; a peer that wants to check revocation needs OCSP, or goes without"
    return summary, ways


def _weight(conn: Connection, sent: SentChain, sip: bool, ways: bool) -> Weight:
    """Where nobody insists on CRLs no refusal is put down to one that is missing."""
    if not sip:
        return beside(conn, Severity.NOTE if ways else Severity.WARNING)
    weight = weigh(conn, sent.side, Defect.REVOCATION, Severity.ERROR)
    if weight.refusal:
        return replace(weight, depth=Depth.STEP)
    return replace(weight, confidence=Confidence.LOW) if conn.failed else weight


@lru_cache(maxsize=CAPACITY)
def _advice(machine: str) -> str:
    return f"Let the CA of {machine} write an http CRL address into its certificates. {both_worlds('crl-point')}"
