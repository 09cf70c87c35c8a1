"""Where, how long and how many, in words."""

from __future__ import annotations

import pytest

from analyzer.connection import Side
from analyzer.judgement.phrases import amount, brief, counted, some, where
from tests.build.connections import connection


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        pytest.param(0, "0 seconds", id="now"),
        pytest.param(1, "1 second", id="one is singular"),
        pytest.param(59, "59 seconds", id="below a minute"),
        pytest.param(60, "1 minute", id="a minute"),
        pytest.param(7199, "1 hour", id="rounded down"),
        pytest.param(86_400, "1 day", id="a day"),
        pytest.param(86_400 * 1204, "1,204 days", id="years stay days"),
    ],
)
def test_amount(seconds: int, said: str) -> None:
    assert amount(seconds) == said


def test_counted() -> None:
    assert [counted(number, "name") for number in (0, 1, 2)] == ["0 names", "1 name", "2 names"]


def test_some() -> None:
    assert some(()) == ""
    assert some(("a", "b"), shown=2) == "a, b"
    assert some(("a", "b", "c"), shown=2) == "a, b and 1 more"


def test_endless_names_are_cut() -> None:
    assert brief("a" * 240) == "a" * 240
    assert brief("a" * 241) == "a" * 237 + "..."
    assert len(some(("a" * 10_000,) * 9)) < 1_000


def test_where_to_go() -> None:
    conn = connection("> SYN", client_ip="2001:db8::1", server_ip="2001:db8::2")
    assert where(conn, Side.CLIENT) == "2001:db8::1"
    assert where(conn, Side.SERVER) == "[2001:db8::2]:5061"
