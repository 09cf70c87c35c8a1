"""Only one direction was captured."""

from __future__ import annotations

import pytest

from analyzer.connection import Side
from analyzer.findings import Severity
from tests.build.cases import Case, clear, hit
from tests.build.connections import DATA, HANDSHAKE, HELLOS, connection

CASES = [
    hit(
        "only the client's packets",
        connection("> SYN", "> ClientHello", visibility={"one_sided": Side.CLIENT}),
        severity=Severity.NOTE,
        says=("client 192.0.2.10:50000", "what the server said"),
        frames=(1,),
    ),
    hit(
        "only the server's packets",
        connection("< ServerHello", visibility={"one_sided": Side.SERVER}),
        says=("client said",),
    ),
    clear("both sides", connection(*HANDSHAKE, *DATA)),
    clear("a gap", connection(*HELLOS, visibility={"gap_bytes": 100})),
    clear("an unanswered SYN", connection("> SYN", "> SYN")),
]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("capture-one-sided")
