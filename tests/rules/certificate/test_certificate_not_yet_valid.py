"""certificate-not-yet-valid: the other end of the dates (see test_certificate_expired.py)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analyzer.certificates.chain import Chain
from analyzer.connection import Seen
from analyzer.findings import Confidence, Depth
from tests.build.connections import (
    CLIENT_FLIGHT,
    DATA,
    HANDSHAKE,
    SERVER_FLIGHT,
    START_NS,
    FakeHistory,
    connection,
    context,
)
from tests.rules.cast import ROOT, SERVER, SUB, answer, chain, finding, raw

RULE = "certificate-not-yet-valid"
NOW = datetime.fromtimestamp(START_NS // 10**9, UTC)
HOUR_NS = 3600 * 10**9


def starts(**ahead: float) -> dict[str, Any]:
    """Valid from so long after the test connections."""
    return {"not_before": NOW + timedelta(**ahead)}


EARLY = SUB.issue("early.example", san=["early.example"], **starts(hours=3))
EARLY_SUB = ROOT.issue("EarlySub", ca=True, **starts(days=2))
UNDER_EARLY = EARLY_SUB.issue("under.example")
OTHER_ROOT = ROOT.issue("Bridge", ca=True)
EARLY_CROSS = OTHER_ROOT.cross_sign(ROOT, **starts(days=2))
STARTS_NOW = SUB.issue("now.example", not_before=NOW)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(chain(SERVER, SUB, ROOT), "silent", id="all dates hold"),
        pytest.param(chain(STARTS_NOW, SUB), "silent", id="the first second counts"),
        pytest.param(chain(SERVER, SUB, EARLY), "silent", id="a stranger in the message is not on the path"),
        pytest.param(
            chain(SUB.issue("old.example", not_after=NOW - timedelta(1)), SUB), "silent", id="expired instead"
        ),
        pytest.param(raw(b"junk"), "cannot tell", id="the certificate cannot be read"),
        pytest.param(chain(EARLY, SUB), "error", id="the leaf starts in three hours"),
        pytest.param(chain(UNDER_EARLY, EARLY_SUB), "error", id="the intermediate starts in two days"),
    ],
)
def test_what_was_sent(sent: Chain, expected: str) -> None:
    assert answer(RULE, connection(*HANDSHAKE, *DATA, server_chain=sent)) == expected


@pytest.mark.parametrize(
    ("hours", "doubt", "expected"),
    [
        pytest.param(15, True, "error", id="starts in 15 hours of local time: no zone helps"),
        pytest.param(13, True, "cannot tell", id="starts in 13 hours of local time"),
        pytest.param(-13, True, "cannot tell", id="started 13 hours ago of local time"),
        pytest.param(-15, True, "silent", id="started 15 hours ago of local time"),
        pytest.param(13, False, "error", id="starts in 13 hours, the time is sure"),
        pytest.param(-1, False, "silent", id="started an hour ago"),
    ],
)
def test_doubt_about_the_time(hours: int, doubt: bool, expected: str) -> None:
    leaf = SUB.issue(f"in{hours}.example", **starts(hours=hours))
    conn = connection(*HANDSHAKE, server_chain=chain(leaf, SUB), local_time_doubt=doubt)
    assert answer(RULE, conn) == expected


def test_a_known_root_of_that_name_makes_it_a_note() -> None:
    conn = connection(*HANDSHAKE, server_chain=chain(SERVER, SUB, EARLY_CROSS))
    assert answer(RULE, conn) == "error"
    assert answer(RULE, conn, context(FakeHistory(roots={"CN=Root": "a trust store"}))) == "note"


@pytest.mark.parametrize(
    ("year", "asked", "expected"),
    [
        pytest.param(1970, {}, "cannot tell", id="a clock that never was set"),
        pytest.param(1980, {}, "cannot tell", id="a clock without a battery"),
        pytest.param(2000, {}, "error", id="a clock that may be right"),
        pytest.param(1970, {"now_ns": START_NS}, "silent", id="the user says what time it is"),
        pytest.param(2026, {"now_ns": 1}, "error", id="the user asks for 1970"),
    ],
)
def test_time_stamps_that_cannot_be_right(year: int, asked: dict[str, Any], expected: str) -> None:
    at = int(datetime(year, 10, 1, tzinfo=UTC).timestamp()) * 10**9
    conn = connection(*HANDSHAKE, server_chain=chain(SERVER, SUB), end_ns=at)
    assert answer(RULE, conn, context(**asked)) == expected


def test_no_certificates_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    assert (
        answer(RULE, connection(*HANDSHAKE, hidden=Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE)) == "cannot tell"
    )


def test_dates_distance_and_today_are_told() -> None:
    conn = connection(*SERVER_FLIGHT, "> Alert 45", server_chain=chain(EARLY, SUB))
    said = finding(RULE, conn, today_ns=START_NS + 24 * HOUR_NS)
    assert f"early.example is not valid before {NOW + timedelta(hours=3):%Y-%m-%d %H:%M:%S} UTC" in said.summary
    assert "3 hours after this connection" in said.summary
    assert "it is valid" in said.summary
    assert "clocks" in said.advice
    assert said.depth is Depth.ROOT
    assert "it is not yet valid" in finding(RULE, conn, today_ns=START_NS - 24 * HOUR_NS).summary
    assert "today" not in finding(RULE, conn, today_ns=START_NS + HOUR_NS).summary


def test_it_is_not_the_cause_when_the_other_side_was_refused() -> None:
    assert finding(RULE, connection(*CLIENT_FLIGHT, "< RST", server_chain=chain(EARLY, SUB))).depth is Depth.SYMPTOM


def test_a_peer_that_took_it_makes_the_captures_clock_doubtful() -> None:
    said = finding(RULE, connection(*HANDSHAKE, *DATA, server_chain=chain(EARLY, SUB)))
    assert said.confidence is Confidence.LOW
    assert "the other side took it, so the clock of the capturing machine may be wrong" in said.summary


@pytest.mark.parametrize(
    ("sent", "year", "blamed"),
    [
        pytest.param(chain(SERVER, SUB, ROOT), 1999, True, id="of the last century"),
        pytest.param(chain(SERVER), 1999, True, id="a lone leaf in the last century"),
        pytest.param(chain(SERVER, SUB, ROOT), 2009, True, id="the whole chain starts years later"),
        pytest.param(chain(EARLY, SUB), 2009, True, id="the leaf later still"),
        pytest.param(chain(SERVER), 2009, False, id="a lone leaf says little"),
        pytest.param(chain(EARLY, SUB), 2026, False, id="the CAs are valid"),
        pytest.param(chain(UNDER_EARLY, EARLY_SUB), 2026, False, id="an intermediate made too early"),
    ],
)
def test_a_clock_that_is_plainly_wrong_is_blamed_before_the_certificate(sent: Chain, year: int, blamed: bool) -> None:
    at = int(NOW.replace(year=year).timestamp()) * 10**9
    said = finding(RULE, connection(*SERVER_FLIGHT, "> RST", server_chain=sent, end_ns=at))
    assert (said.confidence is Confidence.LOW) is blamed
    assert (f"the capture is dated {year}-09-21: most likely its clock is wrong" in said.summary) is blamed
    assert said.advice.startswith("Correct the clock of the capturing machine") is blamed


def test_a_peer_that_says_the_same_may_share_the_wrong_clock() -> None:
    at = int(NOW.replace(year=1999).timestamp()) * 10**9
    said = finding(RULE, connection(*SERVER_FLIGHT, "> Alert 45", server_chain=chain(SERVER, SUB), end_ns=at))
    assert said.confidence is Confidence.HIGH and "most likely its clock is wrong" in said.summary


def test_a_given_moment_is_beyond_doubt() -> None:
    conn = connection(*HANDSHAKE, *DATA, server_chain=chain(EARLY, SUB))
    said = finding(RULE, conn, now_ns=START_NS)
    assert said.confidence is Confidence.HIGH and "clock" not in said.summary
