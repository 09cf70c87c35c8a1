"""The server asks for a client certificate without naming any CA.

## What it does
Fires when the CertificateRequest has an empty list of certificate authorities.

## Why it matters
Empty means "any CA may do" (TLS 1.2), not "none will". It is the default of Windows since Server 2012, and the usual cure
for a list that grew too long. A client with several certificates cannot tell which one is wanted and may pick the wrong
one, or ask its user.

## What to do
Nothing, as long as the client picks the right certificate. If it does not, let the server send a short list: on Windows a
Client Authentication Issuers store with SendTrustedIssuerList = 1, elsewhere the list of client CAs of the listener.

## When it cannot tell
TLS 1.3 without keys: the request is encrypted. A list that ends beyond its message is not taken for empty.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="ca-list-empty",
    title="the server names no CA in its request for a client certificate",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    depth=Depth.SYMPTOM,
    needs=(Seen.CERTIFICATE_REQUEST,),
    citations=(
        "RFC 5246 section 7.4.4",
        "MicrosoftDocs windowsserverdocs: what-s-new-in-tls-ssl-schannel-ssp-overview (SendTrustedIssuerList)",
    ),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    request = conn.certificate_request
    if request is None or request.ca_list.names or request.ca_list.size:
        return
    if not request.ca_list.complete:
        yield CannotTell("the CertificateRequest ends before its list of CAs")
        return
    yield RULE.finding(
        conn,
        "the server asks for a client certificate and names no CA: any may do, and a client with several has to guess",
        advice="Nothing, unless the client picks the wrong certificate: then let the server send a short list of the wanted "
        "CAs (Windows: Client Authentication Issuers store and SendTrustedIssuerList = 1).",
        frames=request.frames,
    )


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(kind.ca_list is None or bool(kind.ca_list.names) or kind.ca_list.size > 0)
