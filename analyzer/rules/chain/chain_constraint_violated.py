"""A CA in the chain does not allow what stands below it.

## What it does
Reads what each CA on the way up says of the certificates below it: whether it is a CA and may sign certificates (basic
constraints, key usage), how many levels of CAs it allows (path length), which names (name constraints: hosts, addresses,
mail, URIs, directory names) and which uses (extended key usage of a CA). Fires when every way up from the leaf breaks
such a rule. It is an error when the peer then refuses, and a warning when it goes on: that one does not check, the next one
may. A critical extension that few verifiers know is a note until it is refused.

## Why it matters
Validation has to fail (RFC 5280), and mostly does with an alert that names neither the CA nor the rule: unknown_ca,
unsupported_certificate, certificate_unknown, or none. A private sub-CA below a public or a partner's CA is the usual case.

## What to do
Get the certificate from a CA that may issue it, or have the CA's certificate issued anew with wider limits. On Windows
`certutil -verify -urlfetch FILE` names the rule; elsewhere `openssl verify -show_chain -purpose sslserver` does.

## When it cannot tell
TLS 1.3 without keys and resumed sessions show no certificates. What CAs say that were not sent is unknown, and so are names
of other kinds. A CA's limits that cannot be read, or more ways up than can be tried, are not judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from analyzer.certificates.chain import Chain
from analyzer.connection import Connection, Seen, SentChain, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.chains import as_meant
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.links import plainly_allowed
from analyzer.judgement.phrases import brief, where
from analyzer.judgement.refusal import Defect, weigh
from analyzer.rules.rule import Context, Rule

if TYPE_CHECKING:
    from analyzer.certificates.faults import Fault

RULE = Rule(
    id="chain-constraint-violated",
    title="a CA in the chain does not allow what stands below it",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE,),
    citations=(
        "RFC 5280 section 4.2.1.9",
        "RFC 5280 section 4.2.1.10",
        "RFC 5280 section 4.2.1.3",
        "RFC 5280 section 6.1.4",
    ),
)


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    for sent in conn.chains():
        if not as_meant(sent.chain).leaf.readable:
            yield CannotTell(f"the {sent.side}'s certificate cannot be read, so its issuer is unknown")
        elif not plainly_allowed(sent.chain, sent.side):
            faults = _faults(sent.chain, sent.side)
            if faults:
                yield _finding(conn, sent, faults)


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    sides = ((kind.server, Side.SERVER), (kind.client, Side.CLIENT))
    return quiet_if(
        all(chain is None or plainly_allowed(chain, side) or not _faults(chain, side) for chain, side in sides)
    )


def _faults(chain: Chain, side: Side) -> tuple[Fault, ...]:
    from analyzer.judgement.ways import forbidden

    return forbidden(chain, side)


def _finding(conn: Connection, sent: SentChain, faults: tuple[Fault, ...]) -> Finding:
    kinds = {fault.kind.name for fault in faults}
    weight = weigh(
        conn,
        sent.side,
        Defect.USE if kinds == {"USE"} else Defect.FORBIDDEN,
        Severity.NOTE if kinds == {"CRITICAL"} else Severity.WARNING,
    )
    proof = Confidence.HIGH if kinds - {"USE", "CRITICAL"} else Confidence.MEDIUM
    what = "is not for every peer" if kinds == {"CRITICAL"} else "is not allowed by its CAs"
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    works = (
        f"; it worked here: the {sent.side.peer} does not check that" if conn.established and not weight.refusal else ""
    )
    summary = f"the {sent.side}'s chain {what}: {brief(faults[0].clause)}{more}{works}"
    advice = (
        f"Give {where(conn, sent.side)} a certificate from a CA that may issue it, or have that CA's certificate "
        "issued anew with wider limits, and install it in place of the old one."
    )
    return RULE.judged(conn, weight.judgement(summary, advice, sent.frames, proof))
