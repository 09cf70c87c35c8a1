"""The capture that the other end would have made, for the story of two vantage points.

`captures/` has each connection once. Where it is known what happened on the way, the other end's capture follows from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from struct import Struct

FILE_HEADER = 24
PACKET_HEADER = Struct("<IIII")  # seconds, microseconds, bytes captured, bytes on the wire
ETHERNET, SOURCE_ADDRESS = 14, slice(26, 30)


def packets(path: Path) -> Iterator[tuple[int, bytes]]:
    """Time in microseconds and bytes of each packet of a little-endian pcap file, as tcpdump writes them."""
    data = path.read_bytes()
    at = FILE_HEADER
    while at < len(data):
        seconds, micros, size, _ = PACKET_HEADER.unpack_from(data, at)
        at += PACKET_HEADER.size + size
        yield seconds * 10**6 + micros, data[at - size : at]


def far_end(near: Path, far: Path, *, way_us: int, clock_us: int, arrives: Callable[[bytes], bool]) -> None:
    """Write what the client's capture would show, from the server's.

    Args:
        near: the server's capture, Ethernet and IPv4. far: where to write the client's.
        way_us: microseconds that a packet takes from one end to the other; at most half of what the fastest answer of the
            client took, or it would answer before it was asked.
        clock_us: how far the client's clock is ahead.
        arrives: is this packet of the server let through?
    """
    client = next(packet for _, packet in packets(near))[SOURCE_ADDRESS]
    shown = []
    for micros, packet in packets(near):
        sent_by_client = packet[SOURCE_ADDRESS] == client
        if sent_by_client or arrives(packet):
            shown.append((micros + clock_us + (-way_us if sent_by_client else way_us), packet))
    with far.open("wb") as file:
        file.write(near.read_bytes()[:FILE_HEADER])
        for micros, packet in sorted(shown, key=lambda item: item[0]):
            file.write(PACKET_HEADER.pack(*divmod(micros, 10**6), len(packet), len(packet)) + packet)
