"""The one sentence an expert would say first."""

from __future__ import annotations

from collections.abc import Sequence

from analyzer.connection import Connection, Outcome
from analyzer.findings import Confidence, Depth, Finding, Severity
from analyzer.judgement.story import end, place, pseudo_tls

TROUBLED = (Outcome.FAILED, Outcome.NOT_TLS, Outcome.NO_DATA)
TELLS_THE_END = (
    "reset",
    "closed the",
    "closes",
    "closing",
    "alert",
    "refuse",
    "gave up",
    "answered",
    "rejected",
    "went silent",
)


def diagnosis(conn: Connection, findings: Sequence[Finding]) -> str | None:
    """The likeliest cause with the symptom that it explains, or None when all is well.

    `findings` are sorted, likeliest cause first. Of an established connection only an error is worth the sentence; of a
    failed one a warning too. A failure that no rule explains is said to be one.
    """
    first = findings[0] if findings else None
    if first is not None and first.severity is Severity.ERROR:
        return _sentence(conn, first)
    if conn.outcome not in TROUBLED or pseudo_tls(conn):
        return None
    if first is not None and first.severity is Severity.WARNING:
        return _sentence(conn, first)
    return _unexplained(conn) if conn.outcome is Outcome.FAILED else None


def _sentence(conn: Connection, finding: Finding) -> str:
    """The finding's summary, with how the connection ended where the summary does not say it."""
    summary = finding.summary.rstrip(". ")
    if conn.outcome is not Outcome.FAILED or finding.depth < Depth.STEP or _tells_the_end(summary):
        return summary
    symptom = end(conn)
    if not symptom:
        return summary
    sure = finding.confidence is Confidence.HIGH and finding.severity is Severity.ERROR
    return f"{summary}{', so' if sure else '; then'} {symptom}"


def _tells_the_end(summary: str) -> bool:
    return any(word in summary for word in TELLS_THE_END)


def _unexplained(conn: Connection) -> str:
    """A failure without a finding: what happened, and why no more can be said."""
    what = end(conn) or f"the handshake did not get beyond {place(conn) or 'its start'}"
    limited = conn.visibility.limited
    return f"the handshake failed: {what}" + (f" ({limited})" if limited else "")
