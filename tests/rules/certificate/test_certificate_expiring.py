"""certificate-expiring: what ends within 30 days, and nothing that ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analyzer.certificates.chain import Chain
from analyzer.connection import Seen
from analyzer.findings import Confidence, Depth, Severity
from analyzer.rules import judge
from tests.build import asn1, pki
from tests.build.connections import (
    CLIENT_DONE,
    DATA,
    HANDSHAKE,
    SERVER_FLIGHT,
    START_NS,
    FakeHistory,
    connection,
    context,
)
from tests.rules.cast import CLIENT, ROOT, SERVER, SUB, answer, chain, finding, findings, raw

RULE = "certificate-expiring"
NOW = datetime.fromtimestamp(START_NS // 10**9, UTC)
DAY_NS = 24 * 3600 * 10**9


def until(**ahead: float) -> dict[str, Any]:
    """Valid until so long after the test connections."""
    return {"not_after": NOW + timedelta(**ahead)}


SOON = SUB.issue("soon.example", san=["soon.example"], **until(days=9, hours=1))
SOON_SUB = ROOT.issue("SoonSub", ca=True, **until(days=20, hours=1))
LATER_SUB = ROOT.cross_sign(SOON_SUB)
UNDER_SOON = SOON_SUB.issue("under.example")
SOON_ROOT = pki.root("SoonRoot", **until(days=3))
NO_DATE = SUB.issue("dateless.example", validity=asn1.seq(asn1.utf8("soon"), asn1.utf8("later")))
OLD = SUB.issue("old.example", **until(days=-1))


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(chain(SERVER, SUB, ROOT), "silent", id="all dates are far away"),
        pytest.param(chain(SUB.issue("d31.example", **until(days=31)), SUB), "silent", id="31 days are left"),
        pytest.param(chain(OLD, SUB), "silent", id="it has expired: another rule's matter"),
        pytest.param(chain(SERVER, SUB, SOON), "silent", id="a stranger in the message is not on the path"),
        pytest.param(chain(NO_DATE, SUB), "silent", id="a date that is no date"),
        pytest.param(raw(b"junk"), "silent", id="the certificate cannot be read"),
        pytest.param(chain(SOON, SUB), "warning", id="the leaf ends in nine days"),
        pytest.param(chain(SUB.issue("d30.example", **until(days=30)), SUB), "warning", id="30 days are left"),
        pytest.param(chain(SUB.issue("hour.example", **until(hours=1)), SUB), "warning", id="an hour is left"),
        pytest.param(chain(UNDER_SOON, SOON_SUB), "warning", id="the intermediate ends"),
        pytest.param(chain(SOON_ROOT.issue("rooted.example"), SOON_ROOT), "warning", id="the root ends"),
        pytest.param(chain(OLD, SOON_SUB), "silent", id="the CA that ends is not the leaf's"),
    ],
)
def test_what_was_sent(sent: Chain, expected: str) -> None:
    assert answer(RULE, connection(*HANDSHAKE, *DATA, server_chain=sent)) == expected


def test_another_path_that_lasts_makes_it_a_note() -> None:
    cross = SOON_ROOT.cross_sign(ROOT, **until(days=2))
    conn = connection(*HANDSHAKE, *DATA, server_chain=chain(SERVER, SUB, cross))
    assert answer(RULE, conn) == "warning"
    assert answer(RULE, conn, context(FakeHistory(roots={"CN=Root": "a trust store"}))) == "note"


@pytest.mark.parametrize(
    ("hours", "facts", "asked", "expected"),
    [
        pytest.param(13, {}, {}, "warning", id="13 hours are left, the time is sure"),
        pytest.param(13, {"local_time_doubt": True}, {}, "cannot tell", id="13 hours of local time are left"),
        pytest.param(15, {"local_time_doubt": True}, {}, "warning", id="15 hours of local time are left"),
        pytest.param(13, {"local_time_doubt": True}, {"now_ns": START_NS}, "warning", id="the user says the time"),
        pytest.param(900, {}, {"now_ns": START_NS + 10 * DAY_NS}, "warning", id="judged ten days later"),
        pytest.param(100, {}, {"now_ns": START_NS - 40 * DAY_NS}, "silent", id="judged forty days earlier"),
        pytest.param(100, {}, {"now_ns": START_NS + 10 * DAY_NS}, "silent", id="expired at the time asked for"),
    ],
)
def test_when(hours: int, facts: dict[str, Any], asked: dict[str, Any], expected: str) -> None:
    leaf = SUB.issue(f"h{hours}.example", **until(hours=hours))
    conn = connection(*HANDSHAKE, *DATA, server_chain=chain(leaf, SUB), **facts)
    assert answer(RULE, conn, context(**asked)) == expected


@pytest.mark.parametrize("ladder", [(*SERVER_FLIGHT, "> Alert 45"), (*SERVER_FLIGHT, "> RST"), (*CLIENT_DONE, "< RST")])
def test_it_is_no_cause_of_a_failure(ladder: tuple[str, ...]) -> None:
    conn = connection(*ladder, server_chain=chain(SOON, SUB), client_chain=chain(CLIENT, SUB))
    said = finding(RULE, conn)
    assert (said.severity, said.depth) == (Severity.WARNING, Depth.SYMPTOM)
    assert judge(conn, context())[0].rule != RULE


def test_one_finding_a_side_names_all() -> None:
    both = chain(SOON_SUB.issue("first.example", **until(days=5, hours=2)), SOON_SUB)
    conn = connection(*HANDSHAKE, *DATA, server_chain=both, client_chain=chain(SOON, SUB))
    server, client = findings(RULE, conn)
    date = f"{NOW + timedelta(days=5, hours=2):%Y-%m-%d %H:%M} UTC"
    assert server.summary == (
        "the server's certificate first.example and the CA certificate SoonSub in its chain expire soon: the first in 5 "
        f"days, on {date}"
    )
    assert "the client's certificate soon.example expires soon: in 9 days" in client.summary
    assert "192.0.2.10" in client.advice
    assert client.confidence is Confidence.HIGH


def test_no_certificates_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    assert (
        answer(RULE, connection(*HANDSHAKE, hidden=Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE)) == "cannot tell"
    )
