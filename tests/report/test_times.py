"""Times as text."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.report import times

MOMENT = 1_795_253_400_123_456_789  # 2026-11-21 09:30:00.123456789 UTC


@pytest.mark.parametrize(
    ("digits", "text"),
    [
        pytest.param(0, "2026-11-21T09:30:00Z", id="whole seconds have no point"),
        pytest.param(3, "2026-11-21T09:30:00.123Z", id="milliseconds, as Network Monitor 2.0"),
        pytest.param(6, "2026-11-21T09:30:00.123456Z", id="microseconds"),
        pytest.param(9, "2026-11-21T09:30:00.123456789Z", id="nanoseconds"),
    ],
)
def test_rfc3339_has_the_digits_of_the_capture(digits: int, text: str) -> None:
    assert times.rfc3339(MOMENT, digits) == text


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_time_of_a_capture_can_be_written(time_ns: int) -> None:
    text = times.rfc3339(time_ns, 9)
    second = datetime.fromisoformat(text[:19] + "+00:00")
    assert round((second - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1)) == time_ns // 10**9
    assert int(text[20:29]) == time_ns % 10**9


def test_remembered_days_are_bounded() -> None:
    for day in range(200):
        times.rfc3339(day * 86_400 * 10**9, 0)
    assert times._day.cache_info().currsize <= 64


def test_clock_is_the_time_of_day() -> None:
    assert times.clock(MOMENT, 3) == "09:30:00.123"


def test_stamp_is_for_people() -> None:
    assert times.stamp(MOMENT, 3) == "2026-11-21 09:30:00.123"


def test_moment_is_utc_whatever_the_zone() -> None:
    assert times.moment(datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))) == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("duration_ns", "text"),
    [
        (900, "1 us"),
        (12_000_000, "12 ms"),
        (3_200_000_000, "3.2 s"),
        (250_000_000_000, "4 min 10 s"),
        (3_660_000_000_000, "1 h 1 min"),
        (200_000 * 10**9, "2 days 7 h"),
    ],
)
def test_span(duration_ns: int, text: str) -> None:
    assert times.span(duration_ns) == text
