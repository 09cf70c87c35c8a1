"""The target of a SIP domain's SRV record is an alias (CNAME), not a host.

## What it does
Looks at the SRV answers in the capture, as federation-srv-outside-domain does, and at every CNAME record: the target of an SRV
record must not be the owner of one. An error for federation, a warning for sign-in. Targets of known hosting providers are
left out: their aliases are their own business, and work.

## Why it matters
RFC 2782 forbids it: "Target ... MUST NOT be an alias". Some edges then look for the certificate's name under the alias, some
under the name behind it, some give up, so federation works with one partner and fails with the next.

## What to do
Give the target an A (and AAAA) record of its own, in the SIP domain.

## When it cannot tell
The capture has no SRV answer of a SIP domain.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.capture_view import CaptureView
from analyzer.judgement.federation import NONE_SEEN, asked_for, sip_records
from analyzer.judgement.phrases import brief
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="federation-srv-cname",
    title="the SRV record of a SIP domain points to an alias",
    severity=Severity.ERROR,
    confidence=Confidence.MEDIUM,
    depth=Depth.ROOT,
    citations=("RFC 2782", "RFC 1034 section 3.6.2", "MSXFAQ on Lync hosting and federation"),
    whole=True,
)


def check(view: CaptureView, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    records = sip_records(view.sightings)
    if not records:
        yield CannotTell(NONE_SEEN)
    for record in records:
        alias = view.sightings.alias(record.target)
        if alias is None or record.provider:
            continue
        yield RULE.across(
            f"{record.said} points to {brief(record.target)}, which is only an alias of {brief(alias.target)}: "
            + (
                "partners may not find its certificate"
                if record.federation
                else "clients may not accept its certificate"
            ),
            advice=f"Replace the CNAME record of {brief(record.target)} by an A record.",
            frames=(record.frame, alias.frame),
            filter=asked_for(record),
            severity=Severity.ERROR if record.federation else Severity.WARNING,
        )
