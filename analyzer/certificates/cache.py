"""A dict that forgets: what was read from equal bytes is read once, and memory stays bounded."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BoundedCache(Generic[K, V]):
    """Keeps entries up to a number and up to a total weight (bytes, or whatever the caller counts).

    What comes first goes first, so a hit costs one dict look-up and nothing else.
    """

    __slots__ = ("_entries", "_max_entries", "_max_weight", "_total", "_weights", "get")

    def __init__(self, max_entries: int, max_weight: int) -> None:
        self._entries: dict[K, V] = {}
        self._weights: dict[K, int] = {}
        self._total = 0
        self._max_entries, self._max_weight = max_entries, max_weight
        self.get = self._entries.get

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, key: K, value: V, weight: int = 1) -> V:
        """Keep `value` and give it back. One that is heavier than all the room there is is not kept."""
        if weight > self._max_weight or key in self._entries:
            return value
        self._entries[key] = value
        self._weights[key] = weight
        self._total += weight
        while len(self._entries) > self._max_entries or self._total > self._max_weight:
            oldest = next(iter(self._entries))
            del self._entries[oldest]
            self._total -= self._weights.pop(oldest)
        return value
