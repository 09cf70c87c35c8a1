"""A receive window that stays closed."""

from __future__ import annotations

import pytest

from analyzer.connection import Outcome, Seen, Side
from analyzer.findings import Severity
from tests.build.cases import Case, cannot_tell, clear, hit
from tests.build.connections import CLIENT_DONE, DATA, HANDSHAKE, SECOND_NS, SERVER_FLIGHT, connection

CLOSED_LONG = {"zero_window_frame": 6, "zero_window_ns": 8 * SECOND_NS}
CLOSED_SHORT = {"zero_window_frame": 6, "zero_window_ns": SECOND_NS // 2}

CASES = [
    hit(
        "the client's window stays closed and the server gives up",
        connection(*SERVER_FLIGHT, "... 8 s", "< RST", client=CLOSED_LONG),
        severity=Severity.WARNING,
        says=("client 192.0.2.10:50000", "8.0 s", "not a TLS fault"),
        frames=(6,),
    ),
    hit(
        "the server's window stays closed",
        connection(*CLIENT_DONE, "... 8 s", "> FIN", server=CLOSED_LONG),
        says=("server",),
    ),
    hit("the capture ends before anybody gives up", connection(*SERVER_FLIGHT, client=CLOSED_LONG)),
    clear("closed for a moment", connection(*SERVER_FLIGHT, "> RST", client=CLOSED_SHORT)),
    clear("closed long, but the handshake completed", connection(*HANDSHAKE, *DATA, client=CLOSED_LONG)),
    clear("never closed", connection(*SERVER_FLIGHT, "> RST")),
    clear("healthy", connection(*HANDSHAKE, *DATA)),
    cannot_tell(
        "the side whose window it would be is not there",
        connection(
            *SERVER_FLIGHT,
            outcome=Outcome.UNKNOWN,
            hidden=Seen.ZERO_WINDOW,
            visibility={"one_sided": Side.SERVER},
        ),
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("zero-window")
