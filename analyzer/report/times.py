"""Nanoseconds since 1970-01-01 UTC as text, with as many digits as the capture has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND_NS = 1_000_000_000
_DAY = 86_400


def rfc3339(time_ns: int, digits: int) -> str:
    """ "2026-11-21T09:30:00.123456Z" with `digits` (0..9) decimals of a second."""
    second, rest = divmod(time_ns, _SECOND_NS)
    text = _second(second)
    return f"{text}.{rest:09d}"[: 20 + digits] + "Z" if digits else text + "Z"


@lru_cache(maxsize=64)
def _second(second: int) -> str:
    day, second = divmod(second, _DAY)
    return f"{_day(day)}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


@lru_cache(maxsize=64)
def _day(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).date().isoformat()


def stamp(time_ns: int, digits: int) -> str:
    """ "2026-11-21 09:30:00.123456", for people; UTC, which has to stand beside."""
    return rfc3339(time_ns, digits)[:-1].replace("T", " ")


def clock(time_ns: int, digits: int) -> str:
    """ "09:30:00.123456": the time of day, UTC."""
    return rfc3339(time_ns, digits)[11:-1]


def moment(time: datetime) -> str:
    """A date of a certificate: "2026-11-21T09:30:00Z"."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def span(duration_ns: int) -> str:
    """A duration for people: "12 ms", "3.2 s", "4 min 10 s"."""
    if duration_ns < 1_000_000:
        return f"{duration_ns / 1000:.0f} us"
    if duration_ns < _SECOND_NS:
        return f"{duration_ns / 1e6:.0f} ms"
    seconds = duration_ns / 1e9
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24:,} days {hours % 24} h"
