"""No TLS version in common."""

from __future__ import annotations

import pytest

from analyzer.connection import Outcome, Side
from analyzer.findings import Confidence, Depth, Severity
from tests.build.cases import Case, cannot_tell, clear, hit
from tests.build.connections import (
    DATA,
    HANDSHAKE,
    HELLOS,
    SERVER_FLIGHT,
    TCP,
    client_hello,
    connection,
    context,
    server_hello,
)

ONLY_10 = client_hello(legacy_version=0x0301)
MODERN = client_hello(supported_versions=(0x3A3A, 0x0304, 0x0303))
CHOSE_10 = server_hello(legacy_version=0x0301, selected_version=0x0301)
REFUSED = (*TCP, "> ClientHello", "< Alert 70", "< FIN")

CASES = [
    hit(
        "the server refuses TLS 1.0",
        connection(*REFUSED, client_hello=ONLY_10),
        severity=Severity.ERROR,
        confidence=Confidence.HIGH,
        says=(
            "offers up to TLSv1.0",
            "server 198.51.100.5:5061 accepts none",
            "protocol_version (70)",
            "SchUseStrongCrypto",
        ),
        frames=(4, 5),
    ),
    hit("GREASE is no version", connection(*REFUSED, client_hello=MODERN), says=("offers TLSv1.3, TLSv1.2,",)),
    hit(
        "the client refuses the server's choice and says so",
        connection(*HELLOS, "> Alert 70", "> FIN", client_hello=client_hello(), server_hello=CHOSE_10),
        says=("chose TLSv1.0", "offers up to TLSv1.2 but does not accept TLSv1.0", "protocol_version"),
    ),
    hit(
        "the server chose what was not offered and the client resets",
        connection(*HELLOS, "> RST", client_hello=MODERN, server_hello=CHOSE_10),
        says=("chose TLSv1.0", "offers TLSv1.3, TLSv1.2"),
    ),
    hit(
        "the same with another alert",
        connection(*SERVER_FLIGHT, "> Alert 47", client_hello=MODERN, server_hello=CHOSE_10),
        says=("illegal_parameter (47)",),
    ),
    clear("refused for another reason", connection(*TCP, "> ClientHello", "< Alert 40")),
    clear("refused without a word: another rule", connection(*TCP, "> ClientHello", "< RST", client_hello=ONLY_10)),
    clear("the client refuses the certificate", connection(*SERVER_FLIGHT, "> Alert 48", client_hello=MODERN)),
    clear("the client resets a version that it did offer", connection(*HELLOS, "> RST", client_hello=MODERN)),
    clear(
        "the server ends it after its own choice",
        connection(*HELLOS, "< RST", client_hello=MODERN, server_hello=CHOSE_10),
    ),
    clear("the fallback signal is refused: there is a common version", connection(*TCP, "> ClientHello", "< Alert 86")),
    clear("healthy TLS 1.0", connection(*HANDSHAKE, *DATA, client_hello=ONLY_10, server_hello=CHOSE_10)),
    cannot_tell(
        "the server may have read the PROXY header as a record",
        connection(*TCP, "> Preamble", *REFUSED[3:], preamble="PROXY protocol"),
        says=("PROXY header",),
    ),
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
    case.check("version-mismatch")


def test_both_offers_on_the_table_are_the_root() -> None:
    proven = Case("hit", connection(*HELLOS, "> RST", client_hello=MODERN, server_hello=CHOSE_10), context())
    announced = Case("hit", connection(*REFUSED, client_hello=ONLY_10), context())
    found = [case.check("version-mismatch") for case in (proven, announced)]
    assert [finding.depth for finding in found if finding] == [Depth.ROOT, Depth.STEP]
