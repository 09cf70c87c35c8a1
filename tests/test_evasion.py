"""The right value, or a named doubt, whatever somebody on the path injects and however badly the capture was taken."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from analyzer.connection import Connection
from tests.build import handshake as tls
from tests.build import records
from tests.build.frames import ACK, FIN, RST, SYN, checksum, ethernet, fragments_v4
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
    if lose != 0b11111:  # something is left that tells of it; a lost FIN counts as a byte
        assert conn.visibility.gap_bytes in (7, 8)


def test_an_acknowledgement_tells_how_far_its_sender_spoke() -> None:
    story = Story()
    story.open().hello()
    story.lose(SERVER, 900, heard=False).wait(7)
    story.fin(CLIENT).ack(SERVER)
    conn = report(story.packets).connection

    assert (conn.visibility.gap_bytes, conn.visibility.gap_side) == (900, "server")
    assert rules(conn) == {"capture-gap"}


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


# ---- the evasion set: one trick each, always the same facts ------------------------------------------------------------

URG = 0x20


def tricked(trick: Odd, *, isn: tuple[int, int] = (1_000, 500_000)) -> Story:
    """The healthy story, with `trick` in place of the ClientHello."""
    story = Story(isn=isn)
    story.open()
    trick(story)
    story.seq[CLIENT] = story.heard[SERVER] = isn[CLIENT] + 1 + len(HELLO)
    story.ack(SERVER).answer().certificate().finished().talk()
    story.secret_alert(CLIENT).close()
    return story


def pieces(data: bytes, size: int) -> list[tuple[int, bytes]]:
    return [(at, data[at : at + size]) for at in range(0, len(data), size)]


def puts(story: Story, parts: Sequence[tuple[int, bytes]], **how: Any) -> None:
    for at, piece in parts:
        story.put(CLIENT, piece, seq=story.isn[CLIENT] + 1 + at, **how)


def decoy(parts: Sequence[tuple[int, bytes]], size: int = 1_460, *, real_good: bool = True, **how: Any) -> Odd:
    """False bytes first, then the real hello in segments of `size` bytes."""

    def trick(story: Story) -> None:
        puts(story, parts, **how)
        puts(story, pieces(HELLO, size), good=real_good)

    return trick


def behind(parts: Sequence[tuple[int, bytes]], **how: Any) -> Odd:
    """The real hello, then false bytes."""

    def trick(story: Story) -> None:
        puts(story, pieces(HELLO, 1_460))
        puts(story, parts, **how)

    return trick


FALSE = pieces(DECOY, 1_460)
URGENT = HELLO[:70] + b"!" + HELLO[70:]
HARMLESS: dict[str, Odd] = {
    "segments of one byte": lambda story: puts(story, pieces(HELLO, 1)),
    "segments in reverse order": lambda story: puts(story, pieces(HELLO, 32)[::-1]),
    "a decoy with a bad checksum": decoy(FALSE, good=False),
    "a decoy with a bad checksum, then segments of seven bytes": decoy(FALSE, 7, good=False),
    "decoys of seven bytes with bad checksums": decoy(pieces(DECOY, 7), good=False),
    "a decoy with a bad checksum that is longer than the real one": decoy([(0, DECOY + b"\x17\x03\x03\0\x02ab")], good=False),
    "a decoy with a bad checksum behind the real one": behind(FALSE, good=False),
    "a segment of data from the future": decoy([(40_000, bytes(500))]),
    "a segment far out of the window": decoy([(1 << 30, bytes(500))]),
    "a segment from before the connection": decoy([(-5_000, bytes(500))]),
    "a keep-alive with a garbage byte": decoy([(-1, b"x")]),
    "everything sent twice": decoy(pieces(HELLO, 1_460)),
    "overlapping segments that agree": lambda story: puts(story, [(0, HELLO[:60]), (30, HELLO[30:]), (10, HELLO[10:50])]),
}  # fmt: skip


@pytest.mark.parametrize("trick", HARMLESS.values(), ids=HARMLESS)
@pytest.mark.parametrize("isn", [(1_000, 500_000), (2**32 - 40, 2**32 - 500)], ids=["", "numbers wrap"])
def test_the_right_value_comes_out(trick: Odd, isn: tuple[int, int]) -> None:
    conn = report(tricked(trick, isn=isn).packets).connection
    found = facts(conn)

    assert found | {"bytes": CLEAN["bytes"]} == CLEAN
    assert not rules(conn)
    assert not conn.visibility.limited


DOUBTFUL: dict[str, Odd] = {
    "a decoy that dies on the way": decoy(FALSE, ttl=2),
    "a decoy that dies on the way, then segments of one byte": decoy(FALSE, 1, ttl=2),
    "the second half in two versions": decoy([(0, HELLO[:60]), (60, DECOY[60:])]),
    "the second half in two versions, before the first": decoy([(60, DECOY[60:])]),
    "both with a bad checksum": decoy(FALSE, good=False, real_good=False),
    "an urgent byte in the middle of the name": lambda story: puts(story, [(0, URGENT)], flags=ACK | URG),
}  # fmt: skip


@pytest.mark.parametrize("trick", DOUBTFUL.values(), ids=DOUBTFUL)
def test_where_nobody_can_tell_the_doubt_is_named(trick: Odd) -> None:
    conn = report(tricked(trick).packets).connection

    assert conn.visibility.conflicts
    assert conn.visibility.conflict_frames
    assert "disagree" in conn.visibility.limited
    assert not {finding.rule for finding in conn.findings if finding.severity.value != "note"} - {
        "server-name-mismatch"
    }


LAYERS: dict[str, Callable[[Packet], list[Packet]]] = {
    "IP fragments": lambda p: [replace(p, data=ethernet(one)) for one in fragments_v4(p.data[14:], 24)],
    "IP fragments, last one first": lambda p: [replace(p, data=ethernet(one)) for one in fragments_v4(p.data[14:], 24)[::-1]],
    "two VLAN tags": lambda p: [replace(p, data=ethernet(p.data[14:], tags=(0x88A8, 0x8100)))],
}  # fmt: skip


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_what_lies_below_tcp_does_not_matter(layer: Callable[[Packet], list[Packet]]) -> None:
    packets = [one for packet in told().packets for one in layer(packet)]

    assert facts(report(packets).connection) == CLEAN


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_records_of_any_size_carry_the_same_messages(size: int) -> None:
    hello = records.records(HELLO[5:], size, version=0x0301)
    story = Story()
    story.open()
    story.send(CLIENT, hello)
    story.answer().certificate().finished().talk()
    story.secret_alert(CLIENT).close()
    found = facts(report(story.packets).connection)

    assert found | {"bytes": CLEAN["bytes"]} == CLEAN


def test_a_hello_whose_last_byte_has_a_record_of_its_own() -> None:
    body = HELLO[5:]
    story = Story()
    story.open()
    story.send(CLIENT, records.record(body[:-1]) + records.record(body[-1:]))

    assert report(story.packets).connection.server_name == "sip.example.com"


@pytest.mark.parametrize("server_takes_it", [True, False])
def test_data_in_the_syn(server_takes_it: bool) -> None:
    """TCP Fast Open (RFC 7413): a server that does not take the data gets it again."""
    story = Story()
    story.put(CLIENT, HELLO, seq=story.isn[CLIENT], flags=SYN)
    story.seq[CLIENT] = story.isn[CLIENT] + 1 + (len(HELLO) if server_takes_it else 0)
    story.heard[SERVER] = story.seq[CLIENT]
    story.syn_ack().ack(CLIENT)
    if not server_takes_it:
        story.send(CLIENT, HELLO)
    story.answer().certificate().finished().talk()
    story.secret_alert(CLIENT).close()

    assert facts(report(story.packets).connection) == CLEAN


@pytest.mark.parametrize("side", [CLIENT, SERVER])
def test_one_direction_alone(side: int) -> None:
    source = bytes((192, 0, 2, 10)) if side == CLIENT else bytes((198, 51, 100, 5))
    packets = [packet for packet in told().packets if packet.data[26:30] == source]
    conn = report(packets).connection

    assert conn.visibility.one_sided == ("server" if side else "client")
    assert conn.outcome.value == "unknown"
    assert (conn.client_ip, conn.server_port) == ("192.0.2.10", 5061)
    for name in ("version", "cipher", "server_name", "server_chain", "client_chain", "ca_list"):
        assert facts(conn)[name] in (CLEAN[name], None), name


def test_a_connection_without_its_beginning() -> None:
    packets = told().packets
    assert facts(report(packets[3:]).connection) == CLEAN
    disordered = [packets[3 + at] for at in (1, 0)] + packets[5:]
    assert facts(report(disordered).connection) == CLEAN


def test_the_first_bytes_lost_together_with_the_first_acknowledgement() -> None:
    story = tricked(lambda story: puts(story, [(40, HELLO[40:])]))
    del story.packets[2]
    conn = report(story.packets).connection

    assert (conn.visibility.gap_bytes, conn.visibility.gap_side) == (40, "client")
    assert conn.server_name is None
    assert rules(conn) == {"capture-gap"}


# ---- captures that start, stop or jump anywhere ------------------------------------------------------------------------

VALUES = ("version", "cipher", "server_name", "server_chain", "client_chain", "ca_list")
TROUBLE = ("error", "warning")
SEEN_LATE = {"tls-alert", "encrypted-alert"}
"""An alert is a fact also where the capture does not show the close that it answers."""


def troubles(conn: Connection) -> set[str]:
    return {finding.rule for finding in conn.findings if finding.severity.value in TROUBLE}


def by_ports(conns: Sequence[Connection]) -> dict[tuple[str, int], list[Connection]]:
    found: dict[tuple[str, int], list[Connection]] = {}
    for conn in conns:
        found.setdefault((conn.client_ip, conn.client_port), []).append(conn)
    return found


def told_by(packets: list[Packet], whole: dict[tuple[str, int], list[Connection]]) -> None:
    """A part of a capture: no value that the whole one does not have, the same sides, and nobody newly blamed."""
    for conn in report(packets).connections:
        fulls = whole[conn.client_ip, conn.client_port]
        assert not troubles(conn) - set().union(*map(troubles, fulls)) - SEEN_LATE
        for name in VALUES:
            assert facts(conn)[name] in (*(facts(full)[name] for full in fulls), None), name


PATIENT = {"window_closed", "sent_again_in_vain", "same_ports_again"}
"""Stories with a long silence before the good end: a capture that stops in it shows just that. And one that starts between
two connections of the same ports takes them for one."""


@pytest.mark.parametrize("story", sorted(STORIES.keys() - PATIENT))
def test_a_capture_that_starts_or_stops_anywhere_blames_nobody_anew(story: str) -> None:
    packets = packets_of(story)
    whole = by_ports(report(packets).connections)
    for at in range(1, min(len(packets), 40)):
        told_by(packets[at:], whole)
        told_by(packets[:at], whole)


YEAR = 365 * 86_400
JUMPS = [
    pytest.param(s * 1_000_000_000, id=text) for s, text in ((-1, "-1 s"), (-3_600, "-1 h"), (-10 * YEAR, "-10 y"))
]


@pytest.mark.parametrize("jump", [*JUMPS, pytest.param(50 * YEAR * 1_000_000_000, id="+50 y")])
@pytest.mark.parametrize("story", sorted(STORIES))
def test_a_clock_that_jumps_changes_no_fact(story: str, jump: int) -> None:
    packets = packets_of(story)
    whole = sorted(report(packets).connections, key=lambda conn: conn.stream)
    for at in (len(packets) // 3, len(packets) // 2):
        moved_ones = [replace(packet, time_ns=packet.time_ns + jump) for packet in packets[at:]]
        found = sorted(report([*packets[:at], *moved_ones]).connections, key=lambda conn: conn.stream)

        assert [facts(conn)[name] for conn in found for name in VALUES] == [
            facts(conn)[name] for conn in whole for name in VALUES
        ]
        for conn, full in zip(found, whole, strict=True):
            assert conn.ts_ns <= conn.end_ns
            assert (conn.rtt_ns or 0) >= 0 and (conn.closed.after_ns or 0) >= 0
            new = troubles(conn) - troubles(full)
            assert not new - {"certificate-expired", "certificate-not-yet-valid"} or jump > 0, new


# ---- loss and disorder on the way to the capture -----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("story", sorted(STORIES.keys() - PATIENT))
def test_what_the_capture_lost_is_no_verdict(story: str, seed: int) -> None:
    chance = random.Random(f"{story} {seed}")
    packets = packets_of(story)
    left = [packet for packet in packets if chance.random() > (0.05, 0.3)[seed % 2]]
    whole = by_ports(report(packets).connections)
    if left:
        told_by(left, whole)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("story", ["mutual", "mutual_13"])
def test_disorder_changes_no_value(story: str, seed: int) -> None:
    """A quarter of the packets come up to 60 places late, but none later than the close."""
    chance = random.Random(seed)
    packets = packets_of(story)
    body, rest = packets[:-3], packets[-3:]
    late = sorted(range(len(body)), key=lambda at: at + (chance.randrange(1, 60) if chance.random() < 0.25 else 0))
    packets = [replace(body[at], time_ns=packet.time_ns) for at, packet in zip(late, body, strict=True)] + rest
    found, full = facts(report(packets).connection), facts(report(packets_of(story)).connection)

    assert {name: found[name] for name in (*VALUES, "outcome", "bytes", "gap")} == {
        name: full[name] for name in (*VALUES, "outcome", "bytes", "gap")
    }
