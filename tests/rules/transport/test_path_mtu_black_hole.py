"""Full-size packets that never arrive."""

from __future__ import annotations

import pytest

from analyzer.connection import Closed, Outcome, Seen, Side
from analyzer.findings import Confidence, Severity
from analyzer.packets.columns import IcmpError
from tests.build.cases import Case, cannot_tell, clear, hit
from tests.build.connections import DATA, HANDSHAKE, HELLOS, SERVER_FLIGHT, START_NS, connection

STUCK = {
    "unacked_full_size": True,
    "retransmitted": 4,
    "retransmitted_full": 4,
    "retransmitted_frames": (9, 10),
    "max_segment": 1460,
    "acked_bytes": 100,
    "sent_bytes": 5000,
}
TIMED_OUT = Closed(None, "timeout", time_ns=START_NS)


def too_big(ip: str, port: int, *, v4: bool = True) -> IcmpError:
    """A router cannot pass on a packet of this sender."""
    kind, code = (3, 4) if v4 else (2, 0)
    return IcmpError(20, START_NS, "203.0.113.1", v4, kind, code, 1400, (ip, port, "192.0.2.10", 50000), 1)


OF_THE_SERVER = too_big("198.51.100.5", 5061)

CASES = [
    hit(
        "the server's full-size packets are sent again and again",
        connection(*SERVER_FLIGHT, server=STUCK, closed=TIMED_OUT, outcome=Outcome.FAILED),
        severity=Severity.ERROR,
        confidence=Confidence.HIGH,
        says=("server 198.51.100.5:5061", "1,460 bytes", "4 times", "MSS"),
        frames=(9, 10),
    ),
    hit(
        "the client's certificate is what gets lost",
        connection(*SERVER_FLIGHT, "> RST", client=STUCK, also=Seen.RETRANSMISSION),
        says=("client 192.0.2.10:50000",),
    ),
    hit(
        "a router says so",
        connection(*SERVER_FLIGHT, "> FIN", server=STUCK | {"unacked_full_size": False}, icmp=(OF_THE_SERVER,)),
        says=("203.0.113.1", "1,400 bytes"),
    ),
    hit(
        "an IPv6 router says so",
        connection(
            *SERVER_FLIGHT,
            "> FIN",
            server=STUCK | {"unacked_full_size": False},
            icmp=(too_big("198.51.100.5", 5061, v4=False),),
        ),
        says=("203.0.113.1",),
    ),
    hit(
        "seen from behind the hole",
        connection(
            *HELLOS,
            "... 20 s",
            "> FIN",
            server={"unacked_full_size": True},
            outcome=Outcome.UNKNOWN,
            visibility={"gap_bytes": 1448, "gap_side": Side.SERVER},
            also=Seen.RETRANSMISSION,
        ),
        confidence=Confidence.MEDIUM,
        says=("never arrives",),
    ),
    clear(
        "lost, but not full-size: no matter of size",
        connection(*SERVER_FLIGHT, "> RST", server=STUCK | {"max_segment": 1278}),
    ),
    clear("path MTU discovery works: healthy", connection(*HANDSHAKE, *DATA, server=STUCK, icmp=(OF_THE_SERVER,))),
    clear("healthy and lossy", connection(*HANDSHAKE, *DATA, server={"retransmitted": 9, "retransmitted_full": 9})),
    clear("random loss of small packets too", connection(*SERVER_FLIGHT, "> RST", server={"retransmitted": 3})),
    clear(
        "the smaller packets got through after the report",
        connection(
            *SERVER_FLIGHT,
            "> RST",
            server={"retransmitted": 3, "retransmitted_full": 1, "acked_bytes": 5000, "sent_bytes": 5000},
            icmp=(OF_THE_SERVER,),
        ),
    ),
    clear("the alert shows that the flight arrived", connection(*SERVER_FLIGHT, "> Alert 48", server=STUCK)),
    clear(
        "the capture ends while a packet is being sent again",
        connection(*HELLOS, server={"unacked_full_size": True}, also=Seen.RETRANSMISSION),
    ),
    clear(
        "a report about the other direction",
        connection(*SERVER_FLIGHT, "> RST", client=STUCK | {"unacked_full_size": False}, icmp=(OF_THE_SERVER,)),
    ),
    clear("nothing was sent", connection("> SYN", "> SYN", "> SYN")),
    cannot_tell(
        "only the server's packets are there",
        connection("< ServerHello", server=STUCK, outcome=Outcome.UNKNOWN, visibility={"one_sided": Side.SERVER}),
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("path-mtu-black-hole")
