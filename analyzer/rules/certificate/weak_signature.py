"""A certificate was signed with SHA-1 or MD5.

## What it does
Names the certificates on the path whose signature uses SHA-1, MD5 or MD2. A root's own signature does not count: peers
trust its key, not its signature; nor does a cross-certificate of a known root, or what is above it. It is a warning while
the peer accepts them, and an error when the peer refuses and such signatures were refused at the time of the capture.

## Why it matters
Both hashes can be forged. OpenSSL refuses them from security level 1 or 2 on (bad_certificate), browsers and Windows
refuse SHA-1 below public roots since 2017, Java may too; a private chain works until one partner is updated.

## What to do
Let the CA sign with SHA-256 and issue the named certificates anew, from the top down.

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
from analyzer.judgement.phrases import called, some, where
from analyzer.judgement.refusal import Defect
from analyzer.judgement.weakness import hash_name, old_hashes, weigh_weakness
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="weak-signature",
    title="a certificate was signed with SHA-1 or MD5",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE,),
    citations=(
        "RFC 6194",
        "RFC 6151",
        "RFC 8446 section 4.4.2.4",
        "Microsoft: Windows Enforcement of SHA1 Certificates",
    ),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    for sent in conn.chains():
        weak = needed(conn, sent, old_hashes(sent.chain), context.history)
        if weak:
            yield _finding(conn, sent, weak)
        elif not as_meant(sent.chain).leaf.signature_algorithm:
            yield CannotTell(f"the signature algorithm of the {sent.side}'s certificate cannot be read")


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(
        not any(old_hashes(chain) or not as_meant(chain).leaf.signature_algorithm for chain in kind.chains())
    )


def _finding(conn: Connection, sent: SentChain, weak: tuple[Certificate, ...]) -> Finding:
    weight = weigh_weakness(conn, sent, weak)
    hashes = {hash_name(certificate) for certificate in weak}
    if len(hashes) == 1:
        summary = f"{these(sent.side, sent.chain, weak)} {were(weak)} signed with {hashes.pop()}"
    else:
        names = some(tuple(f"{called(certificate)} ({hash_name(certificate)})" for certificate in weak))
        summary = f"{len(weak)} certificates of the {sent.side}'s chain were signed with broken hashes: {names}"
    advice = f"Replace the chain on {where(conn, sent.side)} by one with SHA-256 signatures. {both_worlds('sha2')}"
    return RULE.judged(conn, judgement(conn, sent, summary, advice, weight, Defect.WEAK, Confidence.MEDIUM))
