"""`Ahead`: fetches the next piece of an input in a thread of its own, while the piece before it is worked on."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread


class Ahead:
    """One piece that is being fetched into `room`, from `begin` on.

    Nobody else may read the stream, or touch the room, until `wait` has returned.
    """

    def __init__(self, read: Callable[[memoryview], int | None], room: memoryview, begin: int) -> None:
        self._read, self._room, self._end = read, room, begin
        self._thread = Thread(target=self._fetch, name="read ahead", daemon=True)  # a pipe may never give more
        self._thread.start()

    def wait(self, seconds: float | None = None) -> int:
        """Where the piece ends. It is a short one at the end of the input, and where reading raised an error: whoever reads
        on meets that end or error again."""
        self._thread.join(seconds)
        return self._end

    def _fetch(self) -> None:
        try:
            while self._end < len(self._room) and (got := self._read(self._room[self._end :])):
                self._end += got
        except Exception:  # see wait()
            return
