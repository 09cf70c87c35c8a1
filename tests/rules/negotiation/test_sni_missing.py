"""A hello that names no server."""

from __future__ import annotations

import pytest

from analyzer import rules
from analyzer.connection import Outcome, Side
from analyzer.findings import Confidence, Severity
from tests.build.cases import Case, cannot_tell, clear, hit
from tests.build.connections import (
    DATA,
    HANDSHAKE,
    HELLOS,
    SERVER_FLIGHT,
    TCP,
    FakeHistory,
    client_hello,
    connection,
    context,
)

NAMELESS = client_hello(server_name=None)
NAMELESS_AND_NARROW = client_hello(server_name=None, cipher_suites=(0x006B, 0x00FF))
OTHERS = context(FakeHistory(served=("a.example", "b.example")))

CASES = [
    hit("healthy: a note", connection(*HANDSHAKE, *DATA, client_hello=NAMELESS), severity=Severity.NOTE, frames=(4,)),
    hit(
        "an empty name is none", connection(*HELLOS, client_hello=client_hello(server_name="")), severity=Severity.NOTE
    ),
    hit(
        "refused by unrecognized_name",
        connection(*TCP, "> ClientHello", "< Alert 112", client_hello=NAMELESS),
        severity=Severity.ERROR,
        confidence=Confidence.HIGH,
        says=("client 192.0.2.10:50000 names no server", "unrecognized_name (112)", "default certificate"),
        frames=(4, 5),
    ),
    hit(
        "refused by alert 40",
        connection(*TCP, "> ClientHello", "< Alert 40", client_hello=NAMELESS),
        severity=Severity.ERROR,
        confidence=Confidence.MEDIUM,
    ),
    hit(
        "refused by alert 40, but the client offers a single suite: that is likelier why",
        connection(*TCP, "> ClientHello", "< Alert 40", client_hello=NAMELESS_AND_NARROW),
        severity=Severity.ERROR,
        confidence=Confidence.LOW,
    ),
    hit(
        "reset without a word: perhaps",
        connection(*TCP, "> ClientHello", "< RST", client_hello=NAMELESS),
        severity=Severity.ERROR,
        confidence=Confidence.LOW,
    ),
    hit(
        "reset, while others are served by name",
        connection(*TCP, "> ClientHello", "< RST", client_hello=NAMELESS),
        context=OTHERS,
        confidence=Confidence.MEDIUM,
        says=("a.example, b.example",),
    ),
    hit(
        "refused for its version: the name is not why",
        connection(*TCP, "> ClientHello", "< Alert 70", client_hello=NAMELESS),
        severity=Severity.NOTE,
    ),
    hit(
        "closed after long silence: the server was stuck",
        connection(*TCP, "> ClientHello", "... 7 s", "< FIN", client_hello=NAMELESS),
        severity=Severity.NOTE,
    ),
    hit("failed much later", connection(*SERVER_FLIGHT, "> Alert 48", client_hello=NAMELESS), severity=Severity.NOTE),
    clear("a name was sent", connection(*HANDSHAKE, *DATA)),
    clear("a name was sent and refused: another rule", connection(*TCP, "> ClientHello", "< Alert 112")),
    clear(
        "impossible in an SSLv2 hello: another rule",
        connection(*HELLOS, client_hello=client_hello(server_name=None, sslv2=True)),
    ),
    clear("hidden by ECH", connection(*HELLOS, client_hello=client_hello(server_name=None, ech="outer"))),
    clear("no hello", connection(*TCP, "> FIN")),
    cannot_tell(
        "the hello is not in the capture",
        connection("< ServerHello", outcome=Outcome.UNKNOWN, visibility={"one_sided": Side.SERVER}),
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("sni-missing")


def test_it_comes_before_the_alert_that_it_explains() -> None:
    conn = connection(*TCP, "> ClientHello", "< Alert 40", client_hello=NAMELESS)
    order = [finding.rule for finding in rules.judge(conn, context())]
    assert order.index("sni-missing") == 0
    assert order.index("tls-alert") > 0
