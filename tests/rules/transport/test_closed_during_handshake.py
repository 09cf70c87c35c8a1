"""A FIN before the handshake was complete, and no alert."""

from __future__ import annotations

import pytest

from analyzer.connection import CertificateState, Outcome, Side
from analyzer.findings import Confidence, Severity
from tests.build.cases import Case, cannot_tell, clear, hit
from tests.build.connections import CLIENT_DONE, CLIENT_FLIGHT, DATA, HANDSHAKE, HELLOS, SERVER_FLIGHT, TCP, connection
from tests.rules.endings import behind_plain_text

PSK = "TLS_DHE_PSK_WITH_AES_256_GCM_SHA384"
CASES = [
    hit(
        "the client closes after the server's flight",
        connection(*SERVER_FLIGHT, "> FIN"),
        severity=Severity.ERROR,
        confidence=Confidence.HIGH,
        says=("client 192.0.2.10:50000", "server's ServerHelloDone", "without an alert", "server's certificate"),
        frames=(8, 9),
    ),
    hit("the server closes after the hello", connection(*TCP, "> ClientHello", "< FIN"), says=("ClientHello", "36874")),
    hit("the server closes after the client's flight", connection(*CLIENT_FLIGHT, "< FIN"), says=("clientAuth",)),
    hit(
        "the server closes, and the client's flight had never arrived",
        connection(*CLIENT_DONE, "< FIN", client={"retransmitted": 3, "acked_bytes": 100, "sent_bytes": 2_000}),
        says=("it cannot have refused what is in it", "capture on the server's side too"),
    ),
    hit(
        "keys refused: no client certificate in play",
        connection(*SERVER_FLIGHT, "> Finished", "< FIN", client_certificate_state=CertificateState.NOT_REQUESTED),
        says=("KB 4557473",),
    ),
    hit(
        "the server closes after the Finished of a pre-shared key",
        connection(*HELLOS, "< ServerHelloDone", "> ClientKeyExchange", "> Finished", "< FIN", cipher=PSK),
        says=("pre-shared",),
    ),
    hit(
        "the client closes where a pre-shared key stands for certificates",
        connection(*HELLOS, "< ServerHelloDone", "> FIN", cipher=PSK),
        says=("pre-shared",),
    ),
    hit(
        "close_notify in clear explains nothing",
        connection(*SERVER_FLIGHT, "> Alert warning 0", "> FIN"),
        says=("only",),
    ),
    hit(
        "somebody cancelled it",
        connection(*SERVER_FLIGHT, "> Alert warning 90", "> FIN"),
        says=("saying user_canceled (90)", "nothing points at a certificate"),
    ),
    hit(
        "the server thinks for long and closes: the silence is what counts",
        connection(*TCP, "> ClientHello", "... 7 s", "< FIN"),
        says=("7.0 s after the client's ClientHello",),
        confidence=Confidence.MEDIUM,
    ),
    hit(
        "the client changes its mind at once: no word against the server",
        connection(*TCP, "> ClientHello", "> FIN"),
        says=("right after its own ClientHello", "nothing here points at the server"),
    ),
    hit(
        "the client gives up waiting",
        connection(*TCP, "> ClientHello", "... 30 s", "> FIN"),
        says=("after waiting 30 s for an answer to its own ClientHello", "server's load"),
        confidence=Confidence.LOW,
    ),
    *behind_plain_text("FIN"),
    hit("an alert comes too late to explain it", connection(*SERVER_FLIGHT, "> FIN", "< Alert 50"), says=("client",)),
    clear("a fatal alert went before", connection(*SERVER_FLIGHT, "> Alert 48", "> FIN")),
    clear("the peer's alert went before", connection(*SERVER_FLIGHT, "> Alert 48", "< FIN")),
    clear(
        "a certificate alert at level warning went before", connection(*SERVER_FLIGHT, "> Alert warning 42", "> FIN")
    ),
    clear("an encrypted alert went before", connection(*CLIENT_DONE, "< EncryptedAlert", "< FIN")),
    clear("reset, not closed", connection(*SERVER_FLIGHT, "> RST", "< FIN")),
    clear("a probe", connection(*TCP, "> FIN")),
    clear("healthy, closed after data", connection(*HANDSHAKE, *DATA, "> FIN", "< FIN")),
    clear("healthy, closed at once", connection(*HANDSHAKE, "> EncryptedAlert", "> FIN")),
    clear("unknown without a reason to doubt the view", connection(*HELLOS, "> FIN", outcome=Outcome.UNKNOWN)),
    cannot_tell(
        "bytes are missing: there may have been an alert",
        connection(*SERVER_FLIGHT, "> FIN", visibility={"gap_bytes": 7, "gap_side": Side.CLIENT}),
    ),
    cannot_tell(
        "only one side is there",
        connection(*HELLOS, "> FIN", outcome=Outcome.UNKNOWN, visibility={"one_sided": Side.CLIENT}),
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("closed-during-handshake")
