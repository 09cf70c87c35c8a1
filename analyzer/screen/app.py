"""The live table with textual: keys to look around in it."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult, RenderResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Footer, Input, Static

from analyzer.report.page import ASCII, UNICODE
from analyzer.screen.draw import About, Looking, draw
from analyzer.screen.simple import EVERY, painted

if TYPE_CHECKING:
    from analyzer.live.board import Board, Picture
    from analyzer.report.output import OutputOptions
    from analyzer.report.page import Symbols
    from analyzer.screen.work import Work


class Table(Widget, can_focus=True):
    """All lines of the table but the keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "move(-10)", "Page up", show=False),
        Binding("pagedown", "move(10)", "Page down", show=False),
        Binding("home,g", "move(-100000)", "First", show=False),
        Binding("end,G", "move(100000)", "Last", show=False),
        Binding("enter", "app.open", "Details", key_display="↑↓ Enter"),
    ]

    def __init__(self, picture: Picture, about: About, looking: Looking, signs: Symbols) -> None:
        super().__init__()
        self.picture, self.about, self.looking, self.signs = picture, about, looking, signs

    def render(self) -> RenderResult:
        """The lines, as large as the widget is."""
        return painted(draw(self.picture, self.about, self.looking, self.size.width, self.size.height, self.signs))

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        self.looking.move(self.looking.rows(self.picture), by)
        self.refresh()


class Find(Input):
    """The line to type a text in."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "Keep", priority=True)]


class Detail(ModalScreen[None]):
    """One block of the text report, over the table."""

    CSS = "Detail VerticalScroll { height: 1fr; background: ansi_default; scrollbar-size: 0 0; }"  # 80 columns are for the block
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "dismiss", "Back", key_display="Esc"),
        Binding("space", "more", "More"),
        Binding("c", "copy", "Copy the filter"),
        Binding("ctrl+c", "app.end", "End", show=False, priority=True),
    ]

    def __init__(self, block: str, filter_: str) -> None:
        super().__init__()
        self._block, self._filter = block, filter_

    def compose(self) -> ComposeResult:
        """The block, to scroll through."""
        with VerticalScroll():
            yield Static(Text.from_ansi(self._block), markup=False)
        yield Footer(show_command_palette=False)

    def action_more(self) -> None:
        """The next page."""
        self.query_one(VerticalScroll).scroll_page_down()

    def action_copy(self) -> None:
        """To the terminal's clipboard, where the terminal allows it (OSC 52)."""
        self.app.copy_to_clipboard(self._filter)
        self.notify(self._filter, title="sent to the terminal's clipboard", markup=False)


class TableApp(App[None]):
    """Until the work is done; `q` asks for the end."""

    CSS = """
    Screen { background: ansi_default; color: ansi_default; }
    Table { height: 1fr; }
    Input { display: none; height: 1; border: none; padding: 0; background: ansi_default; color: ansi_default; }
    Input:focus { border: none; }
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f,slash", "find", "Find", key_display="f"),
        Binding("t", "troubled", "Troubled only"),
        Binding("p", "pause", "Pause"),
        Binding("escape", "all", "All", key_display="Esc"),
        Binding("q", "end", "Quit"),
        Binding("ctrl+c,ctrl+q", "end", "Quit", show=False, priority=True),
    ]

    def __init__(self, board: Board, work: Work, about: About, how: OutputOptions, stop: Callable[[], None]) -> None:
        """`how`: as the report is written. `stop` asks the run for its end."""
        super().__init__(ansi_color=True)
        self.theme = "ansi-dark"
        self._board, self._work, self._how, self._stop, self._seen = board, work, how, stop, -1
        self.looking = Looking()
        self.table = Table(board.picture(), about, self.looking, UNICODE if how.unicode else ASCII)
        self.asked_twice = False

    def compose(self) -> ComposeResult:
        """The table, the line to type in, the keys."""
        yield self.table
        yield Find(placeholder="part of an address, a name, a rule or a sentence", compact=True)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Look for what is new, a few times a second."""
        self.table.focus()
        self.set_interval(EVERY, self.look)

    def look(self) -> None:
        """Draw anew if something has changed, and end after the run."""
        if self._work.done:
            self.exit()
        elif not self.is_headless and sys.__stdout__ is not None and not sys.__stdout__.isatty():
            raise OSError("the terminal is gone")  # reading keys would go round and round
        elif self._board.version != self._seen and (not self.looking.paused or self.looking.ending):
            self._seen = self._board.version
            self.table.picture = self._board.picture()
            self.table.refresh()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a text is typed, "f" is a letter."""
        return action != "find" or not isinstance(self.focused, Find)

    def action_open(self) -> None:
        """The block of the row under the cursor."""
        rows = self.looking.rows(self.table.picture)
        at = self.looking.place(rows)
        if at is None:
            self.table.action_move(1)
            return
        number = rows[at].number
        block = self._board.detail(number, replace(self._how, width=self.size.width))
        if block is None:
            self.notify("that row had to go: too many others were busier")
        else:
            self.push_screen(Detail(block, self._board.filter(number) or ""))

    def action_find(self) -> None:
        """Type a text."""
        line = self.query_one(Find)
        line.display = True
        line.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what has it, with each letter."""
        self.looking.text = event.value
        self.table.refresh()

    def on_input_submitted(self) -> None:
        """Back to the rows."""
        self.query_one(Find).display = False
        self.table.focus()

    def action_all(self) -> None:
        """Everything again."""
        self.looking.troubled = False
        self.query_one(Find).value = ""
        self.on_input_submitted()
        self.table.refresh()

    def action_troubled(self) -> None:
        """Only what is in trouble, or all again."""
        self.looking.troubled = not self.looking.troubled
        self.table.refresh()

    def action_pause(self) -> None:
        """The picture stands still, or goes on."""
        self.looking.paused = not self.looking.paused
        self._seen = -1
        self.table.refresh()

    def action_end(self) -> None:
        """Ask for the end; the second time do not wait for it."""
        if self.looking.ending:
            self.asked_twice = True
            self.exit()
        self.looking.ending = True
        self._stop()
        self.table.refresh()


def show(board: Board, work: Work, about: About, how: OutputOptions, stop: Callable[[], None]) -> None:
    """Until the work is done. Raise KeyboardInterrupt if the user did not want to wait for that, and our own bugs."""
    if not how.color:
        os.environ["NO_COLOR"] = "1"
    app = TableApp(board, work, about, how, stop)
    with redirect_stderr(io.StringIO()):  # where it would print pages about a bug
        app.run(mouse=False)  # the terminal keeps its own way to mark and copy
    if app.asked_twice:
        raise KeyboardInterrupt
    error: Exception | None = getattr(app, "_exception", None)
    if error is not None:
        raise error
