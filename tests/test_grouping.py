"""A block's rows by connection: the same groups as a plain dictionary would give, whatever the hash does."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer import grouping
from analyzer.grouping import BURST, KEY, Block, new_salt, tally
from analyzer.packets.columns import Segments
from tests.build.frames import ACK, RST
from tests.build.pcap import Packet
from tests.build.tcp import CLIENT, SERVER, Tcp, merged
from tests.scenarios.following import segments

ENDS = (("192.0.2.1", 1), ("192.0.2.1", 2), ("192.0.2.2", 1), ("2001:db8::1", 1), ("2001:db8::2", 65535), ("::", 0))


def packet(src: tuple[str, int], dst: tuple[str, int]) -> Packet:
    talk = Tcp(*src, *dst)
    talk.put(CLIENT, b"x")
    return talk.packets[0]


def by_hand(seg: Segments) -> list[list[int]]:
    """Groups in order of their first rows."""
    groups: dict[frozenset[tuple[int, ...]], list[int]] = defaultdict(list)
    for row in range(len(seg)):
        src = (int(seg.src_hi[row]), int(seg.src_lo[row]), int(seg.src_port[row]), int(seg.v4[row]))
        dst = (int(seg.dst_hi[row]), int(seg.dst_lo[row]), int(seg.dst_port[row]), int(seg.v4[row]))
        groups[frozenset((src, dst))].append(row)
    return list(groups.values())


pairs = st.sampled_from(
    [(a, b) for a in ENDS for b in ENDS if (":" in a[0]) == (":" in b[0])],
)


@settings(max_examples=60, deadline=None)
@given(talkers=st.lists(pairs, min_size=1, max_size=40), burst=st.sampled_from([1, BURST, 3 * BURST]))
def test_groups_are_those_of_a_dictionary(talkers: list[tuple[tuple[str, int], tuple[str, int]]], burst: int) -> None:
    seg = segments([packet(src, dst) for src, dst in talkers for _ in range(burst)])
    block = Block(seg, new_salt())
    assert [block.rows(g).tolist() for g in range(len(block.keys))] == by_hand(seg)
    assert block.first_row == [rows[0] for rows in by_hand(seg)]
    for g, rows in enumerate(by_hand(seg)):
        assert [(int(block.group[row]), int(block.rank[row])) for row in rows] == [(g, n) for n in range(len(rows))]


def test_both_directions_have_one_key_and_the_lower_endpoint_has_direction_0() -> None:
    low, high = ("192.0.2.1", 9), ("192.0.2.1", 10)
    block = Block(segments([packet(high, low), packet(low, high)]), new_salt())
    assert len(block.keys) == 1 and len(block.keys[0]) == KEY.itemsize
    assert block.direction.tolist() == [1, 0]


def test_an_ipv4_address_and_the_ipv6_address_of_the_same_bits_are_two() -> None:
    seg = segments([packet(("0.0.0.1", 1), ("0.0.0.2", 2)), packet(("::1", 1), ("::2", 2))])
    assert len(Block(seg, new_salt()).keys) == 2


def test_two_flows_with_the_same_hash_draw_the_salt_again(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[list[int]] = []

    def draw() -> list[int]:
        drawn.append(new_salt())
        return drawn[-1]

    monkeypatch.setattr(grouping, "new_salt", draw)
    seg = segments([packet(ENDS[0], ENDS[1]), packet(ENDS[0], ENDS[2]), packet(ENDS[1], ENDS[0])])
    salt = [0, 0, 0, 0, 0]  # everything has the hash 0
    block = Block(seg, salt)
    assert [block.rows(g).tolist() for g in range(2)] == [[0, 2], [1]]
    assert salt == drawn[-1] != [0, 0, 0, 0, 0]


def test_salts_are_odd_and_new() -> None:
    assert all(factor & 1 for factor in new_salt()) and new_salt() != new_salt()


def test_a_group_can_be_split_where_its_ports_are_born_again() -> None:
    seg = segments([packet(ENDS[0], ENDS[1]) if n % 2 else packet(ENDS[0], ENDS[2]) for n in range(8)])
    block = Block(seg, new_salt())
    fresh = block.split(0, 4)
    block.renumber(fresh)
    assert (block.rows(0).tolist(), block.rows(1).tolist(), block.rows(fresh).tolist()) == (
        [0, 2],
        [1, 3, 5, 7],
        [4, 6],
    )
    assert block.keys[fresh] == block.keys[0]
    assert [int(block.rank[row]) for row in (4, 6)] == [0, 1]
    assert block.split(fresh, 6) == fresh + 1 and block.rows(fresh).tolist() == [4]


def test_syn_rows_are_those_that_open() -> None:
    talk = Tcp().open().syn()
    assert Block(segments(talk.packets), new_salt()).syn_rows == [(0, 0), (3, 0)]


def test_counts_of_each_lane() -> None:
    """The client (192.0.2.10) is the lower endpoint: lane 0; lane 3 is the server of the second conversation."""
    talk = Tcp(isn=(100, 2**32 - 3)).open()
    talk.send(CLIENT, bytes(700), size=500).send(SERVER, bytes(20))
    talk.put(SERVER, flags=RST, window=0)
    talk.put(SERVER, flags=RST | ACK, ack=5)
    other = Tcp(sport=50_001, start_ns=talk.now_ns).syn()
    block = Block(segments(merged(talk, other)), new_salt())
    counts = tally(block)
    assert counts.packets == [5, 5, 1, 0]
    assert counts.bytes == [700, 20, 0, 0] and counts.max_segment == [500, 20, 0, 0]
    assert counts.first_frame[:3] == [1, 2, 11] and counts.last_frame[:3] == [8, 10, 11]
    assert counts.last_payload_frame[:2] == [5, 7] and counts.last_payload[2:] == [-1, -1]
    assert counts.last_payload_seq[:2] == [801, 2**32 + 18]  # one past the last byte; the second one went over the wrap
    assert counts.last_ack_value[:2] == [18, 801] and counts.last_ack[2:] == [-1, -1]  # that of a reset does not count
    assert counts.last[3] == -1
