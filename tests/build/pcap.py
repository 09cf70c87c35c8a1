"""Writes libpcap files: `pcap([Packet(...), ...])` gives the bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import pack

SECOND = 1_000_000_000
START_NS = 1_700_000_000 * SECOND


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet of any capture format.

    Attributes:
        data: the captured bytes.
        time_ns: nanoseconds since 1970.
        original: bytes on the wire; None means all were captured.
        interface: number of the pcapng interface, counted in its section.
    """

    data: bytes
    time_ns: int = START_NS
    original: int | None = None
    interface: int = 0

    @property
    def wire_length(self) -> int:
        return len(self.data) if self.original is None else self.original


def pcap(
    packets: Sequence[Packet],
    *,
    link_type: int = 1,
    order: str = "<",
    nanoseconds: bool = False,
    modified: bool = False,
    snap_length: int = 262_144,
) -> bytes:
    """A libpcap file; `modified` writes Kuznetzov's form (a1b2cd34), `order` is that of struct."""
    magic = 0xA1B2CD34 if modified else 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    header = pack(order + "IHHiIII", magic, 2, 4, 0, 0, snap_length, link_type)
    unit = 1 if nanoseconds else 1000
    return header + b"".join(pcap_record(packet, order=order, unit=unit, modified=modified) for packet in packets)


def pcap_record(packet: Packet, *, order: str = "<", unit: int = 1000, modified: bool = False) -> bytes:
    """One record of a libpcap file; `unit` is nanoseconds in one unit of the fraction."""
    seconds, rest = divmod(packet.time_ns, SECOND)
    head = pack(order + "IIII", seconds, rest // unit, len(packet.data), packet.wire_length)
    return head + (pack(order + "IHBB", 2, 0x0800, 0, 0) if modified else b"") + packet.data
