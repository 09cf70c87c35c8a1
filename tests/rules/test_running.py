"""Running the rules: order, isolation of a crash, and what is said about rules that do not apply."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from analyzer import rules
from analyzer.connection import Connection, Outcome, Seen, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity, Verdict
from analyzer.findings import Outcome as Answer
from analyzer.judgement.capture_view import CaptureView
from analyzer.judgement.kind import FOREVER, Kind, Period
from analyzer.rules import running
from analyzer.rules.entries import Entry
from analyzer.rules.rule import Context, Rule
from tests.build.connections import (
    DATA,
    HANDSHAKE,
    HELLOS,
    SECOND_NS,
    SERVER_FLIGHT,
    START_NS,
    client_hello,
    connection,
    context,
)

HEALTHY = connection(*HANDSHAKE, *DATA)
FAILED = connection(*SERVER_FLIGHT, "> Alert 48", "> RST")


def rule(
    rule_id: str, severity: Severity = Severity.ERROR, depth: Depth = Depth.STEP, needs: tuple[Seen, ...] = ()
) -> Rule:
    return Rule(rule_id, "a rule of this test", severity, Confidence.HIGH, ("this test",), needs, depth)


def saying(one: Rule, *said: Finding | CannotTell) -> Entry:
    """A rule that always says the same; a finding of its own if nothing is given."""

    def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
        yield from said or (one.finding(conn, f"{one.id} speaks"),)

    return Entry(one, "test", check, "")


def quiet_in(period: Period | None) -> Entry:
    """A rule that always speaks, although it says that it is quiet: what is asked can be seen from what is found."""
    return replace(saying(rule("r")), quiet=lambda kind: period)


def crashing(rule_id: str) -> Entry:
    def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
        yield RULE.finding(conn, "half a result")
        raise ValueError("a bug of ours")

    RULE = rule(rule_id)
    return Entry(RULE, "test", check, "")


def fits(entry: Entry, seen: Seen) -> bool:
    return entry.survey is None and all(need & seen for need in entry.rule.needs)


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Entry]]:
    """An empty catalogue to fill; the real one comes back afterwards."""
    entries: list[Entry] = []
    monkeypatch.setattr(running, "catalogue", lambda: tuple(entries))
    monkeypatch.setattr(running, "surveys", lambda: tuple(entry for entry in entries if entry.survey is not None))
    monkeypatch.setattr(running, "candidates", lambda seen: tuple(entry for entry in entries if fits(entry, seen)))
    monkeypatch.setattr(running, "_plans", {})
    monkeypatch.setattr(running, "_kinds", {})
    yield entries


def test_the_likeliest_cause_comes_first(catalogue: list[Entry]) -> None:
    catalogue += [
        saying(rule("note", Severity.NOTE, Depth.ROOT)),
        saying(rule("symptom", depth=Depth.SYMPTOM)),
        saying(rule("warning", Severity.WARNING, Depth.ROOT)),
        saying(rule("root", depth=Depth.ROOT)),
        saying(rule("announced", depth=Depth.ANNOUNCED)),
    ]
    found = [finding.rule for finding in rules.judge(FAILED, context())]
    assert found == ["root", "announced", "symptom", "warning", "note"]


def test_a_crash_stays_in_its_rule_and_is_told(catalogue: list[Entry]) -> None:
    catalogue += [saying(rule("before")), crashing("broken"), saying(rule("after"))]
    told: list[Verdict] = []
    findings = rules.judge(FAILED, context(), told.append)
    assert {"after", "before"} <= {finding.rule for finding in findings}
    assert [(verdict.rule, verdict.outcome, verdict.reason) for verdict in told] == [
        ("broken", Answer.CRASHED, "ValueError: a bug of ours")
    ]


def test_a_crash_that_nobody_listens_to_is_raised(catalogue: list[Entry]) -> None:
    catalogue += [crashing("broken")]
    with pytest.raises(ValueError, match="a bug of ours"):
        rules.judge(FAILED, context())


@pytest.mark.parametrize(
    ("entry", "conn", "answer"),
    [
        pytest.param(saying(rule("r")), FAILED, Answer.HIT, id="it has a finding"),
        pytest.param(saying(rule("r"), CannotTell("why")), FAILED, Answer.CANNOT_TELL, id="it cannot tell"),
        pytest.param(crashing("r"), FAILED, Answer.CRASHED, id="it crashes"),
        pytest.param(saying(rule("r", needs=(Seen.ICMP,))), FAILED, Answer.NOT_APPLICABLE, id="a need is not there"),
        pytest.param(
            saying(rule("r", needs=(Seen.ICMP | Seen.FAILED,))), FAILED, Answer.HIT, id="one alternative is there"
        ),
        pytest.param(
            saying(rule("r", needs=(Seen.ICMP, Seen.FAILED))),
            FAILED,
            Answer.NOT_APPLICABLE,
            id="one of two needs is there",
        ),
        pytest.param(
            saying(rule("r", needs=(Seen.CLIENT_CERTIFICATE,))),
            connection(*HELLOS, hidden=Seen.CLIENT_CERTIFICATE),
            Answer.CANNOT_TELL,
            id="a need is hidden",
        ),
        pytest.param(
            saying(rule("r", needs=(Seen.CLIENT_CERTIFICATE, Seen.RESET))),
            connection(*HELLOS, hidden=Seen.CLIENT_CERTIFICATE),
            Answer.NOT_APPLICABLE,
            id="one need is hidden, another is plainly not there",
        ),
        pytest.param(
            saying(rule("r", needs=(Seen.FAILED,))),
            connection(*HELLOS, outcome=Outcome.UNKNOWN, visibility={"one_sided": Side.CLIENT}),
            Answer.CANNOT_TELL,
            id="how it went is not in view",
        ),
        pytest.param(
            saying(rule("r", needs=(Seen.FAILED,))),
            connection(*HELLOS, outcome=Outcome.UNKNOWN),
            Answer.NOT_APPLICABLE,
            id="how it went is not decided yet",
        ),
    ],
)
def test_verdicts(catalogue: list[Entry], entry: Entry, conn: Connection, answer: Answer) -> None:
    catalogue.append(entry)
    (verdict,) = rules.verdicts(conn, context())
    assert (verdict.rule, verdict.outcome) == ("r", answer)
    assert bool(verdict.reason) == (answer in (Answer.CANNOT_TELL, Answer.CRASHED))
    assert bool(verdict.findings) == (answer is Answer.HIT)


def test_judge_and_verdicts_agree() -> None:
    for conn in (HEALTHY, FAILED, connection("> SYN", "< RST"), connection(*HELLOS, "... 9 s", "> FIN")):
        from_verdicts = {finding for verdict in rules.verdicts(conn, context()) for finding in verdict.findings}
        assert set(rules.judge(conn, context())) == from_verdicts


def test_every_rule_has_a_verdict() -> None:
    said = (*rules.verdicts(HEALTHY, context()), *rules.survey_verdicts(CaptureView(), context()))
    assert sorted(verdict.rule for verdict in said) == list(rules.ids())


def test_a_healthy_connection_runs_few_rules() -> None:
    plan = [entry.id for entry in running._plan(HEALTHY.seen)]
    assert len(plan) <= len(rules.ids()) // 3, plan


def test_plans_are_bounded(monkeypatch: pytest.MonkeyPatch, catalogue: list[Entry]) -> None:
    catalogue.append(saying(rule("r", needs=(Seen.SYN,))))
    monkeypatch.setattr(running, "MAX_PLANS", 8)
    sizes = []
    for bits in range(64):
        running._plan(Seen(bits))
        sizes.append(len(running._plans))
    assert max(sizes) == 8


def asked(conn: Connection, moment: int | None = None) -> list[bool]:
    """Does the first, second and third judgement of this connection ask the only rule?"""
    return [bool(rules.judge(conn, context(now_ns=moment))) for _ in range(3)]


START = START_NS // SECOND_NS


@pytest.mark.parametrize(
    ("entry", "moment", "answer"),
    [
        pytest.param(saying(rule("r")), None, [True, True, True], id="a rule that is never quiet"),
        pytest.param(quiet_in(FOREVER), None, [True, False, False], id="a quiet one, from the second of its kind on"),
        pytest.param(quiet_in(None), None, [True, True, True], id="one that does not know"),
        pytest.param(quiet_in((START, START)), None, [True, False, False], id="quiet at that time, to the second"),
        pytest.param(quiet_in((0, START - 1)), None, [True, True, True], id="quiet until then"),
        pytest.param(quiet_in((START + 1, START + 9)), None, [True, True, True], id="quiet later"),
        pytest.param(quiet_in((5, 6)), 6 * SECOND_NS, [True, False, False], id="the moment that the user gave counts"),
        pytest.param(
            replace(saying(rule("r")), quiet=lambda kind: (1, 1 // 0)), None, [True, True, True], id="quiet crashes"
        ),
    ],
)
def test_quiet_rules_are_left_out(catalogue: list[Entry], entry: Entry, moment: int | None, answer: list[bool]) -> None:
    catalogue.append(entry)
    assert asked(HEALTHY, moment) == answer


def test_a_kind_is_told_apart_by_what_its_rules_see(catalogue: list[Entry]) -> None:
    seen: list[Kind] = []

    def quiet(kind: Kind) -> Period:
        seen.append(kind)
        return FOREVER

    catalogue.append(replace(saying(rule("r")), quiet=quiet))
    nameless = client_hello(server_name=None)
    for conn in (HEALTHY, replace(HEALTHY, client_hello=nameless), replace(HEALTHY, server_name="other.example")):
        assert asked(conn) == [True, False, False]
    assert [(kind.named, kind.server_name) for kind in seen] == [
        (True, "sip.example.com"),
        (False, "sip.example.com"),
        (True, "other.example"),
    ]


def test_kinds_are_bounded(monkeypatch: pytest.MonkeyPatch, catalogue: list[Entry]) -> None:
    catalogue.append(quiet_in(FOREVER))
    monkeypatch.setattr(running, "MAX_KINDS", 4)
    sizes = []
    for number in range(16):
        rules.judge(replace(HEALTHY, server_name=f"{number}.example"), context())
        sizes.append(len(running._kinds))
    assert max(sizes) == 4


# ---- whole captures --------------------------------------------------------------------------------------------------


def surveying(rule_id: str, *said: Finding | CannotTell, crash: bool = False) -> Entry:
    """A rule about whole captures that says this, and then perhaps crashes."""

    def survey(view: CaptureView, context: Context) -> Iterator[Finding | CannotTell]:
        yield from said
        if crash:
            raise ValueError("a bug of ours")

    return replace(saying(rule(rule_id)), survey=survey)


WORSE, BETTER = rule("w").across("worse"), rule("b", Severity.NOTE).across("better")


def test_rules_about_captures_are_asked_once_and_not_of_connections(catalogue: list[Entry]) -> None:
    catalogue += [surveying("a", BETTER), saying(rule("m")), surveying("z", WORSE)]
    assert [finding.summary for finding in rules.survey(CaptureView(), context())] == ["worse", "better"]
    assert [finding.rule for finding in rules.judge(HEALTHY, context())] == ["m"]
    assert [verdict.rule for verdict in rules.verdicts(HEALTHY, context())] == ["m"]


def test_their_crashes_stay_in_their_rule_too(catalogue: list[Entry]) -> None:
    catalogue += [surveying("broken", BETTER, crash=True), surveying("z", WORSE)]
    crashes: list[Verdict] = []
    assert len(rules.survey(CaptureView(), context(), crashes.append)) == 2
    assert [(crash.rule, crash.reason) for crash in crashes] == [("broken", "ValueError: a bug of ours")]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param(surveying("r", WORSE), Answer.HIT, id="a finding"),
        pytest.param(surveying("r"), Answer.CLEAR, id="nothing"),
        pytest.param(surveying("r", CannotTell("too little")), Answer.CANNOT_TELL, id="it cannot tell"),
        pytest.param(surveying("r", crash=True), Answer.CRASHED, id="a bug"),
    ],
)
def test_verdicts_about_captures(catalogue: list[Entry], entry: Entry, expected: Answer) -> None:
    catalogue.append(entry)
    (said,) = rules.survey_verdicts(CaptureView(), context())
    assert said.outcome is expected
