"""The live table with rich alone: no keys, drawn anew when something has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.style import Style
from rich.text import Text

from analyzer.report.page import ASCII, STYLES, UNICODE, Line
from analyzer.screen.draw import SELECTED, About, Looking, draw

if TYPE_CHECKING:
    from analyzer.live.board import Board
    from analyzer.report.output import OutputOptions
    from analyzer.screen.work import Work

EVERY = 0.25
"""Seconds between two pictures, at least."""


def painted(lines: list[Line]) -> Text:
    """Lines with rich's styles; nothing in them is markup."""
    styles = {name: Style.parse(style) for name, style in STYLES.items()} | {SELECTED: Style(reverse=True), "": Style()}
    return Text("\n").join(
        Text.assemble(*((text, styles[style]) for text, style in line), no_wrap=True, end="") for line in lines
    )


def show(board: Board, work: Work, about: About, how: OutputOptions, hint: str) -> None:
    """Until the work is done. `how`: as the report is written. `hint`: the last line."""
    console = Console(force_terminal=True, no_color=not how.color, highlight=False)
    signs = UNICODE if how.unicode else ASCII
    looking, seen = Looking(), None
    with Live(console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as live:
        while not work.wait(EVERY):
            now = (board.version, console.size)
            if now == seen:
                continue
            seen = now
            width, height = console.size
            lines = draw(board.picture(), about, looking, width, height - 1, signs)
            live.update(painted([*lines, [(hint[:width], "dim")]]), refresh=True)
