"""pcapng: sections, interfaces, time resolutions and every kind of block; damage keeps what came before it."""

from __future__ import annotations

from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.capture.pcapng import FORMAT
from analyzer.capture.source import BATCH_FRAMES, NOT_A_PACKET
from tests.build.pcap import START_NS, Packet
from tests.build.pcapng import (
    COMMENT,
    block,
    enhanced,
    interface,
    old_packet,
    option,
    pcapng,
    section,
    simple,
    statistics,
)
from tests.capture.reading import read

A, B, C = Packet(b"first"), Packet(b"second!", START_NS + 1000), Packet(b"3rd", START_NS + 2000, original=90)
LAST_NS = 2**63 - 1

packets = st.lists(
    st.builds(
        lambda data, time, more, which: Packet(data, time * 1000, len(data) + more, which),
        st.binary(max_size=60),
        st.integers(0, 2**53),
        st.integers(0, 2**31),
        st.integers(0, 2),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(
    story=packets,
    order=st.sampled_from("<>"),
    piece=st.sampled_from([0, 1, 7, 100]),
    resolution=st.sampled_from([6, 9, 12]),
)
def test_what_was_written_is_read(story: list[Packet], order: str, piece: int, resolution: int) -> None:
    if resolution == 12:
        story = [Packet(packet.data, packet.time_ns % 2**53, packet.original, packet.interface) for packet in story]
    got = read(pcapng(story, link_types=(1, 113, 101), order=order, resolution=resolution), piece=piece)
    assert got.data == [packet.data for packet in story]
    assert got.times == [packet.time_ns for packet in story]
    assert got.originals == [packet.wire_length for packet in story]
    assert got.links == [(1, 113, 101)[packet.interface] for packet in story]
    assert got.error is None


@pytest.mark.parametrize(
    ("raw", "data"),
    [
        pytest.param(section() + interface() + enhanced(A) + enhanced(B), [b"first", b"second!"], id="two packets"),
        pytest.param(section() + interface() + old_packet(A), [b"first"], id="the obsolete Packet Block"),
        pytest.param(section(">") + interface(order=">") + old_packet(A, order=">"), [b"first"], id="the same, big-endian"),
        pytest.param(section() + interface() + simple(A), [b"first"], id="a Simple Packet Block, padding left off"),
        pytest.param(section() + interface(snap_length=2) + simple(A), [b"fi"], id="one cut by the interface's snapshot length"),
        pytest.param(section() + interface() + simple(C), [b"3rd\0"], id="one cut by its block: the padding cannot be told"),
        pytest.param(section() + interface() + block(0x0B00, b"?") + enhanced(A), [b"first"], id="an unknown block"),
        pytest.param(section() + block(10, pack("<II", 0x544C534B, 4) + b"key\n") + interface() + enhanced(A), [b"first"],
                     id="a secrets block"),
        pytest.param(section() + interface() + block(4, b"\0\0\0\0") + enhanced(A), [b"first"], id="a name resolution block"),
        pytest.param(section() + interface() + enhanced(A, options=option(COMMENT, "\ufeffhi".encode("utf-16"))), [b"first"],
                     id="a comment in UTF-16"),
        pytest.param(section() + interface(options=b"\2\0\xff\xff") + enhanced(A), [b"first"],
                     id="an option longer than its block"),
        pytest.param(section(), [], id="nothing but a section"),
    ],
)  # fmt: skip
def test_blocks(raw: bytes, data: list[bytes]) -> None:
    got = read(raw)
    assert (got.data, got.error) == (data, None)


def test_blocks_that_wireshark_numbers_keep_their_numbers() -> None:
    got = read(
        section()
        + interface()
        + enhanced(A)
        + block(0xBAD, b"\0\0\x7d\xd9note")
        + block(9, b"__REALTIME=1")
        + enhanced(B)
    )
    assert got.links == [1, NOT_A_PACKET, NOT_A_PACKET, 1]
    assert got.data[::3] == [b"first", b"second!"]
    assert got.facts.notes == []  # that some packets have no time is not true


def test_sections_of_both_byte_orders_have_their_own_interfaces() -> None:
    first = section() + interface(1) + interface(113) + enhanced(Packet(b"a", interface=1))
    second = section(">") + interface(101, order=">") + enhanced(Packet(b"b"), order=">")
    third = section(">") + interface(12, order=">") + enhanced(Packet(b"c"), order=">")
    got = read(first + second + third + first)
    assert got.links == [113, 101, 12, 113]
    assert got.data == [b"a", b"b", b"c", b"a"]


@pytest.mark.parametrize(
    ("resolution", "offset", "stamp", "time_ns", "digits"),
    [
        pytest.param(None, None, 5, 5000, 6, id="microseconds unless said"),
        pytest.param(0, None, 5, 5_000_000_000, 0, id="seconds"),
        pytest.param(3, None, 5, 5_000_000, 3, id="milliseconds"),
        pytest.param(9, None, 5, 5, 9, id="nanoseconds"),
        pytest.param(12, None, 5999, 5, 9, id="picoseconds are cut to nanoseconds"),
        pytest.param(127, None, 2**64 - 1, 0, 9, id="the finest power of ten"),
        pytest.param(0x80, None, 5, 5_000_000_000, 0, id="two to the 0"),
        pytest.param(0x80 + 10, None, 1536, 1_500_000_000, 4, id="two to the -10"),
        pytest.param(0x80 + 32, None, 2**32 * 7 + 2**31, 7_500_000_000, 9, id="two to the -32"),
        pytest.param(0xFF, None, 2**64 - 1, 0, 9, id="the finest power of two"),
        pytest.param(None, 100, 5, 100_000_005_000, 6, id="an offset in seconds"),
        pytest.param(None, -1, 1_000_005, 5000, 6, id="a negative offset"),
    ],
)
def test_time_resolutions(resolution: int | None, offset: int | None, stamp: int, time_ns: int, digits: int) -> None:
    got = read(section() + interface(resolution=resolution, offset=offset) + enhanced(A, stamp=stamp))
    assert (got.times, got.facts.time_digits, got.facts.notes) == ([time_ns], digits, [])


@pytest.mark.parametrize(
    ("resolution", "offset", "stamp", "time_ns"),
    [
        pytest.param(6, None, 2**64 - 1, LAST_NS, id="microseconds that overflow"),
        pytest.param(0, None, 2**34, LAST_NS, id="seconds that overflow"),
        pytest.param(6, -10, 5, 0, id="before 1970"),
        pytest.param(6, 2**63 - 1, 5, LAST_NS, id="an offset beyond all time"),
        pytest.param(6, -(2**63), 5, 0, id="an offset before all time"),
        pytest.param(0x80 + 20, -10, 5, 0, id="before 1970 in powers of two"),
    ],
)
def test_times_that_do_not_fit_are_clamped_and_noted(
    resolution: int, offset: int | None, stamp: int, time_ns: int
) -> None:
    got = read(section() + interface(resolution=resolution, offset=offset) + enhanced(A, stamp=stamp) * 2)
    assert got.times == [time_ns] * 2
    assert len(got.facts.notes) == 1


def test_a_packet_without_time_has_the_time_before_it() -> None:
    got = read(section() + interface() + simple(A) + enhanced(A) + simple(B) + enhanced(B) + simple(A))
    assert got.times == [0, START_NS, START_NS, START_NS + 1000, START_NS + 1000]


@pytest.mark.parametrize(
    ("blocks", "dropped"),
    [
        pytest.param([], None, id="no statistics"),
        pytest.param([statistics()], None, id="statistics that say nothing"),
        pytest.param([statistics(dropped=0)], 0, id="none dropped"),
        pytest.param([statistics(dropped=3), statistics(dropped=7)], 7, id="the later statement counts"),
        pytest.param([statistics(dropped=7), statistics(dropped=3)], 7, id="what was lost stays lost"),
        pytest.param(
            [statistics(dropped=3, os_dropped=2), statistics(dropped=7, number=1)], 12, id="interfaces add up"
        ),
    ],
)
def test_drops(blocks: list[bytes], dropped: int | None) -> None:
    assert read(section() + interface() + interface() + b"".join(blocks)).facts.dropped == dropped


def test_drops_of_several_sections_add_up() -> None:
    assert read((section() + interface() + statistics(dropped=3)) * 2).facts.dropped == 6


GOOD = section() + interface() + enhanced(A)
PLACE = f"block at byte {len(GOOD)}"


@pytest.mark.parametrize(
    ("tail", "message"),
    [
        pytest.param(pack("<II4x", 6, 0), "claims 0 bytes, fewer than any block has (12)", id="length 0"),
        pytest.param(block(6, b"", size=3), "claims 3 bytes, fewer", id="length 3"),
        pytest.param(block(6, b"", size=2**32 - 1), "claims 4.3 GB, more than we read", id="length 4 GB"),
        pytest.param(block(6, b"", size=16 * 2**20 + 4), "claims 16.8 MB, more than we read", id="length over 16 MiB"),
        pytest.param(block(6, b"", size=13), "claims 13 bytes but 12 bytes remain", id="length 13"),
        pytest.param(block(0xB00, b"", size=60), "claims 60 bytes but 12 bytes remain", id="longer than the file"),
        pytest.param(block(6, bytes(40), trailer=40), "begins with the length 52 and ends with 40", id="two lengths"),
        pytest.param(b"\6\0\0", "needs 12 bytes but 3 bytes remain", id="cut in the header"),
        pytest.param(block(6, bytes(8)), "is shorter than a packet block's own fields", id="packet block without fields"),
        pytest.param(block(6, pack("<IIIII", 0, 0, 0, 400, 400)), "claims 400 bytes of packet but holds 0", id="packet > block"),
        pytest.param(block(6, pack("<IIIII", 0, 0, 0, 300_000, 9) + bytes(300_000)), "claims a packet of 300,000 bytes",
                     id="a huge packet"),
        pytest.param(enhanced(Packet(b"x", interface=1)), "belongs to an interface that was not", id="unknown interface"),
        pytest.param(section() + simple(A), "belongs to an interface that was not", id="Simple Packet Block without interface"),
        pytest.param(block(1, b"\1\0\0\0"), "an interface description has at least 20", id="short interface block"),
        pytest.param(section(version=(2, 0)), "pcapng version 2.0; readable: 1.x", id="another version"),
        pytest.param(block(0x0A0D0D0A, b"\x4d\x3c\x2b\x1b"), "has the byte-order mark 4d 3c 2b 1b", id="bad byte-order mark"),
        pytest.param(block(0x0A0D0D0A, b"\x4d\x3c\x2b\x1a"), "a section header has at least 28", id="short section"),
        pytest.param(enhanced(A, order=">"), "more than we read", id="wrong byte order in the middle"),
    ],
)  # fmt: skip
def test_damage_is_told_with_its_place_after_the_good_packets(tail: bytes, message: str) -> None:
    for after in (b"", enhanced(B) * 3):
        got = read(GOOD + tail + after)
        if not after or "remain" not in message:
            assert got.data == [b"first"]
            assert got.error is not None
            assert message in got.error
            assert got.error.endswith("1 packet before it was read")
            assert f"at byte {len(GOOD)}" in got.error or tail.startswith(section())


def test_a_file_cut_anywhere_keeps_the_packets_before_the_cut() -> None:
    blocks = [
        section(),
        interface(),
        enhanced(A),
        simple(B),
        section(">"),
        interface(order=">"),
        enhanced(C, order=">"),
    ]
    raw, ends, packets_by = b"".join(blocks), [0], [0]
    for one, count in zip(blocks, [0, 0, 1, 1, 0, 0, 1], strict=True):
        ends.append(ends[-1] + len(one))
        packets_by.append(packets_by[-1] + count)
    for cut in range(4, len(raw)):
        got = read(raw[:cut], form=FORMAT)
        last = max(at for at, end in enumerate(ends) if end <= cut)
        assert len(got.data) == packets_by[last]
        assert (got.error is None) == (cut in ends)


def test_a_block_larger_than_the_buffer_is_passed_over() -> None:
    got = read(GOOD + block(0xB00, bytes(12 * 2**20)) + enhanced(B))
    assert (got.data, got.error) == ([b"first", b"second!"], None)


def test_many_packets_come_in_batches_of_bounded_size() -> None:
    got = read(section() + interface() + enhanced(A) * (BATCH_FRAMES + 10))
    assert len(got.data) == BATCH_FRAMES + 10
    assert len(got.positions) == 2
    assert got.positions[-1] == len(section() + interface()) + len(enhanced(A)) * (BATCH_FRAMES + 10)


def test_tens_of_thousands_of_interfaces() -> None:
    count = 30_000
    raw = section() + interface(1) * count + interface(113) + enhanced(Packet(b"x", interface=count))
    assert read(raw).links == [113]


@settings(max_examples=200)
@given(
    parts=st.lists(
        st.sampled_from(
            [section(), section(">"), interface(), interface(order=">"), enhanced(A), old_packet(A), simple(A)]
        )
        | st.builds(block, st.integers(0, 10), st.binary(max_size=40))
        | st.binary(max_size=30),
        max_size=8,
    ),
    flips=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=3),
)
def test_any_bytes_end_in_frames_or_a_capture_error(parts: list[bytes], flips: list[tuple[int, int]]) -> None:
    raw = bytearray(section() + b"".join(parts))
    for at, value in flips:
        raw[at % len(raw)] = value
    read(bytes(raw), form=FORMAT)
