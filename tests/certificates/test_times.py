"""Validity dates in every form that is met."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.certificates.times import read_time

UTC_TIME, GENERALIZED = 0x17, 0x18
FORM = "a time not in the form that RFC 5280 wants"
NO_DATE, NO_TIME = "a time that is no date", "a time that is no time"


@pytest.mark.parametrize(
    ("tag", "written", "iso", "oddity"),
    [
        pytest.param(UTC_TIME, "260102030405Z", "2026-01-02T03:04:05", None, id="the usual form"),
        pytest.param(UTC_TIME, "491231235959Z", "2049-12-31T23:59:59", None, id="49 is 2049"),
        pytest.param(UTC_TIME, "500101000000Z", "1950-01-01T00:00:00", None, id="50 is 1950"),
        pytest.param(GENERALIZED, "20500101000000Z", "2050-01-01T00:00:00", None, id="from 2050 on"),
        pytest.param(GENERALIZED, "99991231235959Z", "9999-12-31T23:59:59", None, id="no expiry at all"),
        pytest.param(
            GENERALIZED, "20260102030405Z", "2026-01-02T03:04:05", "GeneralizedTime before 2050", id="too early"
        ),
        pytest.param(UTC_TIME, "2601020304Z", "2026-01-02T03:04:00", FORM, id="without seconds"),
        pytest.param(UTC_TIME, "260102030405+0200", "2026-01-02T01:04:05", FORM, id="east of Greenwich"),
        pytest.param(UTC_TIME, "260102030405-0130", "2026-01-02T04:34:05", FORM, id="west of Greenwich"),
        pytest.param(GENERALIZED, "20600102030405.25Z", "2060-01-02T03:04:05.250000", FORM, id="a fraction"),
        pytest.param(GENERALIZED, "20600102030405", "2060-01-02T03:04:05", FORM, id="no zone"),
        pytest.param(UTC_TIME, "260102030460Z", "2026-01-02T03:05:00", None, id="a leap second"),
        pytest.param(UTC_TIME, "260102030461Z", None, NO_DATE, id="second 61"),
        pytest.param(UTC_TIME, "261302030405Z", None, NO_DATE, id="month 13"),
        pytest.param(UTC_TIME, "260229000000Z", None, NO_DATE, id="a leap day in no leap year"),
        pytest.param(GENERALIZED, "00000101000000Z", None, NO_DATE, id="year 0"),
        pytest.param(GENERALIZED, "99991231235959-1000", None, NO_DATE, id="year 10000 by its offset"),
        pytest.param(UTC_TIME, "20260102030405Z", None, NO_TIME, id="a year of four digits in a UTCTime"),
        pytest.param(UTC_TIME, "", None, NO_TIME, id="empty"),
        pytest.param(UTC_TIME, "2601020304é", None, NO_TIME, id="no ASCII"),
        pytest.param(0x0C, "260102030405Z", None, NO_TIME, id="a string instead of a time"),
    ],
)
def test_times(tag: int, written: str, iso: str | None, oddity: str | None) -> None:
    moment, text, noted = read_time(tag, written.encode("latin-1"))
    assert moment == (datetime.fromisoformat(iso).replace(tzinfo=UTC) if iso else None)
    assert noted == oddity
    assert text.isascii()


@given(
    tag=st.sampled_from([UTC_TIME, GENERALIZED]),
    content=st.binary(max_size=80) | st.from_regex(rb"[0-9]{8,15}[Z+-]?[0-9]{0,4}"),
)
def test_any_bytes_are_a_time_or_none(tag: int, content: bytes) -> None:
    moment, text, oddity = read_time(tag, content)
    assert text.isascii()
    assert moment is not None or oddity
