"""Standard input as a stream: what is there now, gathered for a moment, so that a slow writer's packets are seen at once and a
fast one's in large pieces."""

from __future__ import annotations

import io
import select
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MOMENT = 0.02
"""Seconds to wait for more."""
READS = 32
"""Reads in one go, at most: a pipe gives 64 KiB at a time, and one that never rests must not be waited for."""


class Gathering(io.RawIOBase):
    """The stream behind it, read several times in a row while it has more."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, target: WriteableBuffer) -> int:
        """As a raw stream: 0 only at the end."""
        total = 0
        with memoryview(target).cast("B") as view:
            for _ in range(READS):
                got: int = self._stream.readinto(view[total:]) or 0  # type: ignore[attr-defined]
                total += got
                if not got or total == len(view) or not self._has_more():
                    break
        return total

    def _has_more(self) -> bool:
        try:
            return bool(select.select([self._stream], [], [], MOMENT)[0])
        except (OSError, TypeError, ValueError):
            return False  # on Windows only sockets can be waited for
