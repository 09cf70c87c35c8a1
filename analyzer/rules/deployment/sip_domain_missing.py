"""A server's certificate has no name for one of the SIP domains that it serves.

## What it does
Looks up in the topology (--topology) what stands at the server's and the client's address. The external certificate of an
edge needs sip.<domain> for every SIP domain; so does the default certificate of a pool that clients find by DNS
(`automatic_sign_in = true`). A wildcard that covers the name counts.

## Why it matters
Clients and partners of that domain come by this name and refuse another one: sign-in and federation fail for this domain while
they work for the others.

## What to do
Request the certificate again with sip.<domain> for every domain; `mtlscope plan FILE` prints all names. A domain that is not
served any more belongs out of the topology.

## When it cannot tell
Without a topology, and at addresses of which it says nothing; an edge of OCS 2007 R2 or older is not judged. TLS 1.3 without
keys and resumed sessions show no certificates. Behind CONNECT the address is that of a proxy. A certificate that is for
somebody else altogether is left to `role-name-missing` and `server-name-mismatch`.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.phrases import some
from analyzer.judgement.refusal import Defect, weigh
from analyzer.judgement.roles import Shown, missing_sip, shown, stranger
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="sip-domain-missing",
    title="a certificate has no name for a SIP domain",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE,),
    citations=(
        "MicrosoftDocs OfficeDocs-SkypeForBusiness: edge-environmental-requirements.md",
        "MSXFAQ: Lync Server Zertifikate",
    ),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    for one in shown(conn, context):
        if isinstance(one, CannotTell):
            yield one
        elif missing_sip(one.sent.chain, one.demand) and not stranger(one.sent.chain, one.demand):
            yield _finding(conn, one)


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(not any(missing_sip(chain, demand) for chain, demand in kind.demands()))


def _finding(conn: Connection, one: Shown) -> Finding:
    lacking = missing_sip(one.sent.chain, one.demand)
    weight = weigh(conn, one.sent.side, Defect.NAME, Severity.ERROR)
    summary = (
        f"the certificate of {one.where(conn)} has no {some(lacking)}: "
        f"{len(lacking)} of {len(one.demand.sip)} SIP domains cannot be reached by name"
    )
    advice = (
        f"Request it again with {some(lacking, shown=8)} in its subject alternative names; `mtlscope plan` prints every "
        "name that it needs. A domain that is not served any more belongs out of the topology."
    )
    return RULE.judged(conn, weight.judgement(summary, advice, one.sent.frames))
