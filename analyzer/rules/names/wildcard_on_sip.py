"""A certificate on a SIP port speaks for its host by a wildcard alone.

## What it does
Looks at certificates on SIP ports. It is an error when the common name itself is a wildcard. It is a warning when the name
that the client asked for is covered by a wildcard only, or when no name of the certificate is a whole host name.

## Why it matters
SIP forbids matching by wildcard, and Lync and Skype for Business support no wildcard as subject name for any role; OCS never
worked with one. Servers, edges and phones refuse such a peer or cannot tell which server it is. A wildcard as one more SAN
does no harm where the whole name is there as well, but keep it off an edge.

## What to do
Reissue the certificate with the whole host name as common name and first SAN. A wildcard is fine for web services (simple
URLs, autodiscover) on the reverse proxy.

## When it cannot tell
TLS 1.3 without keys and resumed sessions show no certificates. A leaf that cannot be read shows no names.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen, SentChain, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.chains import as_meant
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.names import depth_beside, has_wildcard, only_wildcards, unreadable_leaf, wildcard_common_name
from analyzer.judgement.phrases import brief, some, where
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="wildcard-on-sip",
    title="a wildcard certificate on a SIP port",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE,),
    citations=("RFC 5922 section 7.2", "TechNet hh202161"),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    if conn.server_port not in context.sip_ports:
        return
    for sent in conn.chains():
        if unreadable_leaf(sent.chain) is not None:
            yield CannotTell(f"the {sent.side}'s certificate cannot be read, so its names are unknown")
        elif has_wildcard(sent.chain):
            yield from _findings(conn, sent)


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(not any(map(has_wildcard, kind.chains())))


def _findings(conn: Connection, sent: SentChain) -> Iterator[Finding]:
    leaf = as_meant(sent.chain).leaf
    common_name = wildcard_common_name(sent.chain)
    asked = conn.server_name if sent.side is Side.SERVER else None
    if common_name is not None:
        what = f"has the wildcard {brief(common_name)} as its common name, which no SIP server supports"
    elif asked and leaf.covers(asked) == "wildcard":
        what = f"covers {brief(asked)} by a wildcard alone ({some(leaf.names)}), which SIP does not allow"
    elif only_wildcards(sent.chain):
        what = f"has no whole host name, only wildcards ({some(leaf.names)}), which SIP does not allow"
    else:
        return
    yield RULE.finding(
        conn,
        f"the {sent.side}'s certificate on SIP port {conn.server_port} {what}",
        advice=f"Reissue the certificate of {where(conn, sent.side)} with the whole host name as common name and first SAN; "
        "a wildcard belongs on a reverse proxy for web services.",
        frames=sent.frames,
        severity=Severity.ERROR if common_name is not None else Severity.WARNING,
        depth=depth_beside(conn),
    )
