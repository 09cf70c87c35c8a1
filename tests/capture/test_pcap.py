"""libpcap: every form reads the same, damage keeps what came before it, and no bytes do more than raise CaptureError."""

from __future__ import annotations

from struct import pack
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.capture.pcap import FORMAT
from analyzer.capture.source import BATCH_FRAMES, ReadOptions
from tests.build.pcap import START_NS, Packet, pcap, pcap_record
from tests.capture.reading import read

packets = st.lists(
    st.builds(
        lambda data, seconds, micros, more: Packet(data, seconds * 10**9 + micros * 1000, len(data) + more),
        st.binary(max_size=60),
        st.integers(0, 2**32 - 1),
        st.integers(0, 999_999),
        st.integers(0, 2**31),
    ),
    max_size=12,
)
FORMS = [
    pytest.param({}, 6, id="little-endian, microseconds"),
    pytest.param({"order": ">"}, 6, id="big-endian, microseconds"),
    pytest.param({"nanoseconds": True}, 9, id="little-endian, nanoseconds"),
    pytest.param({"nanoseconds": True, "order": ">"}, 9, id="big-endian, nanoseconds"),
    pytest.param({"modified": True}, 6, id="Kuznetzov's records"),
    pytest.param({"modified": True, "order": ">"}, 6, id="Kuznetzov's records, big-endian"),
]


@pytest.mark.parametrize(("form", "digits"), FORMS)
@settings(max_examples=25)
@given(story=packets, piece=st.sampled_from([0, 1, 7, 100]))
def test_what_was_written_is_read(form: dict[str, Any], digits: int, story: list[Packet], piece: int) -> None:
    got = read(pcap(story, link_type=113, **form), piece=piece)
    assert got.data == [packet.data for packet in story]
    assert got.times == [packet.time_ns for packet in story]
    assert got.originals == [packet.wire_length for packet in story]
    assert got.links == [113] * len(story)
    assert (got.error, got.facts.time_digits) == (None, digits)


@pytest.mark.parametrize("form", [pytest.param({}, id="plain"), pytest.param({"modified": True}, id="modified")])
def test_a_file_cut_anywhere_keeps_the_packets_before_the_cut(form: dict[str, Any]) -> None:
    story = [Packet(b"one"), Packet(b""), Packet(bytes(40))]
    raw = pcap(story, **form)
    ends = [len(pcap(story[:count], **form)) for count in range(len(story) + 1)]
    for cut in range(24, len(raw)):
        got = read(raw[:cut], form=FORMAT)
        whole = sum(end <= cut for end in ends) - 1
        assert len(got.data) == whole
        assert (got.error is None) == (cut in ends)


DAMAGED = pcap([Packet(b"good")])


@pytest.mark.parametrize(
    ("raw", "count", "message"),
    [
        pytest.param(
            pcap([])[:20], 0, "a pcap file header has 24 bytes, this file has 20", id="shorter than its header"
        ),
        pytest.param(
            DAMAGED + b"\0" * 5,
            1,
            "record at byte 44 needs 16 bytes but 5 bytes remain; 1 packet",
            id="cut in a header",
        ),
        pytest.param(
            DAMAGED + pack("<IIII", 1, 1, 9, 9) + b"12345",
            1,
            "needs 25 bytes but 21 bytes remain",
            id="cut in a packet",
        ),
        pytest.param(
            DAMAGED + pack("<IIII", 1, 1, 2**32 - 1, 60), 1, "claims 4.3 GB, more than any", id="length of 4 GB"
        ),
        pytest.param(
            DAMAGED + pack("<IIII", 1, 1, 262_145, 60), 1, "claims 262,145 bytes", id="one byte over the limit"
        ),
        pytest.param(
            DAMAGED + pack("<IIII", 1, 1, 262_145, 60) + bytes(300_000),
            1,
            "claims 262,145 bytes",
            id="the same, bytes there",
        ),
    ],
)
def test_damage_is_told_with_its_place_after_the_good_packets(raw: bytes, count: int, message: str) -> None:
    got = read(raw, form=FORMAT)
    assert len(got.data) == count
    assert got.error is not None
    assert message in got.error


def test_the_largest_frame_is_read() -> None:
    assert [len(data) for data in read(pcap([Packet(bytes(262_144))])).data] == [262_144]


def test_a_packet_longer_than_it_was_on_the_wire_counts_as_whole() -> None:
    assert read(pcap([Packet(b"12345", original=3)])).originals == [5]


@pytest.mark.parametrize(
    ("story", "snap"),
    [
        pytest.param([Packet(b"12345")], None, id="nothing was cut"),
        pytest.param(
            [Packet(b"12345", original=6), Packet(b"123", original=9)], 5, id="the longest cut packet tells where"
        ),
        pytest.param([], None, id="no packets"),
    ],
)
def test_the_snapshot_length_is_where_packets_were_cut(story: list[Packet], snap: int | None) -> None:
    assert read(pcap(story, snap_length=77)).facts.snap_length == snap


def test_the_snapshot_length_is_the_largest_of_all_batches() -> None:
    raw = pcap([Packet(b"12345", original=6), Packet(b"123", original=9)])
    assert read(raw, ReadOptions(prompt=True), piece=21, form=FORMAT).facts.snap_length == 5


def test_link_type_ignores_the_checksum_bits_above_it() -> None:
    assert read(pcap([Packet(b"x")], link_type=0xF400_0000 | 105)).links == [105]


def test_many_packets_come_in_batches_of_bounded_size() -> None:
    got = read(pcap([]) + pcap_record(Packet(b"")) * (BATCH_FRAMES + 10))
    assert len(got.data) == BATCH_FRAMES + 10
    assert len(got.positions) == 2
    assert got.positions[-1] == 24 + 16 * (BATCH_FRAMES + 10)


def test_a_live_source_gives_each_piece_at_once() -> None:
    raw = pcap([Packet(b"abcd", START_NS + n) for n in range(5)])
    assert len(read(raw, ReadOptions(prompt=True), piece=20, form=FORMAT).positions) == 5


@settings(max_examples=150)
@given(magic=st.sampled_from(["a1b2c3d4", "d4c3b2a1", "4d3cb2a1", "34cdb2a1"]), rest=st.binary(max_size=200))
def test_any_bytes_end_in_frames_or_a_capture_error(magic: str, rest: bytes) -> None:
    read(bytes.fromhex(magic) + rest, form=FORMAT)


@settings(max_examples=80, deadline=None)
@given(
    runs=st.lists(st.tuples(st.sampled_from([60, 60, 61, 1514]), st.integers(1, 40)), min_size=1, max_size=6),
    order=st.sampled_from("<>"),
    cut=st.integers(0, 2000),
    piece=st.sampled_from([0, 5_000]),
)
def test_runs_of_one_size_are_walked_as_if_one_by_one(
    runs: list[tuple[int, int]], order: str, cut: int, piece: int
) -> None:
    sizes = [size for size, count in runs for _ in range(count)]
    story = [Packet(bytes([number % 251]) * size) for number, size in enumerate(sizes)]
    raw = pcap(story, order=order)
    got = read(raw[: len(raw) - cut], piece=piece)
    whole = [packet.data for packet in story]
    assert got.data == whole[: len(got.data)]
    assert len(raw) - cut < 24 + sum(16 + len(data) for data in whole[: len(got.data) + 1]) or got.data == whole
