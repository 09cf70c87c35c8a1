"""The certificate has so many names that some systems cannot take them.

## What it does
Measures the value of the leaf's subjectAltName extension: a note from 1,024 bytes, a warning from 4,096 bytes.

## Why it matters
1,024 bytes is a limit named for old deployments, on which long lists of SIP domains have failed. The database of Active
Directory Certificate Services holds 4,096 bytes of one extension by default, so such a certificate cannot be renewed there.
Many public CAs stop at 100 to 250 names. RFC 5280 knows no limit, and current peers take what they are given.

## What to do
Spread SIP domains over several edges or certificates, take out domains that nobody uses, or raise the CA's limit to 16,384
bytes (Microsoft's page is named below).

## When it cannot tell
TLS 1.3 without keys and resumed sessions show no certificates.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen, SentChain
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.chains import as_meant
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.names import depth_beside, san_size
from analyzer.judgement.phrases import counted, where
from analyzer.knowledge import limit
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="san-too-large",
    title="the certificate's list of names is very long",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE,),
    citations=(
        "MSXFAQ on Lync hosting and federation",
        "learn.microsoft.com TechNet wiki 3306",
        "MicrosoftDocs windowsserverdocs: expand-maximum-extension-size-limit-ad-cs.md",
    ),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    for sent in conn.chains():
        if san_size(sent.chain) >= limit("san_bytes_old"):
            yield _finding(conn, sent)


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(all(san_size(chain) < limit("san_bytes_old") for chain in kind.chains()))


def _finding(conn: Connection, sent: SentChain) -> Finding:
    size, san = san_size(sent.chain), as_meant(sent.chain).leaf.san
    large = size >= limit("san_bytes_adcs")
    limits = f"from {limit('san_bytes_adcs'):,} bytes on, AD CS cannot store it without a changed setting"
    if not large:
        limits = f"old deployments are said to take {limit('san_bytes_old'):,} bytes"
    return RULE.finding(
        conn,
        f"the {sent.side}'s certificate has {counted(len(san.in_order) if san else 0, 'alternative name')} in {size:,} "
        f"bytes; {limits}",
        advice=f"Take names that nobody uses out of the certificate of {where(conn, sent.side)}, or spread them over several "
        "certificates.",
        frames=sent.frames,
        severity=Severity.WARNING if large else Severity.NOTE,
        depth=depth_beside(conn),
    )
