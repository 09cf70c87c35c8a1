"""A flight that is never answered."""

from __future__ import annotations

import pytest

from analyzer.connection import Closed, Outcome, Side
from analyzer.findings import Confidence, Severity
from tests.build.cases import Case, cannot_tell, clear, hit
from tests.build.connections import (
    CLIENT_DONE,
    CLIENT_FLIGHT,
    DATA,
    HANDSHAKE,
    HELLOS,
    HELLOS_13,
    SERVER_FLIGHT,
    START_NS,
    TCP,
    connection,
)

TIMED_OUT = Closed(None, "timeout", stage="ClientHello", stage_side=Side.CLIENT, time_ns=START_NS)

CASES = [
    hit(
        "the client waits ten seconds for the ServerHello and closes",
        connection(*TCP, "> ClientHello", "... 10 s", "> FIN"),
        severity=Severity.ERROR,
        confidence=Confidence.HIGH,
        says=("server 198.51.100.5:5061 never answered the client's ClientHello", "10 s", "TCP acknowledged it"),
        frames=(4, 5),
    ),
    hit("it resets instead", connection(*TCP, "> ClientHello", "... 4 s", "> RST"), says=("never answered",)),
    hit(
        "the silent server closes in the end", connection(*TCP, "> ClientHello", "... 60 s", "< FIN"), says=("server",)
    ),
    hit(
        "the client never answers the flight",
        connection(*SERVER_FLIGHT, "... 30 s", "< FIN"),
        says=("client 192.0.2.10",),
    ),
    hit(
        "the server never answers the client's flight",
        connection(*CLIENT_DONE, "... 30 s", "> FIN"),
        says=("Finished",),
    ),
    hit("silence until the capture has gone on long enough", connection(*TCP, "> ClientHello", closed=TIMED_OUT)),
    hit(
        "sent again and again, and never acknowledged",
        connection(
            *TCP,
            "> ClientHello",
            client={"retransmitted": 4, "retransmitted_frames": (5, 6), "acked_bytes": 0},
            closed=TIMED_OUT,
        ),
        says=("sent 5 times", "did not acknowledge", "got lost"),
        frames=(4, 5, 6),
    ),
    hit(
        "TLS 1.3: whether the flight is whole cannot be seen",
        connection(*HELLOS_13, "... 20 s", "> FIN", version="TLSv1.3"),
        confidence=Confidence.MEDIUM,
    ),
    clear(
        "segments sent again at once, in smaller pieces, and the capture ends",
        connection(*SERVER_FLIGHT, server={"retransmitted": 2, "retransmitted_frames": (9, 10)}),
    ),
    clear(
        "the clock was set back by an hour before the flight, and the capture ends",
        connection(*SERVER_FLIGHT, end_ns=START_NS + 3_600_000_000_000),
    ),
    clear(
        "the clock was set back before the answer",
        connection(
            *TCP,
            "> ClientHello",
            "... 10 s",
            "> FIN",
            server={"last_payload_frame": 5, "last_payload_ns": START_NS - 1_000_000_000},
        ),
    ),
    clear(
        "TLS 1.3: records of unknown content after the client's answer",
        connection(
            *HELLOS_13, "> ApplicationData", "< EncryptedHandshake", "... 60 s", "> FIN", outcome=Outcome.UNKNOWN
        ),
    ),
    clear("two seconds: too soon to say", connection(*TCP, "> ClientHello", "... 2 s", "> FIN")),
    clear("the capture ends at once", connection(*TCP, "> ClientHello")),
    clear("sent again once: any lossy path", connection(*TCP, "> ClientHello", client={"retransmitted": 1})),
    clear(
        "lossy, then reset by the other side", connection(*TCP, "> ClientHello", "< RST", client={"retransmitted": 3})
    ),
    hit(
        "it never arrives, and the side that waits for it closes",
        connection(
            *CLIENT_DONE,
            "< FIN",
            client={"retransmitted": 3, "retransmitted_frames": (15, 16), "acked_bytes": 100, "sent_bytes": 2000},
        ),
        says=("did not acknowledge", "got lost"),
    ),
    clear("half a flight", connection(*HELLOS, "... 30 s", "> FIN")),
    clear("half the client's flight", connection(*CLIENT_FLIGHT, "... 30 s", "< FIN")),
    clear("an alert after long thought", connection(*SERVER_FLIGHT, "... 30 s", "> Alert 48", "> FIN")),
    clear("an encrypted alert after long thought", connection(*CLIENT_DONE, "... 30 s", "< EncryptedAlert", "< FIN")),
    clear("a slow but healthy handshake", connection(*SERVER_FLIGHT, "... 30 s", *HANDSHAKE[8:], *DATA)),
    clear("healthy and then idle", connection(*HANDSHAKE, *DATA, "... 600 s", "> FIN")),
    clear("healthy and lossy", connection(*HANDSHAKE, *DATA, client={"retransmitted": 9}, server={"retransmitted": 9})),
    clear(
        "TLS 1.3: the client did answer",
        connection(*HELLOS_13, "> ApplicationData", "... 60 s", "< FIN", outcome=Outcome.UNKNOWN),
    ),
    cannot_tell(
        "neither acknowledged nor sent again: the capture stops showing it",
        connection(*SERVER_FLIGHT, closed=TIMED_OUT, outcome=Outcome.FAILED, server={"acked_bytes": 0}),
        says=("sent again",),
    ),
    cannot_tell(
        "the answer may be in the gap",
        connection(*TCP, "> ClientHello", "... 10 s", "> FIN", visibility={"gap_bytes": 2000, "gap_side": Side.SERVER}),
        says=("2,000 bytes",),
    ),
    cannot_tell(
        "only the client's packets are there",
        connection(
            *TCP, "> ClientHello", "... 10 s", "> FIN", outcome=Outcome.UNKNOWN, visibility={"one_sided": Side.CLIENT}
        ),
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("handshake-timeout")
