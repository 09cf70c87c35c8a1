"""A reset that its sender did not send."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from analyzer import rules
from analyzer.connection import Connection, Outcome, Seen, Side
from analyzer.findings import Confidence, Severity
from tests.build.cases import Case, cannot_tell, clear, hit
from tests.build.connections import (
    CLIENT_FLIGHT,
    DATA,
    HANDSHAKE,
    HELLOS,
    SECOND_NS,
    SERVER_FLIGHT,
    TCP,
    connection,
    context,
)
from tests.build.frames import ACK, PSH, RST
from tests.build.tcp import CLIENT, SERVER
from tests.scenarios import Story
from tests.scenarios.following import only

HELLO_RESET = (*TCP, "> ClientHello", "< RST")
BOTH_RESET = (*SERVER_FLIGHT, "> RST", "< RST")
FLIGHT_RESET = (*CLIENT_FLIGHT, "< RST")
SERVER_TTL = {"ttl": 118, "data_ttl": 118, "ip_id": 9_000, "data_ip_id": 9_010}
OTHER_TTL = {"ttl": 61, "ip_id": 9_020}
FAST = {"ttl": 61, "time_ns": -9}
"""`time_ns` below zero: so many ms earlier than the ladder says."""


def cut(
    ladder: tuple[str, ...],
    reset: dict[str, Any],
    own: dict[str, Any] | None = None,
    peer_ttl: int = 0,
    **facts: Any,
) -> Connection:
    """The ladder's first end with these facts, its sender with those; later ends with `peer_ttl`."""
    side = Side.SERVER if next(line for line in ladder if line.endswith("RST"))[0] == "<" else Side.CLIENT
    facts[side.value] = own or SERVER_TTL
    conn = connection(*ladder, **facts)
    first, *rest = conn.endings
    early = reset.get("time_ns", 0) * 1_000_000
    changed = replace(first, **(reset | {"time_ns": first.time_ns + early}))
    return replace(conn, endings=(changed, *(replace(end, ttl=peer_ttl) for end in rest)))


CASES = [
    hit(
        "another TTL than the server's data, and IP identification 0",
        cut(FLIGHT_RESET, {"ttl": 61, "ip_id": 0}),
        severity=Severity.ERROR,
        confidence=Confidence.HIGH,
        says=("not the server 198.51.100.5:5061", "its TTL is 61", "packets 118", "passed 3 routers", "CertificateVerify"),
        frames=(11, 12),
    ),
    hit(
        "another TTL than the SYN-ACK, faster than the server is away",
        cut(HELLO_RESET, FAST | {"ip_id": 9_020}, {"ttl": 118}),
        severity=Severity.ERROR,
        confidence=Confidence.MEDIUM,
        says=("it came 1 ms after the ClientHello, while the server is 10 ms away",),
    ),
    hit(
        "TTL, speed, and a place that was not due",
        cut(HELLO_RESET, FAST | {"seq_fits": False}, {"ttl": 118}),
        confidence=Confidence.HIGH,
        says=("sequence number",),
    ),
    hit("an identification far from the others", cut(FLIGHT_RESET, {"ttl": 250, "ip_id": 40_000}), says=("near 9010",)),
    hit(
        "the server goes on after its own reset, whose identification is 0",
        cut(
            FLIGHT_RESET,
            {"ttl": 118, "ip_id": 0},
            SERVER_TTL | {"after_close_bytes": 100, "last_payload_frame": 20, "last_payload_ns": 2**62},
        ),
        says=("went on sending after it (frame 20)",),
    ),
    hit(
        "the client is cut off as well",
        cut((*SERVER_FLIGHT, "> RST"), {"ttl": 250, "seq_fits": False}, {"ttl": 128, "data_ttl": 128}),
        says=("not the client 192.0.2.10",),
    ),
    hit("both are cut at once", cut(BOTH_RESET, OTHER_TTL, {"ttl": 128}, peer_ttl=250), says=("with it", "not the server's")),
    hit(
        "at once after the handshake",
        cut((*HANDSHAKE, "< RST"), {"ttl": 61, "ip_id": 0}),
        severity=Severity.ERROR,
    ),
    hit("before a byte was said", cut((*TCP, "< RST"), {"ttl": 61, "seq_fits": False}, {"ttl": 118}), severity=Severity.WARNING),
    hit(
        "a firewall ends an idle connection: worth a note",
        cut((*HANDSHAKE, *DATA, "... 3600 s", "< RST"), {"ttl": 61, "ip_id": 0}),
        severity=Severity.NOTE,
    ),
    clear("the server's own reset", cut(FLIGHT_RESET, {"ttl": 118, "ip_id": 9_020})),
    clear("the other side's answer to what came later", cut(BOTH_RESET, OTHER_TTL, {"ttl": 128}, peer_ttl=64)),
    clear("another TTL alone", cut(FLIGHT_RESET, OTHER_TTL)),
    clear("a route that is two hops longer", cut(FLIGHT_RESET, {"ttl": 116, "ip_id": 0})),
    clear("the opening was answered by a device in front, the reset is the server's", cut(
        FLIGHT_RESET, {"ttl": 118, "ip_id": 0}, SERVER_TTL | {"ttl": 255})),
    clear("identification 0 alone", cut(FLIGHT_RESET, {"ttl": 118, "ip_id": 0})),
    clear("Linux: the SYN-ACK had 0 too", cut(FLIGHT_RESET, OTHER_TTL | {"ip_id": 0}, SERVER_TTL | {"ip_id": 0})),
    clear("IPv6 has no identification", cut(FLIGHT_RESET, {"ttl": 61, "ip_id": 0}, {"ttl": 118, "data_ttl": 118, "ip_id": 0})),
    clear("random identifications", cut(FLIGHT_RESET, {"ttl": 61, "ip_id": 40_000}, SERVER_TTL | {"data_ip_id": 60_000})),
    clear("a count that has gone on for a minute", cut(
        (*CLIENT_FLIGHT, "... 60 s", "< RST"), {"ttl": 61, "ip_id": 40_000})),
    clear("late, unfitting and with 0: a closed Linux socket", cut(FLIGHT_RESET, {"ttl": 118, "ip_id": 0, "seq_fits": False})),
    clear("fast and unfitting: it had been sent before", cut(HELLO_RESET, {"ttl": 118, "time_ns": -9, "seq_fits": False})),
    clear("data that the reset overtook", cut(
        FLIGHT_RESET, {"ttl": 118, "ip_id": 0, "seq_fits": False},
        SERVER_TTL | {"after_close_bytes": 100, "last_payload_frame": 20, "last_payload_ns": 2**62})),
    clear(
        "data that was sent before it and came together with it",
        cut(FLIGHT_RESET, {"ttl": 118, "ip_id": 0}, SERVER_TTL | {"after_close_bytes": 100, "last_payload_frame": 20}),
    ),
    clear("refused", cut(("> SYN", "< RST"), {"ttl": 61, "ip_id": 0})),
    clear("the server's alert came before it", cut((*SERVER_FLIGHT, "< Alert 40", "< RST"), {"ttl": 61, "ip_id": 0})),
    clear("only the echo of a FIN", connection(*SERVER_FLIGHT, "> FIN", "< RST")),
    clear("closed, not reset", connection(*SERVER_FLIGHT, "> FIN")),
    clear("healthy", connection(*HANDSHAKE, *DATA)),
    cannot_tell(
        "bytes are missing: the sequence number says nothing",
        cut(FLIGHT_RESET, OTHER_TTL | {"seq_fits": False}, visibility={"gap_bytes": 100, "gap_side": Side.SERVER}),
        says=("its TTL is 61", "100 bytes"),
    ),
    cannot_tell(
        "the reset may be on the side that is missing",
        connection(*HELLOS, outcome=Outcome.UNKNOWN, hidden=Seen.RESET, visibility={"one_sided": Side.CLIENT}),
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    case.check("reset-injected")


@pytest.mark.parametrize(
    ("away_ms", "told"),
    [
        pytest.param(8, True, id="8 ms away"),
        pytest.param(3, False, id="too near to tell"),
        pytest.param(0, False, id="here"),
    ],
)
def test_a_reset_faster_than_its_sender(away_ms: int, told: bool) -> None:
    conn = cut(HELLO_RESET, FAST | {"ip_id": 9_020}, {"ttl": 118})
    moved = [
        replace(step, time_ns=conn.ts_ns + away_ms * 1_000_000) if step.name == "SYN-ACK" else step
        for step in conn.steps
    ]
    assert ("reset-injected" in rules_about(replace(conn, steps=tuple(moved)))) is told


def rules_about(conn: Connection) -> dict[str, Severity]:
    return {finding.rule: finding.severity for finding in rules.judge(conn, context())}


@pytest.mark.parametrize(
    "conn",
    [
        pytest.param(cut(HELLO_RESET, {"ttl": 61, "ip_id": 0}), id="after the hello"),
        pytest.param(cut(FLIGHT_RESET, {"ttl": 61, "ip_id": 0}), id="after the client's certificate"),
        pytest.param(cut((*HANDSHAKE, "< RST"), {"ttl": 61, "ip_id": 0}), id="after the handshake"),
        pytest.param(cut((*TCP, "< RST"), {"ttl": 61, "ip_id": 0}), id="before the hello"),
    ],
)
def test_nobody_else_is_blamed(conn: Connection) -> None:
    found = rules.judge(conn, context())
    assert found[0].rule == "reset-injected"
    for finding in found[1:]:
        assert finding.rule == "reset-during-handshake"
        assert finding.summary.startswith("a packet in the name of the server")
        assert not finding.advice


@pytest.mark.parametrize("batch", [None, 1, 2])
def test_from_packets(batch: int | None) -> None:
    story = Story()
    story.open()
    story.hello().wait(0.01)
    story.put(SERVER, ttl=250, flags=RST | ACK)
    story.put(CLIENT, ttl=249, flags=RST | ACK)
    conn = only(story, batch)
    assert rules_about(conn)["reset-injected"] is Severity.ERROR


@pytest.mark.parametrize("batch", [None, 1, 2])
@pytest.mark.parametrize("flags", [RST, RST | ACK])
def test_several_resets_that_race_the_server_are_no_missing_bytes(flags: int, batch: int | None) -> None:
    story = Story()
    story.open()
    story.hello().wait(0.01)
    for ahead in (0, 1_460, 4_380):
        story.put(SERVER, ttl=250, flags=flags, seq=story.seq[SERVER] + ahead)
    story.put(CLIENT, ttl=249, flags=RST | ACK)
    conn = only(story, batch)
    assert conn.visibility.gap_bytes == 0
    assert rules_about(conn)["reset-injected"] is Severity.ERROR


def test_a_server_that_goes_on_unheard_by_a_client_that_is_gone() -> None:
    story = Story()
    story.open()
    story.hello()
    story.put(SERVER, ttl=49, flags=RST | ACK)
    story.wait(0.02).answer()
    conn = only(story.packets[:-1])
    signs = rules_about(conn)
    assert signs["reset-injected"] is Severity.ERROR
    assert conn.endings[0].time_ns < conn.end_ns - SECOND_NS // 100


def test_an_ordinary_reset_blames_the_server() -> None:
    story = Story()
    story.open()
    story.hello().answer().certificate()
    story.put(SERVER, b"x", flags=ACK | PSH | RST)
    assert "reset-injected" not in rules_about(only(story))
