"""Writes pcapng files, block by block: `pcapng([Packet(...), ...])`, or `section() + interface() + enhanced(packet) + ...`."""

from __future__ import annotations

from collections.abc import Sequence
from struct import pack

from tests.build.pcap import Packet

COMMENT, IF_NAME, IF_TSRESOL, IF_TSOFFSET, ISB_IFDROP, ISB_OSDROP = 1, 2, 9, 14, 5, 7


def pcapng(
    packets: Sequence[Packet], *, link_types: Sequence[int] = (1,), order: str = "<", resolution: int = 6
) -> bytes:
    """One section with an interface for each link type, and an Enhanced Packet Block for each packet."""
    interfaces = b"".join(interface(link, order=order, resolution=resolution) for link in link_types)
    return (
        section(order)
        + interfaces
        + b"".join(enhanced(packet, order=order, resolution=resolution) for packet in packets)
    )


def block(kind: int, body: bytes, order: str = "<", *, size: int | None = None, trailer: int | None = None) -> bytes:
    """Any block; `size` and `trailer` lie about its length."""
    body += bytes(-len(body) % 4)
    real = len(body) + 12
    first = real if size is None else size
    return pack(order + "II", kind, first) + body + pack(order + "I", first if trailer is None else trailer)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    """One option, padded."""
    return pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order: str = "<", *, length: int = -1, version: tuple[int, int] = (1, 0), options: bytes = b"") -> bytes:
    """A Section Header Block."""
    return block(0x0A0D0D0A, pack(order + "IHHq", 0x1A2B3C4D, *version, length) + options, order)


def interface(
    link_type: int = 1,
    *,
    order: str = "<",
    resolution: int | None = None,
    offset: int | None = None,
    snap_length: int = 0,
    options: bytes = b"",
) -> bytes:
    """An Interface Description Block; `resolution` is the raw if_tsresol byte, `offset` if_tsoffset in seconds."""
    if resolution is not None:
        options += option(IF_TSRESOL, bytes([resolution]), order)
    if offset is not None:
        options += option(IF_TSOFFSET, pack(order + "q", offset), order)
    return block(1, pack(order + "HHI", link_type, 0, snap_length) + options, order)


def units(time_ns: int, resolution: int) -> int:
    """Nanoseconds as a time stamp of this if_tsresol."""
    per_second = 1 << (resolution & 0x7F) if resolution & 0x80 else int(10**resolution)
    return time_ns * per_second // 1_000_000_000


def enhanced(
    packet: Packet, *, order: str = "<", resolution: int = 6, stamp: int | None = None, options: bytes = b""
) -> bytes:
    """An Enhanced Packet Block; `stamp` replaces the time in the interface's units."""
    when = units(packet.time_ns, resolution) if stamp is None else stamp
    head = pack(order + "IIIII", packet.interface, when >> 32, when & 0xFFFFFFFF, len(packet.data), packet.wire_length)
    return block(6, head + packet.data + bytes(-len(packet.data) % 4) + options, order)


def old_packet(packet: Packet, *, order: str = "<", resolution: int = 6, drops: int = 0xFFFF) -> bytes:
    """The obsolete Packet Block."""
    when = units(packet.time_ns, resolution)
    lengths = (len(packet.data), packet.wire_length)
    return block(
        2, pack(order + "HHIIII", packet.interface, drops, when >> 32, when & 0xFFFFFFFF, *lengths) + packet.data, order
    )


def simple(packet: Packet, *, order: str = "<") -> bytes:
    """A Simple Packet Block: no time, no interface, and the captured length must be worked out."""
    return block(3, pack(order + "I", packet.wire_length) + packet.data, order)


def statistics(
    *, dropped: int | None = None, os_dropped: int | None = None, number: int = 0, order: str = "<", stamp: int = 0
) -> bytes:
    """An Interface Statistics Block; `stamp`: when it was stated, in the interface's units."""
    options = b"" if dropped is None else option(ISB_IFDROP, pack(order + "Q", dropped), order)
    if os_dropped is not None:
        options += option(ISB_OSDROP, pack(order + "Q", os_dropped), order)
    return block(5, pack(order + "III", number, stamp >> 32, stamp & 0xFFFFFFFF) + options, order)
