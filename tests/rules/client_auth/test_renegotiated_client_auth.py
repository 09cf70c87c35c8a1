"""renegotiated-client-auth: handshake records behind the handshake."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from analyzer.connection import CertificateState, Side
from analyzer.findings import Severity
from tests.build.cases import Case, cannot_tell, clear, hit
from tests.build.connections import DATA, HANDSHAKE, HANDSHAKE_13, HELLOS, connection

GET = (*HANDSHAKE, "> ApplicationData")
ASKED = (*GET, "< EncryptedHandshake")
HELLO = (*ASKED, "> EncryptedHandshake")
SECOND = (*HELLO, "< EncryptedHandshake", "> EncryptedHandshake", "> ChangeCipherSpec", "> EncryptedHandshake")


def asked(*ladder: str, **facts: Any) -> Any:
    """Nobody had asked for a certificate in the first handshake."""
    return connection(*ladder, **({"client_certificate_state": CertificateState.NOT_REQUESTED} | facts))


def sized(*ladder: str, client: int) -> Any:
    """The last encrypted handshake record of the client has this many bytes."""
    conn = asked(*ladder)
    at = max(n for n, step in enumerate(conn.steps) if step.side is Side.CLIENT and step.name == "EncryptedHandshake")
    return replace(conn, steps=(*conn.steps[:at], replace(conn.steps[at], size=client), *conn.steps[at + 1 :]))


CASES = [
    hit(
        "the server asks, the client begins, both go on",
        sized(*SECOND, "< EncryptedHandshake", client=2_149),
        severity=Severity.NOTE,
        says=("a second handshake follows", "2,149 bytes: probably a certificate", "clientcertnegotiation"),
        frames=(17, 23),
    ),
    hit(
        "no record of the client has room for a certificate",
        sized(*SECOND, client=70),
        says=("no record of the client there has room for a certificate: 100 bytes at most",),
    ),
    hit("a size that does not tell", sized(*SECOND, client=500), says=("cannot be judged",)),
    hit("the server asks, the client ignores it", asked(*ASKED, *DATA), says=("the client began none",)),
    hit("the client begins, the server ignores it", asked(*GET, "> EncryptedHandshake"), says=("unanswered",)),
    hit("the first request got an empty answer", asked(*SECOND, client_certificate_state=CertificateState.EMPTY)),
    hit("and then the server resets", asked(*SECOND, "< RST")),
    clear("the client had shown its certificate before", connection(*SECOND)),
    clear("one handshake", asked(*HANDSHAKE, *DATA)),
    clear("it did not complete", asked(*HANDSHAKE[:-2], "< RST")),
    clear(
        "a message of next protocol negotiation before the client's Finished",
        asked(*HANDSHAKE[:-2], "> EncryptedHandshake", *HANDSHAKE[-2:], *DATA),
    ),
    clear("TLS 1.3: tickets and key updates", asked(*HANDSHAKE_13, "< EncryptedHandshake", version="TLSv1.3")),
    clear("TLS 1.3, whatever else it shows", asked(*SECOND, version="TLSv1.3")),
    clear("TLS 1.3, coalesced records", asked(*HANDSHAKE_13, "> EncryptedHandshake", version="TLSv1.3")),
    clear("an alert that declines it", asked(*GET, "> EncryptedAlert", *DATA)),
    clear("no handshake in view", connection(*HELLOS)),
    cannot_tell(
        "bytes are missing", asked(*SECOND, visibility={"gap_bytes": 100, "gap_side": Side.CLIENT}), says=("100",)
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("renegotiated-client-auth")
