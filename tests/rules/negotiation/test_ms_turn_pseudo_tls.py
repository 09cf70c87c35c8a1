"""Media relay traffic behind a hello that is none."""

from __future__ import annotations

import pytest

from analyzer import rules
from analyzer.connection import Connection, Outcome
from analyzer.findings import Severity
from tests.build.cases import Case, clear, hit
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

TURN = (*TCP, "> ClientHello", "< ServerHello", "< ServerHelloDone")
MS_TURN = client_hello(fixed_pattern="ms-turn", server_name=None)
GOOGLE = client_hello(fixed_pattern="google", sslv2=True, server_name=None)

CASES = [
    hit("MS-TURN", connection(*TURN, client_hello=MS_TURN), severity=Severity.NOTE, says=("MS-TURN",), frames=(4, 5)),
    hit("Google's variant", connection(*TURN, client_hello=GOOGLE), says=("Google",)),
    hit(
        "only the server's packets are there",
        connection("< ServerHello", server_hello=server_hello(fixed_pattern="ms-turn")),
        frames=(1,),
    ),
    clear("an ordinary handshake", connection(*HANDSHAKE, *DATA)),
    clear("an ordinary failure", connection(*HELLOS, "> RST")),
    clear("no hello at all", connection(*TCP, "> FIN")),
    clear("a server flight", connection(*SERVER_FLIGHT)),
]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("ms-turn-pseudo-tls")


@pytest.mark.parametrize(
    "conn",
    [
        pytest.param(connection(*TURN, "... 60 s", "< RST", client_hello=MS_TURN), id="reset after a long call"),
        pytest.param(connection(*TURN, "< RST", client_hello=MS_TURN, outcome=Outcome.FAILED), id="reset at once"),
        pytest.param(connection(*TURN, "> FIN", client_hello=GOOGLE, outcome=Outcome.FAILED), id="closed"),
    ],
)
def test_it_is_never_a_failure(conn: Connection) -> None:
    findings = rules.judge(conn, context())
    assert [finding.rule for finding in findings] == ["ms-turn-pseudo-tls"]
    assert rules.diagnosis(conn, findings) is None
