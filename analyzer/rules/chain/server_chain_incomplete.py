"""The server did not send the intermediate certificate that links its own certificate to a root.

## What it does
Links the server's certificates upwards from the leaf, by issuer name, key and signature. Fires when a link is missing
between certificates that were sent, or when the leaf was sent alone and nothing shows that its issuer is a root.
A root left out is normal and never reported, and neither are two or more certificates that link well below an unseen
issuer. It is silent when the issuer is known to be a root: from a trust store, from a CA list on the wire, or from a
self-issued certificate elsewhere in the capture. It is an error when the client then refuses, and a warning when the
client goes on: that one had it, fetched it or does not check; the next one may not.

## Why it matters
A client needs every certificate between the leaf and a root that it trusts. Windows may fetch a missing one from the
address in the leaf (AIA) or find it in its cache, so one client works and another fails, or the same one fails tomorrow.

## What to do
Install the missing intermediate on the server in Intermediate Certification Authorities of the computer (not in
Personal, not in Trusted Root), or append it to the certificate file, and restart the service. Roots stay at home.

## When it cannot tell
TLS 1.3 without keys and resumed sessions show no certificates. A leaf that cannot be read names no issuer. A private
root that issues leaves itself, and that nothing in the capture shows, looks like a missing intermediate: then the
confidence is medium, and a later connection that shows the root withdraws the finding.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.chains import incompleteness, plainly_complete
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="server-chain-incomplete",
    title="the server's chain lacks an intermediate certificate",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.SERVER_CERTIFICATE,),
    citations=("RFC 5246 section 7.4.2", "RFC 8446 section 4.4.2", "RFC 5280 section 6.1"),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    said = incompleteness(conn, Side.SERVER, context.history)
    if isinstance(said, CannotTell):
        yield said
    elif said is not None:
        yield RULE.judged(conn, said)


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(kind.server is None or plainly_complete(kind.server))
