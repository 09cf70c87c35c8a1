"""Which connections are reported, when, and in which order; and that nothing of it depends on batches."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer import tracker as module
from analyzer.connection import Connection, Outcome
from analyzer.folding.case import Setting
from analyzer.folding.conversation import Conversation
from analyzer.folding.fold import fold
from tests.build.frames import ACK, FIN, RST, SYN, ethernet, icmp, ipv4
from tests.build.pcap import Packet
from tests.build.tcp import CLIENT, SERVER, Tcp, merged
from tests.scenarios import STORIES, Story
from tests.scenarios.following import SETTING, decoded, follow, only, track

SECOND = 1_000_000_000
ANY_PORT = Setting(capture="story.pcap", ports=None)


def several(*names: str) -> list[Packet]:
    """These stories at the same time, each from a port of its own."""
    talks = []
    for number, name in enumerate(names):
        story = Story(sport=50_000 + number, isn=(1_000 * number + 7, 4_000_000_000))
        story.wait(number * 0.0004)
        STORIES[name](story)
        talks.append(story)
    return merged(*talks)


# ---- batches ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 7, 16, 50])
@pytest.mark.parametrize("name", STORIES)
def test_records_do_not_depend_on_the_size_of_batches(name: str, size: int) -> None:
    assert follow(name, size) == follow(name)


@settings(max_examples=25, deadline=None)
@given(names=st.lists(st.sampled_from(sorted(STORIES)), min_size=2, max_size=5), size=st.integers(1, 60))
def test_order_and_records_of_mixed_connections_do_not_depend_on_batches(names: list[str], size: int) -> None:
    packets = several(*names)
    assert follow(packets, size) == follow(packets)


@pytest.mark.parametrize("size", [1, 20])
@pytest.mark.parametrize("rounds", [3, 5, 6, 40])
def test_what_is_no_longer_followed_does_not_depend_on_batches(rounds: int, size: int) -> None:
    """A reset, and payload that was on its way, in the same batch in which the handshake was found to be over."""
    story = Story()
    story.open()
    story.hello().answer().certificate().finished()
    for _ in range(rounds):
        story.talk()
    story.wait(1).rst(CLIENT).send(SERVER, bytes(500), heard=False)
    assert follow(story, size) == follow(story)


def test_a_refused_client_that_tries_again_in_time_is_one_connection_for_any_batch() -> None:
    story = Tcp()
    for _ in range(5):
        story.syn()
        story.put(SERVER, seq=0, ack=story.seq[CLIENT], flags=RST | ACK)
        story.wait(0.9)
    others = [Tcp(sport=50_001 + n, start_ns=Tcp().now_ns + n * SECOND // 2).syn() for n in range(16)]
    packets = merged(story, *others)
    assert [conn.client.syn_count for conn in follow(packets) if conn.stream == 0] == [5]
    assert follow(packets, 1) == follow(packets)


# ---- when, and in which order ----------------------------------------------------------------------------------------


def test_connections_come_in_the_order_of_their_ends_and_then_of_their_beginnings() -> None:
    first, second, third = (Story(sport=50_000 + n, start_ns=Tcp().now_ns + n) for n in range(3))
    for story in (first, second, third):
        story.open()
        story.hello()
    third.rst(SERVER)
    second.wait(1).rst(SERVER)
    late = Tcp(sport=50_009, start_ns=first.now_ns + 9 * SECOND).syn()
    assert [conn.stream for conn in follow(merged(first, second, third, late))] == [2, 1, 0, 3]


def test_a_connection_is_reported_two_seconds_after_its_end_by_the_clock_of_the_capture() -> None:
    closed = Tcp().open().close()
    tracker = module.Tracker(SETTING)

    def told(packets: list[Packet]) -> list[int]:
        return [conn.stream for batch, now in decoded(packets) for conn in tracker.feed(batch, now)]

    assert told(closed.packets) == []
    assert told(Tcp(sport=50_001, start_ns=closed.now_ns + module.LINGER_NS - 5_000_000).syn().packets) == []
    assert told(Tcp(sport=50_002, start_ns=closed.now_ns + module.LINGER_NS).syn().packets) == [0]


def test_a_late_echo_still_belongs_to_the_connection() -> None:
    conn = only("late_echo")
    assert [ending.how for ending in conn.endings] == ["rst", "rst"]
    assert conn.client.after_close_bytes > 0


def test_a_four_tuple_born_again_decides_the_connection_before() -> None:
    first, second = follow("same_ports_again")
    assert (first.stream, first.outcome, second.stream, second.outcome) == (0, Outcome.FAILED, 1, Outcome.ESTABLISHED)
    assert first.uid != second.uid and first.community_id == second.community_id


def test_an_open_connection_whose_ports_are_taken_over_is_reported() -> None:
    silent = Story()
    silent.open()
    silent.hello()
    again = Tcp(isn=(9, 9), start_ns=silent.now_ns).open()
    assert [conn.stream for conn in follow(merged(silent, again))] == [0, 1]


# ---- what is reported at all -----------------------------------------------------------------------------------------


def on_port(port: int, name: str) -> list[Packet]:
    """A story with another server port."""
    story = Story(dport=port)
    STORIES[name](story)
    return story.packets


@pytest.mark.parametrize(
    ("name", "port", "setting", "count"),
    [
        pytest.param("mutual", 5061, SETTING, 1, id="TLS where it is expected"),
        pytest.param("mutual", 12_345, SETTING, 1, id="TLS found by its content elsewhere"),
        pytest.param("plain_http", 5061, SETTING, 1, id="no TLS where TLS is expected"),
        pytest.param("plain_http", 8080, SETTING, 0, id="no TLS where none is expected"),
        pytest.param("plain_http", 5061, ANY_PORT, 0, id="no TLS when any port may have anything"),
        pytest.param("refused", 5061, SETTING, 1, id="refused where TLS is expected"),
        pytest.param("refused", 8080, SETTING, 0, id="refused elsewhere"),
        pytest.param("refused", 8080, ANY_PORT, 1, id="refused when TLS may be anywhere"),
        pytest.param("behind_a_proxy", 8080, SETTING, 1, id="TLS behind plain text elsewhere"),
    ],
)
def test_reported(name: str, port: int, setting: Setting, count: int) -> None:
    assert len(follow(on_port(port, name), setting=setting)) == count


# ---- ICMP ------------------------------------------------------------------------------------------------------------


def unreachable(quoted: Packet, time_ns: int) -> Packet:
    """A router says that this packet did not get through."""
    return Packet(ethernet(ipv4(icmp(3, 1, quoted.data[14:][:28]), 1, src="203.0.113.9", dst="192.0.2.10")), time_ns)


def test_an_icmp_error_belongs_to_the_connection_it_quotes() -> None:
    lost = Tcp().syn()
    other = Tcp(sport=50_001).syn()
    conn, innocent = follow([*merged(lost, other), unreachable(lost.packets[0], lost.now_ns)])
    assert [(error.reporter, error.frame) for error in conn.icmp] == [("203.0.113.9", 3)]
    assert innocent.icmp == ()


@pytest.mark.parametrize("size", [None, 1])
def test_an_icmp_error_before_the_ports_are_taken_over_belongs_to_the_first_connection(size: int | None) -> None:
    lost = Tcp().syn()
    error = unreachable(lost.packets[0], lost.now_ns)
    again = Tcp(isn=(9, 9), start_ns=lost.now_ns + 1).syn()
    first, second = follow([*lost.packets, error, *again.packets], size)
    assert (len(first.icmp), len(second.icmp)) == (1, 0)


def test_icmp_errors_of_one_connection_are_bounded() -> None:
    lost = Tcp().syn()
    errors = [unreachable(lost.packets[0], lost.now_ns + n) for n in range(module.MAX_ICMP + 9)]
    assert len(only([*lost.packets, *errors]).icmp) == module.MAX_ICMP


# ---- a full table ----------------------------------------------------------------------------------------------------


def test_connections_given_up_because_the_table_is_full_are_reported_and_say_so() -> None:
    talks = []
    for number in range(12):
        story = Story(sport=50_000 + number, start_ns=Tcp().now_ns + number * SECOND)
        story.open()
        talks.append(story.hello())
    tracker, found = track(merged(*talks), size=5, limit=10)
    assert tracker.table.evictions == sum(conn.visibility.evicted for conn in found) > 0
    assert sorted(conn.stream for conn in found) == list(range(12))


# ---- a bug of ours ---------------------------------------------------------------------------------------------------


def expect_contained(found: list[Connection], whole: list[Connection], crashed: int) -> None:
    assert found == [conn for conn in whole if conn.stream != crashed]


def test_a_crash_while_reading_stays_in_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    packets = several("mutual", "client_ca_unknown", "mutual_13")
    whole = follow(packets)
    read = Conversation._read

    def fragile(self: Conversation) -> None:
        if self.flow.stream == 1:
            raise ZeroDivisionError("a bug of ours")
        read(self)

    monkeypatch.setattr(Conversation, "_read", fragile)
    for size in (None, 1):
        tracker, found = track(packets, size)
        expect_contained(found, whole, crashed=1)
        (crash,) = tracker.crashes
        assert "story.pcap, connection 1, frame 2" in crash.where and isinstance(crash.error, ZeroDivisionError)


def test_a_crash_while_folding_stays_in_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    packets = several("mutual", "client_ca_unknown", "mutual_13")
    whole = follow(packets)

    def fragile(conversation: Conversation, *rest: object, **more: object) -> Connection:
        if conversation.flow.stream == 2:
            raise IndexError("a bug of ours")
        return fold(conversation, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "fold", fragile)
    tracker, found = track(packets)
    expect_contained(found, whole, crashed=2)
    assert [type(crash.error) for crash in tracker.crashes] == [IndexError]


def test_a_crash_while_an_end_is_judged_stays_in_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    packets = several("mutual", "client_ca_unknown", "mutual_13")
    packets += Tcp(sport=50_009, start_ns=packets[-1].time_ns + 9 * SECOND).syn().packets
    whole = follow(packets)
    recheck = Conversation.recheck

    def fragile(self: Conversation) -> None:
        if self.flow.stream == 0:
            raise KeyError("a bug of ours")
        recheck(self)

    monkeypatch.setattr(Conversation, "recheck", fragile)
    tracker, found = track(packets)
    expect_contained(found, whole, crashed=0)
    assert [type(crash.error) for crash in tracker.crashes] == [KeyError]


def test_a_syn_after_the_connection_was_decided_is_a_second_try() -> None:
    refused = Tcp().syn()
    refused.put(SERVER, seq=0, ack=refused.seq[CLIENT], flags=RST | ACK)
    other = Tcp(sport=50_001, start_ns=refused.now_ns + 5 * SECOND).syn()
    refused.wait(6).syn()
    found = follow(merged(refused, other), size=1)
    assert [(conn.stream, conn.outcome) for conn in found] == [(0, "no-data"), (0, "no-data"), (1, "no-data")]


def test_what_comes_after_the_decision_is_no_second_connection() -> None:
    closed = Tcp().open().close()
    other = Tcp(sport=50_001, start_ns=closed.now_ns + 5 * SECOND).syn()
    closed.wait(6)
    closed.put(SERVER, flags=FIN | ACK)
    closed.put(SERVER, flags=SYN | ACK, seq=closed.isn[SERVER])
    assert [conn.stream for conn in follow(merged(closed, other), size=1)] == [0, 1]
