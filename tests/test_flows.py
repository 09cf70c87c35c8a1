"""Segments -> connections: numbers as Wireshark gives them, counters, what is handed up, and a table that stays bounded."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.flows import FIRST_ROWS, ROUND_ROWS, Flow, FlowTable, Rows
from analyzer.packets.headers import empty
from analyzer.picking import Wants
from tests.build.frames import ACK, FIN, PSH, RST, SYN
from tests.build.pcap import Packet
from tests.build.records import alert, application_data, change_cipher_spec, encrypted, record
from tests.build.tcp import CLIENT, SERVER, Tcp, merged
from tests.scenarios.following import decoded

SECOND = 1_000_000_000


class Seen:
    """A table, and the frames that it handed up: stream -> frames."""

    def __init__(self, limit: int = 100_000, react: Callable[[Flow], None] | None = None) -> None:
        self.table = FlowTable(limit)
        self.frames: dict[int, list[int]] = {}
        self.flows: dict[int, Flow] = {}
        self._react = react

    def feed(self, packets: Sequence[Packet], size: int | None = None) -> Seen:
        for batch, _ in decoded(packets, size):
            for rows in self.table.feed(batch.segments):
                self._take(rows)
        return self

    def _take(self, rows: Rows) -> None:
        flow = rows.flow
        assert rows.start < rows.stop
        self.flows[flow.stream] = flow
        self.frames.setdefault(flow.stream, []).extend(rows.columns.frame[rows.start : rows.stop])
        if self._react is not None:
            self._react(flow)


def want(level: Wants) -> Callable[[Flow], None]:
    def set_it(flow: Flow) -> None:
        flow.wants = level

    return set_it


# ---- numbers ---------------------------------------------------------------------------------------------------------


def life(isn: tuple[int, int], start: Tcp | None = None, sport: int = 50_000) -> Tcp:
    """One connection from SYN to FIN; after `start` if given."""
    talk = Tcp(sport=sport, isn=isn, **({"start_ns": start.now_ns} if start else {}))  # type: ignore[arg-type]
    return talk.open().send(CLIENT, b"hello").close()


FIRST = life((100, 200))
AGAIN = life((10_000, 20_000), FIRST)
THIRD = life((30_000, 40_000), AGAIN)
RETRIED = Tcp().syn().syn().syn_ack().ack(CLIENT)
HEADLESS = Tcp()
HEADLESS.seq[:], HEADLESS.heard[:] = [1_001, 5_001], [5_001, 1_001]
HEADLESS.send(CLIENT, b"inside").send(SERVER, b"yes")


def reborn_as(isn: int) -> list[Packet]:
    """A connection whose beginning is missing, and a SYN with this sequence number."""
    return [*HEADLESS.packets, *Tcp(isn=(isn, 9), start_ns=HEADLESS.now_ns).syn().packets]


@pytest.mark.parametrize("size", [None, 1, 2, 7])
@pytest.mark.parametrize(
    ("packets", "streams"),
    [
        pytest.param(FIRST.packets, [0] * 8, id="one connection"),
        pytest.param(merged(FIRST, AGAIN), [0] * 8 + [1] * 8, id="a SYN with another number is a new one"),
        pytest.param(merged(FIRST, AGAIN, THIRD), [0] * 8 + [1] * 8 + [2] * 8, id="and once more"),
        pytest.param(RETRIED.packets, [0] * 4, id="a SYN sent again is the same"),
        pytest.param([*FIRST.packets, FIRST.packets[0]], [0] * 9, id="also after the end"),
        pytest.param([*FIRST.packets, FIRST.packets[1]], [0] * 9, id="a SYN-ACK never opens one"),
        pytest.param(reborn_as(1_000), [0] * 5, id="a SYN that fits to what was seen inside"),
        pytest.param(reborn_as(7), [0] * 4 + [1], id="a SYN that does not"),
        pytest.param(merged(FIRST, life((9, 9), sport=50_001)), [0, 1] * 8, id="another port is another connection"),
    ],
)
def test_connections_are_numbered_as_wireshark_does(
    packets: list[Packet], streams: list[int], size: int | None
) -> None:
    seen = Seen(react=want(Wants.EVERYTHING))
    seen.feed(packets, size)
    found = {frame: stream for stream, frames in seen.frames.items() for frame in frames}
    counts = [sum(lane.packets for lane in seen.flows[n].lanes) for n in sorted(seen.flows)]
    assert counts == [streams.count(n) for n in sorted(set(streams))]
    assert all(streams[frame - 1] == stream for frame, stream in found.items())
    assert seen.table.opened == len(set(streams))


def test_a_stray_syn_of_the_server_side_with_a_number_of_its_own_is_a_new_connection_too() -> None:
    talk = Tcp().open()
    talk.put(SERVER, seq=77, flags=SYN)
    assert Seen().feed(talk.packets).table.opened == 2


def test_connections_taken_over_are_told_once_with_the_time() -> None:
    seen = Seen().feed(merged(FIRST, AGAIN, THIRD))
    assert [(flow.stream, ns) for flow, ns in seen.table.take_replaced()] == [
        (0, AGAIN.packets[0].time_ns),
        (1, THIRD.packets[0].time_ns),
    ]
    assert seen.table.take_replaced() == []
    assert len(seen.table) == 1 and [flow.stream for flow in seen.table] == [2]


# ---- counters --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [None, 1, 3])
def test_counters_of_both_lanes(size: int | None) -> None:
    talk = Tcp(isn=(100, 2**32 - 2)).open()
    talk.send(CLIENT, bytes(700), size=500).send(SERVER, bytes(20)).wait(3).close()
    flow = Seen().feed(talk.packets, size).flows[0]
    client, server = flow.lanes
    assert (client.packets, client.bytes, client.max_segment) == (7, 700, 500)
    assert (server.packets, server.bytes, server.max_segment) == (4, 20, 20)
    assert (client.first_frame, client.last_frame, server.first_frame, server.last_frame) == (1, 11, 2, 10)
    assert (client.last_payload_frame, server.last_payload_frame) == (5, 7)
    assert (client.last_payload_ns, client.last_ns) == (talk.packets[4].time_ns, talk.packets[10].time_ns)
    assert (client.last_ack, server.last_ack) == (20, 802)
    assert (client.base, server.base) == (100, 2**32 - 2)
    assert (flow.first_frame, flow.first_ns, flow.last_ns) == (1, talk.packets[0].time_ns, talk.packets[10].time_ns)
    assert flow.opener == 0


def test_the_lower_endpoint_is_direction_0_also_when_it_is_the_server() -> None:
    flow = Seen().feed(Tcp("198.51.100.9", 50_000, "192.0.2.1", 5061).open().packets).flows[0]
    assert (flow.opener, flow.lanes[0].packets, flow.lanes[1].packets) == (1, 1, 2)


@pytest.mark.parametrize(
    ("packets", "bases"),
    [
        pytest.param(Tcp(isn=(7, 9)).open().packets, (7, 9), id="from the SYNs"),
        pytest.param(Tcp(isn=(7, 9)).open().packets[2:], (7, 9), id="from the first ACK"),
        pytest.param(HEADLESS.packets, (1_000, 5_000), id="from inside"),
        pytest.param(Tcp(isn=(7, 9)).syn().packets, (7, None), id="nothing is known of a silent side"),
    ],
)
def test_bases_are_learned_from_what_is_there(packets: list[Packet], bases: tuple[int, int | None]) -> None:
    flow = Seen().feed(packets).flows[0]
    assert (flow.lanes[0].base, flow.lanes[1].base) == bases


# ---- what is handed up -----------------------------------------------------------------------------------------------


def chatter() -> list[Packet]:
    """After the first rows of a flow, one packet of each kind: frames as in `KINDS`."""
    talk = Tcp().open().ack(CLIENT)
    for data in (record(bytes(9)), alert(40), encrypted(21, 26), application_data(19), application_data(35)):
        talk.put(CLIENT, data, flags=ACK | PSH)
    for data in (application_data(11), application_data(300), change_cipher_spec(), b"SSH-2.0"):
        talk.put(CLIENT, data, flags=ACK | PSH)
    for flags in (ACK, FIN | ACK, RST, SYN | ACK):
        talk.put(SERVER, flags=flags)
    talk.put(SERVER, window=0)
    return talk.ack(SERVER).packets


KINDS = (
    *("", "handshake", "alert", "encrypted alert", "19 bytes", "35 bytes", "11 bytes", "data", "ccs", "text"),
    *("ack", "fin", "rst", "syn-ack", "closed window", "ack after it"),
)


@pytest.mark.parametrize(
    ("level", "kinds"),
    [
        pytest.param(Wants.ALL, {*KINDS[1:10], *KINDS[11:]}, id="all but bare acknowledgements, until a window closes"),
        pytest.param(Wants.EVERYTHING, set(KINDS[1:]), id="everything"),
        pytest.param(Wants.LIGHT, {*KINDS[2:7], *KINDS[11:14]}, id="ends, and what may be an alert"),
        pytest.param(Wants.ENDS, set(KINDS[11:14]), id="only ends"),
    ],
)
def test_levels(level: Wants, kinds: set[str]) -> None:
    seen, packets = Seen(react=want(level)), chatter()
    seen.feed(packets[:FIRST_ROWS]).frames.clear()
    seen.feed(packets[FIRST_ROWS:])
    assert [KINDS[frame] for frame in seen.frames[0]] == [kind for kind in KINDS if kind in kinds]


@pytest.mark.parametrize("size", [None, 1, 2, 3])
def test_the_first_rows_of_a_flow_are_handed_up_whatever_they_carry(size: int | None) -> None:
    talk = Tcp()
    for _ in range(FIRST_ROWS + 4):
        talk.put(CLIENT)
    assert Seen().feed(talk.packets, size).frames[0] == list(range(1, FIRST_ROWS + 1))


def test_the_stage_above_is_asked_again_after_each_round() -> None:
    talk = Tcp().open()
    for _ in range(300):
        talk.put(CLIENT, b"data", flags=ACK | PSH)
    talk.fin(CLIENT)
    rounds: list[int] = []

    def enough(flow: Flow) -> None:
        rounds.append(len(seen.frames[0]))
        if len(rounds) == 2:
            flow.wants = Wants.ENDS

    seen = Seen(react=enough)
    seen.feed(talk.packets)
    assert rounds == [ROUND_ROWS, 2 * ROUND_ROWS, 2 * ROUND_ROWS + 1]
    assert seen.frames[0][-1] == 304


@pytest.mark.parametrize("level", [Wants.LIGHT, Wants.ENDS])
def test_of_flows_that_are_over_only_what_is_behind_the_round_is_handed_up(level: Wants) -> None:
    """Each loses interest in another round; of the rows behind it, only the ends are wanted, each once."""
    talks = [Tcp(sport=50_000 + n, start_ns=Tcp().now_ns + n).open() for n in range(4)]
    for number, talk in enumerate(talks):
        for _ in range(60 + 60 * number):
            talk.put(CLIENT, b"data", flags=ACK | PSH)
            talk.put(SERVER, flags=FIN | ACK)
    rounds: dict[int, int] = {}

    def enough(flow: Flow) -> None:
        rounds[flow.stream] = rounds.get(flow.stream, 0) + 1
        if rounds[flow.stream] == 1 + flow.stream:
            flow.wants = level

    packets = merged(*talks)
    number_of = {id(packet): number for number, packet in enumerate(packets, 1)}
    seen = Seen(react=enough)
    seen.feed(packets)
    for stream, talk in enumerate(talks):
        own, followed = [number_of[id(packet)] for packet in talk.packets], ROUND_ROWS * 2**stream
        fins = [frame for at, frame in enumerate(own) if at >= followed and at % 2 == 0]
        assert seen.frames[stream] == own[:followed] + fins


def test_flows_come_in_order_of_their_first_rows_and_rows_in_order() -> None:
    talks = [Tcp(sport=50_000 + n, start_ns=Tcp().now_ns + n).open() for n in (2, 0, 1)]
    packets = merged(*talks)
    table = FlowTable()
    for batch, _ in decoded(packets):
        order = [(rows.flow.stream, rows.columns.frame[rows.start : rows.stop]) for rows in table.feed(batch.segments)]
    assert order == [(0, [1, 4, 7]), (1, [2, 5, 8]), (2, [3, 6, 9])]


@settings(max_examples=30, deadline=None)
@given(
    ports=st.lists(st.integers(50_000, 50_004), min_size=1, max_size=60),
    size=st.integers(1, 70),
    level=st.sampled_from(Wants),
)
def test_handed_up_rows_do_not_depend_on_batches(ports: list[int], size: int, level: Wants) -> None:
    talks = {port: Tcp(sport=port) for port in set(ports)}
    packets: list[Packet] = []
    for number, port in enumerate(ports):
        talks[port].put(number % 2, bytes(number % 3), flags=(ACK, ACK | PSH, SYN, FIN | ACK)[number % 4])
        packets.append(talks[port].packets[-1])

    def start(flow: Flow) -> None:
        flow.wants = level

    whole, cut = Seen(react=start), Seen(react=start)
    whole.feed(packets[:1]).feed(packets[1:])
    cut.feed(packets[:1]).feed(packets[1:], size)
    assert {n: sum(lane.packets for lane in f.lanes) for n, f in whole.flows.items()} == {
        n: sum(lane.packets for lane in f.lanes) for n, f in cut.flows.items()
    }
    assert whole.table.opened == cut.table.opened


def test_nothing_at_all() -> None:
    assert list(FlowTable().feed(empty(np.zeros(0, np.uint8)))) == []


# ---- a full table ----------------------------------------------------------------------------------------------------


def test_a_full_table_gives_up_what_ended_then_what_is_silent_then_the_quietest() -> None:
    def finished(flow: Flow) -> None:
        flow.ended = flow.stream in (3, 5)

    start = Tcp().now_ns
    talks = []
    for number in range(10):
        talk = Tcp(sport=50_000 + number, start_ns=start + number * SECOND).open()
        talks.append(talk if number in (1, 2) else talk.send(CLIENT, b"data"))
    seen = Seen(limit=5, react=finished)
    seen.feed(merged(*talks))
    assert [flow.stream for flow in seen.table.take_evicted()] == [3, 5, 1, 2, 0]
    assert seen.table.evictions == 3  # two of them had ended
    assert [flow.stream for flow in seen.table] == [4, 6, 7, 8, 9]
    assert seen.table.take_evicted() == []


def test_a_tenth_more_than_needed_goes_so_that_a_flood_does_not_cost_a_search_each_time() -> None:
    talks = [Tcp(sport=50_000 + n, start_ns=Tcp().now_ns + n).syn() for n in range(101)]
    seen = Seen(limit=100).feed(merged(*talks))
    assert len(seen.table) == 90 and seen.table.evictions == 11


def test_a_dropped_flow_is_forgotten_but_not_its_successor() -> None:
    seen = Seen().feed(merged(FIRST, AGAIN))
    first, second = seen.flows[0], seen.flows[1]
    seen.table.drop(first)
    assert seen.table.find(first.key) is second
    seen.table.drop(second)
    assert seen.table.find(first.key) is None and len(seen.table) == 0
