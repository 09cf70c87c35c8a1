"""The certificate of an edge's internal side has names besides the edge's own.

## What it does
Looks up in the topology (--topology) whether the server's or the client's address is the internal side of an edge. Its
certificate may carry the edge's names (server and pool) and no other. A name that belongs to a trusted application or to
another server of the topology that front ends trust, or a wildcard that covers such a name, is an error; another name is a
warning.

## Why it matters
Front ends decide by the names in the certificate who is calling. If one of them is a trusted application or another server,
the edge, which stands in the open, is trusted like it; and what outsiders send through the edge can be taken for that of an
insider.

## What to do
Request the internal certificate again with the edge pool's name as its only one, and never assign the external certificate (or
one of a front end) to the internal side.

## When it cannot tell
Without a topology, and at addresses of which it says nothing. TLS 1.3 without keys and resumed sessions show no certificates.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from analyzer.certificates.chain import Chain
from analyzer.certificates.hostnames import coverage
from analyzer.connection import Connection, Seen
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.chains import as_meant
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.memory import CAPACITY
from analyzer.judgement.phrases import some
from analyzer.judgement.refusal import Defect, weigh
from analyzer.judgement.roles import Shown, shown
from analyzer.rules.rule import Context, Rule

if TYPE_CHECKING:
    from analyzer.topology.model import Demand

RULE = Rule(
    id="edge-internal-san",
    title="the edge's internal certificate has names that are not the edge's",
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
        elif too_much(one.sent.chain, one.demand):
            yield _finding(conn, one)


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    return quiet_if(not any(too_much(chain, demand) for chain, demand in kind.demands()))


@lru_cache(maxsize=CAPACITY)
def too_much(chain: Chain, demand: Demand) -> tuple[str, ...]:
    """Names of the leaf that an edge must not have inside; () for other places."""
    if not demand.inside:
        return ()
    leaf = as_meant(chain).leaf
    names = dict.fromkeys(name.lower().removesuffix(".") for name in (leaf.san.dns if leaf.san else ()) or leaf.names)
    return tuple(name for name in names if name not in demand.own or name in demand.others)


@lru_cache(maxsize=CAPACITY)
def dangerous(chain: Chain, demand: Demand) -> tuple[str, ...]:
    """Names of others that the leaf speaks for."""
    names = too_much(chain, demand)
    exact = [name for name in names if name in demand.others]
    wild = tuple(name for name in names if name.startswith("*."))
    return (*exact, *sorted(other for other in demand.others if wild and coverage(other, wild, (), None)))


def _finding(conn: Connection, one: Shown) -> Finding:
    extra, theirs = too_much(one.sent.chain, one.demand), dangerous(one.sent.chain, one.demand)
    weight = weigh(conn, one.sent.side, Defect.NAME, Severity.ERROR if theirs else Severity.WARNING)
    why = f", so that front ends can take it for {some(theirs)}, whom they trust" if theirs else ""
    summary = f"the certificate of {one.where(conn)} is not for the edge alone, it also names {some(extra)}{why}"
    advice = (
        f"Request the internal certificate of the edge again with {one.demand.pool.fqdn} as its only name "
        "(`mtlscope plan` prints it), and never assign the external one to the internal side."
    )
    return RULE.judged(conn, weight.judgement(summary, advice, one.sent.frames))
