"""pcapng blocks that we make: our reader takes them for what they are."""

from __future__ import annotations

import io
from typing import cast

import pytest

from analyzer.capture import pcapng
from analyzer.capture.live import blocks
from analyzer.capture.source import Facts, Loss, ReadOptions
from analyzer.errors import LiveError

HEADER = blocks.header("test0", 1, 128)


def raw(data: bytes) -> io.FileIO:
    """As the reader wants it."""
    return cast(io.FileIO, io.BytesIO(data))


def test_a_packet_is_read_as_it_was_written() -> None:
    facts = Facts()
    data = HEADER + blocks.packet(1_700_000_000_123_456_789, b"abcde", 9)
    (batch,) = pcapng.read(raw(data), facts, ReadOptions())
    assert (int(batch.time_ns[0]), int(batch.captured[0]), int(batch.original[0])) == (1_700_000_000_123_456_789, 5, 9)
    assert batch.data[batch.start[0] : batch.start[0] + 5].tobytes() == b"abcde"
    assert (facts.time_digits, int(batch.link_type[0])) == (9, 1)


def test_drops_are_read_and_the_last_statement_counts() -> None:
    facts = Facts()
    data = HEADER + blocks.statistics(1, 10, 2) + blocks.statistics(2, 20, 5)
    assert not list(pcapng.read(raw(data), facts, ReadOptions()))
    assert facts.dropped == 5


def test_a_loss_is_between_two_statements() -> None:
    facts = Facts()
    data = HEADER + blocks.loss(1_000, 2_000, (10, 0), (20, 5)) + blocks.loss(9_000, 7_000, (30, 5), (40, 6))
    assert not list(pcapng.read(raw(data), facts, ReadOptions()))
    assert list(facts.losses) == [Loss(1_000, 2_000, 5), Loss(7_000, 9_000, 1)]
    assert b"mtlscope: 5 packets lost since the statement before" in data


def test_what_the_first_statement_counts_was_lost_at_any_time_before() -> None:
    facts = Facts()
    assert not list(pcapng.read(raw(HEADER + blocks.statistics(9, 10, 2)), facts, ReadOptions()))
    assert (facts.dropped, list(facts.losses)) == (2, [Loss(0, 9, 2)])


def test_a_statement_about_an_interface_that_is_not_there_is_no_trouble() -> None:
    said = bytearray(blocks.statistics(1_000, 10, 2) * 2)
    for at in (8, len(said) // 2 + 8):
        said[at : at + 4] = b"\xff" * 4
    assert not list(pcapng.read(raw(HEADER + bytes(said)), Facts(), ReadOptions()))


def test_a_tick_says_nothing_but_gives_an_empty_batch_to_who_waits() -> None:
    facts = Facts()
    waiting = pcapng.read(raw(HEADER + blocks.TICK), facts, ReadOptions(prompt=True))
    assert [len(batch) for batch in waiting] == [0]
    assert facts.dropped is None
    assert not list(pcapng.read(raw(HEADER + blocks.TICK), Facts(), ReadOptions()))


@pytest.mark.parametrize("cut", range(0, 44, 4))
def test_only_whole_blocks_are_given_out(cut: int) -> None:
    last = blocks.packet(1, b"abcdefgh", 8)
    assert blocks.whole(HEADER + last[:cut]) == len(HEADER) + (cut == len(last)) * len(last)


def test_what_is_no_block_is_told() -> None:
    with pytest.raises(LiveError, match="no pcapng of this machine"):
        blocks.whole(b"\xff" * 12)


@pytest.mark.parametrize(
    ("wanted", "size", "count"),
    [
        pytest.param(1, 60, 1, id="cut behind the first packet"),
        pytest.param(2, 96, 2, id="blocks between are kept"),
        pytest.param(3, 120, 2, id="fewer than wanted: all of it"),
    ],
)
def test_cutting_after_so_many_packets(wanted: int, size: int, count: int) -> None:
    one, said = blocks.packet(1, b"abcd", 4), blocks.statistics(0)
    assert (len(one), len(said)) == (36, 24)
    assert blocks.cut_after(said + one + one + said, wanted) == (size, count)
