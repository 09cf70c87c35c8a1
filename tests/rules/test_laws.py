"""The two laws of the catalogue, on many connections: healthy stays silent, and no blame across a gap."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer import rules
from analyzer.connection import Connection, Outcome, Seen, Side
from analyzer.findings import Severity
from analyzer.packets.columns import IcmpError
from tests.build.connections import (
    CLIENT_DONE,
    DATA,
    HANDSHAKE,
    HANDSHAKE_13,
    SECOND_NS,
    SERVER_FLIGHT,
    START_NS,
    TCP,
    client_hello,
    connection,
    context,
)

ABOUT_THE_COURSE = {entry.id for entry in rules.catalogue() if entry.family in ("transport", "negotiation", "alert")}
TOO_BIG = IcmpError(30, START_NS, "203.0.113.1", True, 3, 4, 1400, ("198.51.100.5", 5061, "192.0.2.10", 50000), 1)

LOSS = st.fixed_dictionaries(
    {
        "retransmitted": st.integers(0, 50),
        "retransmitted_full": st.integers(0, 50),
        "unacked_full_size": st.booleans(),
        "zero_window_frame": st.sampled_from([None, 6]),
        "zero_window_ns": st.integers(0, 60 * SECOND_NS),
        "acked_bytes": st.sampled_from([None, 0, 500, 100_000]),
    }
)
VIEW = st.fixed_dictionaries(
    {
        "gap_bytes": st.sampled_from([0, 1448]),
        "gap_side": st.sampled_from([None, *Side]),
        "one_sided": st.sampled_from([None, *Side]),
        "truncated_packets": st.sampled_from([0, 3]),
        "truncated_handshake": st.booleans(),
        "mid_stream": st.booleans(),
    }
)
HELLO = st.builds(
    client_hello,
    server_name=st.sampled_from([None, "", "sip.example.com"]),
    sslv2=st.booleans(),
    legacy_version=st.sampled_from([0x0300, 0x0301, 0x0303]),
    supported_versions=st.sampled_from([None, (0x0304,), (0x0303,)]),
    cipher_suites=st.sampled_from([(0x0004,), (0xC02F,)]),
)
END = st.sampled_from(
    [
        (),
        ("> FIN", "< FIN"),
        ("< FIN", "> FIN"),
        ("> RST",),
        ("< RST",),
        ("... 600 s", "< RST"),
        ("> EncryptedAlert", "> FIN", "< RST"),
        ("< EncryptedAlert", "< RST"),
        ("... 40 s", "> EncryptedAlert", "> FIN"),
    ]
)
HANDSHAKES = st.sampled_from(
    [
        HANDSHAKE,
        HANDSHAKE_13,
        (*HANDSHAKE[:4], "< Alert warning 112", *HANDSHAKE[4:]),
        (*SERVER_FLIGHT, "... 20 s", *HANDSHAKE[8:]),
    ]
)


def trouble(conn: Connection) -> list[str]:
    """Errors and warnings about how the connection went."""
    return [
        finding.rule
        for finding in rules.judge(conn, context())
        if finding.rule in ABOUT_THE_COURSE and finding.severity is not Severity.NOTE
    ]


@settings(max_examples=150, deadline=None)
@given(handshake=HANDSHAKES, end=END, hello=HELLO, client=LOSS, server=LOSS, view=VIEW, icmp=st.booleans())
def test_healthy_stays_silent(
    handshake: tuple[str, ...], end: tuple[str, ...], hello: Any, client: Any, server: Any, view: Any, icmp: bool
) -> None:
    conn = connection(
        *handshake,
        *DATA,
        *end,
        client_hello=hello,
        client=client,
        server=server,
        visibility=view,
        icmp=(TOO_BIG,) if icmp else (),
        without=Seen.TROUBLED_END,
    )
    assert conn.outcome is Outcome.ESTABLISHED
    assert trouble(conn) == []


BLINDING = [
    pytest.param({"gap_bytes": 1448}, id="bytes are missing"),
    pytest.param({"mid_stream": True}, id="it starts inside"),
    pytest.param({"truncated_handshake": True, "truncated_packets": 3}, id="packets are cut"),
    pytest.param({"one_sided": Side.CLIENT}, id="only the client is there"),
    pytest.param({"one_sided": Side.SERVER}, id="only the server is there"),
]


@pytest.mark.parametrize("view", BLINDING)
@pytest.mark.parametrize(
    "ladder",
    [
        pytest.param((*TCP, "> ClientHello", "... 10 s", "> FIN"), id="the hello is not answered"),
        pytest.param((*SERVER_FLIGHT, "... 10 s", "< FIN"), id="the server's flight is not answered"),
        pytest.param((*CLIENT_DONE, "... 10 s", "> FIN"), id="the client's flight is not answered"),
        pytest.param((*SERVER_FLIGHT, "> FIN"), id="closed without an alert"),
        pytest.param(TCP, id="nothing was sent"),
        pytest.param(("> SYN", "> SYN", "> SYN"), id="nothing was answered"),
    ],
)
def test_nobody_is_blamed_for_what_the_capture_does_not_show(ladder: tuple[str, ...], view: dict[str, Any]) -> None:
    conn = connection(*ladder, visibility=view, outcome=Outcome.UNKNOWN)
    assert trouble(conn) == []


@pytest.mark.parametrize("view", BLINDING)
def test_an_alert_in_clear_is_visible_however_little_is_seen(view: dict[str, Any]) -> None:
    conn = connection(*SERVER_FLIGHT, "> Alert 48", "> FIN", visibility=view)
    assert trouble(conn) == ["tls-alert"]
