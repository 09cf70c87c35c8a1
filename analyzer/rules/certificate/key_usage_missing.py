"""The key exchange needs a key usage that the certificate does not allow.

## What it does
Compares the keyUsage of both leafs with what their keys are put to: a suite with RSA key exchange needs keyEncipherment on
the server, ECDHE, DHE and TLS 1.3 need digitalSignature, fixed (EC)DH needs keyAgreement; a client's certificate
signs: digitalSignature. A certificate without the extension allows all. It is a warning while the peer accepts it, and an
error when the peer refuses.

## Why it matters
Java checks it and refuses, and so may GnuTLS and browsers, with unsupported_certificate, certificate_unknown or
illegal_parameter; others overlook some of it (Windows' own remote desktop certificates lack what their suites need). So it
fails with one partner, or only with some suites.

## What to do
Reissue the certificate with digitalSignature and, as long as suites with RSA key exchange are in use, keyEncipherment.

## When it cannot tell
TLS 1.3 without keys and resumed sessions show no certificates. Without the ServerHello the key exchange is not known. A
certificate, or an extension, that cannot be read.
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
from analyzer.judgement.phrases import called, some, where
from analyzer.judgement.reading import lost_extension
from analyzer.judgement.refusal import Defect, weigh
from analyzer.judgement.uses import fits_any_exchange, missing_usage
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="key-usage-missing",
    title="the key exchange needs a key usage that is not there",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE, Seen.SERVER_HELLO),
    citations=(
        "RFC 5280 section 4.2.1.3",
        "RFC 5246 sections 7.4.2 and 7.4.6",
        "RFC 8422 section 5.3",
        "RFC 8446 section 4.4.2.2",
    ),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    for sent in conn.chains():
        if unread(sent.chain):
            yield CannotTell(f"the key usage of the {sent.side}'s certificate cannot be read")
        elif not fits_any_exchange(sent.chain):
            usage = missing_usage(conn, sent.chain, sent.side)
            if usage is not None:
                yield _finding(conn, sent, usage)


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(not any(unread(chain) or not fits_any_exchange(chain) for chain in kind.chains()))


@lru_cache(maxsize=CAPACITY)
def unread(chain: Chain) -> bool:
    """Is there perhaps an extension that cannot be read?"""
    leaf = as_meant(chain).leaf
    return not leaf.readable or lost_extension(leaf, "keyUsage")


def _finding(conn: Connection, sent: SentChain, usage: str) -> Finding:
    leaf = as_meant(sent.chain).leaf
    weight = weigh(conn, sent.side, Defect.KEY_USAGE, Severity.WARNING)
    step = f"the key exchange of {conn.cipher}" if sent.side is Side.SERVER else "the proof that it has the key"
    summary = (
        f"the {sent.side}'s certificate {called(leaf)} does not allow {step}, which needs the key usage {usage} (it "
    )
    summary += f"has {some(leaf.key_usage or ()) or 'nothing'})"
    advice = f"Reissue the certificate of {where(conn, sent.side)} with {usage}. {both_worlds('key-usage')}"
    return RULE.judged(conn, judgement(conn, sent, summary, advice, weight, Defect.KEY_USAGE, Confidence.MEDIUM))
