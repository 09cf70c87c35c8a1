"""Which finding is the cause, and which others it explains: the order of `Connection.findings`.

A failure leaves several traces: a missing intermediate, a certificate that was refused, an alert, a reset. They are one
trouble. What is explained by another finding says so (`Finding.explained_by`) and stands behind it.

Two laws. By depth: what a peer said and how it ended is explained by the first error that lies deeper; so is the step at
which the client's certificate failed, if a defect of it is known. By name: `EXPLAINS`, where two findings are as deep, or
where a standing weakness turns out to be the cause. Nothing is explained by a finding of low confidence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from operator import attrgetter
from types import MappingProxyType

from analyzer.connection import Connection, Seen, Side
from analyzer.findings import Confidence, Depth, Finding, Severity

SYMPTOMS = frozenset(
    {
        "tls-alert",
        "encrypted-alert",
        "reset-during-handshake",
        "closed-during-handshake",
        "handshake-timeout",
        "reset-after-handshake",
    }
)
"""What a peer said, and how it ended: explained by any deeper error about the same end."""

STEPS = frozenset({"client-certificate-rejected", "client-certificate-missing", "client-issuer-not-in-ca-list"})
"""Where it failed: explained by an error at the root."""

_ENDS = frozenset({"reset-during-handshake", "closed-during-handshake"})
_SILENCE = _ENDS | {"handshake-timeout"}

EXPLAINS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "ca-list-truncated": STEPS | {"untrusted-root"},
        "ca-list-polluted": STEPS | {"untrusted-root"},
        "ca-list-names-intermediate": STEPS,
        "handshake-timeout": _ENDS,
        "tls-alert": _ENDS,
        "encrypted-alert": _ENDS,
        "zero-window": _SILENCE,
        "revocation-stall": _SILENCE | {"untrusted-root"},
        "sslv2-client-hello": _ENDS | {"tls-alert"},
    }
)
"""Cause -> what it explains besides what its depth says. It must be an error: the rule itself saw the failure come of it."""


WARNINGS_TOO = frozenset({"encrypted-alert", "zero-window", "revocation-stall", "sslv2-client-hello"})
"""Causes of EXPLAINS that are only warnings by their nature, not for want of a failure."""


def _hello_refused(conn: Connection) -> bool:
    """The server never chose anything, and it was the server that ended it."""
    return conn.server_hello is None and conn.refused_by(Side.SERVER)


ONLY_IF: Mapping[str, Callable[[Connection], bool]] = MappingProxyType({"sslv2-client-hello": _hello_refused})
"""What must be so for a row of EXPLAINS to count."""

_order = attrgetter("order")


def ranked(conn: Connection, findings: list[Finding]) -> list[Finding]:
    """Likeliest cause first; what it explains is marked, and stands behind the causes of the same weight."""
    findings.sort(key=_order)
    if len(findings) < 2 or not Seen.TROUBLED_END & conn.seen or findings[0].severity is Severity.NOTE:
        return findings
    causes = [finding for finding in findings if _is_cause(finding)]
    marked, weight = [], {id(finding): finding.severity.rank for finding in findings}
    for finding in findings:
        cause = next((one for one in causes if one is not finding and explains(conn, one, finding)), None)
        if cause is None:
            marked.append(finding)
            continue
        weight[id(cause)] = min(weight[id(cause)], finding.severity.rank)
        marked.append(replace(finding, explained_by=cause.rule))
        weight[id(marked[-1])] = finding.severity.rank
    return sorted(marked, key=lambda one: (weight[id(one)], one.explained_by is not None, *one.order[1:]))


def _is_cause(finding: Finding) -> bool:
    return finding.severity is not Severity.NOTE and finding.confidence is not Confidence.LOW


def explains(conn: Connection, cause: Finding, finding: Finding) -> bool:
    """Is this finding only a trace of that cause?"""
    if finding.severity is Severity.NOTE:
        return False
    if cause.severity is not Severity.ERROR and cause.rule not in WARNINGS_TOO:
        return False
    if finding.rule in EXPLAINS.get(cause.rule, ()) and ONLY_IF.get(cause.rule, _always)(conn):
        return conn.failed
    if cause.severity is not Severity.ERROR or cause.depth <= finding.depth:
        return False
    near = (finding.rule in SYMPTOMS and cause.depth >= Depth.STEP) or (
        finding.rule in STEPS and cause.depth is Depth.ROOT
    )
    return near and (conn.failed or _same_end(cause, finding))


def _always(conn: Connection) -> bool:
    return True


def _same_end(cause: Finding, finding: Finding) -> bool:
    """Of a handshake that was complete: the cause names the frame of the end, so it was worked out from that end."""
    return bool(finding.frames) and finding.frames[-1] in cause.frames


__all__ = ["EXPLAINS", "ONLY_IF", "STEPS", "SYMPTOMS", "explains", "ranked"]
