"""Bytes that the capture lost."""

from __future__ import annotations

import pytest

from analyzer.connection import Side
from analyzer.findings import Severity
from tests.build.cases import Case, clear, hit
from tests.build.connections import DATA, HANDSHAKE, HELLOS, connection

CASES = [
    hit(
        "the server's bytes",
        connection(*HELLOS, visibility={"gap_bytes": 2896, "gap_side": Side.SERVER}),
        severity=Severity.NOTE,
        says=("2,896 bytes", "the server"),
    ),
    hit("both sides' bytes", connection(*HELLOS, visibility={"gap_bytes": 10}), says=("both sides",)),
    clear("nothing is missing", connection(*HANDSHAKE, *DATA)),
    clear(
        "a whole side is missing: another rule",
        connection(*HELLOS, visibility={"gap_bytes": 10, "one_sided": Side.CLIENT}),
    ),
    clear(
        "cut packets: another rule",
        connection(*HELLOS, visibility={"truncated_packets": 3, "truncated_handshake": True}),
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("capture-gap")
