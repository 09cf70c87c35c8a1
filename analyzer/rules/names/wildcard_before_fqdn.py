"""In the server's certificate a wildcard stands before a whole host name.

## What it does
Looks at the order of the dNSNames in the server's leaf. It is a warning on SIP ports, and a note elsewhere when the names
show a certificate of Lync or Skype for Business. Other web servers are left alone: there the order does not matter.

## Why it matters
Lync Phone Edition may take only the first names into account and fail when a wildcard comes before the whole name that it
looks for; the order in which names were requested is the order in the certificate. Computers do not mind.

## What to do
Request the certificate again with the whole host names first and wildcards last.

## When it cannot tell
TLS 1.3 without keys and resumed sessions show no certificates. A leaf that cannot be read shows no names.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.names import depth_beside, is_of_skype, unreadable_leaf, wildcard_before_name
from analyzer.judgement.phrases import brief, where
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="wildcard-before-fqdn",
    title="a wildcard stands before a whole host name in the SAN",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    depth=Depth.ROOT,
    needs=(Seen.SERVER_CERTIFICATE,),
    citations=("TechNet hh202161, as quoted by unifiedpeople.ru",),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    sent = conn.server_chain
    if sent is None:
        return
    on_sip = conn.server_port in context.sip_ports
    pair = wildcard_before_name(sent.chain)
    if pair is None:
        if on_sip and unreadable_leaf(sent.chain) is not None:
            yield CannotTell("the server's certificate cannot be read, so its names are unknown")
        return
    if not on_sip and not is_of_skype(sent.chain):
        return
    wildcard, name = map(brief, pair)
    yield RULE.finding(
        conn,
        f"in the server's certificate the wildcard {wildcard} stands before {name}: phones may not find the name",
        advice=f"Request the certificate of {conn.address(sent.side)} again with whole host names first and {wildcard} last."
        if on_sip
        else f"If phones sign in through {where(conn, sent.side)}, request its certificate again with {wildcard} last.",
        frames=sent.frames,
        severity=Severity.WARNING if on_sip else Severity.NOTE,
        depth=depth_beside(conn),
    )


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(kind.server is None or wildcard_before_name(kind.server) is None)
