"""Thresholds of knowledge/stack_limits.toml in the unit of the record's times."""

from __future__ import annotations

from functools import cache

from analyzer import knowledge

SECOND_NS = 1_000_000_000


@cache
def limit_ns(name: str) -> int:
    """A limit in seconds as nanoseconds. Raise KeyError for a name that is not there: a bug of ours."""
    return knowledge.limit(name) * SECOND_NS
