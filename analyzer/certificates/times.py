"""UTCTime and GeneralizedTime, in the forms that RFC 5280 section 4.1.2.5 wants and in those that are met."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from analyzer.certificates.der import GENERALIZED_TIME, UTC_TIME

_REST = r"(\d\d)(\d\d)(\d\d)(\d\d)?(\d\d)?(?:[.,](\d{1,18}))?(?:Z|z|([+-])(\d\d):?(\d\d)?)?"
_FORMS = {
    UTC_TIME: re.compile(rf"(\d\d){_REST}", re.ASCII),
    GENERALIZED_TIME: re.compile(rf"(\d{{4}}){_REST}", re.ASCII),
}
_USUAL = {UTC_TIME: re.compile(r"\d{12}Z", re.ASCII), GENERALIZED_TIME: re.compile(r"\d{14}Z", re.ASCII)}
MAX_TEXT = 64  # characters kept of what is written


def read_time(tag: int, content: bytes) -> tuple[datetime | None, str, str | None]:
    """The moment (aware UTC; None if it is none), the text as written, and what is odd about it (None: nothing)."""
    text = content[:MAX_TEXT].decode("ascii", "backslashreplace")
    form = _FORMS[tag].fullmatch(text) if tag in _FORMS else None
    if form is None:
        return None, text, "a time that is no time"
    year, month, day, hour, minute, second, fraction, sign, off_hours, off_minutes = form.groups()
    century = 0 if tag == GENERALIZED_TIME else 2000 if int(year) < 50 else 1900
    try:
        moment = datetime(century + int(year), int(month), int(day), int(hour), int(minute or 0), tzinfo=UTC)
        if int(second or 0) > 60:
            return None, text, "a time that is no date"
        moment += timedelta(seconds=int(second or 0), microseconds=int((fraction or "0").ljust(6, "0")[:6]))
        offset = timedelta(hours=int(off_hours or 0), minutes=int(off_minutes or 0))
        moment += offset if sign == "-" else -offset
    except (ValueError, OverflowError):
        return None, text, "a time that is no date"
    if not _USUAL[tag].fullmatch(text):
        return moment, text, "a time not in the form that RFC 5280 wants"
    if tag == GENERALIZED_TIME and moment.year < 2050:
        return moment, text, "GeneralizedTime before 2050"
    return moment, text, None
