"""A SYN that nobody answers."""

from __future__ import annotations

import pytest

from analyzer.connection import Closed, Outcome, Side
from analyzer.findings import Confidence
from analyzer.packets.columns import IcmpError
from tests.build.cases import Case, cannot_tell, clear, hit
from tests.build.connections import DATA, HANDSHAKE, START_NS, TCP, FakeHistory, connection, context

QUOTED = ("192.0.2.10", 50000, "198.51.100.5", 5061)
TIMED_OUT = Closed(None, "timeout", time_ns=START_NS)
PROHIBITED = IcmpError(2, START_NS, "203.0.113.1", True, 3, 13, None, QUOTED, 1)
TOO_BIG = IcmpError(2, START_NS, "203.0.113.1", True, 3, 4, 1400, QUOTED, 1)
NO_ROUTE = IcmpError(2, START_NS, "2001:db8::1", False, 1, 0, None, QUOTED, 1)

CASES = [
    hit("three SYNs, no answer", connection("> SYN", "... 1 s", "> SYN", "... 2 s", "> SYN"), says=("3 SYNs",)),
    hit("two SYNs and then silence", connection("> SYN", "... 1 s", "> SYN", closed=TIMED_OUT)),
    hit(
        "medium when nothing shows that answers would be seen",
        connection("> SYN", "> SYN", "> SYN"),
        confidence=Confidence.MEDIUM,
    ),
    hit(
        "high when the host answers others",
        connection("> SYN", "> SYN", "> SYN"),
        context=context(FakeHistory(alive=("198.51.100.5",))),
        confidence=Confidence.HIGH,
    ),
    hit(
        "high when other connections show both directions",
        connection("> SYN", "> SYN", "> SYN"),
        context=context(FakeHistory(both=True)),
        confidence=Confidence.HIGH,
    ),
    hit(
        "a router prohibits it after one SYN",
        connection("> SYN", icmp=(PROHIBITED,)),
        says=("203.0.113.1", "administratively prohibited"),
        confidence=Confidence.HIGH,
        frames=(1, 2),
    ),
    hit("an IPv6 router has no route", connection("> SYN", icmp=(NO_ROUTE,)), says=("no route",)),
    clear("one SYN: the capture ends too soon", connection("> SYN")),
    clear("an ICMP error that explains nothing", connection("> SYN", icmp=(TOO_BIG,))),
    clear("the SYN is refused", connection("> SYN", "< RST")),
    clear("the second SYN is answered", connection("> SYN", "> SYN", "< SYN-ACK", "> ACK", "> FIN")),
    clear("a lossy but healthy connection", connection("> SYN", *HANDSHAKE, *DATA)),
    clear("accepted, then nothing", connection(*TCP)),
    cannot_tell("the capture ends during the second try", connection("> SYN", "> SYN"), says=("still trying",)),
    cannot_tell(
        "only the client's packets are there",
        connection("> SYN", "> SYN", "> SYN", outcome=Outcome.UNKNOWN, visibility={"one_sided": Side.CLIENT}),
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("connection-timeout")
