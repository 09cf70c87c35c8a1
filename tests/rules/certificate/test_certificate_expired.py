"""certificate-expired: and with it the shared judgement of dates in judgement/validity.py."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analyzer.certificates.chain import Chain
from analyzer.connection import Seen
from analyzer.findings import Confidence, Depth
from analyzer.judgement.refusal import Defect
from analyzer.judgement.validity import Clock, lapse
from tests.build import asn1, pki
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
from tests.build.stores import AStore
from tests.rules.cast import CLIENT, ROOT, SERVER, SUB, answer, chain, finding, findings, raw

RULE = "certificate-expired"
NOW = datetime.fromtimestamp(START_NS // 10**9, UTC)
HOUR_NS = 3600 * 10**9


def until(**ago: float) -> dict[str, Any]:
    """Valid until so long before the test connections."""
    return {"not_after": NOW - timedelta(**ago)}


OLD = SUB.issue("old.example", san=["old.example"], **until(days=14))
OLD_SUB = ROOT.issue("OldSub", ca=True, **until(days=400))
NEW_SUB = ROOT.cross_sign(OLD_SUB)
UNDER_OLD = OLD_SUB.issue("under.example", san=["under.example"])
OLD_ROOT = pki.root("OldRoot", **until(days=30))
UNDER_OLD_ROOT = OLD_ROOT.issue("rooted.example", san=["rooted.example"])
CROSS = OLD_ROOT.cross_sign(ROOT, **until(days=90))
FALSE_SUB = pki.make("OldSub", issuer=ROOT, keep=OLD_SUB, key_usage=["keyCertSign"])
STRANGE_SUB = ROOT.issue("OldSub", ca=True, key_label="another key")
RENEWED_ROOT = pki.make("OldRoot", keep=OLD_ROOT, ca=True)
ENDS_NOW = SUB.issue("now.example", not_after=NOW)
NO_DATE = SUB.issue("dateless.example", validity=asn1.seq(asn1.utf8("soon"), asn1.utf8("later")))


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(chain(SERVER, SUB, ROOT), "silent", id="all dates hold"),
        pytest.param(chain(SERVER), "silent", id="a lone leaf with good dates"),
        pytest.param(chain(ENDS_NOW, SUB), "silent", id="the last second still counts"),
        pytest.param(chain(SERVER, SUB, OLD), "silent", id="an expired stranger in the message is not on the path"),
        pytest.param(chain(UNDER_OLD, NEW_SUB), "silent", id="the new generation of the intermediate was sent"),
        pytest.param(chain(NO_DATE, SUB), "silent", id="a date that is no date is another rule's matter"),
        pytest.param(raw(b"junk"), "cannot tell", id="the certificate cannot be read"),
        pytest.param(chain(OLD, SUB), "error", id="the leaf expired"),
        pytest.param(chain(OLD), "error", id="a lone leaf expired"),
        pytest.param(chain(SUB, OLD), "error", id="the leaf expired and is not first"),
        pytest.param(chain(UNDER_OLD, OLD_SUB), "error", id="the intermediate expired"),
        pytest.param(chain(UNDER_OLD, OLD_SUB, ROOT), "error", id="the intermediate expired, the root did not"),
        pytest.param(chain(UNDER_OLD_ROOT, OLD_ROOT), "error", id="the root that was sent expired"),
        pytest.param(chain(SERVER, SUB, CROSS), "error", id="the cross-certificate expired, and nothing goes round it"),
    ],
)
def test_what_was_sent(sent: Chain, expected: str) -> None:
    assert answer(RULE, connection(*HANDSHAKE, *DATA, server_chain=sent)) == expected


@pytest.mark.parametrize(
    ("sent", "history", "expected"),
    [
        pytest.param(
            chain(SERVER, SUB, CROSS), FakeHistory(), "error", id="one path, with an expired cross-certificate"
        ),
        pytest.param(
            chain(SERVER, SUB, CROSS),
            FakeHistory(roots={"CN=Root": "a trust store"}),
            "note",
            id="the cross-certificate's name is a known root as well",
        ),
        pytest.param(
            chain(UNDER_OLD_ROOT, OLD_ROOT),
            FakeHistory(roots={"CN=OldRoot": "frame 12"}),
            "error",
            id="an expired root is no way round itself",
        ),
        pytest.param(
            chain(OLD, SUB), FakeHistory(roots={"CN=Sub": "a trust store"}), "error", id="nothing goes round a leaf"
        ),
        pytest.param(chain(SERVER, SUB, CROSS, ROOT), FakeHistory(), "note", id="the root itself was sent too"),
        pytest.param(
            chain(UNDER_OLD, OLD_SUB, CROSS),
            FakeHistory(roots={"CN=Root": "a trust store"}),
            "error",
            id="the intermediate below a known root expired as well",
        ),
        pytest.param(
            chain(UNDER_OLD, OLD_SUB, FALSE_SUB),
            FakeHistory(),
            "error",
            id="the other way leads over one that is no CA",
        ),
        pytest.param(
            chain(UNDER_OLD, OLD_SUB, STRANGE_SUB),
            FakeHistory(),
            "error",
            id="the other one of that name has another key",
        ),
    ],
)
def test_another_valid_path_makes_it_a_note(sent: Chain, history: FakeHistory, expected: str) -> None:
    assert answer(RULE, connection(*HANDSHAKE, *DATA, server_chain=sent), context(history)) == expected


def test_an_expired_path_is_left_for_a_valid_one_of_the_same_name() -> None:
    """Two generations of the intermediate were sent; whichever is chosen for the path, a valid way exists."""
    for sent in (chain(UNDER_OLD, OLD_SUB, NEW_SUB), chain(UNDER_OLD, NEW_SUB, OLD_SUB)):
        assert answer(RULE, connection(*HANDSHAKE, server_chain=sent)) in ("note", "silent")


@pytest.mark.parametrize(
    ("sent", "held", "bypassed"),
    [
        pytest.param(chain(UNDER_OLD_ROOT, OLD_ROOT), [RENEWED_ROOT], True, id="its next edition, with its key"),
        pytest.param(chain(UNDER_OLD_ROOT, OLD_ROOT), [OLD_ROOT], False, id="the same expired root"),
        pytest.param(chain(UNDER_OLD_ROOT, OLD_ROOT), [ROOT], False, id="another root"),
        pytest.param(chain(SERVER, SUB, CROSS), [ROOT], True, id="the root that was cross-signed"),
        pytest.param(chain(UNDER_OLD, OLD_SUB), [NEW_SUB, ROOT], True, id="the next edition of the intermediate too"),
    ],
)
def test_the_store_of_the_other_side_may_have_another_path(
    sent: Chain, held: list[pki.Identity], bypassed: bool
) -> None:
    """What the peer has in its store."""
    found = lapse(sent, Defect.EXPIRED, Clock(START_NS), FakeHistory(), (AStore("the peer's store", *held),))
    assert found is not None
    assert found.bypassed is bypassed


def test_a_longer_lived_dead_end_does_not_hide_the_way() -> None:
    """The chosen intermediate lives longest but its own issuer expired; the other one is good."""
    sub = ROOT.issue("Twin", ca=True, not_after=NOW + timedelta(days=30))
    twin = OLD_ROOT.cross_sign(sub, not_after=NOW + timedelta(days=900))
    leaf = sub.issue("twin.example")
    assert answer(RULE, connection(*HANDSHAKE, server_chain=chain(leaf, twin, OLD_ROOT, sub))) == "note"


@pytest.mark.parametrize(
    ("hours", "facts", "asked", "expected"),
    [
        pytest.param(15, {}, {}, "error", id="expired by 15 hours"),
        pytest.param(13, {}, {}, "error", id="expired by 13 hours, the time is sure"),
        pytest.param(15, {"local_time_doubt": True}, {}, "error", id="expired by 15 hours: no zone helps"),
        pytest.param(13, {"local_time_doubt": True}, {}, "cannot tell", id="expired by 13 hours of local time"),
        pytest.param(-13, {"local_time_doubt": True}, {}, "cannot tell", id="expires in 13 hours of local time"),
        pytest.param(-15, {"local_time_doubt": True}, {}, "silent", id="expires in 15 hours of local time"),
        pytest.param(13, {"local_time_doubt": True}, {"now_ns": START_NS}, "error", id="the user says what time it is"),
        pytest.param(13, {}, {"now_ns": START_NS - 14 * HOUR_NS}, "silent", id="judged at an earlier time"),
        pytest.param(-13, {}, {"now_ns": START_NS + 14 * HOUR_NS}, "error", id="judged at a later time"),
    ],
)
def test_when(hours: int, facts: dict[str, Any], asked: dict[str, Any], expected: str) -> None:
    leaf = SUB.issue(f"h{hours}.example", **until(hours=hours))
    conn = connection(*HANDSHAKE, *DATA, server_chain=chain(leaf, SUB), **facts)
    assert answer(RULE, conn, context(**asked)) == expected


def test_an_element_in_doubt_does_not_hide_one_that_is_not() -> None:
    leaf = OLD_SUB.issue("doubt.example", **until(hours=1))
    conn = connection(*HANDSHAKE, server_chain=chain(leaf, OLD_SUB), local_time_doubt=True)
    assert "OldSub" in finding(RULE, conn).summary


@pytest.mark.parametrize(
    ("ladder", "depth", "confidence"),
    [
        pytest.param((*SERVER_FLIGHT, "> Alert 45"), Depth.ROOT, Confidence.HIGH, id="refused for it"),
        pytest.param((*SERVER_FLIGHT, "> Alert 46"), Depth.ROOT, Confidence.HIGH, id="refused for what may be it"),
        pytest.param((*SERVER_FLIGHT, "> RST"), Depth.ROOT, Confidence.MEDIUM, id="refused without a word"),
        pytest.param((*SERVER_FLIGHT, "> Alert 48"), Depth.SYMPTOM, Confidence.MEDIUM, id="refused for its CA"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 48"), Depth.SYMPTOM, Confidence.MEDIUM, id="the client was refused"),
        pytest.param((*HANDSHAKE, *DATA), Depth.ROOT, Confidence.HIGH, id="it works"),
    ],
)
def test_it_is_the_cause_only_if_refused_for_it(ladder: tuple[str, ...], depth: Depth, confidence: Confidence) -> None:
    said = finding(RULE, connection(*ladder, server_chain=chain(OLD, SUB)))
    assert (said.severity.value, said.depth, said.confidence) == ("error", depth, confidence)


def test_no_certificates_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    assert (
        answer(RULE, connection(*HANDSHAKE, hidden=Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE)) == "cannot tell"
    )
    half = connection(*HANDSHAKE, hidden=Seen.SERVER_CERTIFICATE, client_chain=chain(OLD, SUB))
    assert answer(RULE, half) == "error"


def test_dates_distance_and_today_are_told() -> None:
    conn = connection(*SERVER_FLIGHT, "> Alert 45", server_chain=chain(OLD, SUB))
    today = START_NS + 100 * 24 * HOUR_NS
    summary = finding(RULE, conn, today_ns=today).summary
    assert (
        f"the server's certificate old.example expired on {NOW - timedelta(days=14):%Y-%m-%d %H:%M:%S} UTC" in summary
    )
    assert "14 days before this connection" in summary
    assert f"(today, {NOW + timedelta(days=100):%Y-%m-%d}, it is expired)" in summary
    assert summary.endswith("the client refused with the alert certificate_expired (45)")
    assert "today" not in finding(RULE, conn).summary
    assert "the time it is judged at" in finding(RULE, conn, now_ns=START_NS).summary


def test_a_clock_of_the_capture_that_runs_ahead_shows_today() -> None:
    conn = connection(*HANDSHAKE, server_chain=chain(OLD, SUB))
    assert "it is valid" in finding(RULE, conn, today_ns=START_NS - 20 * 24 * HOUR_NS).summary


def test_a_whole_expired_hierarchy_is_one_finding() -> None:
    leaf = OLD_SUB.issue("all.example", **until(days=1))
    said = finding(RULE, connection(*HANDSHAKE, server_chain=chain(leaf, OLD_SUB)))
    assert "all.example expired on" in said.summary
    assert "so has OldSub above it" in said.summary


def test_each_side_has_its_own() -> None:
    conn = connection(*HANDSHAKE, server_chain=chain(OLD, SUB), client_chain=chain(UNDER_OLD, OLD_SUB))
    server, client = findings(RULE, conn)
    assert "the server's certificate old.example" in server.summary
    assert "a CA certificate in the client's chain, OldSub" in client.summary
    assert "192.0.2.10" in client.advice
    assert (
        answer(RULE, connection(*HANDSHAKE, server_chain=chain(SERVER, SUB), client_chain=chain(CLIENT, SUB)))
        == "silent"
    )


def test_an_expired_root_is_less_sure_than_a_leaf() -> None:
    said = finding(RULE, connection(*HANDSHAKE, server_chain=chain(UNDER_OLD_ROOT, OLD_ROOT)))
    assert said.confidence is Confidence.MEDIUM
