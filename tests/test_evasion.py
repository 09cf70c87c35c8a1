"""The right value, or a named doubt, whatever somebody on the path injects and however badly the capture was taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from analyzer.connection import Connection
from tests.build import handshake as tls
from tests.build import records
from tests.build.frames import ACK, FIN, RST, checksum
from tests.build.pcap import Packet
from tests.build.reports import facts, report, rules
from tests.build.tcp import CLIENT, SERVER
from tests.scenarios import STORIES, Story
from tests.scenarios.following import packets_of, track

HELLO = records.record(tls.client_hello(extensions=[tls.server_name_extension(b"sip.example.com")]), version=0x0301)
DECOY = records.record(tls.client_hello(extensions=[tls.server_name_extension(b"bad.example.com")]), version=0x0301)
Odd = Callable[[Story], object]


def told(odd: Odd = lambda story: None, *, after: str = "hello") -> Story:
    """A whole healthy mutual connection; `odd` happens after a flight: open, hello, answer, certificate, finished, talk."""
    story = Story()
    for flight in ("open", "hello", "answer", "certificate", "finished", "talk"):
        getattr(story, flight)()
        if flight == after:
            odd(story)
    story.secret_alert(CLIENT).close()
    return story


CLEAN = facts(report(told().packets).connection)


def test_the_plain_story_is_healthy() -> None:
    assert CLEAN["outcome"] == "established"
    assert CLEAN["server_name"] == "sip.example.com"
    assert CLEAN["closed"][:2] == ("client", "fin")


# ---- ends that nobody heeded -------------------------------------------------------------------------------------------

FLIGHTS = ("open", "hello", "answer", "certificate", "finished", "talk")
FALSE_ENDS: dict[str, dict[str, Any]] = {
    "a reset with a bad checksum": {"flags": RST | ACK, "good": False},
    "a reset that dies on the way": {"flags": RST, "ttl": 2},
    "a reset far out of the window": {"flags": RST, "seq": 0x5EADBEEF},
    "a close that dies on the way": {"flags": FIN | ACK, "ttl": 2},
}
FALSE_END_CASES = [
    pytest.param(odd, side, after, id=f"{what}, from side {side} after {after}")
    for what, odd in FALSE_ENDS.items()
    for side in (CLIENT, SERVER)
    for after in FLIGHTS
    if not (odd["flags"] & FIN and (side, after) == (SERVER, "talk"))  # that is the very FIN it sends a moment later
]


@pytest.mark.parametrize(("odd", "side", "after"), FALSE_END_CASES)
def test_an_end_after_which_its_sender_goes_on_is_none(odd: dict[str, Any], side: int, after: str) -> None:
    conn = report(told(lambda story: story.put(side, **odd), after=after).packets).connection

    assert facts(conn) == CLEAN
    assert not rules(conn)
    assert any("nobody heeded" in line for line in conn.malformed)


@pytest.mark.parametrize("after", FLIGHTS[:-1])
def test_a_reset_out_of_the_window_ends_nothing_even_before_a_long_silence(after: str) -> None:
    """Packets come one by one, so that nobody can look ahead."""

    def resets_and_pauses(story: Story) -> None:
        story.put(CLIENT, flags=RST, seq=0x5EADBEEF)
        story.wait(20)

    _, (conn,) = track(told(resets_and_pauses, after=after), size=1)

    assert facts(conn) == CLEAN


@pytest.mark.parametrize("side", [CLIENT, SERVER])
@pytest.mark.parametrize("after", FLIGHTS[:-2])
def test_a_real_reset_still_ends_a_connection(side: int, after: str) -> None:
    story = Story()
    for flight in FLIGHTS[: FLIGHTS.index(after) + 1]:
        getattr(story, flight)()
    story.rst(side)
    conn: Connection = report(story.packets).connection

    assert (conn.closed.how, conn.closed.by) == ("rst", "server" if side else "client")
    assert not conn.malformed


# ---- a mirror port that sees everything twice --------------------------------------------------------------------------


def moved(packet: Packet, delay_ns: int) -> Packet:
    """The same packet seen elsewhere: other addresses of the link, a VLAN tag, one hop less, another identification."""
    frame = bytearray(packet.data)
    frame[22] -= 1
    frame[18:20] = bytes((frame[18] ^ 0x5A, frame[19]))
    frame[24:26] = b"\0\0"
    frame[24:26] = checksum(bytes(frame[14:34])).to_bytes(2, "big")
    data = bytes.fromhex("02aaaaaaaa0102aaaaaaaa0281000064") + bytes(frame[12:])
    return Packet(data, packet.time_ns + delay_ns, packet.wire_length + 4)


def same(packet: Packet, delay_ns: int) -> Packet:
    """The same packet once more."""
    return replace(packet, time_ns=packet.time_ns + delay_ns)


COPIES = [
    pytest.param([(same, 20_000)], id="each packet twice"),
    pytest.param([(same, 20_000), (same, 40_000)], id="each packet three times"),
    pytest.param([(moved, 300_000)], id="once more behind a router, in a VLAN"),
    pytest.param([(moved, 300_000), (same, 310_000), (moved, 600_000)], id="four times, on both sides of a router"),
]


def copied(packets: Sequence[Packet], copies: Sequence[tuple[Callable[[Packet, int], Packet], int]]) -> list[Packet]:
    more = [copy(packet, delay) for packet in packets for copy, delay in copies]
    return sorted([*packets, *more], key=lambda packet: packet.time_ns)


@pytest.mark.parametrize("copies", COPIES)
@pytest.mark.parametrize("story", sorted(STORIES))
def test_copies_of_a_mirror_port_change_nothing(story: str, copies: Any) -> None:
    packets = packets_of(story)
    once, again = report(packets).connections, report(copied(packets, copies)).connections

    assert [(facts(conn), rules(conn)) for conn in again] == [(facts(conn), rules(conn)) for conn in once]
    assert [conn.client.retransmitted + conn.server.retransmitted for conn in again] == [
        conn.client.retransmitted + conn.server.retransmitted for conn in once
    ]


@pytest.mark.parametrize("copies", COPIES)
def test_bytes_of_a_long_connection_are_not_doubled(copies: Any) -> None:
    story = told(lambda story: [story.talk(9_000) for _ in range(40)], after="talk")
    once, again = report(story.packets).connection, report(copied(story.packets, copies)).connection

    assert again.visibility.client_bytes == once.visibility.client_bytes
    assert again.server.bytes == once.server.bytes
    assert facts(again) == facts(once)


@pytest.mark.parametrize("copies", COPIES)
@pytest.mark.parametrize("stop", range(1, 14))
def test_a_capture_that_stops_early_blames_nobody_for_copies(stop: int, copies: Any) -> None:
    packets = copied(told().packets[:stop], copies)

    assert not rules(report(packets).connection)


# ---- what the capture lost --------------------------------------------------------------------------------------------


def alerted(*, lose: int) -> list[Packet]:
    """A server that refuses the client's certificate with an alert; the capture lost some of the last packets."""
    story = Story()
    story.open().hello().answer().certificate()
    before = len(story.packets)
    story.alert(SERVER, 48).fin(SERVER).fin(CLIENT).ack(SERVER)
    return story.packets[:before] + [p for at, p in enumerate(story.packets[before:]) if not lose >> at & 1]


@pytest.mark.parametrize("lose", [mask for mask in range(1, 32) if mask & 1])
def test_an_alert_that_the_capture_lost_is_not_taken_for_a_close_without_one(lose: int) -> None:
    conn = report(alerted(lose=lose)).connection

    assert not {rule for rule in rules(conn) if rule != "capture-gap"}
    assert conn.outcome.value == "unknown"
    if lose & 0b01111 != 0b01111:  # something is left that tells of it; a lost FIN counts as a byte
        assert conn.visibility.gap_bytes in (7, 8)


def test_nothing_left_but_syn_and_reset_is_no_refusal_if_data_was_acknowledged() -> None:
    story = Story()
    story.open().hello().rst(SERVER)
    conn = report([story.packets[0], story.packets[-1]]).connection

    assert not {rule for rule in rules(conn) if rule != "capture-gap"}
    assert conn.visibility.gap_bytes == len(HELLO)
    assert conn.outcome.value == "unknown"


# ---- packets that the snapshot length cut -------------------------------------------------------------------------------


def cut(packets: Sequence[Packet], size: int) -> list[Packet]:
    return [replace(packet, data=packet.data[:size], original=packet.wire_length) for packet in packets]


@pytest.mark.parametrize("size", [64, 68, 96, 128, 256])
@pytest.mark.parametrize("story", sorted(STORIES))
def test_a_snapshot_length_gives_no_new_verdict_and_nothing_malformed(story: str, size: int) -> None:
    packets = packets_of(story)
    whole, part = report(packets).connections, report(cut(packets, size)).connections

    assert len(part) == len(whole)
    for full, conn in zip(whole, part, strict=True):
        assert not rules(conn) - rules(full) - {"capture-truncated"}
        assert set(conn.malformed) <= set(full.malformed)
        assert conn.visibility.client_bytes == full.visibility.client_bytes
        for name in ("version", "cipher", "server_name", "server_chain", "client_chain", "ca_list"):
            assert facts(conn)[name] in (facts(full)[name], None), name
