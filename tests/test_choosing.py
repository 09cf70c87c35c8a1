"""Which connection is meant where the user did not say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from analyzer.choosing import like_of, most_troubled
from analyzer.connection import Connection
from analyzer.findings import Severity
from tests.build.connections import CLIENT_DONE, DATA, HANDSHAKE, SECOND_NS, START_NS, connection
from tests.report.records import finding


def made(stream: int, *ladder: str, severity: Severity | None = None, **facts: Any) -> Connection:
    conn = connection(*ladder, stream=stream, ts_ns=START_NS + stream * SECOND_NS, **facts)
    return replace(conn, findings=(finding("some-rule", severity),)) if severity else conn


def healthy(stream: int, severity: Severity | None = None, **facts: Any) -> Connection:
    return made(stream, *HANDSHAKE, *DATA, severity=severity, **facts)


def failed(stream: int, severity: Severity | None = Severity.ERROR, **facts: Any) -> Connection:
    return made(stream, *CLIENT_DONE, "< RST", severity=severity, **facts)


def refused(stream: int) -> Connection:
    return made(stream, "> SYN", "< RST", severity=Severity.ERROR)


ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE


@pytest.mark.parametrize(
    ("connections", "stream", "why"),
    [
        pytest.param([healthy(0), failed(1), failed(2)], 1, "most troubled", id="the first that failed"),
        pytest.param([refused(0), failed(1)], 1, "most troubled", id="a handshake before a refused connection"),
        pytest.param(
            [healthy(0, ERROR), refused(1)], 1, "most troubled", id="refused before one that works with an error"
        ),
        pytest.param([healthy(0, WARNING), healthy(1, ERROR)], 1, "most troubled", id="an error before a warning"),
        pytest.param([healthy(0, NOTE), healthy(1, WARNING)], 1, "most troubled", id="a warning before a note"),
        pytest.param([failed(0, None), healthy(1, ERROR)], 0, "most troubled", id="failed without a finding"),
        pytest.param([healthy(3), healthy(4, NOTE)], 3, "none is in trouble", id="the first, if all is well"),
    ],
)
def test_most_troubled(connections: list[Connection], stream: int, why: str) -> None:
    choice = most_troubled(connections)
    assert choice is not None
    assert choice.conn.stream == stream
    assert why in choice.why


def test_nothing_to_choose_from() -> None:
    assert most_troubled([]) is None
    assert most_troubled([connection("> SYN", "> FIN")]) is None


def colleague(stream: int) -> Connection:
    """Another client."""
    return healthy(stream, client_ip="192.0.2.99")


def pool(stream: int) -> Connection:
    """Another server of the same name."""
    return healthy(stream, server_ip="198.51.100.99")


WANTED = failed(5)
SAME_CLIENT: dict[str, Any] = {"client_ip": "192.0.2.10", "server_port": 5061}
FAR: dict[str, Any] = {
    "client_ip": "192.0.2.99",
    "server_ip": "198.51.100.99",
    "server_name": "x.example",
    "server_port": 443,
}


def far(stream: int, **same: Any) -> Connection:
    """Another client, server, name and port, but for what is given."""
    return healthy(stream, **(FAR | same))


@pytest.mark.parametrize(
    ("connections", "stream", "why"),
    [
        pytest.param(
            [healthy(1), healthy(4), healthy(9)], 4, "the same client and server, and it worked", id="nearest in time"
        ),
        pytest.param([failed(4), healthy(1)], 1, "and it worked", id="one that worked before one that did not"),
        pytest.param([failed(4)], 4, "the same client and server", id="else one that failed"),
        pytest.param([WANTED, healthy(1)], 1, "the same client and server", id="never itself"),
        pytest.param([colleague(4)], 4, "the same server, and", id="another client"),
        pytest.param([pool(4)], 4, "the same server name", id="a pool"),
        pytest.param(
            [pool(3), colleague(9)],
            9,
            "the same server,",
            id="server",
        ),
        pytest.param(
            [far(3, **SAME_CLIENT), far(4, server_port=5061)],
            3,
            "client and port",
            id="client",
        ),
        pytest.param([far(4, server_port=5061)], 4, "the same port", id="nothing but the port"),
        pytest.param([far(4)], None, "", id="nothing"),
        pytest.param([refused(4)], None, "", id="no hello to compare"),
        pytest.param([], None, "", id="an empty capture"),
    ],
)
def test_the_like_of_it(connections: list[Connection], stream: int | None, why: str) -> None:
    choice = like_of(WANTED, connections, same_capture=True)
    assert (choice.conn.stream if choice else None) == stream
    assert choice is None or why in choice.why


def test_in_another_capture_the_same_number_is_another_connection() -> None:
    choice = like_of(WANTED, [healthy(7), healthy(5)], same_capture=False)
    assert choice is not None
    assert choice.conn.stream == 5
