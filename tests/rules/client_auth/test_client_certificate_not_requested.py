"""client-certificate-not-requested: a port of mutual TLS, and no request."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.connection import CertificateState, ClientAuth13, Side
from analyzer.findings import Confidence, Severity
from tests.build.cases import Case, cannot_tell, clear, hit
from tests.build.connections import DATA, HANDSHAKE, HANDSHAKE_13, HELLOS, SERVER_FLIGHT, client_hello, connection

FULL = (*HELLOS, "< Certificate", "< ServerHelloDone", "> ClientKeyExchange", "> ChangeCipherSpec", "> Finished")
DONE = (*FULL, "< ChangeCipherSpec", "< Finished")
NOT: dict[str, Any] = {"client_certificate_state": CertificateState.NOT_REQUESTED}
NOT_13: dict[str, Any] = {
    **NOT,
    "version": "TLSv1.3",
    "client_auth_13": ClientAuth13(answer="not-requested", confidence="high"),
}

CASES = [
    hit(
        "nobody asked on 5061",
        connection(*DONE, *DATA, **NOT),
        severity=Severity.NOTE,
        confidence=Confidence.HIGH,
        says=("on port 5061", "federation", "198.51.100.5:5061"),
        frames=(5,),
    ),
    hit("TLS 1.3, told by sizes", connection(*HANDSHAKE_13, *DATA, **NOT_13), confidence=Confidence.HIGH),
    hit(
        "TLS 1.3, told by sizes that are less sure",
        connection(*HANDSHAKE_13, **(NOT_13 | {"client_auth_13": ClientAuth13("not-requested", "medium")})),
        confidence=Confidence.MEDIUM,
    ),
    clear("a web server", connection(*DONE, *DATA, server_port=443, **NOT)),
    clear("asked and answered", connection(*HANDSHAKE, *DATA)),
    clear("asked, and none was sent", connection(*HANDSHAKE, client_certificate_state=CertificateState.EMPTY)),
    clear("resumed", connection(*DONE, resumed=True, client_certificate_state=CertificateState.NOT_SENT)),
    clear("the handshake did not complete", connection(*FULL, "< RST", **NOT)),
    clear("it stopped before the request could come", connection(*HELLOS)),
    clear("the request is there, the answer is not", connection(*SERVER_FLIGHT)),
    cannot_tell(
        "TLS 1.3, and the records do not tell",
        connection(*HANDSHAKE_13, version="TLSv1.3", client_certificate_state=CertificateState.HIDDEN),
    ),
    cannot_tell(
        "a hole in the server's flight", connection(*DONE, *DATA, client_certificate_state=CertificateState.LOST)
    ),
    cannot_tell(
        "asked for in a second handshake, perhaps",
        connection(*DONE, "> ApplicationData", "< EncryptedHandshake", "> EncryptedHandshake", **NOT),
        says=("second, encrypted handshake",),
    ),
    cannot_tell(
        "TLS 1.3, and the client may be asked later",
        connection(*HANDSHAKE_13, client_hello=client_hello(extensions=(0, 43, 49)), **NOT_13),
        says=("after the handshake",),
    ),
    cannot_tell(
        "the handshake is not in view",
        connection("> ApplicationData", visibility={"mid_stream": True, "one_sided": Side.CLIENT}),
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("client-certificate-not-requested")
