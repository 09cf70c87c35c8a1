"""A reset before the handshake was complete."""

from __future__ import annotations

import pytest

from analyzer.connection import CertificateState, Outcome, Seen, Side
from analyzer.findings import Confidence, Severity
from tests.build.cases import Case, cannot_tell, clear, hit
from tests.build.connections import (
    CLIENT_DONE,
    CLIENT_FLIGHT,
    DATA,
    HANDSHAKE,
    HANDSHAKE_13,
    HELLOS,
    HELLOS_13,
    SERVER_FLIGHT,
    TCP,
    client_hello,
    connection,
)
from tests.rules.endings import behind_plain_text

CASES = [
    hit(
        "the server resets right after the client's certificate",
        connection(*CLIENT_FLIGHT, "< RST"),
        severity=Severity.ERROR,
        confidence=Confidence.HIGH,
        says=(
            "server 198.51.100.5:5061",
            "client's CertificateVerify",
            "without an alert",
            "does not accept the client",
        ),
        frames=(11, 12),
    ),
    hit(
        "the server resets after an empty certificate",
        connection(*CLIENT_DONE, "< RST", client_certificate_state=CertificateState.EMPTY),
        says=("no certificate", "36875"),
    ),
    hit(
        "the server resets the hello",
        connection(*TCP, "> ClientHello", "< RST"),
        says=("right after the client's ClientHello", "netsh http show sslcert"),
    ),
    hit(
        "the client resets after the server's flight",
        connection(*SERVER_FLIGHT, "> RST"),
        says=("client 192.0.2.10:50000", "ServerHelloDone", "36882"),
    ),
    hit(
        "the server resets a hello of the old format",
        connection(*TCP, "> ClientHello", "< RST", client_hello=client_hello(sslv2=True)),
        says=("Multi-Protocol Unified Hello",),
    ),
    *behind_plain_text("RST"),
    hit("the client resets after the ServerHello", connection(*HELLOS, "> RST"), says=("compare version",)),
    hit(
        "after its own alert",
        connection(*SERVER_FLIGHT, "> Alert 48", "> RST"),
        says=("after its alert unknown_ca (48)",),
    ),
    hit(
        "after its own encrypted alert",
        connection(*CLIENT_DONE, "> EncryptedAlert", "> RST"),
        says=("encrypted alert",),
    ),
    hit(
        "the client loses patience: the silence is what counts",
        connection(*TCP, "> ClientHello", "... 10 s", "> RST"),
        says=("after waiting 10 s",),
        confidence=Confidence.LOW,
    ),
    hit(
        "the server resets before a word was said", connection(*TCP, "< RST"), says=("before the client sent anything",)
    ),
    hit(
        "TLS 1.3, after the server's flight",
        connection(*HELLOS_13, "> RST", version="TLSv1.3"),
        says=("encrypted handshake",),
    ),
    hit(
        "bytes of the one who reset are missing: less sure",
        connection(*SERVER_FLIGHT, "< RST", visibility={"gap_bytes": 100, "gap_side": Side.SERVER}),
        confidence=Confidence.MEDIUM,
    ),
    clear("the echo of the peer's alert", connection(*SERVER_FLIGHT, "> Alert 48", "< RST")),
    clear("the echo of the peer's encrypted alert", connection(*CLIENT_DONE, "> EncryptedAlert", "< RST")),
    clear("the echo of the peer's FIN", connection(*SERVER_FLIGHT, "> FIN", "< RST")),
    clear("after its own FIN", connection(*SERVER_FLIGHT, "> FIN", "> RST")),
    clear("closed, not reset", connection(*SERVER_FLIGHT, "> FIN")),
    clear("a probe that resets", connection(*TCP, "> RST")),
    clear("refused", connection("> SYN", "< RST")),
    clear("thrown out of an idle connection", connection(*TCP, "... 60 s", "< RST")),
    clear("healthy, reset after data", connection(*HANDSHAKE, *DATA, "< RST")),
    clear("healthy, reset at once: another rule", connection(*HANDSHAKE, "< RST")),
    clear("healthy TLS 1.3", connection(*HANDSHAKE_13, *DATA, "> RST", version="TLSv1.3")),
    clear("no TLS", connection(*TCP, "> PlainText", "< RST", not_tls=("SIP", Side.CLIENT, b"INVITE"))),
    clear("unknown without a reason to doubt the view", connection(*HELLOS, "< RST", outcome=Outcome.UNKNOWN)),
    cannot_tell(
        "the other side is not in the capture",
        connection(*CLIENT_FLIGHT, "> RST", visibility={"one_sided": Side.CLIENT}),
        says=("client's packets",),
    ),
    cannot_tell(
        "an alert of the peer may be in the gap",
        connection(*SERVER_FLIGHT, "> RST", visibility={"gap_bytes": 100, "gap_side": Side.SERVER}),
        says=("100 bytes",),
    ),
    cannot_tell(
        "the handshake may have been complete",
        connection("> ApplicationData", "< RST", outcome=Outcome.UNKNOWN, visibility={"mid_stream": True}),
    ),
    cannot_tell(
        "the reset itself may be hidden",
        connection(*HELLOS, outcome=Outcome.UNKNOWN, hidden=Seen.RESET, visibility={"one_sided": Side.CLIENT}),
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("reset-during-handshake")
