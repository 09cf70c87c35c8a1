"""Time zones as users write them ("Europe/Berlin", "+02:00"), for captures that carry local time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from analyzer.errors import UsageError
from analyzer.nearest import meant

OFFSET = re.compile(r"(?:UTC)?([+-])(\d{1,2}):?(\d{2})?", re.ASCII | re.IGNORECASE)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_zone(text: str | None) -> tzinfo:
    """The zone of that name or offset; UTC for None. Raise UsageError, with the nearest names, if there is none."""
    if text is None or text.upper() in ("UTC", "Z"):
        return UTC
    offset = OFFSET.fullmatch(text)
    if offset:
        sign, hours, minutes = offset.groups("0")
        delta = timedelta(hours=int(hours), minutes=int(minutes))
        if delta < timedelta(hours=24) and int(minutes) < 60:
            return timezone(delta if sign == "+" else -delta)
        raise UsageError(f"no time zone {text!r}; an offset is at most 23:59, for example +02:00")
    return named_zone(text)


def named_zone(text: str) -> tzinfo:
    """A zone of the IANA data base. It is imported here alone: few captures need it."""
    from zoneinfo import ZoneInfo, available_timezones

    try:
        return ZoneInfo(text)
    except (OSError, ValueError, LookupError):
        known = available_timezones()
    if not known:
        raise UsageError(
            f"time zone {text!r}: this machine has no zone names (pip install tzdata); give an offset such as +02:00"
        )
    expected = "expected a name such as Europe/Berlin, or an offset such as +02:00"
    raise UsageError(f"no time zone {text!r}; {expected}{meant(text, known, 2, 0.6)}")


def start_ns(fields: tuple[int, ...], zone: tzinfo) -> int | None:
    """A Windows SYSTEMTIME (year, month, day of week, day, hour, minute, second, millisecond) of that zone, in ns since 1970.

    None if it is no date.
    """
    year, month, _weekday, day, hour, minute, second, millisecond = fields
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=zone)
        since = moment - EPOCH
    except (ValueError, OverflowError):
        return None
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + millisecond * 1_000_000
