"""Runs the rules on one record. A crash in one rule stays in that rule and is told to the caller.

Nearly all connections of a capture are alike, so which rules apply is worked out once per combination of facts seen,
and a healthy connection runs only the few rules whose needs are all there.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

from analyzer.connection import Connection, Seen
from analyzer.findings import CannotTell, Finding, Outcome, Verdict
from analyzer.judgement.story import pseudo_tls
from analyzer.rules.entries import Entry, catalogue, fact_names
from analyzer.rules.rule import Context

MAX_PLANS = 4096  # combinations of facts remembered: there are a few dozen in practice, a hostile capture makes more
PSEUDO_TLS = "ms-turn-pseudo-tls"
HOW_IT_WENT = Seen.ESTABLISHED | Seen.FAILED | Seen.NOT_TLS | Seen.NO_DATA | Seen.TROUBLED_END

_plans: dict[int, tuple[Entry, ...]] = {}
_order = attrgetter("order")


def judge(conn: Connection, context: Context, on_crash: Callable[[Verdict], None] | None = None) -> tuple[Finding, ...]:
    """What the rules find, likeliest cause first.

    A rule that raises gives a CRASHED verdict to `on_crash`, and the others go on; without `on_crash` its exception is
    raised, for a caller that contains crashes itself.
    """
    findings: list[Finding] = []
    plan = _plan(conn.seen)
    if pseudo_tls(conn):
        plan = tuple(entry for entry in plan if _about_pseudo_tls(entry))
    for entry in plan:
        try:
            findings.extend(said for said in entry.check(conn, context) if isinstance(said, Finding))
        except Exception as error:
            if on_crash is None:
                raise
            on_crash(_crashed(entry, error))
    if len(findings) > 1:
        findings.sort(key=_order)
    return tuple(findings)


def verdicts(conn: Connection, context: Context) -> tuple[Verdict, ...]:
    """What every rule of the catalogue says about this connection, sorted by id: for `--verdicts`."""
    return tuple(verdict(entry, conn, context) for entry in catalogue())


def _plan(seen: Seen) -> tuple[Entry, ...]:
    """The rules whose needs are all among the facts seen."""
    key = int(seen)
    plan = _plans.get(key)
    if plan is None:
        if len(_plans) >= MAX_PLANS:
            _plans.clear()
        plan = _plans[key] = tuple(e for e in catalogue() if all(need & key for need in e.rule.needs))
    return plan


def verdict(entry: Entry, conn: Connection, context: Context) -> Verdict:
    """What one rule says about this connection, and why it says nothing if it does not."""
    if pseudo_tls(conn) and not _about_pseudo_tls(entry):
        return Verdict(entry.id, Outcome.NOT_APPLICABLE)
    missing = [need for need in entry.rule.needs if not need & conn.seen]
    if missing:
        hidden = _hidden(conn)
        if all(need & hidden for need in missing):
            return Verdict(entry.id, Outcome.CANNOT_TELL, reason=_why_hidden(conn, missing))
        return Verdict(entry.id, Outcome.NOT_APPLICABLE)
    try:
        said = tuple(entry.check(conn, context))
    except Exception as error:
        return _crashed(entry, error)
    findings = tuple(sorted((item for item in said if isinstance(item, Finding)), key=_order))
    if findings:
        return Verdict(entry.id, Outcome.HIT, findings)
    withheld = next((item.reason for item in said if isinstance(item, CannotTell)), None)
    if withheld is not None:
        return Verdict(entry.id, Outcome.CANNOT_TELL, reason=withheld)
    return Verdict(entry.id, Outcome.CLEAR)


def _about_pseudo_tls(entry: Entry) -> bool:
    """Of a connection that only looks like TLS, its own rule and those about the capture speak; the others would judge a
    handshake that is none."""
    return entry.family == "capture" or entry.id == PSEUDO_TLS


def _hidden(conn: Connection) -> Seen:
    """Facts that may exist unseen. Of a connection whose handshake is not in full view, so is how it went."""
    if Seen.UNKNOWN & conn.seen and conn.visibility.limited:
        return conn.hidden | HOW_IT_WENT
    return conn.hidden


def _why_hidden(conn: Connection, missing: list[Seen]) -> str:
    what = ", ".join(fact_names(need & _hidden(conn)) for need in missing)
    return f"cannot be seen: {what} ({conn.visibility.limited or 'encrypted'})"


def _crashed(entry: Entry, error: Exception) -> Verdict:
    return Verdict(entry.id, Outcome.CRASHED, reason=f"{type(error).__name__}: {error}")
