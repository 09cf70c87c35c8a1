"""Packets of connections in bounded memory: the first and the last ones, each connection its own."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from analyzer.capture.source import PAD, Frames
from analyzer.folding.identity import flow_key
from analyzer.live import remembering
from analyzer.live.remembering import CONNECTION, OVERHEAD, PacketMemory, keys_of
from analyzer.packets.decode import Decoder
from tests.build.pcap import Packet
from tests.build.tcp import CLIENT, SERVER, Tcp, merged
from tests.scenarios import Story

LAST_FRAME = 1 << 40


def frames_of(packets: list[Packet], first_frame: int) -> Frames:
    sizes = np.array([len(packet.data) for packet in packets], np.int64)
    data = b"".join(packet.data for packet in packets)
    return Frames(
        data=np.frombuffer(data + bytes(PAD), np.uint8),
        start=np.cumsum(sizes) - sizes,
        captured=sizes,
        original=sizes,
        time_ns=np.array([packet.time_ns for packet in packets], np.int64),
        link_type=np.ones(len(packets), np.uint16),
        first_frame=first_frame,
    )


def fed(packets: Iterable[Packet], at_once: int = 10, memory: PacketMemory | None = None) -> PacketMemory:
    memory = PacketMemory() if memory is None else memory
    every, decoder = list(packets), Decoder()
    for at in range(0, len(every), at_once):
        frames = frames_of(every[at : at + at_once], at + 1)
        memory.feed(frames, decoder.feed(frames))
    return memory


def key(client: str = "192.0.2.10", sport: int = 50_000, server: str = "198.51.100.5", dport: int = 5061) -> bytes:
    return flow_key(client, sport, server, dport)


def long(packets: int) -> Tcp:
    talk = Tcp().open()
    while len(talk.packets) < packets:
        talk.send(SERVER, b"\x17\x03\x03\0\x05hello", heard=False)
    return talk


@pytest.mark.parametrize("at_once", [1, 3, 1_000])
def test_a_short_connection_is_kept_as_it_came(at_once: int) -> None:
    story = Story()
    story.open().hello().answer().certificate().finished().talk().close()
    memory = fed(story.packets, at_once)
    taken = memory.take(key(), 1, LAST_FRAME)
    assert [packet[4] for packet in taken.first] == [packet.data for packet in story.packets]
    assert [packet[0] for packet in taken.first] == list(range(1, len(story.packets) + 1))
    assert (taken.last, memory.held, len(memory)) == ([], 0, 0)


@pytest.mark.parametrize("at_once", [1, 7, 1_000])
def test_of_a_long_one_the_beginning_and_the_end(at_once: int) -> None:
    talk = long(500)
    taken = fed(talk.packets, at_once).take(key(), 1, LAST_FRAME)
    assert [packet[0] for packet in taken.first] == list(range(1, remembering.FIRST + 1))
    assert [packet[0] for packet in taken.last] == list(range(501 - remembering.LAST, 501))


def test_large_packets_are_fewer() -> None:
    talk = Tcp().open()
    for _ in range(50):
        talk.send(SERVER, bytes(50_000), size=50_000, heard=False)
    memory = fed(talk.packets)
    assert memory.held <= remembering.FIRST_BYTES + remembering.LAST_BYTES
    taken = memory.take(key(), 1, LAST_FRAME)
    assert [packet[0] for packet in taken.first] == [1, 2, 3, 4, 5, 6]
    assert taken.last[-1][0] == 53


def test_ports_that_are_used_again_are_two_connections() -> None:
    one = Story(isn=(1_000, 9_000))
    one.open().hello().rst(SERVER)
    other = Story(isn=(700_000, 800_000), start_ns=one.now_ns)
    other.open().hello()
    count = len(one.packets)
    memory = fed(merged(one, other), 1_000)
    assert [packet[0] for packet in memory.take(key(), 1, count).first] == list(range(1, count + 1))
    rest = memory.take(key(), count + 1, LAST_FRAME)
    assert [packet[4] for packet in rest.first] == [packet.data for packet in other.packets]
    assert memory.held == 0


def test_the_beginning_of_the_next_one_is_not_pushed_out_by_a_long_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    one = long(500)
    other = Tcp(isn=(7_000_000, 8_000_000), start_ns=one.now_ns).open()
    for _ in range(100):
        other.send(CLIENT, b"x")
    memory = fed(merged(one, other), 1_000)
    memory.take(key(), 1, 500)
    assert memory.take(key(), 501, LAST_FRAME).first[0][4] == other.packets[0].data


@pytest.mark.parametrize("count", [2_000])
def test_a_four_tuple_opened_by_every_packet_keeps_little(count: int) -> None:
    talk = Tcp()
    for number in range(count):
        talk.put(CLIENT, seq=number * 1_000, flags=2)
    memory = fed(talk.packets, 1_000)
    assert memory.held <= (remembering.EARLIER + 1) * (len(talk.packets[0].data) + OVERHEAD + CONNECTION)


def flood(count: int) -> list[Packet]:
    """SYNs that nobody answers."""
    return [Tcp(sport=1_024 + number).syn().packets[0] for number in range(count)]


def test_a_flood_of_syns_pushes_out_no_handshake() -> None:
    story = Story(sport=700)
    story.open().hello().answer()
    memory = fed([*story.packets, *flood(5_000)], memory=PacketMemory(max_connections=500))
    assert len(memory) <= 500
    assert len(memory.take(key(sport=700), 1, LAST_FRAME).first) == len(story.packets)


def test_when_memory_is_short_ends_go_before_beginnings() -> None:
    talks = []
    for number in range(40):
        talk = Tcp(sport=700 + number).open()
        for _ in range(120):
            talk.send(SERVER, bytes(100), heard=False)
        talks.append(talk)
    bound = 40 * 90 * (154 + OVERHEAD)
    memory = fed(merged(*talks), memory=PacketMemory(max_bytes=bound))
    assert memory.held <= bound
    taken = [memory.take(key(sport=700 + number), 1, LAST_FRAME) for number in range(40)]
    assert {len(one.first) for one in taken} == {remembering.FIRST}
    assert memory.held == 0


def test_the_longest_silent_goes_when_beginnings_have_no_room() -> None:
    talks = [long(60) for _ in range(1)]
    for number in range(1, 30):
        talk = Tcp(sport=50_000 + number, start_ns=talks[-1].now_ns).open()
        talk.send(SERVER, bytes(5_000))
        talks.append(talk)
    memory = fed([packet for talk in talks for packet in talk.packets], memory=PacketMemory(max_bytes=100_000))
    assert memory.held <= 100_000
    assert memory.take(key(), 1, LAST_FRAME).first == []
    assert len(memory.take(key(sport=50_029), 1, LAST_FRAME).first) == len(talks[-1].packets)


@pytest.mark.parametrize(
    ("client", "server"),
    [
        pytest.param(("192.0.2.10", 50_000), ("198.51.100.5", 443), id="the lower address first"),
        pytest.param(("198.51.100.5", 443), ("192.0.2.10", 50_000), id="the higher address first"),
        pytest.param(("192.0.2.1", 5), ("192.0.2.1", 6), id="one address, two ports"),
        pytest.param(("192.0.2.1", 6), ("192.0.2.1", 5), id="the same the other way"),
        pytest.param(("2001:db8::1", 50_000), ("2001:db8::2", 443), id="IPv6"),
        pytest.param(("2001:db8:1::1", 50_000), ("2001:db8::2", 443), id="IPv6, upper halves differ"),
    ],
)
def test_keys_are_those_of_the_record(client: tuple[str, int], server: tuple[str, int]) -> None:
    talk = Tcp(client[0], client[1], server[0], server[1]).open()
    decoded = Decoder().feed(frames_of(talk.packets, 1))
    assert set(keys_of(decoded.segments)) == {flow_key(*client, *server)}
