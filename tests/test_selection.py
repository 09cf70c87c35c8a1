"""The selecting options as a predicate."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.connection import Connection
from analyzer.errors import UsageError
from analyzer.findings import Severity
from analyzer.selection import Selection, parse_host, parse_time
from tests.build.connections import START_NS, connection
from tests.report.records import failed, finding, healthy

SECOND = 1_000_000_000
WARNED = healthy(findings=(finding("self-signed", Severity.WARNING),))
NOTED = healthy(findings=(finding("session-resumed", Severity.NOTE),))
SIX = healthy(client_ip="2001:db8::1", server_ip="2001:db8::2")


def hosts(*texts: str) -> Selection:
    return Selection(hosts=tuple(map(parse_host, texts)))


@pytest.mark.parametrize(
    ("selection", "conn", "reported"),
    [
        pytest.param(Selection(), healthy(), True, id="nothing given: everything"),
        pytest.param(hosts("192.0.2.10"), healthy(), True, id="the client's address"),
        pytest.param(hosts("198.51.100.5"), healthy(), True, id="the server's address"),
        pytest.param(hosts("198.51.100.5:5061"), healthy(), True, id="with its port"),
        pytest.param(hosts("192.0.2.10:5061"), healthy(), False, id="the port is the other side's"),
        pytest.param(hosts("192.0.2.1"), healthy(), False, id="an address that only begins alike"),
        pytest.param(hosts("192.0.2.0/24"), healthy(), True, id="a network"),
        pytest.param(hosts("10.0.0.1", "192.0.2.10"), healthy(), True, id="one of two addresses"),
        pytest.param(hosts("[2001:db8::1]:50000"), SIX, True, id="IPv6 with a port"),
        pytest.param(hosts("2001:DB8:0::2"), SIX, True, id="IPv6 written otherwise"),
        pytest.param(hosts("192.0.2.10"), SIX, False, id="IPv4 asked, IPv6 there"),
        pytest.param(Selection(names=("*.example.com",)), healthy(), True, id="the SNI"),
        pytest.param(Selection(names=("SIP.Example.COM.",)), healthy(), True, id="case and final dot do not count"),
        pytest.param(Selection(names=("edge.*",)), healthy(), True, id="a name in the client's certificate"),
        pytest.param(Selection(names=("edge.*",)), failed(client_chain=None), False, id="no such certificate"),
        pytest.param(Selection(names=("sip",)), healthy(), False, id="a part is no match without a star"),
        pytest.param(Selection(names=("*",)), connection("> SYN"), False, id="no name at all"),
        pytest.param(Selection(streams=frozenset({0, 4})), healthy(stream=4), True, id="this stream"),
        pytest.param(Selection(streams=frozenset({0, 4})), healthy(stream=2), False, id="another stream"),
        pytest.param(Selection(troubled=True), failed(), True, id="it failed"),
        pytest.param(Selection(troubled=True), WARNED, True, id="a warning is trouble"),
        pytest.param(Selection(troubled=True), NOTED, False, id="a note is none"),
        pytest.param(Selection(troubled=True), healthy(), False, id="all is well"),
        pytest.param(Selection(since_ns=START_NS - 1), healthy(), True, id="after since"),
        pytest.param(Selection(since_ns=START_NS + SECOND), healthy(), False, id="over before since"),
        pytest.param(Selection(until_ns=START_NS), healthy(), True, id="begins at until"),
        pytest.param(Selection(until_ns=START_NS - 1), healthy(), False, id="begins after until"),
        pytest.param(
            Selection(since_ns=START_NS + 1, until_ns=START_NS + 2), healthy(), True, id="alive before, in and after"
        ),
        pytest.param(
            Selection(troubled=True, streams=frozenset({9})), failed(), False, id="different options must all hold"
        ),
    ],
)
def test_selection(selection: Selection, conn: Connection, reported: bool) -> None:
    assert selection(conn) is reported


def test_a_selection_can_go_to_a_worker_process() -> None:
    selection = hosts("192.0.2.0/24")
    assert pickle.loads(pickle.dumps(selection)) == selection


@pytest.mark.parametrize(
    "text", ["", "foo", "1.2.3.4:", "1.2.3.4:99999", "1.2.3.4:x", "[::1", "[::1]5061", "1.2.3", ":5061"]
)
def test_a_host_that_is_none_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"expected e\.g\. 192"):
        parse_host(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("2026-11-21", 1_795_219_200, id="a date begins at midnight UTC"),
        pytest.param("2026-11-21T09:30", 1_795_253_400, id="no seconds"),
        pytest.param("2026-11-21 09:30:00", 1_795_253_400, id="a space instead of T"),
        pytest.param("2026-11-21T09:30:00Z", 1_795_253_400, id="Z"),
        pytest.param("2026-11-21 09:30:00 UTC", 1_795_253_400, id="as the text report writes it"),
        pytest.param("2026-11-21T10:30:00+01:00", 1_795_253_400, id="an offset east"),
        pytest.param("2026-11-21T04:30:00-0500", 1_795_253_400, id="an offset west"),
        pytest.param("1795253400", 1_795_253_400, id="seconds since 1970"),
    ],
)
def test_parse_time(text: str, seconds: int) -> None:
    assert parse_time(text) == seconds * SECOND


@pytest.mark.parametrize("text", ["2026-11-21T09:30:00.123456789Z", "1795253400.123456789"])
def test_no_digit_is_lost(text: str) -> None:
    assert parse_time(text) == 1_795_253_400_123_456_789


@pytest.mark.parametrize(
    "text", ["", "now", "09:30", "2026-13-01", "2026-02-30", "2026-11-21T25:00", "21.11.2026", "1e9", "-5"]
)
def test_a_time_that_is_none_is_refused_with_the_option(text: str) -> None:
    with pytest.raises(UsageError, match="--since"):
        parse_time(text, "--since")


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_a_usage_error(text: str) -> None:
    for parse in (parse_time, parse_host):
        try:
            parse(text)
        except UsageError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("selection", "narrows"),
    [
        pytest.param(Selection(), False, id="everything"),
        pytest.param(Selection(troubled=True), False, id="trouble anywhere"),
        pytest.param(hosts("192.0.2.10"), True, id="a host"),
        pytest.param(Selection(names=("*.example",)), True, id="a name"),
        pytest.param(Selection(streams=frozenset({0})), True, id="a stream"),
        pytest.param(Selection(since_ns=0), True, id="a time"),
    ],
)
def test_narrows(selection: Selection, narrows: bool) -> None:
    assert selection.narrows is narrows
