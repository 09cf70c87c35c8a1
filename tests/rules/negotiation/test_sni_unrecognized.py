"""A name that the server does not serve."""

from __future__ import annotations

import pytest

from analyzer.connection import Outcome, Side
from analyzer.findings import Confidence, Severity
from tests.build.cases import Case, cannot_tell, clear, hit
from tests.build.connections import (
    CLIENT_DONE,
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

OTHERS = context(FakeHistory(served=("a.example", "b.example")))
SAME = context(FakeHistory(served=("SIP.example.com",)))
WARNED = (*HELLOS[:4], "< Alert warning 112", *SERVER_FLIGHT[4:])

CASES = [
    hit(
        "alert 112",
        connection(*TCP, "> ClientHello", "< Alert 112", "< FIN"),
        severity=Severity.ERROR,
        confidence=Confidence.HIGH,
        says=('asks for "sip.example.com"', "server 198.51.100.5:5061", "unrecognized_name (112)"),
        frames=(4, 5),
    ),
    hit("a warning, and then it closes", connection(*TCP, "> ClientHello", "< Alert warning 112", "< FIN")),
    hit("a warning at which the client stops (Java 7)", connection(*WARNED, "> FIN"), confidence=Confidence.MEDIUM),
    hit(
        "reset, while others are served",
        connection(*TCP, "> ClientHello", "< RST"),
        context=OTHERS,
        confidence=Confidence.MEDIUM,
        says=("refuses this hello", "a.example, b.example"),
    ),
    hit("alert 40, while others are served", connection(*TCP, "> ClientHello", "< Alert 40"), context=OTHERS),
    clear("a warning that nobody minds", connection(*WARNED, *HANDSHAKE[8:], *DATA)),
    clear(
        "a warning, and then the client's certificate is refused", connection(*WARNED, *CLIENT_DONE[8:], "< Alert 48")
    ),
    clear("this name is served to others", connection(*TCP, "> ClientHello", "< RST"), context=SAME),
    clear("refused for its version", connection(*TCP, "> ClientHello", "< Alert 70"), context=OTHERS),
    clear(
        "no name was sent",
        connection(*TCP, "> ClientHello", "< Alert 112", client_hello=client_hello(server_name=None)),
    ),
    clear("refused after the hellos", connection(*SERVER_FLIGHT, "> RST"), context=OTHERS),
    clear("healthy", connection(*HANDSHAKE, *DATA), context=OTHERS),
    cannot_tell(
        "reset, and no other name is known", connection(*TCP, "> ClientHello", "< RST"), says=("no other name",)
    ),
    cannot_tell(
        "only the client's packets are there",
        connection(*TCP, "> ClientHello", outcome=Outcome.UNKNOWN, visibility={"one_sided": Side.CLIENT}),
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("sni-unrecognized")
