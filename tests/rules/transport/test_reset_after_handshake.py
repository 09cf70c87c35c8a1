"""Thrown out right after a handshake that was complete."""

from __future__ import annotations

import pytest

from analyzer.connection import CertificateState, ClientAuth13, Outcome, Seen, Side
from analyzer.findings import Confidence, Severity
from tests.build.cases import Case, cannot_tell, clear, hit
from tests.build.connections import DATA, HANDSHAKE, HANDSHAKE_13, SERVER_FLIGHT, connection

CASES = [
    hit(
        "the server resets at once",
        connection(*HANDSHAKE, "< RST"),
        severity=Severity.ERROR,
        confidence=Confidence.MEDIUM,
        says=("server 198.51.100.5:5061 reset", "without an alert", "1047"),
        frames=(15, 16),
    ),
    hit(
        "the server resets the client's first data",
        connection(*HANDSHAKE, "> ApplicationData", "< RST"),
        says=("first data",),
    ),
    hit("the server closes without an alert", connection(*HANDSHAKE, "< FIN"), says=("closed",)),
    hit(
        "TLS 1.3: tickets are no data",
        connection(*HANDSHAKE_13, "> ApplicationData", "< RST", version="TLSv1.3"),
        says=("server",),
    ),
    hit(
        "TLS 1.3 without keys: one record may be a ticket or a greeting",
        connection(*HANDSHAKE_13, "< FIN", version="TLSv1.3", client_auth_13=ClientAuth13("sent")),
        confidence=Confidence.LOW,
        says=("more than one record that looks like a session ticket",),
    ),
    hit(
        "TLS 1.3 without keys: two of one size are tickets, by all that can be seen",
        connection(
            *HANDSHAKE_13, "< NewSessionTicket", "< RST", version="TLSv1.3", client_auth_13=ClientAuth13("sent")
        ),
        confidence=Confidence.MEDIUM,
        says=("more than records that look like session tickets",),
    ),
    hit(
        "the client throws the server out",
        connection(*HANDSHAKE, "< ApplicationData", "> RST"),
        says=("server's certificate",),
    ),
    hit(
        "the client closes at once: perhaps a monitor, and no word against the server",
        connection(*HANDSHAKE, "> FIN"),
        confidence=Confidence.LOW,
        says=("client 192.0.2.10:50000 closed", "no more than a handshake"),
    ),
    hit(
        "data that came after the close had no part in it",
        connection(*HANDSHAKE, "< FIN", "> ApplicationData"),
        says=("after the complete handshake, without",),
    ),
    hit(
        "no client certificate in play",
        connection(*HANDSHAKE, "< RST", client_certificate_state=CertificateState.NOT_REQUESTED),
        says=("above TLS",),
    ),
    clear("an alert record and FIN reads as close_notify", connection(*HANDSHAKE, "< EncryptedAlert", "< FIN")),
    clear("an alert record and RST: the Windows habit", connection(*HANDSHAKE, "> EncryptedAlert", "> RST")),
    clear("the echo of the peer's close_notify", connection(*HANDSHAKE, "> EncryptedAlert", "< RST")),
    clear("the echo of the peer's FIN", connection(*HANDSHAKE, *DATA, "> FIN", "< RST")),
    clear("it had sent data", connection(*HANDSHAKE, *DATA, "< RST")),
    clear("it had sent data, FIN without an alert", connection(*HANDSHAKE, "< ApplicationData", "< FIN")),
    clear(
        "it never had the client's flight",
        connection(*HANDSHAKE, "< FIN", client={"retransmitted": 3, "acked_bytes": 100, "sent_bytes": 2_000}),
    ),
    clear(
        "what came behind the handshake got lost", connection(*HANDSHAKE, "< RST", client={"unacked_full_size": True})
    ),
    hit(
        "a request that was sent behind a lossy handshake, to a port that was closed by then",
        connection(
            *HANDSHAKE,
            "< FIN",
            "> ApplicationData",
            client={"retransmitted": 1, "acked_bytes": 900, "sent_bytes": 2_000},
        ),
        says=("closed",),
    ),
    clear("long after the handshake", connection(*HANDSHAKE, "... 40 s", "< RST")),
    clear("three seconds after: not at once", connection(*HANDSHAKE, "... 3 s", "< RST", also=Seen.TROUBLED_END)),
    clear("closed before the peer's Finished came", connection(*HANDSHAKE[:-1], "> FIN", "< Finished")),
    clear("still open", connection(*HANDSHAKE)),
    clear("during the handshake", connection(*SERVER_FLIGHT, "> RST")),
    cannot_tell(
        "its data may be in the gap",
        connection(*HANDSHAKE, "< RST", visibility={"gap_bytes": 100, "gap_side": Side.SERVER}),
    ),
    cannot_tell(
        "the handshake is not in view",
        connection("> ApplicationData", "< RST", outcome=Outcome.UNKNOWN, visibility={"mid_stream": True}),
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("reset-after-handshake")
