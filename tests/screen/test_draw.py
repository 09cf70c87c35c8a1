"""The lines of the live table: what is told, in whatever size."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analyzer.connection import Outcome
from analyzer.live.board import Board
from analyzer.report import safe
from analyzer.report.page import ASCII, UNICODE, Line, Symbols
from analyzer.screen.draw import SELECTED, Looking, draw
from tests.build.connections import SECOND_NS, START_NS
from tests.screen.boards import ABOUT, ascending, board, failed, healthy

DAY_NS = 86_400 * SECOND_NS


def lines(
    seen: Board, looking: Looking | None = None, width: int = 80, height: int = 23, signs: Symbols = UNICODE
) -> list[Line]:
    return draw(seen.picture(), ABOUT, looking or Looking(), width, height, signs)


def text(drawn: list[Line]) -> str:
    return "\n".join("".join(part for part, _style in line) for line in drawn)


def styles(drawn: list[Line], part: str) -> set[str]:
    return {style for line in drawn for piece, style in line if part in piece}


def test_the_head_says_what_goes_on() -> None:
    drawn = lines(board(failed(), healthy(), healthy()))
    told = text(drawn[:2])
    assert ascending(["eth0", "af-packet", "tcp port 5061", "running 0:01:01"], told)
    assert ascending(["12,345 packets", "4 lost", "7 followed", "3 decided", "1 failed", "1 in trouble"], told)
    assert styles(drawn[:2], "4 lost") == styles(drawn[:2], "1 failed") == {"error"}


def test_no_loss_and_no_failure_are_not_red() -> None:
    seen = Board(lambda: 0.0)
    assert "error" not in {style for line in lines(seen) for _piece, style in line}
    assert "nothing is decided yet" in text(lines(seen))


def test_a_row_tells_who_how_often_when_and_why() -> None:
    told = text(lines(board(failed(1), failed(1, ts_ns=START_NS + 3 * SECOND_NS), healthy(2))))
    first, second = (
        line for line in told.splitlines() if "192.0.2.1 →" in line or "untrusted" in line or "cause 1" in line
    )
    assert ascending(["✖", "2", "192.0.2.1 → 198.51.100.5:5061", "sip.example"], first)
    assert ascending(["certificate-expired", "cause 1"], second)
    assert ascending(["192.0.2.1", "198.51.100.2 → ", "latest connections"], told)


def test_another_day_is_told_as_a_day() -> None:
    told = text(lines(board(failed(1, ts_ns=START_NS - DAY_NS), failed(1))))
    assert "09-20" in told


@pytest.mark.parametrize("signs", [UNICODE, ASCII], ids=["unicode", "ascii"])
@pytest.mark.parametrize(
    ("width", "height"),
    [(80, 23), (200, 60), (40, 12), (20, 5), (5, 3), (1, 1), (300, 2)],
)
def test_it_fits_whatever_the_size(width: int, height: int, signs: Symbols) -> None:
    seen = board(*map(failed, range(30)), *map(healthy, range(30)), failed(99, server_name="名" * 300))
    seen.see(
        failed(98, client_ip="2001:db8:aaaa:bbbb:cccc:dddd:eeee:1", server_ip="2001:db8:aaaa:bbbb:cccc:dddd:eeee:2")
    )
    seen.note("a message " * 30)
    looking = Looking(text="e", troubled=True, paused=True, ending=True)
    for _ in range(40):
        drawn = lines(seen, looking, width, height, signs)
        assert len(drawn) == height
        assert max(safe.columns("".join(part for part, _ in line)) for line in drawn) <= width
        looking.move(looking.rows(seen.picture()), 1)


def test_the_cursor_is_always_on_the_screen() -> None:
    seen, looking = board(*map(failed, range(50)), *map(healthy, range(50))), Looking()
    rows = looking.rows(seen.picture())
    for by in (1, 1, 10, 10, 10, 1000, -1, -30, -1000, 3):
        looking.move(rows, by)
        marked = [line for line in lines(seen, looking) if line and line[0][1] == SELECTED]
        at = looking.place(rows)
        assert at is not None
        assert rows[at].client in marked[0][0][0]
        assert len(marked[0][0][0]) == 80, "from edge to edge"


def test_the_cursor_stays_on_its_row_when_others_come() -> None:
    seen, looking = board(*map(failed, range(3))), Looking()
    looking.move(looking.rows(seen.picture()), 1)
    for number in range(10, 40):
        seen.see(failed(number))
    marked = [line for line in lines(seen, looking) if line and line[0][1] == SELECTED]
    assert "192.0.2.2 →" in marked[0][0][0]


def test_what_is_left_out_is_told() -> None:
    seen = Board(lambda: 0.0, troubled_room=2, healthy_room=1)
    for number in range(5):
        seen.see(failed(number))
        seen.see(healthy(number))
    assert "7 connections of rows that had to go, 3 in trouble" in text(lines(seen))


@pytest.mark.parametrize(
    ("looking", "said"),
    [
        pytest.param(Looking(troubled=True), "troubled only: 4 of 6 rows", id="troubled"),
        pytest.param(Looking(text="expired"), 'with "expired": 1 of 6 rows', id="a text"),
        pytest.param(Looking(text="\x1b[2J"), 'with "\\x1b[2J": 0 of 6 rows', id="a hostile text"),
        pytest.param(Looking(paused=True), "PAUSED, the capture goes on", id="paused"),
        pytest.param(Looking(ending=True), "ENDING", id="ending"),
    ],
)
def test_what_the_user_chose_is_told(looking: Looking, said: str) -> None:
    assert said in text(lines(board(*map(failed, range(4)), *map(healthy, range(2))), looking))


def test_a_healthy_row_says_only_what_is_not_ordinary() -> None:
    told = text(lines(board(healthy(1), replace(healthy(2), outcome=Outcome.NO_DATA)))[3:6])
    assert "no-data" in told
    assert "established" not in told
