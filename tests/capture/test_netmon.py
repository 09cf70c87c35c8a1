"""Network Monitor 1.x and 2.x: all layouts, the frame table as the truth, times, and what is lost with the table."""

from __future__ import annotations

import gzip
from struct import pack
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.capture import netmon, netmon1
from analyzer.capture.netmon_media import UNKNOWN_MEDIA
from analyzer.capture.source import NOT_A_PACKET, Format, ReadOptions
from tests.build.netmon import (
    ATM,
    DNS_CACHE,
    ETHERNET,
    EVENT,
    FILTER,
    NETWORK_INFO,
    PAYLOAD,
    PCAP,
    RAW_IP,
    TUNNEL,
    WIFI,
    event,
    file_header,
    record,
)
from tests.build.netmon import netmon as write
from tests.build.pcap import START_NS, Packet
from tests.capture.reading import read

VERSIONS = [(1, 1), (2, 0), (2, 1), (2, 2), (2, 3)]
every_version = pytest.mark.parametrize("version", [pytest.param(v, id=f"version {v[0]}.{v[1]}") for v in VERSIONS])
STORY = [Packet(b"one"), Packet(b"", START_NS + 2_000_000), Packet(bytes(40), START_NS + 3_000_000, 90)]

packets = st.lists(
    st.builds(
        lambda data, millis, more: Packet(data, START_NS + millis * 1_000_000, len(data) + more),
        st.binary(max_size=60),
        st.integers(0, 2**31),
        st.integers(0, 60_000),
    ),
    max_size=10,
)


def form(version: tuple[int, int]) -> Format:
    return netmon1.FORMAT if version[0] == 1 else netmon.FORMAT


@every_version
@settings(max_examples=20)
@given(story=packets, data=st.data(), piece=st.sampled_from([0, 1, 50]), hole=st.binary(max_size=3))
def test_what_was_written_is_read_in_the_order_of_the_table(
    version: tuple[int, int], story: list[Packet], data: st.DataObject, piece: int, hole: bytes
) -> None:
    layout = data.draw(st.permutations(range(len(story))))
    got = read(write(story, version=version, layout=layout, hole=hole, start_ns=START_NS), piece=piece)
    assert got.data == [packet.data for packet in story]
    assert got.times == [packet.time_ns for packet in story]
    assert got.originals == [packet.wire_length for packet in story]
    assert got.links == [1] * len(story)
    assert got.error is None
    assert got.facts.format == f"Network Monitor {version[0]}.{version[1]}"


@pytest.mark.parametrize(
    ("version", "step", "digits"),
    [
        pytest.param((1, 1), 1_000_000, 3, id="1.x counts milliseconds"),
        pytest.param((2, 0), 1000, 6, id="2.0 counts microseconds"),
        pytest.param((2, 2), 1000, 6, id="2.2 counts microseconds"),
        pytest.param((2, 3), 100, 7, id="2.3 counts tenths of a microsecond"),
    ],
)
def test_times_keep_all_digits(version: tuple[int, int], step: int, digits: int) -> None:
    got = read(write([Packet(b""), Packet(b"", START_NS + step)], version=version))
    assert (got.times, got.facts.time_digits) == ([START_NS, START_NS + step], digits)


@every_version
@pytest.mark.parametrize(
    ("zone", "option"),
    [
        pytest.param("Europe/Berlin", "Europe/Berlin", id="a zone's name"),
        pytest.param("Europe/Berlin", "+01:00", id="an offset"),
        pytest.param("America/New_York", "-0500", id="an offset without colon"),
        pytest.param("UTC", "utc", id="UTC"),
    ],
)
def test_local_start_times_are_read_in_the_users_zone(version: tuple[int, int], zone: str, option: str) -> None:
    got = read(write([Packet(b"")], version=version, zone=ZoneInfo(zone)), ReadOptions(option))
    assert (got.times, got.facts.local_time) == ([START_NS], False)


def test_without_a_zone_local_times_are_taken_as_utc_and_said_to_be_local() -> None:
    got = read(write([Packet(b"")], version=(2, 2), zone=ZoneInfo("Europe/Berlin")))
    assert (got.times, got.facts.local_time) == ([START_NS + 3600 * 10**9], True)


def test_2_3_has_utc_and_needs_no_zone() -> None:
    got = read(write([Packet(b"")], version=(2, 3), zone=ZoneInfo("Europe/Berlin")))
    assert (got.times, got.facts.local_time) == ([START_NS], False)


def test_a_frame_can_be_earlier_than_the_start() -> None:
    got = read(write([Packet(b"", START_NS - 3600), Packet(b"")], version=(2, 2), start_ns=START_NS))
    assert got.times == [START_NS - 3600, START_NS]


@pytest.mark.parametrize(
    ("start", "filetime", "time_ns"),
    [
        pytest.param(START_NS, 0, START_NS + 5000, id="no UTC time: counted from the start"),
        pytest.param(START_NS, 1, 0, id="1601 is set to 1970"),
        pytest.param(START_NS, 2**64 - 1, (2**63 - 1) // 100 * 100, id="beyond all time"),
    ],
)
def test_odd_times_of_2_3(start: int, filetime: int, time_ns: int) -> None:
    raw = write([Packet(b"ab", START_NS + 5000)], start_ns=start)
    at = len(raw) - 4 - 9
    got = read(raw[:at] + pack("<Q", filetime) + raw[at + 8 :])
    assert got.times == [time_ns]
    assert len(got.facts.notes) == (filetime != 0)


def test_a_start_that_is_no_date_is_noted() -> None:
    raw = bytearray(write([Packet(b"")], version=(2, 0)))
    raw[10] = 13  # the month
    got = read(bytes(raw))
    assert got.times == [0]
    assert got.facts.notes == ["the capture's start time is no date since 1970; times count from 1970"]


@pytest.mark.parametrize(
    ("media", "link", "data"),
    [
        pytest.param(ETHERNET, 1, b"0123456789abcdef", id="Ethernet"),
        pytest.param(0, 1, b"0123456789abcdef", id="0 is Ethernet too"),
        pytest.param(RAW_IP, 101, b"0123456789abcdef", id="raw IP"),
        pytest.param(TUNNEL, 101, b"0123456789abcdef", id="a tunnel's raw IP"),
        pytest.param(ATM, 100, b"cdef", id="ATM, without the address header"),
        pytest.param(WIFI, 105, b"", id="802.11, its own header longer than the frame"),
        pytest.param(PCAP + 113, 113, b"0123456789abcdef", id="a converted pcap file: Linux cooked"),
        pytest.param(PCAP + 0x80, 105, b"0123456789abcdef", id="802.11 of Message Analyzer"),
        pytest.param(PCAP + 0x83, UNKNOWN_MEDIA, b"0123456789abcdef", id="a WFP message"),
        pytest.param(5, UNKNOWN_MEDIA, b"0123456789abcdef", id="unknown"),
        pytest.param(EVENT, NOT_A_PACKET, b"0123456789abcdef", id="an event"),
        pytest.param(FILTER, NOT_A_PACKET, b"0123456789abcdef", id="a filter"),
    ],
)
def test_media_types(media: int, link: int, data: bytes) -> None:
    got = read(write([Packet(b"0123456789abcdef")], media=media))
    assert (got.links, got.data) == ([link], [data])
    assert len(got.facts.notes) == (link == UNKNOWN_MEDIA)


@pytest.mark.parametrize(
    ("body", "link", "data"),
    [
        pytest.param(event(b"packet"), 1, b"packet", id="Ethernet"),
        pytest.param(event(b"packet", keyword=0xC000_0200), 101, b"packet", id="wireless WAN"),
        pytest.param(event(b"packet", keyword=0x1_C001_0000), 105, b"packet", id="802.11"),
        pytest.param(event(b""), 1, b"", id="an empty packet"),
        pytest.param(event(b"packet", size=4), 1, b"pack", id="a length below the event's"),
    ],
)
def test_packets_of_netsh_trace_are_taken_out_of_their_events(body: bytes, link: int, data: bytes) -> None:
    got = read(write([Packet(b"x"), Packet(body)], media=[ETHERNET, EVENT]))
    assert (got.links, got.data, got.originals) == ([1, link], [b"x", data], [1, len(data)])
    assert got.facts.notes == ["packets of netsh trace were taken out of the events that hold them"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(event(b"packet", keyword=0x4000_0001), id="the first part of a packet"),
        pytest.param(event(b"packet", keyword=0x8000_0001), id="the last part of a packet"),
        pytest.param(event(b"packet", keyword=0xC000_8000), id="a tunnel's packet"),
        pytest.param(event(b"packet", number=1002), id="metadata"),
        pytest.param(event(b"packet", provider="3d6fa8d0-fe05-11d0-9dda-00c04fd7ba7c"), id="another provider"),
        pytest.param(event(b"packet", size=7), id="a length beyond the event"),
        pytest.param(event(b"")[:-1], id="cut"),
        pytest.param(b"", id="empty"),
    ],
)
def test_other_events_stay_events(body: bytes) -> None:
    got = read(write([Packet(body)], media=EVENT))
    assert (got.links, got.data, got.facts.notes) == ([NOT_A_PACKET], [body], [])


def test_802_11_frames_lose_network_monitors_own_header() -> None:
    assert read(write([Packet(b"\2" + pack("<H", 5) + b"..wifi")], media=WIFI)).data == [b"wifi"]


def test_the_file_has_one_media_type_before_2_1() -> None:
    assert read(write([Packet(b"x")] * 2, version=(2, 0), media=RAW_IP)).links == [101, 101]
    assert read(write([Packet(b"x")] * 2, version=(1, 1), media=RAW_IP)).links == [101, 101]


def test_entries_without_a_frame_number_are_counted_and_left_out() -> None:
    media = [NETWORK_INFO, ETHERNET, DNS_CACHE, FILTER, PAYLOAD, PAYLOAD, ETHERNET]
    got = read(write([Packet(bytes([n])) for n in range(7)], media=media))
    assert got.data == [b"\1", b"\3", b"\6"]
    assert got.links == [1, NOT_A_PACKET, 1]
    assert got.facts.skipped == {"netmon-network-info": 1, "netmon-dns-cache": 1, "netmon-reassembled-payload": 2}


@every_version
def test_a_file_cut_anywhere_keeps_the_packets_before_the_cut(version: tuple[int, int]) -> None:
    raw = write(STORY, version=version, start_ns=START_NS)
    ends = [128 + len(b"".join(record(packet, version, START_NS, 1) for packet in STORY[:n])) for n in range(4)]
    for cut in range(4, len(raw)):
        got = read(raw[:cut], form=form(version))
        whole = max((n for n, end in enumerate(ends) if end <= cut), default=0)
        assert got.data == [packet.data for packet in STORY[:whole]]
        assert got.error is not None


def test_a_cut_file_says_that_its_table_is_missing() -> None:
    got = read(write(STORY, hole=b"")[:-4])
    assert got.error == (
        "the frame table at byte 264 needs 12 bytes, but the file ends at byte 272; 3 packets were read without it"
    )


def test_gzip_and_pipes_are_spooled() -> None:
    raw = write(STORY)
    packed = gzip.compress(raw)
    assert read(packed, piece=10).data == read(packed).data == [packet.data for packet in STORY]
    cut = read(packed[:-10])
    assert cut.error is not None
    assert "gzip" in cut.error


LIE = pack("<QII", 0, 5, 300_000)


@pytest.mark.parametrize(
    ("raw", "count", "message"),
    [
        pytest.param(b"GMBU" + bytes(20), 0, "has 128 bytes, this file has 24", id="shorter than its header"),
        pytest.param(write(STORY, table=[128, 5000]), 1, "names a frame at byte 5,000, but the file", id="table past the end"),
        pytest.param(write(STORY, table=[128, 2**32 - 1]), 1, "names a frame at byte 4,294,967,295", id="table far past the end"),
        pytest.param(
            write([Packet(bytes(5000))], table=[128] * 20_000), None, "same bytes again and again", id="one frame 20,000 times"
        ),
        pytest.param(
            file_header((2, 3), 1, START_NS, ZoneInfo("UTC"), 2**31, 2**31) + record(STORY[0], (2, 3), START_NS, 1),
            1, "the frame table at byte 2,147,483,648 needs 2.1 GB", id="half a billion frames",
        ),
        pytest.param(
            file_header((2, 0), 1, START_NS, ZoneInfo("UTC"), 144, 4) + LIE + pack("<I", 128),
            0, "frame at byte 128 claims 300,000 bytes, more than any frame has", id="a frame of 300 KB",
        ),
        pytest.param(
            file_header((2, 0), 1, START_NS, ZoneInfo("UTC"), 144, 4) + pack("<QII", 0, 99, 99) + pack("<I", 128),
            0, "frame at byte 128 needs 115 bytes but 20 bytes remain", id="a frame longer than the file",
        ),
        pytest.param(write(STORY, version=(3, 0)), 0, "file version 3.0; readable: 1.x and 2.x", id="version 3"),
        pytest.param(b"RTSS" + write(STORY)[4:], 0, "version 2.3 in a 1.x file", id="1.x magic on a 2.x file"),
    ],
)  # fmt: skip
def test_damage_is_told_with_its_place_after_the_good_packets(raw: bytes, count: int | None, message: str) -> None:
    got = read(raw)
    assert got.error is not None
    assert message in got.error
    assert len(got.data) == count or count is None


def test_overlapping_frames_are_read_as_the_table_says() -> None:
    raw = write([Packet(record(Packet(b"inner"), (2, 0), START_NS, 1))], version=(2, 0), table=[128, 144])
    assert read(raw).data[1] == b"inner"


@settings(max_examples=200)
@given(
    version=st.sampled_from(VERSIONS),
    table=st.lists(st.integers(0, 300) | st.sampled_from([0, 128, 2**32 - 1]), max_size=6),
    flips=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=5),
    cut=st.integers(4, 400),
)
def test_any_bytes_end_in_frames_or_a_capture_error(
    version: tuple[int, int], table: list[int], flips: list[tuple[int, int]], cut: int
) -> None:
    raw = bytearray(write(STORY, version=version, table=table, start_ns=START_NS)[:cut])
    for at, value in flips:
        raw[4 + at % (len(raw) - 3) - 1] = value
    read(bytes(raw), form=form(version))
