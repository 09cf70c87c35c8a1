"""`Ahead`: fetches the next piece of an input in a thread of its own, while the piece before it is worked on."""

from __future__ import annotations

from _thread import allocate_lock, start_new_thread
from collections.abc import Callable
from contextlib import suppress


class Ahead:
    """One piece that is being fetched into `room`, from `begin` on.

    Nobody else may read the stream, or touch the room, until `wait` has returned.
    """

    def __init__(self, read: Callable[[memoryview], int | None], room: memoryview, begin: int) -> None:
        self._read, self._room, self._end = read, room, begin
        self._busy = allocate_lock()
        self._busy.acquire()
        # threading.Thread waits until the thread runs, which takes longer than reading. Nobody waits for this one at the
        # end of the process: a pipe may never give more.
        start_new_thread(self._fetch, ())

    def wait(self, seconds: float = -1) -> int:
        """Where the piece ends. It is a short one at the end of the input, and where reading raised an error: whoever reads
        on meets that end or error again."""
        if self._busy.acquire(timeout=seconds):
            self._busy.release()
        return self._end

    def _fetch(self) -> None:
        with suppress(Exception):  # see wait()
            while self._end < len(self._room) and (got := self._read(self._room[self._end :])):
                self._end += got
        self._busy.release()
