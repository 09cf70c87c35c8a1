"""One address shows two generations of the same certificate, on different ports or in different directions.

## What it does
Compares what one address presents as a server on each port, and as a client. Two certificates are generations of each other if
they have the same names, the same uses and the same kind of key, but different dates. Speaks when the older one is still
presented at one place after the newer one was already there at another; with low confidence when the newer one only came within
minutes of it.

## Why it matters
A renewed certificate must be assigned to every listener and usage by hand: in LCS and OCS the port 5061 listener has a setting
of its own, in Lync each usage. The forgotten one works until the old certificate expires, or until somebody deletes it and the
service does not start any more.

## What to do
Assign the new certificate to the place that still shows the old one (Set-CsCertificate for each -Type, IIS bindings,
`netsh http show sslcert`, the service's own configuration), restart it, and only then delete the old one.

## When it cannot tell
TLS 1.3 and resumed sessions show no certificates. Behind one address there may be several machines (NAT, a load balancer): then
each may have its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.certificates.certificate import Certificate
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.capture_view import CaptureView, Presence
from analyzer.judgement.identities import DAY, NO_CERTIFICATES, date_of, identity, leaf_of
from analyzer.judgement.phrases import called
from analyzer.judgement.thresholds import limit_ns
from analyzer.judgement.validity import seconds
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="old-and-new-certificate",
    title="one address shows an old and a new generation of a certificate",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    depth=Depth.ROOT,
    citations=(
        "MSXFAQ: common certificate issues with LCS 2005",
        "MicrosoftDocs OfficeDocs-SkypeForBusiness: Set-CsCertificate",
    ),
    whole=True,
)
MOST_TOLD = 20
"""Findings at most; of more addresses one learns nothing new."""


def check(view: CaptureView, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    latest: dict[tuple[str, tuple[object, ...]], dict[int, Presence]] = {}
    shown = False
    for one in view.everybody():
        leaf = leaf_of(one)
        shown |= leaf is not None
        who = identity(leaf) if leaf is not None else None
        if who is None:
            continue
        places = latest.setdefault((one.ip, who), {})
        known = places.get(one.port)
        if known is None or known.last_ns <= one.last_ns:
            places[one.port] = one
    if not shown:
        yield CannotTell(NO_CERTIFICATES)
    told = 0
    for places in latest.values():
        pair = _generations(list(places.values())) if len(places) > 1 else None
        if pair is not None and told < MOST_TOLD:
            told += 1
            yield _finding(*pair)


def _generations(places: list[Presence]) -> tuple[Presence, Presence] | None:
    """(old, new) of the same time, or nearly; None if there are none."""
    ordered = sorted(places, key=lambda one: _begins(leaf_of(one)))
    old, new = ordered[0], ordered[-1]
    if _begins(leaf_of(new)) - _begins(leaf_of(old)) < DAY:
        return None
    return (old, new) if new.first_ns - old.last_ns <= limit_ns("renewal_s") else None


def _begins(leaf: Certificate | None) -> int:
    """notBefore in seconds since 1970; `identity` has seen to it that it can be read."""
    return seconds(leaf.not_before) if leaf is not None and leaf.not_before is not None else 0


def _finding(old: Presence, new: Presence) -> Finding:
    before, after = leaf_of(old), leaf_of(new)
    assert before is not None
    assert after is not None
    return RULE.across(
        f"{old.place} still presents the older certificate of {called(before)} (until {date_of(before.not_after)}), while "
        f"{new.place} already has the newer one (until {date_of(after.not_after)})",
        advice=f"Assign the newer certificate (serial {after.serial}) at {old.place} too, restart the service, and delete the "
        "old one afterwards.",
        frames=(*old.frames, *new.frames),
        filter=f"{'ipv6' if ':' in old.ip else 'ip'}.addr == {old.ip} && tls.handshake.type == 11",
        confidence=None if old.last_ns >= new.first_ns else Confidence.LOW,
    )
