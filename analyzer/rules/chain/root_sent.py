"""A side sends its root certificate along.

## What it does
Fires when the chain, read from the leaf upwards, ends in a self-issued certificate that was sent. A lone self-signed
certificate is `self-signed`, a root that belongs to no link is `chain-unrelated-certificate`.

## Why it matters
It does no harm but to the size: whoever checks the chain must have this root already, and trusts its own copy alone. The
bytes count in each handshake, and on a path that loses large packets they may be the ones too many.

## What to do
Leave the root out of the certificate file; intermediates stay. Windows leaves it out unless the application asks for it.

## When it cannot tell
TLS 1.3 without keys and resumed sessions show no certificates.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.connection import Connection, Seen
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.chains import as_meant
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.memory import CAPACITY
from analyzer.judgement.phrases import called, where
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="root-sent",
    title="a root certificate is sent along",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    depth=Depth.SYMPTOM,
    needs=(Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE,),
    citations=("RFC 5246 section 7.4.2", "RFC 8446 section 4.4.2"),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    for sent in conn.chains():
        root = sent_root(sent.chain)
        if root is not None:
            yield RULE.finding(
                conn,
                f"the {sent.side} sends its root {called(root)} along, {len(root.der):,} bytes that nobody needs",
                advice=f"On {where(conn, sent.side)} leave the root out of the certificate file; the other side trusts only "
                "its own copy.",
                frames=sent.frames,
            )


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(all(sent_root(chain) is None for chain in kind.chains()))


@lru_cache(maxsize=CAPACITY)
def sent_root(chain: Chain) -> Certificate | None:
    """The self-issued certificate at the top of the path, if it is not the leaf."""
    meant = as_meant(chain)
    return meant.top if meant.ends_in_root and len(meant.path) > 1 else None
