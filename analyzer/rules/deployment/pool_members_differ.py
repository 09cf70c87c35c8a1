"""Several addresses serve one name, and do not present the same: clients succeed or fail by chance.

## What it does
Compares the servers that answered on one port when clients asked for one name (server_name, or the only name that DNS had given
the client for that address). A warning when one member's certificate does not cover the name or is out of its dates while
another's is right, when their certificates come from different issuers (among keys of one kind), or when one sends an
intermediate certificate that another leaves out. A note when only the generation differs (a renewal that has not reached all of
them), or the TLS version that they choose; a warning if that is below 1.2. Certificates of their own for each member are fine.

## Why it matters
DNS load balancing and load balancers hide which member answers. A single wrong one makes every third or tenth connection fail,
and whoever tests meets the right one.

## What to do
Make the members alike: import the missing intermediate, assign the new certificate, enable the same protocols. `mtlscope --host
ADDRESS` shows one member alone.

## When it cannot tell
Only one member answered in this capture, or certificates are hidden (TLS 1.3, resumption).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.capture_view import CaptureView
from analyzer.judgement.phrases import brief, some
from analyzer.rules.rule import Context, Rule

if TYPE_CHECKING:
    from analyzer.judgement.pools import Difference, Member

RULE = Rule(
    id="pool-members-differ",
    title="servers of one name present different things",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    citations=(
        "RFC 5246 section 7.4.2",
        "RFC 6125 section 6.4",
        "MicrosoftDocs OfficeDocs-SkypeForBusiness: DNS load balancing",
    ),
    whole=True,
)
ONE_MEMBER = "no name was served by more than one address in this capture"
MOST_TOLD = 20
"""Pools that are told of."""


def check(view: CaptureView, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    if len({one.ip for one in view.servers()}) < 2:
        yield CannotTell(ONE_MEMBER)
        return
    from analyzer.judgement.pools import differences, members  # for most captures that would be time lost

    pools = members(view.servers())
    several = {key: pool for key, pool in pools.items() if len(pool) > 1}
    if not several:
        yield CannotTell(ONE_MEMBER)
    told = 0
    for (name, port), pool in several.items():
        found = differences(name, pool, context.now_ns)
        if found and told < MOST_TOLD:
            told += 1
            yield _finding(name, port, pool, found)


def _finding(name: str, port: int, pool: list[Member], found: list[Difference]) -> Finding:
    serious = any(difference.serious for difference in found)
    odd = tuple(dict.fromkeys(difference.odd.ip for difference in found))
    named = all(member.named for member in pool)
    return RULE.across(
        f"{brief(name)} is served by {len(pool)} addresses on port {port} that do not present the same: "
        + "; ".join(difference.text for difference in found),
        advice=f"Make {some(odd)} like the others, or take it out of the name's addresses until it is; whoever connects meets "
        "one of them by chance.",
        frames=tuple(
            frame for difference in found for one in (difference.odd, difference.right) for frame in one.frames[:1]
        ),
        filter=f"tcp.port == {port} && ({' || '.join(map(_address, odd))}) && tls.handshake",
        severity=Severity.WARNING if serious else Severity.NOTE,
        confidence=Confidence.HIGH if named else Confidence.LOW,
    )


def _address(ip: str) -> str:
    return f"{'ipv6' if ':' in ip else 'ip'}.addr == {ip}"
