"""A SYN answered by a reset."""

from __future__ import annotations

import pytest

from analyzer.connection import Outcome, Side
from analyzer.findings import Severity
from tests.build.cases import Case, cannot_tell, clear, hit
from tests.build.connections import DATA, HANDSHAKE, TCP, connection

CASES = [
    hit("the SYN is answered by a reset", connection("> SYN", "< RST"), severity=Severity.ERROR, frames=(1, 2)),
    hit(
        "the client tries three times",
        connection("> SYN", "< RST", "> SYN", "< RST", "> SYN", "< RST"),
        says=("3 tries",),
    ),
    hit("it says who refused", connection("> SYN", "< RST"), says=("server 198.51.100.5:5061",)),
    clear("nobody answers", connection("> SYN", "> SYN", "> SYN")),
    clear("the server accepts and closes", connection(*TCP, "< FIN")),
    clear("the server accepts and resets: another rule", connection(*TCP, "< RST")),
    clear("a monitor resets a half-open connection", connection("> SYN", "< SYN-ACK", "> RST")),
    clear("a healthy connection reset at its end", connection(*HANDSHAKE, *DATA, "< RST")),
    cannot_tell(
        "only the client's packets are there",
        connection("> SYN", "> RST", outcome=Outcome.UNKNOWN, visibility={"one_sided": Side.CLIENT}),
        says=("client's packets",),
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("connection-refused")
