"""Messages larger than some stacks accept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from analyzer.connection import Connection, Side
from analyzer.findings import Confidence, Depth, Severity
from tests.build.cases import Case, cannot_tell, clear, hit
from tests.build.connections import (
    CLIENT_DONE,
    CLIENT_FLIGHT,
    DATA,
    HANDSHAKE,
    HELLOS,
    SERVER_FLIGHT,
    TCP,
    ca_list,
    client_hello,
    connection,
)
from tests.rules.cast import CLIENT, ROOT, SERVER, SUB, chain, name


def server(*ladder: str, size: int, **facts: Any) -> Connection:
    """The server's Certificate message has this many bytes."""
    conn = connection(*ladder, server_chain=chain(SERVER, SUB), **facts)
    assert conn.server_chain is not None
    return replace(conn, server_chain=replace(conn.server_chain, size=size, records=1 + size // 16_385))


def client(*ladder: str, size: int) -> Connection:
    """The client's Certificate message has this many bytes."""
    conn = connection(*ladder, client_chain=chain(CLIENT, SUB))
    assert conn.client_chain is not None
    return replace(conn, client_chain=replace(conn.client_chain, size=size, records=1 + size // 16_385))


def asking(*ladder: str, size: int, **facts: Any) -> Connection:
    """The CertificateRequest has 20 bytes more than its list."""
    return connection(*ladder, request=ca_list(name(ROOT), size=size - 20), **facts)


def hello(*ladder: str, size: int, packets: int = 2, **facts: Any) -> Connection:
    """The ClientHello has this many bytes in so many packets."""
    conn = connection(*ladder, **facts)
    at = next(n for n, step in enumerate(conn.steps) if step.name == "ClientHello")
    first = conn.steps[at].frames[0]
    step = replace(conn.steps[at], size=size, frames=tuple(range(first - packets + 1, first + 1)))
    return replace(conn, steps=(*conn.steps[:at], step, *conn.steps[at + 1 :]))


QUANTUM = client_hello(key_share_groups=(0x11EC, 0x001D))

CASES = [
    hit(
        "a long list that works here",
        asking(*HANDSHAKE, *DATA, size=17_587),
        severity=Severity.NOTE,
        says=("CertificateRequest has 17,587 bytes", "before 7 and 2008 R2 (16,384 bytes"),
        frames=(7,),
    ),
    hit(
        "a chain that works here, and not with Windows or Java",
        server(*HANDSHAKE, *DATA, size=40_000),
        severity=Severity.WARNING,
        says=("Windows and Java",),
    ),
    hit("over OpenSSL's limit", server(*HANDSHAKE, size=102_401), says=("OpenSSL (102,400 bytes by default) and Windows",)),
    hit("over Go's limit", asking(*HANDSHAKE, size=65_537), says=("Go (65,536)",)),
    hit("the client's chain", client(*HANDSHAKE, size=32_769), says=("the client's Certificate", "ServerClientAuth")),
    hit(
        "refused as illegal",
        asking(*SERVER_FLIGHT, "> Alert 47", size=38_441),
        severity=Severity.ERROR,
        confidence=Confidence.HIGH,
        says=("Windows and Java (32,768", "illegal_parameter (47)", "Shorten the list of CAs", "of 192.0.2.10 (W"),
    ),
    hit(
        "the client just resets",
        asking(*SERVER_FLIGHT, "> RST", size=38_441),
        severity=Severity.ERROR,
        confidence=Confidence.MEDIUM,
        frames=(7, 9),
    ),
    hit(
        "one record was enough, perhaps",
        asking(*SERVER_FLIGHT, "> RST", size=17_000),
        severity=Severity.WARNING,
        confidence=Confidence.LOW,
    ),
    hit(
        "the server will not read the client's chain",
        client(*CLIENT_FLIGHT, "< Alert 50", size=40_000),
        severity=Severity.ERROR,
        says=("decode_error",),
    ),
    hit("refused for another reason", asking(*SERVER_FLIGHT, "> Alert 48", size=40_000), severity=Severity.NOTE),
    hit("the server ended it", asking(*CLIENT_DONE, "< Alert 40", size=40_000), severity=Severity.NOTE),
    hit("the client went on, and ended it later", asking(*CLIENT_DONE, "> RST", size=40_000), severity=Severity.NOTE),
    hit(
        "a hole: nobody is blamed",
        asking(*SERVER_FLIGHT, "> RST", size=40_000, visibility={"gap_bytes": 9}),
        severity=Severity.NOTE,
    ),
    hit(
        "a hello with a post-quantum share is dropped",
        hello(*TCP, "> ClientHello", "< RST", size=1_800, client_hello=QUANTUM),
        severity=Severity.WARNING,
        confidence=Confidence.MEDIUM,
        says=("1,800 bytes (with a post-quantum key share, X25519MLKEM768)", "2 packets", "reset"),
    ),
    hit("a large hello without one", hello(*TCP, "> ClientHello", "< FIN", size=1_500), confidence=Confidence.LOW),
    hit("it cannot be decoded", hello(*TCP, "> ClientHello", "< Alert 50", size=1_800, client_hello=QUANTUM)),
    clear("everything is small", asking(*HANDSHAKE, *DATA, size=3_000)),
    clear("exactly one record", asking(*HANDSHAKE, *DATA, size=16_384)),
    clear("a short chain", server(*SERVER_FLIGHT, "> RST", size=16_384)),
    clear("no certificates", connection(*HELLOS, "> RST")),
    clear("a large hello that was answered", hello(*HANDSHAKE, *DATA, size=1_800, client_hello=QUANTUM)),
    clear("a large hello, answered and then refused", hello(*HELLOS, "> RST", size=1_800)),
    clear("a large hello, and an alert that read it", hello(*TCP, "> ClientHello", "< Alert 40", size=1_800)),
    clear("a large hello, and the client gives up", hello(*TCP, "> ClientHello", "> FIN", size=1_800)),
    clear("a large hello in one packet", hello(*TCP, "> ClientHello", "< RST", size=1_800, packets=1)),
    clear("a small hello in two packets", hello(*TCP, "> ClientHello", "< RST", size=1_400)),
    clear(
        "a hello that never arrived",
        hello(*TCP, "> ClientHello", "< RST", size=1_800, client={"acked_bytes": 100, "sent_bytes": 1_800}),
    ),
    cannot_tell(
        "a dropped hello, and holes in the capture",
        hello(
            *TCP, "> ClientHello", "< Alert 50", size=1_800, visibility={"gap_bytes": 9, "gap_side": Side.SERVER}
        ),
        says=("9 bytes",),
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("message-over-limit")


def test_a_large_message_beside_another_failure_stands_behind_its_cause() -> None:
    case = hit("", asking(*SERVER_FLIGHT, "> Alert 48", size=40_000)).values[0]
    assert case.check("message-over-limit").depth is Depth.SYMPTOM
    case = hit("", asking(*SERVER_FLIGHT, "> Alert 47", size=40_000)).values[0]
    assert case.check("message-over-limit").depth is Depth.ROOT
