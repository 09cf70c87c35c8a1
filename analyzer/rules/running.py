"""Runs the rules on one record. A crash in one rule stays in that rule and is told to the caller.

Nearly all connections of a capture are alike. So which rules apply is worked out once per combination of facts seen, and
which of these have nothing to say of a kind of connections (judgement/kind.py) once per kind: a healthy one runs hardly any.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import attrgetter

from analyzer.connection import Connection, Seen
from analyzer.dataclass import dataclass
from analyzer.findings import CannotTell, Finding, Outcome, Verdict
from analyzer.judgement.capture_view import CaptureView
from analyzer.judgement.kind import FOREVER, NOTHING_DEMANDED, Kind, Period, common, demanded, kind_of
from analyzer.judgement.story import pseudo_tls
from analyzer.rules.entries import Entry, candidates, catalogue, fact_names, surveys
from analyzer.rules.ranking import ranked
from analyzer.rules.rule import Context

SECOND_NS = 1_000_000_000
MAX_PLANS = 4096  # combinations of facts remembered: there are a few dozen in practice, a hostile capture makes more
PSEUDO_TLS = "ms-turn-pseudo-tls"
HOW_IT_WENT = Seen.ESTABLISHED | Seen.FAILED | Seen.NOT_TLS | Seen.NO_DATA | Seen.TROUBLED_END

MAX_KINDS = 1024  # their chains and CA lists stay in memory

Key = tuple[int, int, int, int, str | None, str | None, str | None, bool, int | None, int, object]


@dataclass(frozen=True, slots=True)
class KindPlan:
    """What to run on a kind of connections.

    Attributes:
        speakers: rules that may have something to say within `period`; outside of it every rule of the plan may.
        kind: keeps the objects whose ids are in the key.
    """

    speakers: tuple[Entry, ...]
    period: Period
    kind: Kind


_plans: dict[int, tuple[Entry, ...]] = {}
_kinds: dict[Key, KindPlan | None] = {}  # None: seen once, which is not worth a plan
_order = attrgetter("order")


def judge(conn: Connection, context: Context, on_crash: Callable[[Verdict], None] | None = None) -> tuple[Finding, ...]:
    """What the rules find, likeliest cause first.

    A rule that raises gives a CRASHED verdict to `on_crash`, and the others go on; without `on_crash` its exception is
    raised, for a caller that contains crashes itself.
    """
    if pseudo_tls(conn):
        plan = tuple(entry for entry in _plan(conn.seen) if _about_pseudo_tls(entry))
    else:
        plan = _speakers(conn, context)
    findings: list[Finding] = []
    for entry in plan:
        try:
            for said in entry.check(conn, context):
                if isinstance(said, Finding):
                    findings.append(said)  # noqa: PERF401  (what a rule said before it crashed counts)
        except Exception as error:
            if on_crash is None:
                raise
            on_crash(_crashed(entry, error))
    if len(findings) > 1:
        findings = ranked(conn, findings)
    return tuple(findings)


def verdicts(conn: Connection, context: Context) -> tuple[Verdict, ...]:
    """What every rule of the catalogue says about this connection, sorted by id: for `--verdicts`."""
    return tuple(verdict(entry, conn, context) for entry in catalogue() if entry.survey is None)


def survey(
    view: CaptureView, context: Context, on_crash: Callable[[Verdict], None] | None = None
) -> tuple[Finding, ...]:
    """What the rules about whole captures find, likeliest cause first. Crashes as in `judge`."""
    findings: list[Finding] = []
    for said in survey_verdicts(view, context):
        findings += said.findings
        if said.outcome is Outcome.CRASHED and on_crash is not None:
            on_crash(said)
    return tuple(sorted(findings, key=_order))


def survey_verdicts(view: CaptureView, context: Context) -> tuple[Verdict, ...]:
    """What every rule about whole captures says, sorted by id."""
    return tuple(_surveyed(entry, view, context) for entry in surveys())


def _surveyed(entry: Entry, view: CaptureView, context: Context) -> Verdict:
    said: list[Finding | CannotTell] = []
    try:
        if entry.survey is not None:
            for one in entry.survey(view, context):
                said.append(one)  # noqa: PERF402  (what a rule said before it crashed counts)
    except Exception as error:
        return replace(_crashed(entry, error), findings=tuple(one for one in said if isinstance(one, Finding)))
    return _summed_up(entry, said)


def _plan(seen: Seen) -> tuple[Entry, ...]:
    """The rules whose needs are all among the facts seen."""
    key = int(seen)
    plan = _plans.get(key)
    if plan is None:
        if len(_plans) >= MAX_PLANS:
            _plans.clear()
        plan = _plans[key] = candidates(seen)
    return plan


def _speakers(conn: Connection, context: Context) -> tuple[Entry, ...]:
    """Those of the plan that may have something to say about this connection."""
    key = _key(conn, context)
    known = _kinds.get(key)
    if known is None:
        if key not in _kinds:
            if len(_kinds) >= MAX_KINDS:
                _kinds.clear()
            _kinds[key] = None
            return _plan(conn.seen)
        known = _kinds[key] = _plan_kind(conn, context)
    first, last = known.period
    return known.speakers if first <= context.judged_at(conn) // SECOND_NS <= last else _plan(conn.seen)


def _key(conn: Connection, context: Context) -> Key:
    """Everything that `seen` and `kind_of` say, as numbers and texts: to hash chains, lists and members of an enum is slow."""
    server, client, request = conn.server_chain, conn.client_chain, conn.certificate_request
    state, hello = conn.client_certificate_state, conn.client_hello
    return (
        conn.seen._value_,
        id(server.chain) if server is not None else 0,
        id(client.chain) if client is not None else 0,
        id(request.ca_list) if request is not None else 0,
        state._value_ if state is not None else None,
        conn.server_name,
        hello.server_name if hello is not None else None,
        hello is not None and hello.sslv2,
        conn.version_code,
        context.history.learned(),
        NOTHING_DEMANDED if context.topology is None else demanded(conn, context),
    )


def _plan_kind(conn: Connection, context: Context) -> KindPlan:
    """Ask each rule of the plan once."""
    kind, speakers, period = kind_of(conn, context), [], FOREVER
    for entry in _plan(conn.seen):
        silent = _silent(entry, kind)
        if silent is None:
            speakers.append(entry)
        else:
            period = common(period, silent)
    return KindPlan(tuple(speakers), period, kind)


def _silent(entry: Entry, kind: Kind) -> Period | None:
    """When the rule has nothing to say of this kind; None if that is not known, be it by a crash: `check` will tell."""
    try:
        return entry.quiet(kind) if entry.quiet is not None else None
    except Exception:
        return None


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
    return _summed_up(entry, said)


def _summed_up(entry: Entry, said: Sequence[Finding | CannotTell]) -> Verdict:
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
