"""Floods are counted exactly, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer import repeats as module
from analyzer.connection import Connection
from analyzer.findings import Confidence, Finding, Severity
from analyzer.repeats import COUNTED_RULES, Repeats
from analyzer.summary import Repeated
from tests.build.connections import connection

SECOND = 1_000_000_000


def one(
    rule: str | None = "connection-refused", ts_ns: int = 0, client: str = "192.0.2.1", port: int = 5061
) -> Connection:
    conn = connection("> SYN", "< RST", ts_ns=ts_ns, client_ip=client, server_port=port)
    if rule is not None:
        finding = Finding(rule, Severity.ERROR, Confidence.HIGH, "it was")
        conn.set_findings((finding,), None)
    return conn


@pytest.mark.parametrize(
    ("conns", "listed", "counted"),
    [
        pytest.param([one()] * 3, 3, [], id="as many as are listed"),
        pytest.param([one()] * 5, 3, [2], id="two too many"),
        pytest.param([one(None)] * 9, 9, [], id="nothing found: always listed"),
        pytest.param([one("tls-alert")] * 9, 9, [], id="another rule: always listed"),
        pytest.param([one(client=f"192.0.2.{n}") for n in range(9)], 9, [], id="each from another client"),
        pytest.param([one(port=n) for n in range(9)], 9, [], id="each to another port"),
        pytest.param([one(rule) for rule in sorted(COUNTED_RULES)] * 4, 9, [1, 1, 1], id="three kinds"),
    ],
)
def test_what_is_listed_and_what_is_counted(conns: list[Connection], listed: int, counted: list[int]) -> None:
    repeats = Repeats(3)
    assert sum(repeats.is_listed(conn) for conn in conns) == listed
    assert [kind.count for kind in repeats.counted()] == counted


@pytest.mark.parametrize(
    ("times", "period"),
    [
        pytest.param([0, 10, 20, 30, 40], 10, id="every ten seconds"),
        pytest.param([0, 10, 20, 30.5, 40], 10, id="nearly"),
        pytest.param([0, 10, 20, 35, 40], None, id="now and then"),
        pytest.param([0, 10, 20, 30], 10, id="those that are listed tell the rhythm too"),
        pytest.param([0, 10, 20], None, id="two intervals are no rhythm"),
        pytest.param([*(10 * n for n in range(25)), *(10 * n for n in range(26, 30))], 10, id="one beat was missed"),
        pytest.param([0, 5, 15, 20, 30, 35, 45, 50], None, id="two monitors out of step"),
        pytest.param([0, 10.4, 20, 30.3, 40, 50], 10, id="within five percent"),
        pytest.param([0, 10, 21, 30, 41, 50], None, id="not within five percent"),
        pytest.param([0, 0, 0, 0, 0], None, id="all at once"),
        pytest.param([0, 10, 20, 15, 30], None, id="out of order"),
    ],
)
def test_period(times: list[float], period: int | None) -> None:
    """Two are listed."""
    repeats = Repeats(2)
    for at in times:
        repeats.is_listed(one(ts_ns=int(at * SECOND)))
    (kind,) = repeats.counted()
    assert kind.period_ns == (None if period is None else period * SECOND)
    assert (kind.first_ns, kind.last_ns) == (int(times[2] * SECOND), int(times[-1] * SECOND))
    assert (kind.rule, kind.client_ip, kind.server_port, kind.count) == (
        "connection-refused",
        "192.0.2.1",
        5061,
        len(times) - 2,
    )


@given(kinds=st.lists(st.integers(0, 5), max_size=80), listed=st.integers(0, 4))
def test_every_connection_is_listed_or_counted(kinds: list[int], listed: int) -> None:
    repeats = Repeats(listed)
    shown = sum(repeats.is_listed(one(client=f"192.0.2.{kind}")) for kind in kinds)
    counted = list(repeats.counted())
    assert shown + sum(kind.count for kind in counted) == len(kinds)
    assert all(kind.count == kinds.count(int(kind.client_ip[8:])) - listed for kind in counted)


@given(pieces=st.lists(st.lists(st.integers(0, 3), max_size=30), max_size=6))
def test_counts_told_again_and_again_add_up(pieces: list[list[int]]) -> None:
    repeats, shown, told = Repeats(2), 0, list[Repeated]()
    for number, piece in enumerate(pieces):
        shown += sum(repeats.is_listed(one(ts_ns=number * SECOND, client=f"192.0.2.{kind}")) for kind in piece)
        told += (now := list(repeats.counted()))
        assert all(kind.first_ns == kind.last_ns == number * SECOND for kind in now), "each from the one before"
        assert not list(repeats.counted())
    assert shown + sum(kind.count for kind in told) == sum(map(len, pieces))


@pytest.mark.parametrize(
    ("kinds", "listed_again"),
    [
        pytest.param(4, False, id="as long as there is room everybody is remembered"),
        pytest.param(5, True, id="where kinds are many, who was quiet between two calls is forgotten"),
    ],
)
def test_a_run_of_weeks_keeps_room_for_new_kinds(
    kinds: int, listed_again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_KINDS", 8)
    repeats = Repeats(1)
    for number in range(kinds):
        repeats.is_listed(one(client=f"192.0.2.{number}"))
    list(repeats.counted())
    assert not repeats.is_listed(one(client="192.0.2.0")), "not forgotten yet"
    assert [kind.count for kind in repeats.counted()] == [1]
    assert repeats.is_listed(one(client="192.0.2.1")) is listed_again
    assert not repeats.is_listed(one(client="192.0.2.0")), "it was not quiet"


def test_too_many_clients_share_one_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_KINDS", 4)
    repeats = Repeats(1)
    shown = sum(repeats.is_listed(one(client=f"192.0.2.{n % 50}")) for n in range(100))
    kinds = list(repeats.counted())
    assert shown == 5 and sum(kind.count for kind in kinds) == 95
    assert [kind.client_ip for kind in kinds if kind.count > 1] == ["(others)"]


def test_what_changed_is_told_once() -> None:
    repeats = Repeats(1)
    for client in ("192.0.2.1", "192.0.2.2", "192.0.2.2"):
        repeats.is_listed(one(client=client))
    assert [(told.client_ip, told.count) for told in repeats.changed()] == [("192.0.2.2", 1)]
    assert repeats.changed() == []
    for _ in range(2):
        repeats.is_listed(one(client="192.0.2.1"))
    assert [(told.client_ip, told.count) for told in repeats.changed()] == [("192.0.2.1", 2)]
    repeats.is_listed(one(client="192.0.2.2"))
    assert [(told.client_ip, told.count) for told in repeats.changed()] == [("192.0.2.2", 2)], "the whole count"
