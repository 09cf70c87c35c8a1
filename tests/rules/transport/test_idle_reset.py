"""A reset that means nothing."""

from __future__ import annotations

import pytest

from analyzer.connection import Outcome
from analyzer.findings import Severity
from tests.build.cases import Case, cannot_tell, clear, hit
from tests.build.connections import DATA, HANDSHAKE, SERVER_FLIGHT, connection

CASES = [
    hit(
        "after data both ways",
        connection(*HANDSHAKE, *DATA, "< RST"),
        severity=Severity.NOTE,
        says=("both directions",),
    ),
    hit(
        "after long silence",
        connection(*HANDSHAKE, "> ApplicationData", "... 900 s", "< RST"),
        says=("15 min of silence",),
    ),
    hit("after FIN", connection(*HANDSHAKE, *DATA, "> FIN", "< RST"), says=("after the close",)),
    hit("after its own FIN", connection(*HANDSHAKE, "> FIN", "> RST"), says=("after the close",)),
    hit("after close_notify", connection(*HANDSHAKE, "> EncryptedAlert", "> RST"), says=("alert",), frames=(17,)),
    clear("at once after the handshake: another rule", connection(*HANDSHAKE, "< RST")),
    clear("soon after one-sided data", connection(*HANDSHAKE, "> ApplicationData", "... 5 s", "> RST")),
    clear("closed by FIN", connection(*HANDSHAKE, *DATA, "> FIN", "< FIN")),
    clear("during the handshake", connection(*SERVER_FLIGHT, "> RST")),
    clear("refused", connection("> SYN", "< RST")),
    clear("still open", connection(*HANDSHAKE, *DATA)),
    cannot_tell(
        "the handshake is not in view",
        connection("> ApplicationData", "< RST", outcome=Outcome.UNKNOWN, visibility={"mid_stream": True}),
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("idle-reset")
