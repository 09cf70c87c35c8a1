"""What is the cause, and what is only a trace of it."""

from __future__ import annotations

import pytest

from analyzer import rules
from analyzer.connection import Connection, Side
from analyzer.findings import Confidence, Depth, Finding, Severity
from analyzer.rules import ranking
from tests.build.connections import CLIENT_FLIGHT, DATA, HANDSHAKE, TCP, connection, context
from tests.test_catalogue import EXPECTED

FAILED = connection(*CLIENT_FLIGHT, "< RST")
HELLO_REFUSED = connection(*TCP, "> ClientHello", "< RST")
LATE = connection(*HANDSHAKE, "< RST")
HEALTHY = connection(*HANDSHAKE, *DATA, "< RST")


def error(rule: str, depth: Depth = Depth.SYMPTOM, frame: int = 12, sure: Confidence = Confidence.HIGH) -> Finding:
    return Finding(rule, Severity.ERROR, sure, f"{rule}.", depth=depth, frames=(frame,))


def warning(rule: str, depth: Depth = Depth.STEP, sure: Confidence = Confidence.HIGH) -> Finding:
    return Finding(rule, Severity.WARNING, sure, f"{rule}.", depth=depth, frames=(12,))


def note(rule: str) -> Finding:
    return Finding(rule, Severity.NOTE, Confidence.HIGH, f"{rule}.")


RESET, ALERT = error("reset-during-handshake"), error("tls-alert", Depth.ANNOUNCED)
CLOSED, SILENT = error("closed-during-handshake"), error("handshake-timeout")
REJECTED = error("client-certificate-rejected", Depth.STEP)
MISSING = error("client-certificate-missing", Depth.STEP)
INCOMPLETE = error("client-chain-incomplete", Depth.ROOT, sure=Confidence.MEDIUM)
EXPIRED = error("certificate-expired", Depth.ROOT)
TRUNCATED = error("ca-list-truncated", Depth.ROOT)
NOT_LISTED = error("client-issuer-not-in-ca-list", Depth.ROOT, sure=Confidence.MEDIUM)
LATE_RESET = error("reset-after-handshake")


@pytest.mark.parametrize(
    ("conn", "found", "told"),
    [
        pytest.param(FAILED, [RESET], "reset-during-handshake", id="alone"),
        pytest.param(
            FAILED,
            [RESET, ALERT, REJECTED, INCOMPLETE],
            "client-chain-incomplete > client-certificate-rejected, tls-alert, reset-during-handshake",
            id="a defect explains the step, what was said, and the end",
        ),
        pytest.param(
            FAILED,
            [RESET, REJECTED],
            "client-certificate-rejected > reset-during-handshake",
            id="a step explains the end",
        ),
        pytest.param(
            FAILED,
            [INCOMPLETE, EXPIRED, ALERT],
            "certificate-expired > tls-alert; client-chain-incomplete",
            id="two defects: the surer one explains the end, the other stands beside it",
        ),
        pytest.param(
            FAILED,
            [NOT_LISTED, TRUNCATED, MISSING, RESET],
            "ca-list-truncated > client-issuer-not-in-ca-list, client-certificate-missing, reset-during-handshake",
            id="a list that was cut lacks the client's issuer",
        ),
        pytest.param(
            FAILED,
            [warning("ca-list-truncated", Depth.SYMPTOM), REJECTED, EXPIRED],
            "certificate-expired > client-certificate-rejected; ca-list-truncated",
            id="a list that was cut, beside a failure that is about something else",
        ),
        pytest.param(FAILED, [RESET, ALERT], "tls-alert > reset-during-handshake", id="said, and then reset"),
        pytest.param(
            FAILED,
            [RESET, warning("encrypted-alert", Depth.ANNOUNCED)],
            "encrypted-alert > reset-during-handshake",
            id="said in secret, and then reset: the warning comes first",
        ),
        pytest.param(FAILED, [CLOSED, SILENT], "handshake-timeout > closed-during-handshake", id="gave up waiting"),
        pytest.param(
            FAILED,
            [CLOSED, warning("zero-window")],
            "zero-window > closed-during-handshake",
            id="its window was closed",
        ),
        pytest.param(
            HELLO_REFUSED,
            [RESET, warning("sslv2-client-hello")],
            "sslv2-client-hello > reset-during-handshake",
            id="the old hello was refused",
        ),
        pytest.param(
            FAILED,
            [RESET, warning("sslv2-client-hello")],
            "reset-during-handshake; sslv2-client-hello",
            id="the old hello was answered: it is not why",
        ),
        pytest.param(
            FAILED,
            [RESET, warning("ca-list-too-long", Depth.ROOT)],
            "reset-during-handshake; ca-list-too-long",
            id="a standing weakness explains nothing",
        ),
        pytest.param(
            FAILED,
            [RESET, error("certificate-expired", Depth.SYMPTOM)],
            "certificate-expired; reset-during-handshake",
            id="nor does a defect that the end is not about",
        ),
        pytest.param(
            FAILED,
            [RESET, error("client-certificate-rejected", Depth.STEP, sure=Confidence.LOW)],
            "client-certificate-rejected; reset-during-handshake",
            id="nor does a guess",
        ),
        pytest.param(
            FAILED,
            [ALERT, note("idle-reset"), INCOMPLETE],
            "client-chain-incomplete > tls-alert; idle-reset",
            id="a note",
        ),
        pytest.param(
            LATE, [LATE_RESET, EXPIRED], "certificate-expired > reset-after-handshake", id="late, and about that end"
        ),
        pytest.param(
            LATE,
            [REJECTED, EXPIRED],
            "certificate-expired > client-certificate-rejected",
            id="late, and the step at which it showed",
        ),
        pytest.param(
            LATE,
            [REJECTED, error("certificate-expired", Depth.ROOT, frame=6)],
            "certificate-expired; client-certificate-rejected",
            id="late, refused for something else",
        ),
        pytest.param(
            LATE,
            [LATE_RESET, error("certificate-expired", Depth.ROOT, frame=6)],
            "certificate-expired; reset-after-handshake",
            id="late, with a defect that nobody refused",
        ),
        pytest.param(
            HEALTHY, [EXPIRED, warning("self-signed", Depth.ROOT)], "certificate-expired; self-signed", id="it works"
        ),
    ],
)
def test_order_and_explanations(conn: Connection, found: list[Finding], told: str) -> None:
    for given in (found, found[::-1]):
        assert shown(ranking.ranked(conn, list(given))) == told


def shown(found: list[Finding]) -> str:
    """ "cause > trace, trace; another cause"."""
    causes = []
    for finding in found:
        if finding.explained_by is None:
            traces = [trace.rule for trace in found if trace.explained_by == finding.rule]
            causes.append(f"{finding.rule} > {', '.join(traces)}" if traces else finding.rule)
    return "; ".join(causes)


def test_a_mark_is_no_part_of_what_is_said() -> None:
    (_, trace) = ranking.ranked(FAILED, [RESET, REJECTED])
    assert trace.explained_by == "client-certificate-rejected"
    assert trace == RESET
    assert RESET.explained_by is None, "findings are not changed in place"


def test_every_rule_named_exists_or_is_to_come() -> None:
    known = {rule for family in EXPECTED.values() for rule in family}
    named = {rule for cause, traces in ranking.EXPLAINS.items() for rule in (cause, *traces)}
    assert named | ranking.SYMPTOMS | ranking.STEPS <= known
    assert ranking.ONLY_IF.keys() | ranking.WARNINGS_TOO <= ranking.EXPLAINS.keys()


def test_nothing_explains_itself_by_a_detour() -> None:
    def below(rule: str, passed: tuple[str, ...] = ()) -> None:
        assert rule not in passed, passed
        for trace in ranking.EXPLAINS.get(rule, ()):
            below(trace, (*passed, rule))

    for cause in ranking.EXPLAINS:
        below(cause)


@pytest.mark.parametrize("side", Side)
def test_judging_marks_the_symptoms(side: Side) -> None:
    mark = ">" if side is Side.CLIENT else "<"
    found = rules.judge(connection(*CLIENT_FLIGHT, f"{mark} Alert 40", f"{mark} RST"), context())
    assert [finding.rule for finding in found if finding.explained_by is None] == [found[0].rule]
    assert found[0].rule in ("tls-alert", "client-certificate-rejected")
