"""`Backlog`: reads a pipe ahead in a thread, into one buffer that is used again and again.

Objects made in a thread and freed in another one keep a heap of their own growing; here none is made.
"""

from __future__ import annotations

import threading
from typing import BinaryIO

SIZE = 8 * 1024 * 1024
"""Bytes read ahead at most; beyond that the writer waits."""
AT_ONCE = 2 * 1024 * 1024
"""Bytes taken in one go, at most: what is made of them in memory is many times as large."""


class Backlog:
    """A ring of bytes: the thread writes at `_end`, whoever takes them is at `_begin`. Both grow, until it is empty."""

    def __init__(self, pipe: BinaryIO, size: int = SIZE) -> None:
        self._pipe = pipe
        self._ring = memoryview(bytearray(size))
        self._begin = self._end = 0
        self._changed = threading.Condition()
        self._over = self._closed = False
        self._thread = threading.Thread(target=self._pump, daemon=True)
        self._thread.start()

    def _pump(self) -> None:
        try:
            while (room := self._room()) and (got := self._pipe.readinto(room)):  # type: ignore[attr-defined]
                with self._changed:
                    self._end += got
                    self._changed.notify()
        except (OSError, ValueError):
            pass
        with self._changed:
            self._over = True
            self._changed.notify()

    def _room(self) -> memoryview:
        """A stretch that is free, after waiting for one; nothing if the rest is not wanted."""
        size = len(self._ring)
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._end - self._begin < size)
            if self._closed:
                return self._ring[:0]
            if self._begin == self._end:
                self._begin = self._end = 0  # a slow pipe needs no more than the first pages
            at = self._end % size
            return self._ring[at : min(size, at + size - (self._end - self._begin))]

    def take(self, timeout: float) -> bytes | None:
        """What is there, perhaps only a part of it, after waiting for it so many seconds; b"" if nothing comes, None at the
        end."""
        size = len(self._ring)
        with self._changed:
            self._changed.wait_for(lambda: self._over or self._end > self._begin, timeout)
            count = min(self._end - self._begin, size - self._begin % size, AT_ONCE)
            if not count:
                return None if self._over else b""
            at = self._begin % size
            data = bytes(self._ring[at : at + count])
            self._begin += count
            self._changed.notify()
            return data

    def close(self) -> None:
        """Read no more. Whoever writes has to have ended."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(1)
