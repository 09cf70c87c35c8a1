"""Packets cut by the snapshot length."""

from __future__ import annotations

import pytest

from analyzer.connection import Outcome
from analyzer.findings import Severity
from tests.build.cases import Case, clear, hit
from tests.build.connections import DATA, HANDSHAKE, HELLOS, connection

CASES = [
    hit(
        "the certificates were cut",
        connection(*HELLOS, outcome=Outcome.UNKNOWN, visibility={"truncated_packets": 3, "truncated_handshake": True}),
        severity=Severity.NOTE,
        says=("3 packets", "tcpdump -s 0"),
    ),
    hit(
        "one packet",
        connection(*HELLOS, visibility={"truncated_packets": 1, "truncated_handshake": True}),
        says=("1 packet ",),
    ),
    hit("nothing could be told", connection(*HELLOS, outcome=Outcome.UNKNOWN, visibility={"truncated_packets": 2})),
    clear("only application data was cut", connection(*HANDSHAKE, *DATA, visibility={"truncated_packets": 900})),
    clear("whole packets", connection(*HANDSHAKE, *DATA)),
    clear("a gap is another thing", connection(*HELLOS, visibility={"gap_bytes": 100})),
    clear("whole packets, and still unknown", connection(*HELLOS)),
]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("capture-truncated")
