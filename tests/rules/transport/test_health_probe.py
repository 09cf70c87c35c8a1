"""Opened and closed without a byte."""

from __future__ import annotations

import pytest

from analyzer.connection import Outcome, Side
from analyzer.findings import Severity
from tests.build.cases import Case, cannot_tell, clear, hit
from tests.build.connections import DATA, HANDSHAKE, HELLOS, TCP, connection

CASES = [
    hit(
        "the monitor closes",
        connection(*TCP, "> FIN", "< FIN"),
        severity=Severity.NOTE,
        says=("sent nothing", "closed"),
    ),
    hit("the monitor resets", connection(*TCP, "> RST"), says=("client 192.0.2.10:50000", "reset")),
    hit("a half-open monitor resets the SYN-ACK", connection("> SYN", "< SYN-ACK", "> RST"), frames=(1, 2, 3)),
    hit(
        "the server closes an idle connection",
        connection(*TCP, "... 60 s", "< FIN"),
        says=("the server closed", "60 s"),
    ),
    hit("the server resets an idle connection", connection(*TCP, "... 60 s", "< RST"), says=("the server reset",)),
    clear("thrown out at once: another rule", connection(*TCP, "< RST")),
    clear("refused", connection("> SYN", "< RST")),
    clear("still open", connection(*TCP)),
    clear("a hello was sent", connection(*TCP, "> ClientHello", "> FIN")),
    clear("a failed handshake", connection(*HELLOS, "> RST")),
    clear("a healthy connection", connection(*HANDSHAKE, *DATA, "> FIN", "< FIN")),
    cannot_tell(
        "only the client's packets are there",
        connection("> SYN", "> FIN", outcome=Outcome.UNKNOWN, visibility={"one_sided": Side.CLIENT}),
    ),
    cannot_tell("the capture starts inside the connection", connection(*TCP, "> FIN", visibility={"mid_stream": True})),
]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("health-probe")
