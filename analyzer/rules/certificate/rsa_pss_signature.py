"""A certificate of a Lync or Skype for Business chain was signed with RSASSA-PSS.

## What it does
Names the certificates on the path that were signed with RSASSA-PSS, on the ports of Lync and Skype for Business. A root's
own signature does not count. It is a warning while the peer accepts them, and an error when the peer refuses.

## Why it matters
Microsoft does not support such certificates there: it names errors on login and call forwarding. Windows before Server
2008, phones and other old stacks cannot verify them at all; the System log may show Schannel 36874 or 36888 with alert 40.

## What to do
Let the CA sign with the older padding (PKCS #1 version 1.5, "sha256RSA") and issue the named certificates anew.

## When it cannot tell
TLS 1.3 without keys and resumed sessions show no certificates. A certificate, or a signature algorithm, that cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.certificates.certificate import Certificate
from analyzer.connection import Connection, Seen, SentChain
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.chains import as_meant
from analyzer.judgement.elements import both_worlds, judgement, needed, these, were
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.phrases import where
from analyzer.judgement.refusal import Defect, weigh
from analyzer.judgement.weakness import pss_signatures
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="rsa-pss-signature",
    title="a certificate was signed with RSASSA-PSS, which Lync cannot use",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE,),
    citations=("Microsoft: environmental requirements for Skype for Business Server", "RFC 4055 section 3"),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    if conn.server_port not in context.mtls_ports and conn.server_port not in context.sip_ports:
        return
    for sent in conn.chains():
        signed = needed(conn, sent, pss_signatures(sent.chain), context.history)
        if signed:
            yield _finding(conn, sent, signed)
        elif not as_meant(sent.chain).leaf.signature_algorithm:
            yield CannotTell(f"the signature algorithm of the {sent.side}'s certificate cannot be read")


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(
        not any(pss_signatures(chain) or not as_meant(chain).leaf.signature_algorithm for chain in kind.chains())
    )


def _finding(conn: Connection, sent: SentChain, signed: tuple[Certificate, ...]) -> Finding:
    weight = weigh(conn, sent.side, Defect.SIGNATURE, Severity.WARNING)
    summary = f"{these(sent.side, sent.chain, signed)} {were(signed)} signed with RSASSA-PSS, "
    summary += "which Lync and Skype for Business do not support"
    advice = (
        f"Replace the chain on {where(conn, sent.side)} by one with PKCS #1 v1.5 signatures. {both_worlds('no-pss')}"
    )
    return RULE.judged(conn, judgement(conn, sent, summary, advice, weight, Defect.SIGNATURE, Confidence.MEDIUM))
