"""`Bounded`: a table that cannot grow without end."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Bounded(OrderedDict[K, V], Generic[K, V]):
    """A dict that forgets the entry written longest ago when it is full."""

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self._capacity = capacity

    def __setitem__(self, key: K, value: V) -> None:
        """Also makes the entry the youngest."""
        if key in self:
            self.move_to_end(key)
        elif len(self) >= self._capacity:
            self.popitem(last=False)
        super().__setitem__(key, value)
