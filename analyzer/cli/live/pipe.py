"""Standard output as a pipe that is perhaps not read: the capture ends in time, and when nobody reads it any more."""

from __future__ import annotations

import os
import select
import stat
import sys
from collections.abc import Callable

from analyzer.cli.live.stopping import Ending
from analyzer.connection import Connection

AT_ONCE = 4096
"""Bytes that a pipe takes without waiting when it says that it takes some: PIPE_BUF, see pipe(7)."""
LOOK = 0.25
"""Seconds between two looks whether the end was asked for."""


def is_pipe(handle: int) -> bool:
    """A pipe or a socket, of a system that can wait for room in one."""
    mode = os.fstat(handle).st_mode
    return sys.platform != "win32" and (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode))


class Pipe:
    """A sink that waits for its reader only as long as there is time; and a tap that looks whether there is one.

    Attributes:
        lost_lines: how many nobody took.
    """

    name = "standard output"

    def __init__(self, handle: int, ending: Ending, told: Callable[[str], None]) -> None:
        self._handle, self._ending, self._told = handle, ending, told
        self.lost_lines = 0

    def write(self, data: bytes) -> int:
        """Raise BrokenPipeError if the reader is gone."""
        left = memoryview(data)
        while left and not self.lost_lines:
            if select.select([], [self._handle], [], LOOK)[1]:
                left = left[os.write(self._handle, left[:AT_ONCE]) :]
            elif self._ending.late():
                break
        self.lost_lines += bytes(left).count(b"\n")
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def see(self, conn: Connection) -> None:
        """See Tap."""

    def lost(self, packets: int) -> None:
        """See Tap."""

    def tick(self, now_ns: int) -> None:
        """End the capture if there is no reader any more, though there is nothing to write just now."""
        looking = select.poll()
        looking.register(self._handle, 0)
        if looking.poll(0):
            self._ending.ask()

    def close(self) -> None:
        """Tell what was not taken."""
        if self.lost_lines:
            self._told(
                f"{self.name}: nobody reads it; {self.lost_lines:,} lines were lost, the first one perhaps in part"
            )
