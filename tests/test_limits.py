"""Ceilings: what a hostile sender can make us keep, count or repeat. Objects and calls are counted, never seconds."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from analyzer import flows
from analyzer.folding.conversation import Conversation
from analyzer.folding.settling import MOST_BYTES
from analyzer.reassembly import KEPT_BYTES
from analyzer.tracker import Tracker
from tests.build import handshake as tls
from tests.build import records
from tests.build.frames import SYN
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
    return sum(len(segment[3]) for assembler in halves for segment in assembler.segments)


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
