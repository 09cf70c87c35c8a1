"""Bounded memories of what was parsed before: equal bytes are parsed once (20,000 handshakes hold a handful of chains).

Both only save time: a full one forgets, and nothing else changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

MAX_ENTRIES, MAX_BYTES = 4096, 16 * 2**20
"""Per memory. Sixteen MiB hold thousands of chains and keep the whole process inside its 200 MiB."""
_END = 64
"""Bytes of each end in a key: a leaf's serial number is in the first, the last signature's end in the second."""
MAX_LAYOUTS = 8
"""Layouts kept for one size of message: a handful of client programs."""


class Memo(Generic[T]):
    """Values by (context, bytes). The oldest are forgotten first.

    The key has only both ends of the bytes and their number; the whole is compared afterwards, which is much faster than
    hashing kilobytes. Of bytes with equal ends the last one is kept.
    """

    __slots__ = ("_size", "_values")

    def __init__(self) -> None:
        self._values: dict[tuple[int, int, bytes, bytes], tuple[bytes, T]] = {}
        self._size = 0

    def find(self, context: int, data: bytes, start: int = 0, end: int | None = None) -> T | None:
        """What was kept for the bytes `data[start:end]`, which are not copied, in this context; None if nothing."""
        end = len(data) if end is None else end
        kept = self._values.get(_key(context, data, start, end))
        return kept[1] if kept is not None and data.startswith(kept[0], start, end) else None

    def keep(self, context: int, body: bytes, value: T) -> None:
        """Remember; twice the bytes are charged, since the value holds most of them again."""
        key = _key(context, body, 0, len(body))
        if key not in self._values:
            self._size += 2 * len(body)
        self._values[key] = body, value
        while len(self._values) > MAX_ENTRIES or self._size > MAX_BYTES:
            oldest = next(iter(self._values))
            self._size -= 2 * oldest[1]
            del self._values[oldest]


def _key(context: int, data: bytes, start: int, end: int) -> tuple[int, int, bytes, bytes]:
    size = end - start
    if size < _END:
        return context, size, data[start:end], b""
    return context, size, data[start : start + _END], data[end - _END : end]


class ShapeMemo(Generic[T]):
    """Values by messages of the same shape: equal in all bytes but the varying ones (keys, tickets, binders, names).

    All length fields are among the bytes compared, so an equal shape means that the varying bytes lie at the same places.
    """

    __slots__ = ("_count", "_layouts", "_size")

    def __init__(self) -> None:
        self._layouts: dict[int, list[tuple[tuple[slice, ...], dict[bytes, T]]]] = {}
        self._count = 0
        self._size = 0

    def find(self, prefix: bytes, tail: bytes) -> T | None:
        """What was kept for this prefix and a tail of the same shape; None if nothing."""
        for fixed, values in self._layouts.get(len(tail), ()):
            value = values.get(prefix + b"".join([tail[part] for part in fixed]))
            if value is not None:
                return value
        return None

    def keep(self, prefix: bytes, tail: bytes, varying: Sequence[tuple[int, int]], value: T) -> None:
        """Remember. `varying`: (start, end) in the tail, ascending, not overlapping."""
        if self._count >= MAX_ENTRIES or self._size + 2 * len(tail) > MAX_BYTES:
            self._layouts.clear()
            self._count = self._size = 0
        edges = [0, *(edge for region in varying for edge in region), len(tail)]
        fixed = tuple(slice(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True))
        layouts = self._layouts.setdefault(len(tail), [])
        values = next((values for known, values in layouts if known == fixed), None)
        if values is None:
            if len(layouts) >= MAX_LAYOUTS:
                _, forgotten = layouts.pop(0)
                self._count -= len(forgotten)
                self._size -= sum(2 * len(key) for key in forgotten)
            values = {}
            layouts.append((fixed, values))
        key = prefix + b"".join([tail[part] for part in fixed])
        if key not in values:
            self._count += 1
            self._size += 2 * len(key)
        values[key] = value
