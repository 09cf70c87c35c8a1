"""A key in the chain is too short.

## What it does
Names the certificates on the path, a root that was sent included, whose RSA or DSA key has less than 2,048 bits or whose
curve has less than 224. It is a warning while the peer accepts them, and an error when the peer refuses and such keys were
refused at the time of the capture.

## Why it matters
Such keys can be broken, and current stacks refuse them: OpenSSL from security level 2 on (Debian, Ubuntu, Red Hat) with
bad_certificate or handshake_failure; Java may as well. Windows refuses keys below 1,024 bits since 2012.

## What to do
Request a new certificate with a new key of at least 2,048 bits (3,072 lasts longer), or on a P-256 curve. Renewing with the
same key does not help. A CA's key means a new CA certificate and new ones below it.

## When it cannot tell
TLS 1.3 without keys and resumed sessions show no certificates. A certificate, or a key, that cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.certificates.certificate import Certificate
from analyzer.connection import Connection, Seen, SentChain
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.chains import as_meant
from analyzer.judgement.elements import both_worlds, judgement, needed, these
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.phrases import called, some, where
from analyzer.judgement.refusal import Defect
from analyzer.judgement.weakness import short_keys, weigh_weakness
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="weak-key",
    title="a key in the chain is too short",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE,),
    citations=("CA/Browser Forum Baseline Requirements section 6.1.5", "NIST SP 800-131A", "Microsoft KB 2661254"),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    for sent in conn.chains():
        weak = needed(conn, sent, short_keys(sent.chain), context.history, with_root=True)
        if weak:
            yield _finding(conn, sent, weak)
        elif as_meant(sent.chain).leaf.key is None:
            yield CannotTell(f"the key in the {sent.side}'s certificate cannot be read")


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(not any(short_keys(chain) or as_meant(chain).leaf.key is None for chain in kind.chains()))


def _finding(conn: Connection, sent: SentChain, weak: tuple[Certificate, ...]) -> Finding:
    weight = weigh_weakness(conn, sent, weak)
    if len(weak) == 1:
        summary = f"{these(sent.side, sent.chain, weak)} has a weak key: {weak[0].key}"
    else:
        keys = some(tuple(f"{called(certificate)} {certificate.key}" for certificate in weak))
        summary = f"{len(weak)} certificates of the {sent.side}'s chain have weak keys: {keys}"
    advice = (
        f"Replace the certificate on {where(conn, sent.side)} by one with a new, longer key. {both_worlds('long-key')}"
    )
    return RULE.judged(conn, judgement(conn, sent, summary, advice, weight, Defect.WEAK, Confidence.MEDIUM))
