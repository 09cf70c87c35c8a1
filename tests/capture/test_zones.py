"""Time zones as users write them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from analyzer.capture.zones import EPOCH, parse_zone, start_ns
from analyzer.errors import UsageError


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        pytest.param(None, 0, id="nothing is UTC"),
        pytest.param("utc", 0, id="UTC"),
        pytest.param("Z", 0, id="Z"),
        pytest.param("+02:00", 2, id="an offset"),
        pytest.param("-0530", -5.5, id="without a colon"),
        pytest.param("+1", 1, id="hours alone"),
        pytest.param("UTC-3", -3, id="after UTC"),
        pytest.param("Asia/Tokyo", 9, id="a name"),
    ],
)
def test_zones(text: str | None, hours: float) -> None:
    assert parse_zone(text).utcoffset(EPOCH.replace(tzinfo=None)) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("Berlin", "expected a name such as Europe/Berlin, or an offset such as", id="a city"),
        pytest.param("europe/berln", "did you mean: Europe/Berlin", id="a misspelt name"),
        pytest.param("+25:00", "an offset is at most 23:59", id="more than a day"),
        pytest.param("+01:75", "an offset is at most 23:59", id="75 minutes"),
        pytest.param("../../etc/passwd", "no time zone", id="a path"),
        pytest.param("", "no time zone", id="empty"),
        pytest.param("a\0b", "no time zone", id="a zero byte"),
    ],
)
def test_wrong_zones(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_zone(text)


@pytest.mark.parametrize(
    ("fields", "zone", "ns"),
    [
        pytest.param((1970, 1, 4, 1, 0, 0, 0, 0), None, 0, id="1970"),
        pytest.param((2016, 8, 4, 11, 18, 9, 26, 992), None, 1_470_938_966_992_000_000, id="a Thursday in 2016, UTC"),
        pytest.param((2016, 8, 4, 11, 18, 9, 26, 992), "Europe/Berlin", 1_470_931_766_992_000_000, id="the same in Berlin"),
        pytest.param((1969, 12, 3, 31, 23, 59, 59, 0), None, -1_000_000_000, id="before 1970"),
        pytest.param((2016, 13, 4, 11, 18, 9, 26, 992), None, None, id="month 13"),
        pytest.param((0, 0, 0, 0, 0, 0, 0, 0), None, None, id="zeros"),
        pytest.param((9999, 12, 0, 31, 23, 59, 59, 0), "-23:00", None, id="beyond the calendar")
    ],
)  # fmt: skip
def test_start_times(fields: tuple[int, ...], zone: str | None, ns: int | None) -> None:
    got = start_ns(fields, parse_zone(zone))
    assert got == ns or (ns is None and got is not None and got > 2**63)
