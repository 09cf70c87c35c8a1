"""Remembers what was worked out about a CA list: thousands of connections share one, and to hash it costs its length.

Chains compare by identity, so that `lru_cache` serves for them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

CAPACITY = 4096
"""Answers remembered by one function; the oldest is forgotten first."""


def per_object(function: Callable[P, R]) -> Callable[P, R]:
    """Cache by the identity of the arguments. They are kept as well: their ids cannot go to other objects meanwhile."""
    known: dict[tuple[int, ...], tuple[tuple[object, ...], R]] = {}

    @wraps(function)
    def look_up(*things: P.args, **named: P.kwargs) -> R:
        key = tuple(map(id, things))
        entry = known.get(key)
        if entry is not None:
            return entry[1]
        answer = function(*things, **named)
        if len(known) >= CAPACITY:
            del known[next(iter(known))]
        known[key] = (things, answer)
        return answer

    return look_up
