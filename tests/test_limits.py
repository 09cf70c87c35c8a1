"""Ceilings: what a hostile sender can make us keep, count or repeat. Objects and calls are counted, never seconds."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import Mock

import pytest

from analyzer import flows
from analyzer import tracker as tracker_module
from analyzer.folding import floods
from analyzer.folding.conversation import Conversation
from analyzer.folding.settling import MOST_BYTES
from analyzer.reassembly import KEPT_BYTES
from analyzer.summary import Repeated
from analyzer.tracker import Tracker
from tests.build import handshake as tls
from tests.build import records
from tests.build.frames import SYN
from tests.build.pcap import START_NS, Packet
from tests.build.reports import report
from tests.build.tcp import CLIENT, SERVER, Tcp, merged
from tests.scenarios import Story
from tests.scenarios.following import SETTING, decoded

HELLO = records.record(tls.client_hello(extensions=[tls.server_name_extension(b"sip.example.com")]), version=0x0301)


# ---- connections --------------------------------------------------------------------------------------------------------


def test_a_thousand_connections_on_one_four_tuple_are_a_thousand() -> None:
    talks = []
    now_ns = Story().now_ns
    for number in range(1_000):
        story = Story(isn=(1_000 + number * 50_000, 9_000 + number * 70_000), start_ns=now_ns)
        story.open().hello().answer().certificate().finished().talk().close()
        talks.append(story)
        now_ns = story.now_ns
    said = report(merged(*talks))

    assert len(said.connections) == said.summary.tcp_streams == 1_000
    assert {(conn.outcome.value, conn.server_name) for conn in said.connections} == {("established", "sip.example.com")}


@pytest.mark.parametrize("again", [False, True])
def test_a_four_tuple_opened_by_every_packet_is_looked_at_once_a_packet(
    again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New numbers each time, or the same SYN for ever: the work stays in proportion."""
    learn = Mock(wraps=flows._learn_base)
    monkeypatch.setattr(flows, "_learn_base", learn)
    talk = Tcp()
    for number in range(3_000):
        talk.put(CLIENT, seq=5 if again else number * 1_000, flags=SYN)
    said = report(talk.packets)

    assert said.summary.tcp_streams == (1 if again else 3_000)
    assert learn.call_count <= 3 * 3_000


# ---- bytes and segments of one connection -------------------------------------------------------------------------------


def kept(conversation: Conversation) -> int:
    """Bytes of packets that are still held."""
    halves = [half.assembler for half in conversation.halves if half.assembler]
    return sum(len(packet) for assembler in halves for packet in assembler.packets)


@pytest.mark.parametrize(
    ("flood", "segments"),
    [
        pytest.param(
            records.records(b"\x0b\xff\xff\xff" + bytes(10_000_000), 16_384), 1_460, id="a message without end"
        ),
        pytest.param(records.record(tls.hello_request()) * 1_000_000, 1_460, id="messages without end"),
        pytest.param(records.record(b"") * 1_500_000, 1_460, id="empty records without end"),
        pytest.param(records.records(b"\x0b\0\xff\xff" + bytes(30_000), 16_384), 1, id="bytes one by one"),
    ],
)
def test_one_connection_holds_little_however_much_it_sends(flood: bytes, segments: int) -> None:
    story = Story()
    story.open().hello()
    story.send(SERVER, records.record(tls.server_hello()) + flood, size=segments)
    tracker, conversation = Tracker(SETTING), None
    for batch, now_ns in decoded(story.packets, 1_024):
        list(tracker.feed(batch, now_ns))
        conversation = next(iter(tracker.table)).owner
        assert kept(conversation) <= KEPT_BYTES * 2 + 1_024 * 1_600
    assert isinstance(conversation, Conversation)
    assert conversation.settled or conversation.bytes < MOST_BYTES
    assert sum(len(half.events) for half in conversation.halves) < 5_000


# ---- all connections together -------------------------------------------------------------------------------------------


def syn_flood(count: int) -> list[Packet]:
    """SYNs from as many addresses, 20 us apart."""
    talks = [Tcp(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", 1_024 + n % 60_000).syn() for n in range(count)]
    return [replace(talk.packets[0], time_ns=START_NS + n * 20_000) for n, talk in enumerate(talks)]


def test_a_flood_of_syns_is_counted_and_real_connections_survive_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracker_module, "MAX_CONNECTIONS", 500)
    story = Story()
    story.open().hello().answer().certificate().finished().talk().close()
    spread = [replace(packet, time_ns=START_NS + n * 2_800_000) for n, packet in enumerate(story.packets)]
    monkeypatch.setattr("analyzer.capture.pcap.BATCH_FRAMES", 100)
    said = report(merged(spread, syn_flood(2_500)))
    counted = [item for item in said.items if isinstance(item, Repeated)]

    assert [conn.outcome.value for conn in said.connections if conn.tls] == ["established"]
    assert len(said.connections) < 700
    assert len(said.connections) + sum(item.count for item in counted) == said.summary.connections == 2_501
    assert said.summary.evicted >= 1_900
    assert {(item.rule, item.client_ip) for item in counted} == {("connection-timeout", "(others)")}


def test_unanswered_syns_of_a_selection_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracker_module, "MAX_CONNECTIONS", 100)
    monkeypatch.setattr("analyzer.capture.pcap.BATCH_FRAMES", 100)
    said = report(syn_flood(1_000), keep=lambda conn: conn.client_ip == "10.0.0.7")

    assert not [item for item in said.items if isinstance(item, Repeated)]


def test_servers_of_floods_are_told_apart_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracker_module, "MAX_CONNECTIONS", 10)
    monkeypatch.setattr("analyzer.capture.pcap.BATCH_FRAMES", 100)
    monkeypatch.setattr(floods, "MAX_SERVERS", 3)
    packets = [Tcp(f"10.0.{n}.{m}", 5, f"198.51.100.{n}").syn().packets[0] for n in range(5) for m in range(200)]
    said = report(packets)
    counted = [item for item in said.items if isinstance(item, Repeated)]

    assert {item.server_ip for item in counted} == {"198.51.100.0", "198.51.100.1", "198.51.100.2", "(others)"}
    assert len(said.connections) + sum(item.count for item in counted) == 1_000


def test_all_connections_together_hold_a_limited_amount(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine small handshakes and thirty that never end: the largest are given up, and said to be."""
    monkeypatch.setattr(tracker_module, "MAX_HELD", 1_000_000)
    talks: list[Tcp] = []
    for number in range(30):
        story = Story(sport=2_000 + number)
        story.open().hello()
        story.send(SERVER, records.record(tls.server_hello()))
        talks.append(story.send(SERVER, records.records(b"\x0b\x0f\x42\x40" + bytes(200_000), 16_384), heard=False))
    for number in range(9):
        story = Story(sport=1_000 + number)
        story.open().hello().answer().certificate().finished().talk().close()
        talks.append(story)
    tracker, conns = Tracker(SETTING), []
    for batch, now_ns in decoded(merged(*talks), 64):
        conns += list(tracker.feed(batch, now_ns))
        assert tracker.held <= 1_000_000
        assert tracker.held == sum(getattr(flow.owner, "held", 0) for flow in tracker.table)
    conns += list(tracker.finish())

    assert tracker.held == 0
    assert sum(conn.visibility.evicted for conn in conns) == tracker.table.evictions > 10
    assert [conn.outcome.value for conn in conns if conn.client_port < 2_000] == ["established"] * 9


def test_connections_that_ended_are_forgotten_though_the_clock_stands_still() -> None:
    talks = [Story(sport=1_000 + number) for number in range(400)]
    for story in talks:
        story.open().close()
    packets = [replace(packet, time_ns=START_NS) for story in talks for packet in story.packets]
    tracker = Tracker(SETTING, limit=50)
    for batch, now_ns in decoded(packets, 60):
        list(tracker.feed(batch, now_ns))
        assert len(tracker._queue) <= 50 + 60
