"""TLS_DHE, and an end right after the client's Finished."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.connection import CertificateState, Connection
from analyzer.findings import Confidence, Severity
from tests.build.cases import Case, cannot_tell, clear, hit
from tests.build.connections import (
    CLIENT_DONE,
    CLIENT_FLIGHT,
    DATA,
    HANDSHAKE,
    SERVER_FLIGHT,
    FakeHistory,
    connection,
    context,
)

NOBODY: dict[str, Any] = {"client_certificate_state": CertificateState.EMPTY}


def dhe(*ladder: str, **facts: Any) -> Connection:
    """A connection whose server chose a TLS_DHE suite."""
    return connection(*ladder, **({"cipher": "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"} | facts))


PSK = "TLS_DHE_PSK_WITH_AES_256_GCM_SHA384"
CASES = [
    hit(
        "the server closes without an alert",
        dhe(*CLIENT_DONE, "< FIN", **NOBODY),
        severity=Severity.NOTE,
        confidence=Confidence.LOW,
        says=("TLS_DHE_RSA", "now and then", "once in 256", "KB 4557473", "if all fail, it is something else"),
        frames=(5, 13),
    ),
    hit("the server resets", dhe(*CLIENT_DONE, "< RST"), says=("look at the client's certificate",)),
    hit("bad_record_mac", dhe(*CLIENT_DONE, "< Alert 20")),
    hit("decrypt_error", dhe(*CLIENT_DONE, "< Alert 51")),
    hit("the client cannot read the server's Finished", dhe(*HANDSHAKE[:-1], "> Alert 20")),
    hit(
        "the same two did it before",
        dhe(*CLIENT_DONE, "< FIN"),
        context=context(FakeHistory(dhe=12)),
        confidence=Confidence.MEDIUM,
        says=("12 such handshakes of these two worked before",),
    ),
    clear("a pre-shared key is the likelier one to differ", dhe(*CLIENT_DONE, "< Alert 20", cipher=PSK)),
    clear("another key exchange", connection(*CLIENT_DONE, "< FIN")),
    clear("Diffie-Hellman without certificates", dhe(*CLIENT_DONE, "< FIN", cipher="TLS_DH_anon_WITH_AES_128_CBC_SHA")),
    clear("healthy", dhe(*HANDSHAKE, *DATA)),
    clear("healthy, reset afterwards", dhe(*HANDSHAKE, *DATA, "< RST")),
    clear("refused right after the handshake: the keys were equal", dhe(*HANDSHAKE, "< RST")),
    clear("before the client's Finished", dhe(*CLIENT_FLIGHT, "< RST")),
    clear("after the server's flight", dhe(*SERVER_FLIGHT, "> RST")),
    clear("an alert that names another reason", dhe(*CLIENT_DONE, "< Alert 48")),
    clear("handshake_failure is about something else", dhe(*CLIENT_DONE, "< Alert 40")),
    clear("the client closes", dhe(*CLIENT_DONE, "> FIN")),
    clear("long after", dhe(*CLIENT_DONE, "... 10 s", "< FIN")),
    clear("the server had switched keys already", dhe(*HANDSHAKE[:-1], "< RST")),
    cannot_tell("bytes are missing", dhe(*CLIENT_DONE, "< Alert 20", visibility={"gap_bytes": 9}), says=("9 bytes",)),
]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("dhe-leading-zero")
