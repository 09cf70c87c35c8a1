"""What only happens on the way to the disk: packets doubled, cut, tagged, left out. Works on classic pcap, Ethernet."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

ETHERNET = 1
IP_AT, TCP_PROTOCOL = 14, 6
MICROSECONDS = 0xA1B2C3D4


@dataclass(frozen=True, slots=True)
class Packet:
    """`time_us`: microseconds since 1970. `length`: on the wire; more than len(data) if it was cut."""

    time_us: int
    data: bytes
    length: int

    @property
    def source_port(self) -> int | None:
        """TCP source port over IPv4; None for anything else."""
        return self._word(0)

    @property
    def payload(self) -> int:
        """TCP payload bytes on the wire; 0 for anything else."""
        if self.source_port is None:
            return 0
        header = IP_AT + (self.data[IP_AT] & 15) * 4
        total = int.from_bytes(self.data[IP_AT + 2 : IP_AT + 4], "big")
        return total - (header - IP_AT) - (self.data[header + 12] >> 4) * 4

    def _word(self, offset: int) -> int | None:
        if self.data[12:14] != b"\x08\x00" or self.data[IP_AT + 9] != TCP_PROTOCOL:
            return None
        start = IP_AT + (self.data[IP_AT] & 15) * 4 + offset
        return int.from_bytes(self.data[start : start + 2], "big")


def read_pcap(path: Path) -> list[Packet]:
    """All packets of a little-endian microsecond pcap, as tcpdump writes it here."""
    raw, packets, at = path.read_bytes(), [], 24
    if struct.unpack_from("<I", raw)[0] != MICROSECONDS:
        raise ValueError(f"{path}: not the pcap that tcpdump writes")
    while at < len(raw):
        seconds, micro, kept, length = struct.unpack_from("<IIII", raw, at)
        packets.append(Packet(seconds * 1_000_000 + micro, raw[at + 16 : at + 16 + kept], length))
        at += 16 + kept
    return packets


def write_pcap(path: Path, packets: Iterable[Packet], snap_length: int = 262144) -> None:
    """Write them as tcpdump would."""
    parts = [struct.pack("<IHHiIII", MICROSECONDS, 2, 4, 0, 0, snap_length, ETHERNET)]
    for item in packets:
        seconds, micro = divmod(item.time_us, 1_000_000)
        parts.append(struct.pack("<IIII", seconds, micro, len(item.data), item.length) + item.data)
    path.write_bytes(b"".join(parts))


def cut(packets: list[Packet], size: int) -> list[Packet]:
    """As with a snapshot length."""
    return [replace(item, data=item.data[:size]) for item in packets]


def doubled(packets: list[Packet], later_us: int = 7) -> list[Packet]:
    """As on a mirror port that shows each packet at its way in and at its way out."""
    both = [copy for item in packets for copy in (item, replace(item, time_us=item.time_us + later_us))]
    return sorted(both, key=lambda item: item.time_us)


def tagged(packets: list[Packet], *tags: tuple[int, int]) -> list[Packet]:
    """With VLAN tags, outermost first: (0x8100, 42) or (0x88a8, 7)."""
    inserted = b"".join(struct.pack(">HH", kind, identifier) for kind, identifier in tags)
    grown = [item.data[:12] + inserted + item.data[12:] for item in packets]
    return [replace(p, data=d, length=p.length + len(inserted)) for p, d in zip(packets, grown, strict=True)]


def wrapped(packets: list[Packet], header: bytes, *, outer_ip: bool = False) -> list[Packet]:
    """Behind another header in place of Ethernet's (its type field included), or with the whole frame kept."""
    kept = [item.data if outer_ip else item.data[14:] for item in packets]
    return [replace(p, data=header + d, length=len(header) + len(d)) for p, d in zip(packets, kept, strict=True)]


def one_side(packets: list[Packet], port: int, *, from_port: bool) -> list[Packet]:
    """Only what one side sent."""
    return [item for item in packets if (item.source_port == port) is from_port]


def without(packets: list[Packet], port: int, numbers: Iterable[int]) -> list[Packet]:
    """Without the n-th (from 0) segments with payload that `port` sent."""
    missing, seen, kept = set(numbers), -1, []
    for item in packets:
        if item.source_port == port and item.payload:
            seen += 1
            if seen in missing:
                continue
        kept.append(item)
    return kept


def swapped(packets: list[Packet], port: int, number: int) -> list[Packet]:
    """The n-th segment with payload of `port` and its follower in the wrong order."""
    places = [at for at, item in enumerate(packets) if item.source_port == port and item.payload]
    first, second = places[number], places[number + 1]
    mixed = list(packets)
    mixed[first] = replace(packets[second], time_us=packets[first].time_us)
    mixed[second] = replace(packets[first], time_us=packets[second].time_us)
    return mixed
