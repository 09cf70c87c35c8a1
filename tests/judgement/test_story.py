"""How a sentence says what happened."""

from __future__ import annotations

import pytest

from analyzer.connection import Connection, Side
from analyzer.findings import Confidence
from analyzer.judgement.story import end, first_alert, last_step, lasting, lowered, moment, named, view_of, weaker, who
from tests.build.connections import CLIENT_DONE, HANDSHAKE, HELLOS, SECOND_NS, SERVER_FLIGHT, TCP, connection


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (-5, "0 ms"),
        (0, "0 ms"),
        (140_000_000, "140 ms"),
        (3_200_000_000, "3.2 s"),
        (45 * SECOND_NS, "45 s"),
        (900 * SECOND_NS, "15 min"),
    ],
)
def test_durations(nanoseconds: int, text: str) -> None:
    assert lasting(nanoseconds) == text


def test_who_and_what() -> None:
    conn = connection(*HELLOS, server_ip="2001:db8::1")
    step = last_step(conn, conn.end_ns)
    assert step is not None
    assert named(step) == "the server's ServerHello"
    assert who(conn, Side.SERVER) == "the server [2001:db8::1]:5061"
    assert last_step(conn, conn.ts_ns) is None


@pytest.mark.parametrize(
    ("conn", "code"),
    [
        pytest.param(connection(*SERVER_FLIGHT, "> Alert 48"), 48, id="a fatal alert"),
        pytest.param(
            connection(*SERVER_FLIGHT, "> Alert warning 42", "> FIN"), 42, id="a certificate alert of any level"
        ),
        pytest.param(connection(*SERVER_FLIGHT, "> Alert 48", "> FIN", "< Alert 50"), 48, id="the first of two"),
        pytest.param(connection(*SERVER_FLIGHT, "> FIN", "> Alert 48"), 48, id="after the sender's own FIN"),
        pytest.param(connection(*SERVER_FLIGHT, "> FIN", "< Alert 50"), None, id="after the peer's FIN: too late"),
        pytest.param(connection(*SERVER_FLIGHT, "> Alert warning 0", "> FIN"), None, id="close_notify"),
        pytest.param(connection(*HELLOS[:4], "< Alert warning 112", "< ServerHello"), None, id="another warning"),
        pytest.param(connection(*CLIENT_DONE, "< EncryptedAlert"), None, id="not readable"),
    ],
)
def test_the_alert_that_ended_it(conn: Connection, code: int | None) -> None:
    alert = first_alert(conn)
    assert (alert.code if alert else None) == code


@pytest.mark.parametrize(
    ("conn", "words", "sure"),
    [
        pytest.param(
            connection(*HELLOS, "> RST"), "right after the server's ServerHello", Confidence.HIGH, id="at once"
        ),
        pytest.param(
            connection(*HELLOS, "... 5 s", "> RST"),
            "5.0 s after the server's ServerHello",
            Confidence.MEDIUM,
            id="after thinking",
        ),
        pytest.param(
            connection(*HELLOS, "... 5 s", "< RST"),
            "after waiting 5.0 s for an answer to its own ServerHello",
            Confidence.LOW,
            id="after waiting",
        ),
    ],
)
def test_the_moment_of_the_end(conn: Connection, words: str, sure: Confidence) -> None:
    ending = conn.endings[0]
    when, frames, confidence = moment(conn, ending, ending.side)
    assert (when, confidence) == (words, sure)
    assert frames == (conn.steps[-2].frames[-1], ending.frame)


def test_a_conclusion_is_as_sure_as_its_weaker_part() -> None:
    assert weaker(Confidence.HIGH, Confidence.LOW) is Confidence.LOW
    assert weaker(Confidence.MEDIUM, Confidence.HIGH) is Confidence.MEDIUM


@pytest.mark.parametrize(
    ("conn", "text"),
    [
        pytest.param(
            connection(*HELLOS, "> RST"), "the client reset the connection after the server's ServerHello", id="reset"
        ),
        pytest.param(
            connection(*TCP, "< FIN"), "the server closed the connection without an alert", id="no handshake yet"
        ),
        pytest.param(connection(*HANDSHAKE), "", id="still open"),
    ],
)
def test_the_end(conn: Connection, text: str) -> None:
    assert end(conn) == text


@pytest.mark.parametrize(
    ("view", "blind"),
    [
        pytest.param({}, set(), id="whole"),
        pytest.param({"one_sided": Side.CLIENT}, {Side.SERVER}, id="only the client is there"),
        pytest.param({"gap_bytes": 9, "gap_side": Side.CLIENT}, {Side.CLIENT}, id="the client's bytes are missing"),
        pytest.param({"gap_bytes": 9}, set(Side), id="both sides' bytes are missing"),
        pytest.param({"mid_stream": True}, set(), id="starts inside: what is there is whole"),
    ],
)
def test_whose_packets_may_be_missing(view: dict[str, object], blind: set[Side]) -> None:
    conn = connection(*HELLOS, visibility=view)
    assert {side for side in Side if view_of(conn, side)} == blind
    assert lowered(conn, Confidence.HIGH) is (Confidence.MEDIUM if view else Confidence.HIGH)
