"""Internationalised host names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.report.idn import explained


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("sip.example.com", "sip.example.com", id="an ordinary name stays"),
        pytest.param("xn--mnchen-3ya.example", "xn--mnchen-3ya.example (münchen.example)", id="what it means"),
        pytest.param("XN--MNCHEN-3YA.example", "XN--MNCHEN-3YA.example (MüNCHEN.example)", id="in capitals"),
        pytest.param(
            "xn--pple-43d.com", "xn--pple-43d.com (аpple.com, mixed scripts)", id="a Cyrillic a in a Latin word"
        ),
        pytest.param("xn--80ak6aa92e.com", "xn--80ak6aa92e.com (аррӏе.com)", id="one script in a label"),
        pytest.param("xn--a\\xff.com", "xn--a\\xff.com", id="a broken label stays"),
        pytest.param("xn--99999999.com", "xn--99999999.com", id="so does one that overflows"),
    ],
)
def test_explained(name: str, shown: str) -> None:
    assert explained(name) == shown


@given(st.text(max_size=30))
def test_any_name_is_shown_whole(text: str) -> None:
    assert explained("xn--" + text).startswith("xn--" + text)
