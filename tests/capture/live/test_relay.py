"""Packets that another program captures: whatever its format and however they trickle in, they come out as they are."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from typing import BinaryIO, cast

import pytest

from analyzer.capture.live.relay import Relay
from analyzer.capture.source import Loss
from analyzer.errors import CaptureError
from tests.build import pcapng as ng
from tests.build.pcap import START_NS, Packet, pcap
from tests.capture.reading import Pipe, read

PACKETS = [Packet(bytes([number]) * (40 + number), START_NS + number * 1000, 99) for number in range(9)]
TIMES = [packet.time_ns for packet in PACKETS]


def relayed(raw: bytes, piece: int) -> bytes:
    """All blocks; raises what the relay raises, after the last one."""
    relay = Relay("-", lambda _stopping: [("-", cast(BinaryIO, Pipe(raw, piece)))])
    out = b""
    while (data := relay.read(10)) is not None:
        out += data
    return out


@pytest.mark.parametrize("piece", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("raw", "digits"),
    [
        pytest.param(pcap(PACKETS), 6, id="tcpdump -w -"),
        pytest.param(pcap(PACKETS, order=">"), 6, id="tcpdump of a machine with the other byte order"),
        pytest.param(pcap(PACKETS, nanoseconds=True), 9, id="nanoseconds"),
        pytest.param(pcap(PACKETS, modified=True), 6, id="Kuznetzov's form"),
        pytest.param(ng.pcapng(PACKETS), 6, id="dumpcap -w -"),
        pytest.param(ng.pcapng(PACKETS, order=">", resolution=9), 9, id="pcapng of the other byte order"),
    ],
)
def test_every_packet_comes_out_however_the_bytes_are_cut(raw: bytes, digits: int, piece: int) -> None:
    found = read(relayed(raw, piece))
    assert (found.error, found.facts.time_digits) == (None, digits)
    assert found.data == [packet.data for packet in PACKETS]
    assert (found.times, set(found.originals), set(found.links)) == (TIMES, {99}, {1})


def test_link_types_stay_apart() -> None:
    mixed = [Packet(packet.data, packet.time_ns, interface=number % 2) for number, packet in enumerate(PACKETS)]
    assert read(relayed(ng.pcapng(mixed, link_types=(113, 101)), 50)).links == [113, 101] * 4 + [113]


def test_what_the_writer_lost_is_told() -> None:
    raw = ng.section() + ng.interface() + ng.enhanced(PACKETS[0]) + ng.statistics(dropped=7) + ng.enhanced(PACKETS[1])
    found = read(relayed(raw, 10))
    assert (found.facts.dropped, len(found.data)) == (7, 2)


@pytest.mark.parametrize("resolution", [6, 9])
def test_when_the_writer_lost_it_is_told_as_well(resolution: int) -> None:
    """The first statement counts what was lost at any time before it, the second what was lost since."""
    stated = [
        ng.statistics(dropped=dropped, stamp=ng.units(packet.time_ns, resolution))
        for dropped, packet in zip((7, 12), PACKETS, strict=False)
    ]
    raw = ng.section() + ng.interface(resolution=resolution) + ng.enhanced(PACKETS[0], resolution=resolution)
    found = read(relayed(raw + b"".join(stated), 10))
    assert list(found.facts.losses) == [Loss(0, TIMES[0], 7), Loss(TIMES[0], TIMES[1], 5)]


def test_a_new_section_has_every_interface_so_far_and_counts_from_its_beginning() -> None:
    """Two link types; seven packets were lost before the first interface was met again, five after that."""
    first, second = (Packet(PACKETS[n].data, PACKETS[n].time_ns, interface=n) for n in (0, 1))
    stated = [ng.statistics(dropped=dropped, stamp=ng.units(TIMES[0], 6)) for dropped in (7, 12)]
    begin = ng.section() + ng.interface(113) + ng.interface(101) + ng.enhanced(first)
    parts = [begin + stated[0], ng.enhanced(second) + stated[1], ng.enhanced(first)]
    later, more = Event(), begin + ng.statistics(dropped=4, stamp=ng.units(TIMES[1], 6)) + ng.enhanced(second)

    def files(_stopping: Event) -> Iterator[tuple[str, BinaryIO]]:
        yield "one", cast(BinaryIO, Pipe(b"".join(parts), 100_000))
        later.wait(10)
        yield "two", cast(BinaryIO, Pipe(more, 100_000))

    relay, one = Relay("-", files), b""
    while len(read(one).data if one else ()) < 3:
        one += relay.read(10) or b""
    while got := relay.read(0.2):  # a statement stands behind the packets
        one += got
    last, other = relay.renew()
    later.set()
    while (got := relay.read(10)) is not None:
        other += got
    found, after = read(one + last), read(other)
    assert (found.facts.dropped, found.links) == (12, [113, 101, 113])
    assert (after.facts.dropped, after.links) == (4, [113, 101])
    assert read(one + last + other).facts.dropped == 16


def test_entries_that_are_no_packets_are_left_out() -> None:
    raw = ng.section() + ng.interface() + ng.block(9, b"journal") + ng.enhanced(PACKETS[0])
    assert read(relayed(raw, 10)).data == [PACKETS[0].data]


@pytest.mark.parametrize(
    ("raw", "packets", "said"),
    [
        pytest.param(pcap(PACKETS)[:-3], 8, "8 packets before it were read", id="the connection broke off"),
        pytest.param(b"tcpdump: eth9: no such device", 0, "not a capture", id="a message instead of packets"),
        pytest.param(b"", 0, "empty", id="nothing at all"),
    ],
)
def test_what_ends_too_early_is_told_after_the_last_packet(raw: bytes, packets: int, said: str) -> None:
    relay = Relay("-", lambda _stopping: [("-", cast(BinaryIO, Pipe(raw, 10)))])
    out = b""
    with pytest.raises(CaptureError, match=said):
        while (data := relay.read(10)) is not None:
            out += data
    assert len(read(out).data) == packets


def test_more_than_the_queue_holds_comes_out_whole() -> None:
    many = [Packet(bytes(60), START_NS + number * 1000) for number in range(5000)]
    assert len(read(relayed(pcap(many), 100)).data) == len(many)


class Endless(Pipe):
    """A pipe on which nothing comes after the first bytes, for ever."""

    def readinto(self, target: bytearray) -> int:  # type: ignore[override]
        got = super().readinto(target)
        while not got:
            self.waiting.wait()
        return got

    def __init__(self, raw: bytes) -> None:
        super().__init__(raw, len(raw))
        self.waiting = Event()


def test_a_silent_pipe_does_not_hold_up_whoever_reads() -> None:
    raw = pcap([Packet(bytes(600))])
    relay = Relay("-", lambda _stopping: [("-", cast(BinaryIO, Endless(raw)))])
    got = b"".join(relay.read(0.5) or b"" for _ in range(3))
    assert len(read(got).data) == 1
    assert relay.read(0) == b""
    relay.stop()
    relay.close()
