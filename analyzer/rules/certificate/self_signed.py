"""One side presented nothing but a self-signed certificate.

## What it does
Fires when a side sent one certificate that names itself as its issuer, and whose signature is by its own key. It is a
warning while the peer accepts it, and an error when the peer refuses.

## Why it matters
Nobody can check it against a CA: each peer has to trust this very certificate, on each machine, and again after each
renewal. Federation partners and clients outside will not. Default certificates of devices look like this too.

## What to do
Use a certificate of a CA that the other side trusts. To keep this one, import it on the other side as a trusted root.

## When it cannot tell
TLS 1.3 without keys and resumed sessions show no certificates. A signature of an unknown kind cannot be verified: then the
names alone decide, with medium confidence.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen, SentChain
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.defects import self_signed_leaf
from analyzer.judgement.elements import both_worlds, in_the_log
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.phrases import called, where
from analyzer.judgement.refusal import Defect, weigh
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="self-signed",
    title="a side presented only a self-signed certificate",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE,),
    citations=("RFC 5280 section 3.2", "RFC 5280 section 6.1"),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    for sent in conn.chains():
        if sent.chain.leaf.self_issued and self_signed_leaf(sent.chain) is not None:
            yield _finding(conn, sent)


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(not any(chain.leaf.self_issued for chain in kind.chains()))


def _finding(conn: Connection, sent: SentChain) -> Finding:
    leaf = sent.chain.leaf
    weight = weigh(conn, sent.side, Defect.SELF_SIGNED, Severity.WARNING)
    proof = Confidence.HIGH if leaf.signed_by(leaf) else Confidence.MEDIUM
    summary = f"the {sent.side}'s certificate {called(leaf)} is self-signed"
    advice = (
        f"Give {where(conn, sent.side)} a certificate of a CA that the {sent.side.peer} trusts, or import this one "
        f"on the {sent.side.peer} as a trusted root (SHA-1 {leaf.sha1}). {both_worlds('trust-self-signed')}"
        + in_the_log(conn, weight, Defect.SELF_SIGNED)
    )
    return RULE.judged(conn, weight.judgement(summary, advice, sent.frames, proof))
