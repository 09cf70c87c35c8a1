"""What the live table counts: exact, bounded, and safe to show."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from analyzer.connection import Connection, Outcome
from analyzer.findings import Confidence, Finding, Severity
from analyzer.live.board import MAX_LATEST, MAX_TEXT, Board, chosen
from analyzer.report.output import OutputOptions
from tests.build.connections import CLIENT_DONE, HANDSHAKE, SECOND_NS, START_NS, connection

HEALTHY = connection(*HANDSHAKE)
REFUSED = connection(*CLIENT_DONE, "< Alert 48", "< FIN", server_name="sip.example", outcome=Outcome.FAILED)


def finding(rule: str = "client-issuer-not-in-ca-list", severity: Severity = Severity.ERROR) -> Finding:
    return Finding(rule, severity, Confidence.HIGH, f"summary of {rule}", "trust it")


def refused(*findings: Finding, diagnosis: str | None = "the server refused it", **facts: Any) -> Connection:
    return replace(REFUSED, **{"findings": findings or (finding(),), "diagnosis": diagnosis, **facts})


def board(troubled_room: int = 500, healthy_room: int = 200) -> Board:
    return Board(lambda: 0.0, troubled_room=troubled_room, healthy_room=healthy_room)


def test_equal_ones_are_one_row_with_first_and_last() -> None:
    seen = board()
    for second in (5, 1, 9, 7):
        seen.see(refused(ts_ns=START_NS + second * SECOND_NS))
    (row,) = seen.picture().rows
    assert (row.count, row.said, row.troubled) == (4, "the server refused it", True)
    assert (row.first_ns, row.last_ns) == (START_NS + 5 * SECOND_NS, START_NS + 9 * SECOND_NS)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(refused(client_ip="192.0.2.11"), id="another client"),
        pytest.param(refused(server_ip="192.0.2.11"), id="another server"),
        pytest.param(refused(server_port=443), id="another port"),
        pytest.param(refused(server_name="www.example"), id="another server name"),
        pytest.param(refused(finding("alert-sent")), id="another cause"),
        pytest.param(replace(HEALTHY, server_name="sip.example"), id="one that worked"),
    ],
)
def test_what_differs_is_another_row(other: Connection) -> None:
    seen = board()
    for conn in (refused(), other, refused()):
        seen.see(conn)
    assert sorted(row.count for row in seen.picture().rows) == [1, 2]


def test_another_port_of_the_client_is_no_difference() -> None:
    seen = board()
    for port in range(50_000, 50_010):
        seen.see(refused(client_port=port))
    assert [row.count for row in seen.picture().rows] == [10]


def test_trouble_stands_first_and_the_newest_on_top() -> None:
    seen = board()
    for client in ("192.0.2.1", "192.0.2.2", "192.0.2.1"):
        seen.see(replace(HEALTHY, client_ip=client))
        seen.see(refused(client_ip=client))
    assert [(row.client, row.troubled) for row in seen.picture().rows] == [
        ("192.0.2.1", True),
        ("192.0.2.2", True),
        ("192.0.2.1", False),
        ("192.0.2.2", False),
    ]


@pytest.mark.parametrize(
    ("conn", "severity", "cause", "said"),
    [
        pytest.param(HEALTHY, "ok", "established", "", id="all is well"),
        pytest.param(
            refused(), "error", "client-issuer-not-in-ca-list", "the server refused it", id="a cause is known"
        ),
        pytest.param(
            replace(REFUSED, diagnosis="nobody knows"), "error", "failed", "nobody knows", id="no rule explains it"
        ),
        pytest.param(
            replace(HEALTHY, findings=(finding("expires-soon", Severity.WARNING),)),
            "warning",
            "expires-soon",
            "summary of expires-soon",
            id="it works, with a warning",
        ),
        pytest.param(
            replace(HEALTHY, findings=(finding("worth-knowing", Severity.NOTE),)), "ok", "established", "", id="a note"
        ),
    ],
)
def test_what_is_said_of_one(conn: Connection, severity: str, cause: str, said: str) -> None:
    seen = board()
    seen.see(conn)
    (row,) = seen.picture().rows
    assert (row.severity, row.cause, row.said) == (severity, cause, said)


def test_a_hundred_thousand_connections_are_counted_exactly_in_bounded_room() -> None:
    seen, random, wanted = board(troubled_room=60, healthy_room=20), Random(5), Counter[str]()
    kinds = [refused(client_ip=f"192.0.2.{n}") for n in range(60)]
    kinds += [replace(HEALTHY, client_ip=f"198.51.100.{n}") for n in range(200)]
    for _ in range(100_000):
        conn = random.choice(kinds)
        wanted[conn.client_ip] += 1
        seen.see(conn)
    picture = seen.picture()
    counted = {row.client: row.count for row in picture.rows if row.troubled}
    assert counted == {ip: count for ip, count in wanted.items() if ip.startswith("192.0.2.")}
    assert (picture.other_troubled, len(picture.rows), len(picture.latest)) == (0, 80, MAX_LATEST)
    assert sum(row.count for row in picture.rows) + picture.other_healthy == 100_000
    assert (picture.counts.decided, picture.counts.failed) == (100_000, sum(counted.values()))


def test_a_flood_of_healthy_peers_leaves_the_troubles_alone() -> None:
    seen = board(troubled_room=2, healthy_room=2)
    seen.see(refused())
    for n in range(200):
        seen.see(replace(HEALTHY, client_ip=f"198.51.100.{n}"))
    assert [row.troubled for row in seen.picture().rows] == [True, False, False]


def test_the_row_that_was_quiet_longest_goes() -> None:
    seen = board(troubled_room=2)
    for client in ("192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.3", "192.0.2.2"):
        seen.see(refused(client_ip=client))
    picture = seen.picture()
    assert [(row.client, row.count) for row in picture.rows] == [("192.0.2.2", 1), ("192.0.2.3", 1)]
    assert picture.other_troubled == 3


def test_counters_come_with_ticks_and_losses() -> None:
    packets = iter([10, 25])
    seen = Board(lambda: 0.0, lambda: (next(packets), 3))
    versions = {seen.version}
    for lost in (4, 1):
        seen.tick(0)
        versions.add(seen.version)
        seen.lost(lost)
        versions.add(seen.version)
    counts = seen.picture().counts
    assert (counts.packets, counts.followed, counts.lost) == (25, 3, 5)
    assert len(versions) == 5, "each change shows in the version"


def test_messages_stand_for_a_minute() -> None:
    now = [0.0]
    seen = Board(lambda: now[0])
    for text in ("one", "two", "three", "four"):
        seen.note(text)
        now[0] += 20
    assert seen.picture().notes == ("three", "four")


def test_the_block_is_that_of_the_report() -> None:
    seen = board()
    for stream in range(3):
        seen.see(refused(stream=stream))
    (row,) = seen.picture().rows
    told = seen.detail(row.number, OutputOptions(width=100))
    assert told is not None
    for part in ("the same for 2 more connections", "ClientHello", "trust it", "tcp.stream == 0"):
        assert part in told
    assert seen.filter(row.number) == "tcp.stream == 0"
    assert (seen.detail(99, OutputOptions()), seen.filter(99)) == (None, None)


def test_hostile_names_are_made_safe_and_short() -> None:
    evil = "\x1b[2J\x1b]52;c;eA==\x07[red]\u202e" + "x" * 65_000
    seen = board()
    seen.see(refused(server_name=evil, diagnosis=evil))
    seen.note(evil)
    picture = seen.picture()
    told = seen.detail(picture.rows[0].number, OutputOptions()) or ""
    for text in (picture.rows[0].name, picture.rows[0].said, picture.latest[0].name, *picture.notes):
        assert text.isprintable()
        assert len(text) <= MAX_TEXT
    assert all(line.isprintable() for line in told.splitlines())


@pytest.mark.parametrize(
    ("text", "troubled", "left"),
    [
        pytest.param("", False, 3, id="all"),
        pytest.param("", True, 2, id="troubled ones"),
        pytest.param("SIP.EXAM", False, 2, id="a name in another case"),
        pytest.param("192.0.2.77", False, 1, id="an address"),
        pytest.param("ca-list", True, 1, id="a cause"),
        pytest.param("established", True, 0, id="what worked among what did not"),
        pytest.param("[", False, 0, id="no pattern, only text"),
    ],
)
def test_rows_are_chosen(text: str, troubled: bool, left: int) -> None:
    seen = board()
    for conn in (replace(HEALTHY, server_name="www.example"), refused(), refused(finding("x"), client_ip="192.0.2.77")):
        seen.see(conn)
    assert len(chosen(seen.picture().rows, text, troubled)) == left
