"""DNS sends federation, or sign-in, to a server outside the SIP domain.

## What it does
Looks at the SRV answers in the capture: `_sipfederationtls._tcp.<domain>` for federation, `_sipinternaltls._tcp.<domain>` and
`_sip._tls.<domain>` for sign-in. The target must lie in the SIP domain: the domain itself, or a name below it. An error for
federation, a warning for sign-in, a note when the target is a known hosting provider.

## Why it matters
Open federation trusts a partner's edge only if its name lies in the partner's domain, since anybody could point an SRV record
at any server. Clients that sign in ask their user, or refuse, for the same reason.

## What to do
Let the record point to a name in the SIP domain, e.g. sip.<domain>, with an A record and a certificate for that name. If that
cannot be: federate explicitly (name the partner's edge in the list of allowed domains), or for sign-in let the clients trust
the domain by policy.

## When it cannot tell
The capture has no such answer: start it before the service does, on the machine that asks, and leave DNS in (port 53).
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.capture_view import CaptureView
from analyzer.judgement.federation import NONE_SEEN, asked_for, sip_records
from analyzer.judgement.phrases import brief
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="federation-srv-outside-domain",
    title="the SRV record of a SIP domain points outside that domain",
    severity=Severity.ERROR,
    confidence=Confidence.MEDIUM,
    depth=Depth.ROOT,
    citations=(
        "RFC 2782",
        "RFC 5922 section 5",
        "MicrosoftDocs OfficeDocs-SkypeForBusiness: DNS requirements of edge servers",
    ),
    whole=True,
)


def check(view: CaptureView, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    records = sip_records(view.sightings)
    if not records:
        yield CannotTell(NONE_SEEN)
    for record in records:
        if record.inside:
            continue
        if record.provider:
            yield RULE.across(
                f"{record.said} points to {record.target}, the edge of {record.provider}: whoever federates with "
                f"{brief(record.domain)} must have that provider, or this edge, on its list",
                frames=(record.frame,),
                filter=asked_for(record),
                severity=Severity.NOTE,
                confidence=Confidence.HIGH,
            )
        elif record.federation:
            yield RULE.across(
                f"{record.said} points to {brief(record.target)}, which is not in {brief(record.domain)}: open federation "
                "refuses such an edge",
                advice=f"Point the record to a name in {brief(record.domain)} that the edge's certificate has, or federate "
                f"explicitly: name {brief(record.target)} as the access edge of {brief(record.domain)} in the list of allowed "
                "domains.",
                frames=(record.frame,),
                filter=asked_for(record),
            )
        else:
            yield RULE.across(
                f"{record.said} points to {brief(record.target)}, which is not in {brief(record.domain)}: clients may ask "
                "their user whether to trust it, or refuse",
                advice=f"Point the record to a name in {brief(record.domain)}, with that name in the server's certificate, or "
                "let the clients trust the other domain by policy.",
                frames=(record.frame,),
                filter=asked_for(record),
                severity=Severity.WARNING,
            )
