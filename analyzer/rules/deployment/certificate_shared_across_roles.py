"""One key on addresses of different roles: the same certificate on a front end and an edge, for example.

## What it does
Looks for keys (not only certificates) that several addresses present, as server or as client, and compares the roles of these
addresses. Roles are guessed: from ports that only one role listens on, and from a public address that speaks SIP over TLS. As a
guess it is a warning of low confidence. Members of one pool share a key by design: equal roles never speak.

## Why it matters
A front end tells internal servers from external ones by their certificate. With the edge's certificate on a front end, what comes
from outside can pass for a trusted server, and calls and presence take wrong ways. It is also twice the damage when the key is
lost.

## What to do
Give each role a certificate of its own: internal names from the internal CA on front ends and on the edge's inner side, public
names on the edge's outer side. Only the edges of one pool share the outer certificate, with its key.

## When it cannot tell
The capture shows no address of a role that can be guessed, or no certificates (TLS 1.3).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from analyzer.certificates.certificate import Certificate
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.capture_view import CaptureView, Presence
from analyzer.judgement.identities import NO_CERTIFICATES, leaf_of
from analyzer.judgement.phrases import called
from analyzer.rules.rule import Context, Rule

if TYPE_CHECKING:
    from analyzer.judgement.placement import Position

RULE = Rule(
    id="certificate-shared-across-roles",
    title="one key is used by machines of different roles",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    citations=(
        "MSXFAQ: certificates for Lync Server",
        "MicrosoftDocs OfficeDocs-SkypeForBusiness: edge-environmental-requirements.md",
    ),
    whole=True,
)
MOST_TOLD = 20
"""Keys that are told of."""


def check(view: CaptureView, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    holders: dict[str, dict[str, tuple[Presence, Certificate]]] = {}
    for one in view.everybody():
        leaf = leaf_of(one)
        if leaf is not None and leaf.spki_sha256:
            holders.setdefault(leaf.spki_sha256, {}).setdefault(one.ip, (one, leaf))
    if not holders:
        yield CannotTell(NO_CERTIFICATES)
        return
    shared = [held for held in holders.values() if len(held) > 1]
    if not shared:
        return
    from analyzer.judgement.placement import positions, said_by  # for most captures that would be time lost

    known = positions(view, context.sip_ports, said_by(context.topology))
    if not known:
        yield CannotTell("which roles the addresses have that share a key is not known")
    told = 0
    for held in shared:
        pair = _apart([ip for ip in held if ip in known], known)
        if pair is not None and told < MOST_TOLD:
            told += 1
            yield _finding(held[pair[0]], held[pair[1]], known[pair[0]], known[pair[1]])


def _apart(addresses: list[str], known: dict[str, Position]) -> tuple[str, str] | None:
    """Two of these addresses whose roles differ."""
    for ip in addresses[1:]:
        if known[ip].differs(known[addresses[0]]):
            return addresses[0], ip
    return None


def _finding(
    one: tuple[Presence, Certificate], other: tuple[Presence, Certificate], first: Position, second: Position
) -> Finding:
    guessed = not (first.certain and second.certain)
    certificates = called(one[1]) if one[1] == other[1] else f"{called(one[1])} and {called(other[1])}"
    return RULE.across(
        f"{one[0].ip} ({first.role}: {first.why}) and {other[0].ip} ({second.role}: {second.why}) use the same key, in the "
        f"certificate {certificates}{'; the roles are guessed' if guessed else ''}",
        advice="Give each role a certificate and a key of its own; one certificate for all is only for the members of one pool.",
        frames=(*one[0].frames, *other[0].frames),
        filter=" || ".join(f"{'ipv6' if ':' in p.ip else 'ip'}.addr == {p.ip}" for p in (one[0], other[0])),
        severity=Severity.WARNING if guessed else None,
        confidence=Confidence.LOW if guessed else None,
    )
