"""A real pseudo terminal with a program in it, and what a person would see there (rendered by pyte)."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path

import pyte

PROJECT = Path(__file__).parent.parent.parent
PATIENCE = 30


class Terminal:
    """Runs `python -m WORDS` in a terminal of its own."""

    def __init__(
        self,
        *words: str,
        width: int = 80,
        height: int = 24,
        env: Mapping[str, str] | None = None,
        before: tuple[str, ...] = (),
    ) -> None:
        """`before`: a command that runs the other one."""
        self._ours, theirs = pty.openpty()
        self.screen = pyte.Screen(width, height)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.resize(width, height)
        self._settings = termios.tcgetattr(theirs)
        unwanted = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")  # xdist sets the last two: they win over the window
        kept = {name: value for name, value in os.environ.items() if name not in unwanted}
        self.process = subprocess.Popen(
            [*before, sys.executable, "-m", *words],
            cwd=PROJECT,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=kept | {"TERM": "xterm-256color", **(env or {})},
            start_new_session=True,
            preexec_fn=_take_terminal,  # only then Ctrl-C is a signal
        )
        self._theirs = theirs

    def resize(self, width: int, height: int) -> None:
        """Make the window another size."""
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        if (self.screen.columns, self.screen.lines) != (width, height):
            self.screen.resize(height, width)
            self.process.send_signal(signal.SIGWINCH)

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._ours, keys.encode())

    def wait_for(self, *texts: str) -> str:
        """Until the screen shows all of them; all of the screen."""
        until = time.monotonic() + PATIENCE
        while missing := [text for text in texts if text not in self.shown()]:
            assert time.monotonic() < until, f"no {missing} on the screen:\n{self.shown()}"
            assert self._read(0.2) or self.process.poll() is None, f"it has ended:\n{self.raw.decode(errors='replace')}"
        return self.shown()

    def shown(self) -> str:
        """The screen's lines."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def finish(self) -> tuple[int, float]:
        """The exit code, and how many seconds the end took."""
        begun = time.monotonic()
        while self.process.poll() is None:
            assert time.monotonic() - begun < PATIENCE, f"it does not end:\n{self.shown()}"
            self._read(0.05)
        took = time.monotonic() - begun
        while self._read(0.05):
            pass
        return self.process.returncode, took

    def after_the_table(self) -> str:
        """What was written to the terminal's ordinary screen since the table left it."""
        return self.raw.rpartition(b"\x1b[?1049l")[2].decode()

    def restored(self) -> bool:
        """Are the line settings as they were, the ordinary screen back, and the cursor visible?"""
        same = termios.tcgetattr(self._theirs) == self._settings
        shows = self.raw.rfind(b"\x1b[?25h") > self.raw.rfind(b"\x1b[?25l")
        return same and shows and self.raw.rfind(b"\x1b[?1049l") >= self.raw.rfind(b"\x1b[?1049h")

    def hang_up(self) -> None:
        """The terminal goes away, as when a line breaks."""
        for end in (self._ours, self._theirs):
            os.close(end)
        self._ours = self._theirs = -1

    def close(self) -> None:
        """End what is left."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self._ours >= 0:
            self.hang_up()

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._ours], [], [], seconds)
        if not ready:
            return False
        data = os.read(self._ours, 65536)
        self.raw += data
        self._stream.feed(data)
        return True


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
