"""The table with textual, driven by textual's own pilot."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from threading import Event

import pytest

pytest.importorskip("textual", reason="textual is not installed")

from textual.pilot import Pilot

from analyzer.live.board import Board
from analyzer.report.output import OutputOptions
from analyzer.screen.app import Detail, TableApp
from analyzer.screen.work import Work
from tests.screen.boards import ABOUT, ascending, board, failed, healthy

HOW = OutputOptions(color=True, on_disk=False)


class Play:
    """The app on a board, and how often the end was asked for. The run ends at once then, unless it is `slow`."""

    def __init__(self, seen: Board, slow: bool) -> None:
        self.stopped, self._slow = 0, slow
        self._over = Event()
        self.work = Work(self._wait)
        self.work.start()
        self.app = TableApp(seen, self.work, ABOUT, HOW, self._stop)

    def _wait(self) -> None:
        self._over.wait(30)

    def _stop(self) -> None:
        self.stopped += 1
        if not self._slow:
            self._over.set()

    def over(self) -> None:
        """The run ends."""
        self._over.set()
        self.work.wait(30)

    def shown(self) -> str:
        """The lines on the screen."""
        screen = self.app.screen
        width, height = screen.size
        strips = screen._compositor.render_strips()
        assert (len(strips), width > 0) == (height, True)
        return "\n".join(strip.text.rstrip() for strip in strips)


def play(
    seen: Board,
    act: Callable[[Play, Pilot[None]], Awaitable[None]],
    size: tuple[int, int] = (80, 24),
    slow: bool = False,
) -> Play:
    """Run the app and do something in it."""
    played = Play(seen, slow)

    async def run() -> None:
        async with played.app.run_test(size=size, notifications=True) as pilot:
            await pilot.pause()
            await act(played, pilot)

    try:
        asyncio.run(run())
    finally:
        played.over()
    return played


def test_the_table_and_its_keys_are_shown() -> None:
    async def act(played: Play, pilot: Pilot[None]) -> None:
        told = played.shown()
        assert ascending(["mtlscope eth0", "4 lost", "192.0.2.1 →", "certificate-expired", "latest connections"], told)
        assert ascending(
            ["Enter Details", "f Find", "t Troubled only", "p Pause", "Esc All", "q Quit"], told.splitlines()[-1]
        )

    play(board(failed(1), healthy(2)), act)


@pytest.mark.parametrize("size", [(80, 24), (160, 50), (30, 8)], ids=str)
def test_enter_shows_the_block_of_the_row_and_escape_goes_back(size: tuple[int, int]) -> None:
    async def act(played: Play, pilot: Pilot[None]) -> None:
        await pilot.press("down", "down", "enter")
        await pilot.pause()
        assert isinstance(played.app.screen, Detail)
        if size[0] >= 80:
            assert ascending(["ERROR", "192.0.2.1", "cause 1", "certificate-expired"], played.shown())
            assert "do something about it" in played.shown()
        await pilot.press("end")
        await pilot.pause()
        assert "tcp.stream == 1" in played.shown()
        await pilot.press("escape")
        assert not isinstance(played.app.screen, Detail)

    play(board(failed(1), failed(2)), act, size)


def test_the_filter_goes_to_the_clipboard() -> None:
    async def act(played: Play, pilot: Pilot[None]) -> None:
        await pilot.press("down", "enter", "c")
        assert played.app.clipboard == "tcp.stream == 3"

    play(board(failed(3)), act)


def test_only_troubled_ones_and_only_those_with_a_text() -> None:
    async def act(played: Play, pilot: Pilot[None]) -> None:
        await pilot.press("t")
        await pilot.pause()
        assert "troubled only: 2 of 3 rows" in played.shown()
        await pilot.press("f", *"expired")
        await pilot.pause()
        assert 'with "expired": 1 of 3 rows' in played.shown()
        assert ascending(["Keep", "Esc All"], played.shown().splitlines()[-1])
        assert "f Find" not in played.shown()
        await pilot.press("enter", "down", "enter")
        await pilot.pause()
        assert "cause 1" in played.shown()
        await pilot.press("q", "escape")
        await pilot.pause()
        assert "of 3 rows" not in played.shown()

    play(board(failed(1), failed(2), healthy(3)), act)


def test_enter_opens_no_row_that_is_hidden() -> None:
    async def act(played: Play, pilot: Pilot[None]) -> None:
        await pilot.press("down", "t", "f", *"expired", "enter", "enter")
        assert not isinstance(played.app.screen, Detail)
        await pilot.press("enter")
        await pilot.pause()
        assert "cause 1" in played.shown()

    play(board(failed(1), failed(2)), act)


def test_a_pause_holds_the_picture_and_not_the_run() -> None:
    seen = board(failed(1))

    async def act(played: Play, pilot: Pilot[None]) -> None:
        await pilot.press("p")
        seen.see(failed(7))
        await pilot.pause(0.6)
        assert "192.0.2.7" not in played.shown()
        assert "PAUSED" in played.shown()
        await pilot.press("p")
        played.app.look()
        await pilot.pause()
        assert "192.0.2.7" in played.shown()

    play(seen, act)


def test_a_row_that_had_to_go_is_no_error() -> None:
    seen = Board(lambda: 0.0, troubled_room=1)
    seen.see(failed(1))

    async def act(played: Play, pilot: Pilot[None]) -> None:
        await pilot.press("p", "down")
        seen.see(failed(2))
        await pilot.press("enter")
        await pilot.pause()
        assert not isinstance(played.app.screen, Detail)
        assert "that row had to go" in played.shown()

    play(seen, act)


def test_the_end_of_the_run_is_the_end_of_the_table() -> None:
    async def act(played: Play, pilot: Pilot[None]) -> None:
        await pilot.press("q")
        assert played.stopped == 1
        played.work.wait(30)
        played.app.look()
        await pilot.pause()

    played = play(board(), act)
    assert (played.app.asked_twice, played.app.return_code) == (False, 0)


@pytest.mark.parametrize("where", ["table", "details"])
def test_ctrl_c_twice_does_not_wait(where: str) -> None:
    async def act(played: Play, pilot: Pilot[None]) -> None:
        await pilot.press(*(["down", "enter"] if where == "details" else []), "ctrl+c", "ctrl+c")

    played = play(board(failed()), act, slow=True)
    assert (played.stopped, played.app.asked_twice) == (2, True)


def test_names_are_no_markup_and_no_control_characters() -> None:
    async def act(played: Play, pilot: Pilot[None]) -> None:
        assert "[red]evil[/]\\x1b[2J" in played.shown()
        await pilot.press("down", "enter", "c")
        await pilot.pause()
        assert "[red]evil[/]\\x1b[2J" in played.shown()

    play(board(failed(1, server_name="[red]evil[/]\x1b[2J")), act, (160, 30))
