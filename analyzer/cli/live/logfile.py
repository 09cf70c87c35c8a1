"""`LogFile`: lines appended to a file for weeks. Rotated, reopened, and never the reason that a capture ends.

Every block of whole lines is one write(2) to a file opened with O_APPEND. What the disk does not take is cut off again and
counted. SIGKILL may end a write(2) at a page's end (generic_perform_write looks for it between two pages), so the last line
may be torn, but none before it: it is cut off when the file is opened the next time.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from analyzer.cli.live.rotation import Rotation, put_away, remove_old
from analyzer.connection import Connection
from analyzer.errors import UsageError
from analyzer.live.tails import cut_torn_tail
from analyzer.report.output import Item

SAY_EVERY = 10.0
"""Seconds between two messages about lines that were lost, and between two tries to put a file away after one failed."""
PIECE = 65_536
"""Bytes of text that wait at most."""
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class LogFile:
    """A sink for JSON Lines, or for text that is written while the capture goes on; and a tap that is told the time.

    Attributes:
        name: its path.
        generation: grows with each new file, and with each loss: who writes has to tell everything anew.
        lost_lines: how many could not be written.
    """

    def __init__(
        self,
        path: str,
        rotation: Rotation,
        told: Callable[[str], None],
        now_ns: Callable[[], int] = time.time_ns,
        clock: Callable[[], float] = time.monotonic,
        *,
        lines: bool = True,
    ) -> None:
        """Open it. Raise UsageError if that is not possible, or if the file is none of lines.

        `lines`: JSON Lines, appended to what is there. Else what is there is overwritten by what is written first.
        """
        self._lines, self._waiting = lines, bytearray()
        self.name, self.generation, self.lost_lines = path, 0, 0
        self._path, self._rotation, self._told, self._now_ns, self._clock = Path(path), rotation, told, now_ns, clock
        self._handle: int | None = None
        self._size = self._period = 0
        self._cut_to: int | None = None
        self._asked = self._failing = False
        self._unsaid, self._said_at, self._rotate_at = 0, -SAY_EVERY, 0.0
        try:
            self._open()
            remove_old(self._path, rotation.keep)
        except OSError as error:
            self.close()
            raise UsageError(f"cannot write {path}: {error.strerror or error}") from None
        if not lines:
            self._cut_to = 0
        elif self._size:
            told(f"{path} has {self._size:,} bytes; new lines are appended")
        self._rotate_if_due()

    def write(self, data: bytes) -> int:
        """Append whole lines. What cannot be written is counted; nothing is raised."""
        if self._lines:
            self._put(data)
        else:
            self._waiting += data
            if len(self._waiting) >= PIECE:
                self.flush()
        return len(data)

    def flush(self) -> None:
        """Write text that waits: what belongs together, so that nothing less is lost."""
        if self._waiting:
            data = bytes(self._waiting)
            self._waiting.clear()
            self._put(data)

    def _put(self, data: bytes) -> None:
        try:
            self._append(data)
        except OSError as error:
            self._missed(error, data.count(b"\n"))
        else:
            self._failing = False
            self._tell_losses()
            self._rotate_if_due()

    def reopen(self) -> None:
        """Ask for the file to be opened anew, for somebody has moved it. Only notes it: a signal handler calls this."""
        self._asked = True

    def see(self, conn: Connection) -> None:
        """See Tap."""

    def lost(self, packets: int) -> None:
        """See Tap."""

    def tick(self, now_ns: int) -> None:
        """Reopen or rotate if it is time, look whether somebody cut the file (copytruncate), and tell of losses."""
        if self._asked:
            self._asked = False
            self._again()
        elif self._handle is not None and os.fstat(self._handle).st_size < self._size:
            self._size = os.fstat(self._handle).st_size
            self.generation += 1
        self._rotate_if_due()
        self._tell_losses()

    def close(self) -> None:
        """Give it back, and tell of what was not told yet."""
        self.flush()
        self._tell_losses(now=True)
        self._shut()

    def _shut(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _open(self) -> None:
        handle = os.open(self._path, _FLAGS, 0o666)
        try:
            _lock(handle)
            torn = cut_torn_tail(handle) if self._lines else 0
            facts = os.fstat(handle)
        except OSError:
            os.close(handle)
            raise
        if torn:
            self._told(f"{self.name}: {torn:,} bytes of a half-written last line were cut off")
        self._handle, self._size, self._cut_to = handle, facts.st_size, None
        self._period = self._rotation.period(facts.st_mtime_ns if facts.st_size else self._now_ns())

    def _again(self) -> None:
        """Whatever has this name now."""
        self._shut()
        self.generation += 1
        try:
            self._open()
        except OSError as error:
            self._missed(error, 0)

    def _append(self, data: bytes) -> None:
        if self._handle is None:
            self._open()
        handle = self._handle
        assert handle is not None
        before = os.fstat(handle).st_size
        if self._cut_to is not None:
            before = min(before, self._cut_to)
            os.ftruncate(handle, before)
            self._cut_to = None
        try:
            left = memoryview(data)
            while left:  # a short write is tried again only to learn the reason
                left = left[os.write(handle, left) :]
        except OSError:
            self._cut_to = before
            os.ftruncate(handle, before)
            self._cut_to = None
            raise
        self._size = before + len(data)

    def _missed(self, error: OSError, lines: int) -> None:
        self.generation += 1  # certificates may have been among them
        self.lost_lines += lines
        self._unsaid += lines
        if not self._failing:
            self._failing = True
            if self._may_say():
                self._told(
                    f"{self.name}: {error.strerror or error}; lines are lost until that is mended, the capture goes on"
                )

    def _tell_losses(self, now: bool = False) -> None:
        if self._unsaid and (now or (not self._failing and self._may_say())):
            there = "" if self._failing else "; it is written again"
            self._told(f"{self.name}: {self._unsaid:,} lines were lost{there}")
            self._unsaid = 0

    def _may_say(self) -> bool:
        now = self._clock()
        if now - self._said_at < SAY_EVERY:
            return False
        self._said_at = now
        return True

    def _rotate_if_due(self) -> None:
        now_ns = self._now_ns()
        if self._handle is None or self._clock() < self._rotate_at:
            return
        if not self._rotation.due(self._size, self._period, now_ns):
            return
        self._shut()  # Windows renames no open file
        try:
            self._path.rename(put_away(self._path, now_ns))
            remove_old(self._path, self._rotation.keep)
        except OSError as error:
            self._rotate_at = self._clock() + SAY_EVERY
            if self._may_say():
                self._told(f"{self.name}: rotating: {error.strerror or error}; it is tried again")
        self._again()


class Parts:
    """Items of a run, a part for each generation of the file that they go to: what is written once comes in each again."""

    def __init__(self, items: Iterable[Item], log: LogFile) -> None:
        self._items, self._log = iter(items), log
        self._next: Item | None = None

    def __iter__(self) -> Iterator[Iterator[Item]]:
        """Each part has to be used up before the next one."""
        yield self._part()
        while self._next is not None:
            yield self._part()

    def _part(self) -> Iterator[Item]:
        generation = self._log.generation
        if self._next is not None:
            item, self._next = self._next, None
            yield item
        for item in self._items:
            if self._log.generation != generation:
                self._next = item
                return
            yield item


def _lock(handle: int) -> None:
    """Two that write one file would mix it up. Raise OSError if another one does. Windows: not asked."""
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OSError(errno.EBUSY, "another process writes it") from None
    except OSError:
        return  # a file system without locks
