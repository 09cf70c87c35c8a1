"""A certificate may not be used for what it is used for: serverAuth as a server's, clientAuth as a client's.

## What it does
Reads the extended key usage of both leafs. Fires when the extension is there but lacks the use that the certificate is put
to; a certificate without the extension, or with anyExtendedKeyUsage, may be used for everything. On ports where both sides
present certificates it notes when the other use is missing: servers present the same certificate as clients to their
peers there. A client's certificate counts for that only if it speaks for a host.

## Why it matters
Peers refuse it: OpenSSL with unsupported_certificate, others with certificate_unknown, Windows applications often with a
bare reset. Public CAs stop issuing clientAuth, one after another since 2025: a server whose public certificate was renewed
still serves its clients, and every mutual-TLS link that it opens itself (SIP federation first of all) breaks.

## What to do
Reissue the certificate with the use that is missing. For clientAuth that means a private CA that the other side trusts,
or a public one only as long as it still offers the use. Look at the dates of the certificates of all links: each breaks
with its next renewal.

## When it cannot tell
TLS 1.3 without keys and resumed sessions show no certificates. A certificate, or an extension, that cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from analyzer.certificates.chain import Chain
from analyzer.connection import Connection, Seen, SentChain, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.chains import as_meant
from analyzer.judgement.elements import both_worlds, judgement
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.memory import CAPACITY
from analyzer.judgement.phrases import called, where
from analyzer.judgement.reading import lost_extension
from analyzer.judgement.refusal import Defect, beside, weigh
from analyzer.judgement.uses import USE, lacking, uses_of
from analyzer.knowledge import client_auth_end
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="eku-missing",
    title="a certificate lacks the extended key usage that it needs",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE,),
    citations=(
        "RFC 5280 section 4.2.1.12",
        "RFC 8446 section 4.4.2.4",
        "Chrome Root Program Policy, version 1.8 (end of clientAuth in public certificates)",
    ),
)

REMEDY = {Side.SERVER: "server-use", Side.CLIENT: "client-use"}


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    for sent in conn.chains():
        sides = lacking(sent.chain)
        if sent.side in sides:
            yield _misused(conn, sent)
        elif sides and conn.server_port in context.mtls_ports and _serves_both_ways(sent):
            yield _one_way(conn, sent)
        elif unread(sent.chain):
            yield CannotTell(f"the extended key usage of the {sent.side}'s certificate cannot be read")


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(not any(lacking(chain) or unread(chain) for chain in kind.chains()))


@lru_cache(maxsize=CAPACITY)
def unread(chain: Chain) -> bool:
    """Is there perhaps an extension that cannot be read?"""
    leaf = as_meant(chain).leaf
    return not leaf.readable or lost_extension(leaf, "extendedKeyUsage")


def _serves_both_ways(sent: SentChain) -> bool:
    """Does the leaf belong to a machine, which may be client and server? Users' certificates never serve."""
    leaf = as_meant(sent.chain).leaf
    return sent.side is Side.SERVER or bool(leaf.san and leaf.san.dns)


def _misused(conn: Connection, sent: SentChain) -> Finding:
    leaf, use = as_meant(sent.chain).leaf, USE[sent.side]
    weight = weigh(conn, sent.side, Defect.USE, Severity.ERROR)
    summary = (
        f"the {sent.side}'s certificate {called(leaf)} may not be used as a {sent.side}'s: its extended key usage "
    )
    summary += f"lacks {use} (it has {uses_of(leaf)})"
    if weight.refusal is None and conn.established:
        summary += f"; it worked here because the {sent.side.peer} does not insist"
    return RULE.judged(
        conn, judgement(conn, sent, summary, _advice(sent.side, where(conn, sent.side)), weight, Defect.USE)
    )


def _one_way(conn: Connection, sent: SentChain) -> Finding:
    """The use as the other side is missing."""
    leaf, use = as_meant(sent.chain).leaf, USE[sent.side.peer]
    summary = (
        f"the {sent.side}'s certificate {called(leaf)} lacks {use} in its extended key usage (it has {uses_of(leaf)}): "
    )
    summary += f"fit for this connection, but not for those in which this machine is the {sent.side.peer}"
    weight = beside(conn, Severity.NOTE)
    return RULE.judged(
        conn, judgement(conn, sent, summary, _advice(sent.side.peer, where(conn, sent.side)), weight, Defect.USE)
    )


@lru_cache(maxsize=CAPACITY)
def _advice(role: Side, machine: str) -> str:
    text = f"Give {machine} a certificate with {USE[role]}. {both_worlds(REMEDY[role])}"
    if role is Side.CLIENT:
        text += f" Public CAs leave clientAuth out of new certificates ({client_auth_end()}); a private CA need not."
    return text
