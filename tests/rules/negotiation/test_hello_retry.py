"""A second hello was asked for."""

from __future__ import annotations

import pytest

from analyzer.connection import Seen, Side
from analyzer.findings import Severity
from tests.build.cases import Case, cannot_tell, clear, hit
from tests.build.connections import DATA, HANDSHAKE, HANDSHAKE_13, HELLOS, TCP, client_hello, connection, server_hello

RETRY = (*TCP, "> ClientHello", "< HelloRetryRequest", "> ClientHello", *HANDSHAKE_13[4:])
GROUP = server_hello(hello_retry_request=True, key_share_group=0x0018)
COOKIE = server_hello(hello_retry_request=True)
FIRST = client_hello(key_share_groups=(0x0A0A, 0x11EC, 0x001D))

CASES = [
    hit(
        "the server wants another group",
        connection(*RETRY, *DATA, hello_retry_request=GROUP, first_client_hello=FIRST),
        severity=Severity.NOTE,
        says=("a key share of secp384r1 instead of X25519MLKEM768, x25519", "round trip"),
        frames=(5,),
    ),
    hit("the client sent no share", connection(*RETRY, hello_retry_request=GROUP), says=("secp384r1;",)),
    hit("the server wants a cookie back", connection(*RETRY, hello_retry_request=COOKIE), says=("with a cookie",)),
    hit("and then the client gives up", connection(*RETRY[:5], "> Alert 47", hello_retry_request=GROUP)),
    clear("TLS 1.3 at the first try", connection(*HANDSHAKE_13, *DATA)),
    clear("TLS 1.2", connection(*HANDSHAKE, *DATA)),
    clear("refused", connection(*TCP, "> ClientHello", "< Alert 40")),
    clear("nothing sent", connection(*TCP)),
    cannot_tell("the beginning is missing", connection(*HELLOS[3:], visibility={"gap_bytes": 9, "gap_side": Side.SERVER})),
    cannot_tell("it may be hidden", connection(*HANDSHAKE_13, hidden=Seen.HELLO_RETRY)),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("hello-retry")
