"""The certificate's common name is missing from its subject alternative names.

## What it does
Fires when a leaf has dNSNames, its common name is a DNS name too, and none of the dNSNames covers it. A certificate
without any dNSName is not this rule's matter: peers then fall back to the common name. It is a note for a client's
certificate on a port where nobody checks a client's name.

## Why it matters
A peer that finds dNSNames ignores the common name. Whoever reaches this machine by that name, which is usually its main
one, finds it not covered and refuses, while old peers that compare the common name alone still work. Lync and Skype for
Business ask for the common name to be repeated as a SAN for every role that has SANs.

## What to do
Reissue the certificate with the common name among its subject alternative names, best as the first one.

## When it cannot tell
TLS 1.3 without keys and resumed sessions show no certificates. A leaf that cannot be read shows no names.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen, SentChain, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.chains import as_meant
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.names import depth_beside, unlisted_common_name, unreadable_leaf
from analyzer.judgement.phrases import brief, some, where
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="cn-not-in-san",
    title="the certificate's common name is missing from its SAN",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE,),
    citations=("RFC 6125 section 6.4.4", "RFC 9525 section 2", "TechNet gg398920"),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    for sent in conn.chains():
        common_name = unlisted_common_name(sent.chain)
        if common_name is not None:
            yield _finding(conn, sent, common_name, context)
        elif unreadable_leaf(sent.chain) is not None:
            yield CannotTell(f"the {sent.side}'s certificate cannot be read, so its names are unknown")


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(all(unlisted_common_name(chain) is None for chain in kind.chains()))


def _finding(conn: Connection, sent: SentChain, common_name: str, context: Context) -> Finding:
    san = as_meant(sent.chain).leaf.san
    looked_at = sent.side is Side.SERVER or conn.server_port in context.mtls_ports
    return RULE.finding(
        conn,
        f"the {sent.side}'s certificate has the common name {brief(common_name)}, which is missing from its subject "
        f"alternative names ({some(san.dns if san else ())})",
        advice=f"Reissue the certificate of {where(conn, sent.side)} with {brief(common_name)} as a subject alternative name "
        "too: a peer that finds any there ignores the common name.",
        frames=sent.frames,
        severity=Severity.WARNING if looked_at else Severity.NOTE,
        depth=depth_beside(conn),
    )
