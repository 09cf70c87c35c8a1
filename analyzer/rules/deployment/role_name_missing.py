"""A server's certificate lacks a name that its role needs.

## What it does
Looks up in the topology (--topology) what stands at the server's and the client's address, and compares the certificate shown
there with the table of names that this role needs on this port: the pool's name, the server's own, the web services, the
simple URLs, the access edge. A wildcard that covers a name counts. Names for SIP domains are the matter of
`sip-domain-missing`, and of a pool that does not say that it needs lyncdiscover, phone or sign-in names none is missed. A
client's certificate is looked at on ports where servers talk to servers, and only if it names a host.

## Why it matters
Who comes by the missing name refuses: servers of a pool call each other by their own names, clients and meetings by the
others. It works with the peer at hand and fails with the next one.

## What to do
Request the certificate again with the missing names and assign it; `mtlscope plan FILE` prints all names that it needs, and
writes the request. If the name is not used in this deployment, correct the topology.

## When it cannot tell
Without a topology, and at addresses, ports and roles of which the topology or the table says nothing. TLS 1.3 without keys and
resumed sessions show no certificates. A certificate for a name that the client asked for, and that the topology does not know
at this address, is that of another site there. Behind CONNECT the address is that of a proxy. A certificate that is for
somebody else altogether, and not what the client asked for, is left to `server-name-mismatch`.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.connection import Connection, Seen, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.phrases import counted, some
from analyzer.judgement.refusal import Defect, weigh
from analyzer.judgement.roles import Shown, missing, shown, stranger
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="role-name-missing",
    title="a certificate lacks a name that its server's role needs",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE,),
    citations=(
        "MicrosoftDocs OfficeDocs-SkypeForBusiness: edge-environmental-requirements.md",
        "MicrosoftDocs OfficeDocs-SkypeForBusiness: environmental-requirements.md",
        "RFC 9525 section 6.3",
    ),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    for one in shown(conn, context):
        if isinstance(one, CannotTell):
            yield one
        elif missing(one.sent.chain, one.demand) and not _other_rule(conn, one):
            yield _finding(conn, one)


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(not any(missing(chain, demand) for chain, demand in kind.demands()))


def _other_rule(conn: Connection, one: Shown) -> bool:
    """Does `server-name-mismatch` say already that this certificate does not belong here at all?"""
    if one.sent.side is Side.CLIENT or conn.client_hello is None or not stranger(one.sent.chain, one.demand):
        return False
    return not conn.server_name or one.leaf.covers(conn.server_name) is None


def _finding(conn: Connection, one: Shown) -> Finding:
    demand = one.demand
    lacking = tuple(" or ".join(group) for group in missing(one.sent.chain, demand))
    weight = weigh(conn, one.sent.side, Defect.NAME, Severity.ERROR)
    doubt = Confidence.MEDIUM if stranger(one.sent.chain, demand) else Confidence.HIGH
    decisive = ", whose common name alone counts," if demand.row.decisive == "cn" else ""
    summary = (
        f"the certificate of {one.where(conn)}{decisive} lacks {counted(len(lacking), 'name')} that its role needs "
        f"({demand.row.title}): {some(lacking)}; it is for {some(one.leaf.names) or 'no host at all'}"
    )
    advice = (
        f"Request it again with {some(lacking, shown=8)} in its subject alternative names and assign it; `mtlscope plan` "
        "prints every name that it needs. If the deployment does not use the name, correct the topology."
    )
    return RULE.judged(conn, weight.judgement(summary, advice, one.sent.frames, doubt))
