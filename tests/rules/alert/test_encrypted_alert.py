"""An alert whose code cannot be seen."""

from __future__ import annotations

import pytest

from analyzer.connection import Alert, CertificateState, ClientAuth13, Outcome, Seen, Side
from analyzer.findings import Confidence, Severity
from tests.build.cases import Case, cannot_tell, clear, hit
from tests.build.connections import (
    CLIENT_DONE,
    DATA,
    HANDSHAKE,
    HANDSHAKE_13,
    HELLOS_13,
    SERVER_FLIGHT,
    START_NS,
    connection,
)

REFUSED = (Alert(Side.SERVER, None, None, 10, START_NS, encrypted=True, after_handshake=True, inferred=True),)
REFUSED_13 = (*HELLOS_13, "> ChangeCipherSpec", "> EncryptedHandshake", "> Finished", "< EncryptedAlert", "< FIN")

CASES = [
    hit(
        "the server, before its Finished",
        connection(*CLIENT_DONE, "< EncryptedAlert", "< FIN"),
        severity=Severity.WARNING,
        confidence=Confidence.HIGH,
        says=(
            "server 198.51.100.5:5061",
            "client's Finished",
            "does not accept the client's certificate",
            "36887 on the client",
        ),
        frames=(13, 14),
    ),
    hit(
        "the client, after its Finished",
        connection(*CLIENT_DONE, "> EncryptedAlert", "> FIN"),
        says=("what came last",),
    ),
    hit(
        "the client, before its Finished",
        connection(*HELLOS_13, "> EncryptedAlert", "> FIN", version="TLSv1.3"),
        says=("refuses the server's certificate",),
    ),
    hit(
        "after an empty certificate",
        connection(*CLIENT_DONE, "< EncryptedAlert", "< FIN", client_certificate_state=CertificateState.EMPTY),
        says=("insists on one",),
    ),
    hit(
        "nothing known of a certificate",
        connection(*CLIENT_DONE, "< EncryptedAlert", client_certificate_state=CertificateState.NOT_REQUESTED),
    ),
    hit(
        "TLS 1.3: the server's only answer to the client's Finished",
        connection(
            *REFUSED_13,
            version="TLSv1.3",
            outcome=Outcome.FAILED,
            alerts=REFUSED,
            client_auth_13=ClientAuth13("sent", refused=True),
            client_certificate_state=CertificateState.INFERRED_SENT,
        ),
        confidence=Confidence.MEDIUM,
        says=("a record of the size of an alert", "client's certificate"),
    ),
    clear("close_notify at the end", connection(*HANDSHAKE, *DATA, "> EncryptedAlert", "> FIN")),
    clear("close_notify right after the handshake", connection(*HANDSHAKE, "> EncryptedAlert", "> FIN")),
    clear("close_notify in TLS 1.3", connection(*HANDSHAKE_13, *DATA, "> EncryptedAlert", "> FIN", version="TLSv1.3")),
    clear("an alert in clear: another rule", connection(*SERVER_FLIGHT, "> Alert 48")),
    clear("a reset without an alert", connection(*CLIENT_DONE, "< RST")),
    clear(
        "failed after the handshake, the alert was the close",
        connection(*HANDSHAKE, "< EncryptedAlert", outcome=Outcome.FAILED),
    ),
    cannot_tell(
        "mid-stream: most likely a close_notify",
        connection(*DATA, "> EncryptedAlert", "> FIN", outcome=Outcome.UNKNOWN, visibility={"mid_stream": True}),
        says=("starts inside",),
    ),
    cannot_tell(
        "the Finished may be in the gap",
        connection(*SERVER_FLIGHT, "> EncryptedAlert", visibility={"gap_bytes": 90, "gap_side": Side.CLIENT}),
    ),
    cannot_tell(
        "the alert may be hidden",
        connection(*SERVER_FLIGHT, outcome=Outcome.UNKNOWN, hidden=Seen.ENCRYPTED_ALERT, visibility={"gap_bytes": 90}),
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("encrypted-alert")
