"""A hello in the format of SSLv2."""

from __future__ import annotations

import pytest

from analyzer.findings import Severity
from tests.build.cases import Case, clear, hit
from tests.build.connections import DATA, HANDSHAKE, HELLOS, TCP, client_hello, connection

OLD = client_hello(sslv2=True, server_name=None, extensions=None, legacy_version=0x0301)

CASES = [
    hit(
        "the server resets it",
        connection(*TCP, "> ClientHello", "< RST", client_hello=OLD),
        severity=Severity.WARNING,
        says=("client 192.0.2.10:50000", "TLSv1.0", "Multi-Protocol Unified Hello"),
        frames=(4,),
    ),
    hit("healthy: only a note", connection(*HANDSHAKE, *DATA, client_hello=OLD), severity=Severity.NOTE),
    hit("not yet decided: only a note", connection(*HELLOS, client_hello=OLD), severity=Severity.NOTE),
    clear("an ordinary hello", connection(*HANDSHAKE, *DATA)),
    clear("an ordinary failure", connection(*HELLOS, "> RST")),
    clear("Google's pseudo-TLS", connection(*HELLOS, client_hello=client_hello(sslv2=True, fixed_pattern="google"))),
    clear("no hello", connection(*TCP, "> FIN")),
]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("sslv2-client-hello")
