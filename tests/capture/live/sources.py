"""A source that plays what a test gives it."""

from __future__ import annotations

from collections.abc import Iterable

from analyzer.capture.live import blocks
from analyzer.errors import LiveError


class Played:
    """Gives out pieces of whole blocks: b"" is silence. After the last one it is silent until it is stopped."""

    def __init__(self, pieces: Iterable[bytes], after_stop: Iterable[bytes] = (), failure: str | None = None) -> None:
        self.notes: list[str] = []
        self.closed = self.stopped = False
        self._pieces, self._after_stop, self._failure = list(pieces), list(after_stop), failure

    def read(self, timeout: float) -> bytes | None:
        """See Source."""
        if self._pieces:
            return self._pieces.pop(0)
        if self._failure:
            raise LiveError(self._failure)
        if not self.stopped:
            return b""
        return self._after_stop.pop(0) if self._after_stop else None

    def renew(self) -> tuple[bytes, bytes]:
        """See Source."""
        return blocks.statistics(0, 0, 0), HEADER

    def stop(self) -> None:
        """See Source."""
        self.stopped = True

    def close(self) -> None:
        """See Source."""
        self.closed = True


class Clock:
    """Time goes on by one second at each look."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now

    def sleep(self, seconds: float) -> None:
        """Only noted."""
        self.slept += seconds


HEADER = blocks.header("test0", 1, 262_144)
