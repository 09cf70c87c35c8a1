"""short-name: host names without a domain."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.connection import Seen
from tests.build.connections import DATA, HANDSHAKE, TCP, connection
from tests.rules.cast import CLIENT, SERVER, SUB, answer, chain, finding, raw

RULE = "short-name"
GOOD = chain(SERVER, SUB)


def leaf(cn: str, *san: str) -> Any:
    """A chain whose leaf has these names; no name at all means no SAN."""
    return chain(SUB.issue(cn, san=list(san) or None), SUB)


@pytest.mark.parametrize(
    ("port", "sent", "expected"),
    [
        pytest.param(5061, GOOD, "silent", id="a whole name"),
        pytest.param(5061, leaf("fe01", "fe01.example"), "silent", id="the SAN has the whole name, the CN is a title"),
        pytest.param(5061, leaf("Lab Server"), "silent", id="a title with a space"),
        pytest.param(5061, leaf("alice@lab.example"), "silent", id="a user"),
        pytest.param(5061, leaf("localhost", "localhost"), "silent", id="localhost"),
        pytest.param(5061, leaf("4711"), "silent", id="a number"),
        pytest.param(5061, leaf("a_b"), "silent", id="an underscore: no host name"),
        pytest.param(5061, leaf("fe01", "192.0.2.1"), "silent", id="a SAN with an address: the CN does not count"),
        pytest.param(5061, raw(b"junk"), "cannot tell", id="the leaf cannot be read"),
        pytest.param(443, leaf("fe01"), "note", id="a short common name alone"),
        pytest.param(443, leaf("fe01.example", "fe01.example", "fe01"), "note", id="a short name besides"),
        pytest.param(5061, leaf("fe01"), "warning", id="on a SIP port"),
        pytest.param(5061, leaf("fe01.example", "fe01.example", "fe01"), "warning", id="besides, on a SIP port"),
    ],
)
def test_server(port: int, sent: Any, expected: str) -> None:
    assert answer(RULE, connection(*HANDSHAKE, *DATA, server_port=port, server_chain=sent)) == expected


@pytest.mark.parametrize(
    ("port", "sent", "expected"),
    [
        pytest.param(5061, chain(CLIENT, SUB), "silent", id="a whole name"),
        pytest.param(5061, leaf("alice"), "silent", id="a user's short common name"),
        pytest.param(443, leaf("x", "edge"), "silent", id="a client of a web server"),
        pytest.param(5061, leaf("x", "edge"), "warning", id="a short SAN where servers meet"),
    ],
)
def test_client(port: int, sent: Any, expected: str) -> None:
    conn = connection(*HANDSHAKE, *DATA, server_port=port, server_chain=GOOD, client_chain=sent)
    assert answer(RULE, conn) == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param("sip.example.com", "silent", id="a whole name"),
        pytest.param("192.0.2.1", "silent", id="an address"),
        pytest.param("", "silent", id="an empty name"),
        pytest.param(None, "silent", id="no name"),
        pytest.param("localhost", "silent", id="localhost"),
        pytest.param("LocalHost", "silent", id="localhost in other letters"),
        pytest.param("not a name", "silent", id="no host name"),
        pytest.param("fe01", "note", id="a short name"),
    ],
)
def test_the_name_asked_for(asked: str | None, expected: str) -> None:
    assert answer(RULE, connection(*TCP, "> ClientHello", server_name=asked)) == expected


def test_nothing_seen_no_verdict() -> None:
    assert answer(RULE, connection(*TCP)) == "does not apply"
    hidden = Seen.CLIENT_HELLO | Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE
    assert answer(RULE, connection(*TCP, hidden=hidden)) == "cannot tell"


def test_name_of_certificate_and_hello_are_one_finding() -> None:
    said = finding(RULE, connection(*HANDSHAKE, server_name="fe01", server_chain=leaf("fe01")))
    assert said.summary == ("the server's certificate is for fe01, a name without a domain, and the client asks for it")
