"""No cipher suite, group or signature scheme in common."""

from __future__ import annotations

import pytest

from analyzer.connection import Outcome, Side
from analyzer.findings import Confidence, Severity
from tests.build.cases import Case, cannot_tell, clear, hit
from tests.build.connections import (
    CLIENT_FLIGHT,
    DATA,
    HANDSHAKE,
    HELLOS,
    SERVER_FLIGHT,
    TCP,
    client_hello,
    connection,
    server_hello,
)

RC4_ONLY = client_hello(cipher_suites=(0x0004, 0x0005, 0x00FF))
ONE_SUITE = client_hello(server_name=None, cipher_suites=(0x006B, 0x00FF))
GROUPS = client_hello(supported_groups=(0x001D, 0x0017))
RETRY = server_hello(hello_retry_request=True, key_share_group=0x0018)

CASES = [
    hit(
        "alert 40 to the hello",
        connection(*TCP, "> ClientHello", "< Alert 40", "< FIN"),
        severity=Severity.ERROR,
        confidence=Confidence.MEDIUM,
        says=(
            "server 198.51.100.5:5061 accepts nothing",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "handshake_failure (40)",
            "36874",
        ),
        frames=(4, 5),
    ),
    hit("alert 71 leaves no doubt", connection(*TCP, "> ClientHello", "< Alert 71"), confidence=Confidence.HIGH),
    hit(
        "alert 40 to a hello without a name: that may be why",
        connection(*TCP, "> ClientHello", "< Alert 40", client_hello=client_hello(server_name=None)),
        confidence=Confidence.LOW,
    ),
    hit(
        "alert 40 to a hello without a name, but with a single suite: that is likelier why",
        connection(*TCP, "> ClientHello", "< Alert 40", client_hello=ONE_SUITE),
        confidence=Confidence.MEDIUM,
    ),
    hit(
        "nothing but RC4, and reset",
        connection(*TCP, "> ClientHello", "< RST", client_hello=RC4_ONLY),
        says=("dropped", "RC4"),
    ),
    hit(
        "a long list is not printed whole",
        connection(*TCP, "> ClientHello", "< Alert 40", client_hello=client_hello(cipher_suites=tuple(range(1, 30)))),
        says=("and 23 more",),
    ),
    hit(
        "the server chose what was not offered",
        connection(*HELLOS, "> Alert 47", server_hello=server_hello(cipher_suite=0x0005)),
        says=("chose TLS_RSA_WITH_RC4_128_SHA", "had not offered"),
        confidence=Confidence.HIGH,
    ),
    hit(
        "the retry asks for a group that was not offered",
        connection(
            *TCP, "> ClientHello", "< HelloRetryRequest", "> Alert 47", client_hello=GROUPS, hello_retry_request=RETRY
        ),
        says=("chose secp384r1",),
    ),
    clear("reset, but with modern suites: another rule", connection(*TCP, "> ClientHello", "< RST")),
    clear("no common version: another rule", connection(*TCP, "> ClientHello", "< Alert 70")),
    clear("alert 40 after the client's certificate", connection(*CLIENT_FLIGHT, "< Alert 40")),
    clear("alert 40 from the client", connection(*SERVER_FLIGHT, "> Alert 40")),
    clear("the name is refused", connection(*TCP, "> ClientHello", "< Alert 112")),
    clear("the client gives up", connection(*TCP, "> ClientHello", "> FIN", client_hello=RC4_ONLY)),
    clear("healthy with RC4", connection(*HANDSHAKE, *DATA, client_hello=RC4_ONLY)),
    clear("the choice was offered", connection(*HELLOS, "> RST")),
    cannot_tell(
        "the server's answer is missing",
        connection(
            *TCP, "> ClientHello", "> FIN", outcome=Outcome.FAILED, visibility={"gap_bytes": 7, "gap_side": Side.SERVER}
        ),
    ),
    cannot_tell(
        "only the client's packets are there",
        connection(*TCP, "> ClientHello", outcome=Outcome.UNKNOWN, visibility={"one_sided": Side.CLIENT}),
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("no-shared-cipher")
