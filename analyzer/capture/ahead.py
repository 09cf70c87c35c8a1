"""`Ahead`: fetches the next piece of an input in a thread of its own, while the piece before it is worked on."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread


class Ahead:
    """One piece that is being fetched into `buffer`, from `begin` up to `limit` at most.

    Nobody else may read the stream, or touch that part of the buffer, until `wait` has returned.
    """

    def __init__(self, read: Callable[[memoryview], int | None], buffer: bytearray, begin: int, limit: int) -> None:
        self.buffer, self.begin = buffer, begin
        self._read, self._limit, self._end = read, limit, begin
        self._thread = Thread(target=self._fetch, name="read ahead", daemon=True)  # a pipe may never give more
        self._thread.start()

    def wait(self, seconds: float | None = None) -> int:
        """Where the piece ends. It is a short one at the end of the input, and where reading raised an error: whoever reads
        on meets that end or error again."""
        self._thread.join(seconds)
        return self._end

    def _fetch(self) -> None:
        try:
            with memoryview(self.buffer) as view:
                while self._end < self._limit and (got := self._read(view[self._end : self._limit])):
                    self._end += got
        except Exception:  # see wait()
            return
