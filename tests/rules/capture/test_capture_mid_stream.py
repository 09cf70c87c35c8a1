"""The connection was there before the capture."""

from __future__ import annotations

import pytest

from analyzer.findings import Severity
from tests.build.cases import Case, clear, hit
from tests.build.connections import DATA, HANDSHAKE, HELLOS, connection

CASES = [
    hit(
        "data from the first packet on",
        connection(*DATA, visibility={"mid_stream": True}),
        severity=Severity.NOTE,
        says=("cannot be judged",),
        frames=(1,),
    ),
    hit("the hello is there", connection(*HELLOS[3:], visibility={"mid_stream": True}), says=("ClientHello is there",)),
    clear("it starts with a SYN", connection(*HANDSHAKE, *DATA)),
    clear("it starts at the hello and is readable", connection(*HANDSHAKE[3:], *DATA)),
    clear("a gap is another thing", connection(*HELLOS, visibility={"gap_bytes": 100})),
]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("capture-mid-stream")
