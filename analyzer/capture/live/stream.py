"""`LiveStream`: an engine as the stream that the pcapng reader reads, with limits, signs of time, and a copy to a file."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

from analyzer.capture.live.blocks import TICK, cut_after
from analyzer.capture.live.source import Source
from analyzer.dataclass import dataclass

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

WAIT = 0.25
"""Seconds without a packet after which the reader is told that time goes on; also how soon a stop is noticed."""
PACE = 0.05
"""Seconds that packets may gather, in the kernel's buffer, while we do nothing: a batch of one packet costs as much as one
of hundreds."""
LARGE = 2 * 1024 * 1024
"""Bytes of a batch behind which more is waiting: then nothing needs to gather."""
DRAIN = 1.0
"""Seconds to read what is still in the buffers after a stop."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop by oneself: after that many packets, or seconds; None = never."""

    packets: int | None = None
    seconds: float | None = None


class LiveStream(io.RawIOBase):
    """Give out whole blocks; a TICK when nothing came for a while; the end after a stop.

    Attributes:
        packets: seen so far, counted only if they are limited.
        problem: why the copy ended early; None if all is well.
    """

    def __init__(
        self,
        source: Source,
        limits: Limits,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        copy: BinaryIO | None = None,
        again: Callable[[], BinaryIO | None] = lambda: None,
    ) -> None:
        """`copy`: where everything goes as well. `again`: opens it anew after `reopen`; None: it goes on as it is. The one
        before is closed here."""
        self._source, self._limits, self._clock, self._sleep = source, limits, clock, sleep
        self._copy, self._file, self._again = copy, copy, again
        self._pending = memoryview(b"")
        self._until = None if limits.seconds is None else clock() + limits.seconds
        self._asked = self._stopping = self._over = False
        self._begun = self._moved = self._more = False
        self._drained_at = 0.0
        self._copied = 0
        self.packets = 0
        self.problem: str | None = None

    def stop(self) -> None:
        """Ask for the end. Does nothing but note it: a signal handler calls this."""
        self._asked = True

    def reopen(self) -> None:
        """Ask for the copy to go on in another file. Only notes it, as `stop`."""
        self._moved = True

    def readable(self) -> bool:
        return True

    def readinto(self, target: WriteableBuffer) -> int:
        """As a raw stream: what is there now; 0 only at the end."""
        if not self._pending:
            self._pending = memoryview(self._next())
        with memoryview(target).cast("B") as view:
            count = min(len(view), len(self._pending))
            view[:count] = self._pending[:count]
        self._pending = self._pending[count:]
        return count

    def close(self) -> None:
        """Give the engine back."""
        if not self.closed:
            self._source.close()
        super().close()

    def _next(self) -> bytes:
        """Blocks; b"" at the end."""
        if self._over:
            return b""
        now = self._clock()
        if self._stopping:
            if now > self._drained_at:
                return self._end()
        elif self._asked or (self._until is not None and now >= self._until):
            self._source.stop()
            self._stopping, self._drained_at = True, now + DRAIN
        elif not self._more:
            self._sleep(PACE)
        if self._moved and self._begun:
            self._moved = False
            if section := self._renewed():
                return section
        data = self._source.read(WAIT)
        if data is None:
            return self._end()
        self._more = len(data) >= LARGE
        if not data:
            return TICK
        return self._taken(data)

    def _end(self) -> bytes:
        self._over = True
        return b""

    def _taken(self, data: bytes) -> bytes:
        if self._limits.packets is not None:
            size, count = cut_after(data, self._limits.packets - self.packets)
            self.packets += count
            if self.packets >= self._limits.packets:
                data = data[:size]
                self._over = True
                self._source.stop()
        self._begun = True
        self._write(data)
        return data

    def _renewed(self) -> bytes:
        """Go on in another file, which is a whole capture as the one before it. Who reads along sees a new section, too."""
        file = self._again()
        if file is None:
            return b""
        last, first = self._source.renew()
        self._write(last)
        if self._file is not None:
            self._file.close()
        self._copy, self._file, self._copied = file, file, file.seek(0, io.SEEK_END)
        self._write(first)
        return last + first

    def _write(self, data: bytes) -> None:
        """To the copy. A full disk ends the copy, at a whole block, and nothing else."""
        if self._copy is None:
            return
        try:
            left = memoryview(data)
            while left:
                left = left[self._copy.write(left) or 0 :]
            self._copied += len(data)
        except OSError as error:
            self.problem = f"{error.strerror or error}; it ends after {self._copied:,} bytes"
            try:
                self._copy.truncate(self._copied)
            except OSError:
                self.problem += ", with a cut block"
            self._copy = None
