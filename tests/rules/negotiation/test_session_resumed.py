"""An earlier session is taken up."""

from __future__ import annotations

import pytest

from analyzer.connection import Seen, Side
from analyzer.findings import Severity
from tests.build.cases import Case, cannot_tell, clear, hit
from tests.build.connections import DATA, HANDSHAKE, HELLOS, client_hello, connection, server_hello

SHORT = (*HELLOS, "< ChangeCipherSpec", "< Finished", "> ChangeCipherSpec", "> Finished", *DATA)

CASES = [
    hit("by session id", connection(*SHORT, resumed=True), severity=Severity.NOTE, says=("session id",), frames=(4, 5)),
    hit(
        "by ticket",
        connection(*SHORT, resumed=True, client_hello=client_hello(session_ticket_bytes=192)),
        says=("ticket",),
    ),
    hit(
        "by pre-shared key",
        connection(*SHORT, resumed=True, server_hello=server_hello(psk_identity=0)),
        says=("pre-shared",),
    ),
    clear("a full handshake", connection(*HANDSHAKE, *DATA)),
    clear(
        "a ticket offered and not taken", connection(*HANDSHAKE, client_hello=client_hello(session_ticket_bytes=192))
    ),
    clear("a failed handshake", connection(*HELLOS, "> RST")),
    cannot_tell(
        "the server's answer is missing",
        connection(*HELLOS[:4], hidden=Seen.RESUMED, visibility={"one_sided": Side.CLIENT}),
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("session-resumed")
