"""The client's certificate was not issued by any CA on the server's list.

## What it does
Compares the issuer of every certificate that the client sent, and the subject of a root that it sent, with every name of
the CertificateRequest's list. Names are compared by their bytes, and by RFC 5280 section 7.1 where these differ. It is a
warning, and an error when the server then refuses the connection.

## Why it matters
The list says whose certificates the server accepts, and the client's chain SHOULD be issued by one of them. Servers that
insist answer unknown_ca, bad_certificate, or with a bare reset; Windows in its default mode insists.

## What to do
Trust the client's CA on the server (Trusted Root store, client CA file), so that it gets on the list; or give the client a
certificate of a listed CA. If the list ends near 12,288 or 16,384 bytes, `ca-list-truncated` comes first.

## When it cannot tell
While the client's chain is incomplete: the CA above the missing one may well be on the list. A list or a certificate that
cannot be read. TLS 1.3 without keys: both messages are encrypted. An empty list means that any CA may do.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.chains import as_meant
from analyzer.judgement.defects import self_signed_leaf
from analyzer.judgement.issuers import Listing, listing, plainly_listed
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.phrases import called, counted, dn, where
from analyzer.judgement.refusal import Defect, weigh
from analyzer.judgement.story import weaker
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="client-issuer-not-in-ca-list",
    title="no CA on the server's list issued the client's certificate",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.CERTIFICATE_REQUEST, Seen.CLIENT_CERTIFICATE),
    citations=("RFC 5246 section 7.4.6", "RFC 8446 section 4.4.2.3", "RFC 5280 section 7.1"),
)

MOST_ISSUERS = 6
"""Levels of CAs that the sentence names; no real hierarchy has more."""


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    request, sent = conn.certificate_request, conn.client_chain
    if request is None or sent is None or plainly_listed(sent.chain, request.ca_list):
        return
    answer = listing(conn, context.history)
    if answer.listed is None:
        yield CannotTell(answer.reason)
    elif not answer.listed:
        yield _finding(conn, answer)


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(kind.ca_list is None or kind.client is None or plainly_listed(kind.client, kind.ca_list))


def _finding(conn: Connection, answer: Listing) -> Finding:
    request, sent = conn.certificate_request, conn.client_chain
    assert request is not None
    assert sent is not None
    weight = weigh(conn, Side.CLIENT, Defect.NOT_LISTED, Severity.WARNING)
    issuers = tuple(dict.fromkeys(map(dn, answer.issuers)))[:MOST_ISSUERS]
    top = issuers[-1]
    return RULE.finding(
        conn,
        f"no CA on the server's list ({counted(len(request.ca_list.names), 'name')}) issued the client's certificate "
        f"{called(as_meant(sent.chain).leaf)}: its issuer is {', under '.join(issuers)}{weight.clause}",
        advice=f"Trust {top} on {where(conn, Side.SERVER)} for client certificates, so that it gets on the list, or give "
        f"{where(conn, Side.CLIENT)} a certificate of a CA on the list.",
        frames=(*request.frames, *sent.frames, *weight.frames),
        severity=weight.severity,
        confidence=weaker(weight.confidence, Confidence.HIGH if answer.certain else Confidence.MEDIUM),
        # a self-signed certificate is the defect, and that nobody lists it only follows
        depth=min(weight.depth, Depth.STEP) if self_signed_leaf(sent.chain) else weight.depth,
    )
