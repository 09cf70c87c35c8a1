"""The other side does not trust the root of this side's chain, and would have to import it.

## What it does
Where a trust store was given for the other side (`--trust`), follows the sent certificates, and CA certificates that others
in the capture sent, upwards by name and signature; fires when none of them is in that store or was issued by one that is.
It is a warning, and an error when the other side refuses. Without a store it speaks only of a refusal of a chain with which
nothing else is wrong: the alert unknown_ca, bad_certificate or certificate_unknown, or a server that ends the connection at
once and without a word when it has the client's certificate. It names the root that the other side must import, and says
whether it is on Microsoft's or Mozilla's list. When the root is in the store given and the answer is unknown_ca all the
same, it says that the service uses another store.

## Why it matters
Between servers private CAs are the rule, and each side needs the other's root, in the computer's store. A root that is
missing looks the same as a missing intermediate: both are unknown_ca, or silence.

## What to do
Import the root that is named on the machine that is named, restart the service. Exchange roots with a partner before the
link is set up, in both directions. To get a store for `--trust`: on Windows `Get-ChildItem Cert:\\LocalMachine\\Root |
Export-Certificate -Type SST -FilePath roots.sst`; for OpenSSL and nginx the CA file or folder itself; for Java
`keytool -list -rfc -keystore FILE > roots.pem`.

## When it cannot tell
TLS 1.3 without keys and resumed sessions show no certificates. While an intermediate is missing the root above it is
unknown. A chain that ends below a CA that nothing shows: the root above it, or a CA between, may be what is missing; then
the confidence is lower. A client that leaves without a word may have any reason. Windows may fetch a public root at its
first use: that an export of its store lacks one proves little. A self-signed certificate is told by `self-signed`.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.validity import clock_of
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="untrusted-root",
    title="the other side does not trust the root of a chain",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE,),
    citations=("RFC 5246 section 7.2.2", "RFC 8446 section 6.2", "RFC 5280 section 6.1"),
)

TROUBLED = Seen.TROUBLED_END.value
"""A number: every healthy connection is asked, and the members of an enum are slow."""


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    trust = context.trust
    if not (conn.seen.value & TROUBLED or trust.given):
        return
    from analyzer.judgement.expected import expected_names  # healthy captures need neither
    from analyzer.judgement.trust import distrust

    clock = clock_of(conn, context.judged_at(conn), given=context.now_ns is not None)
    expected = expected_names(conn, context) if conn.seen.value & TROUBLED else None
    meant = expected.names if expected is not None else ()
    for sent in conn.chains():
        said = distrust(conn, sent.side, trust, context.history, clock, meant)
        if isinstance(said, CannotTell):
            yield said
        elif said is not None:
            yield RULE.judged(conn, said)
