"""The live table on a terminal, instead of text as it comes: when there is one, and the run beside it."""

from __future__ import annotations

import argparse
import importlib.util
import io
import os
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from analyzer.cli.live.sources import name_of
from analyzer.cli.main import hearing, say
from analyzer.dataclass import dataclass
from analyzer.report import safe

if TYPE_CHECKING:
    from analyzer.live.board import Board
    from analyzer.live.run import LiveRun
    from analyzer.report.output import Output, OutputOptions
    from analyzer.screen.draw import About
    from analyzer.screen.work import Work

HINT = "Ctrl-C ends it and prints the report; for keys: python -m pip install textual"
REPEATED = 100
"""Messages that are said again after the table."""
PATIENCE = 1.0
"""Seconds for the run to end after a second Ctrl-C."""
STEP = 0.2
"""Seconds between two looks for a signal."""


def open_table(args: argparse.Namespace, how: OutputOptions, engine: str) -> LiveTable | None:
    """The table, its libraries loaded before rights are given up; None if the report is to be text as it comes."""
    if not is_wanted(args):
        return None
    from analyzer.screen.draw import About

    keys = sys.stdin.isatty() and sys.stderr.isatty() and importlib.util.find_spec("textual") is not None
    if keys:
        import analyzer.screen.app
    else:
        import analyzer.screen.simple  # noqa: F401
    return LiveTable(About(*map(safe.line, (name_of(args), engine, args.filter or ""))), how, keys)


def is_wanted(args: argparse.Namespace) -> bool:
    """Only text for standard output, and nothing that has a say line by line."""
    plain = args.no_table or args.T != "text" or args.output is not None or args.each or args.verdicts or args.verbose
    terminal = sys.stdin is not None and sys.stdout is not None and sys.stderr is not None and sys.stdout.isatty()
    kind = os.environ.get("TERM", "console" if os.name == "nt" else "dumb")
    return not plain and terminal and kind not in ("", "dumb")


@dataclass(frozen=True, slots=True)
class LiveTable:
    """`how`: as the report is written at the end. `keys`: textual is there, and a keyboard."""

    about: About
    how: OutputOptions
    keys: bool

    def write(self, run: LiveRun, output: Output, sink: BinaryIO, stop: Callable[[], None]) -> None:
        """Show the run until it ends, then write the report, as of a file. `stop` asks the run for its end."""
        from analyzer.live.board import Board
        from analyzer.screen.work import Work

        board = Board(time.monotonic, lambda: (run.taps.traffic.packets, run.taps.traffic.followed))
        run.taps.add(board)
        run.tell_ns = None  # the report comes at the end, with whole counts
        report = io.BytesIO()
        work = Work(lambda: output.write(run, report, replace(self.how, each=False, prompt=False)))
        try:
            with _hearing(board), _restored():
                work.start()
                self._show(board, work, stop)
        except KeyboardInterrupt:
            work.wait(PATIENCE)
            raise
        except Exception as error:  # a bug of the view is no reason to end the capture
            if sys.stdout.isatty():
                _say_bug(error)
            else:
                stop()  # the terminal is gone, and with it whoever looks on
            while not work.wait(STEP):
                pass
        finally:
            sink.write(report.getvalue())
            sink.flush()
        work.result()

    def _show(self, board: Board, work: Work, stop: Callable[[], None]) -> None:
        if self.keys:
            from analyzer.screen.app import show

            show(board, work, self.about, self.how, stop)
        else:
            from analyzer.screen.simple import show as show_simple

            show_simple(board, work, self.about, self.how, HINT)


def _say_bug(error: Exception) -> None:
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}"
    say(f"a bug of ours: the table has failed ({where}); the capture goes on without it, Ctrl-C ends it")


@contextmanager
def _hearing(board: Board) -> Iterator[None]:
    """Messages go into the table, and to standard error after it; at once if that is a file."""
    kept: deque[str] = deque(maxlen=REPEATED)
    err = sys.stderr

    def hear(text: str) -> None:
        board.note(text)
        if err.isatty():
            kept.append(text)
        else:
            err.write(f"mtlscope: {text}\n")

    hearing.append(hear)
    try:
        yield
    finally:
        hearing.remove(hear)
        with suppress(OSError):  # the terminal is gone
            for text in kept:
                say(text)


@contextmanager
def _restored() -> Iterator[None]:
    """The terminal as it was, whatever the view did to it."""
    try:
        import termios
    except ImportError:  # Windows
        yield
        return
    fd = sys.stdin.fileno() if sys.stdin.isatty() else sys.stdout.fileno()
    before = termios.tcgetattr(fd)
    try:
        yield
    except BaseException:
        with suppress(OSError):
            sys.stdout.write("\x1b[?1049l\x1b[?25h\x1b[0m")
            sys.stdout.flush()
        raise
    finally:
        with suppress(termios.error):  # it is gone
            termios.tcsetattr(fd, termios.TCSANOW, before)
