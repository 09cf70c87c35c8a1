"""Writes Microsoft Network Monitor files: `netmon([Packet(...), ...], version=(2, 3))`, and 1.1, 2.0, 2.1 and 2.2."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from struct import pack
from uuid import UUID

from tests.build.pcap import SECOND, START_NS, Packet

ETHERNET, TOKEN_RING, FDDI, ATM, WIFI, TUNNEL, RAW_IP = 1, 2, 3, 4, 6, 7, 9
PCAP = 0xE000
"""PCAP + n is the media type of LINKTYPE n."""
EVENT, NETWORK_INFO_EX, PAYLOAD, NETWORK_INFO, DNS_CACHE, FILTER = 0xFFE0, 0xFFFB, 0xFFFC, 0xFFFD, 0xFFFE, 0xFFFF

FILETIME_1970 = 116_444_736_000_000_000


def netmon(
    packets: Sequence[Packet],
    *,
    version: tuple[int, int] = (2, 3),
    media: int | Sequence[int] = ETHERNET,
    zone: tzinfo = UTC,
    start_ns: int | None = None,
    layout: Sequence[int] | None = None,
    hole: bytes = b"",
    table: Sequence[int] | None = None,
) -> bytes:
    """A Network Monitor file.

    Args:
        packets: in the order of the frame table.
        version: (1, 1) or (2, 0) to (2, 3).
        media: of all frames, or of each; before 2.1 the first is that of the file.
        zone: of the local start time.
        start_ns: when the capture began; the first packet's time, cut to milliseconds, if None.
        layout: the order in which the packets lie in the file.
        hole: unused bytes before each frame.
        table: offsets to write as the frame table instead of the true ones.
    """
    each = [media] * len(packets) if isinstance(media, int) else list(media)
    start = start_ns if start_ns is not None else (packets[0].time_ns if packets else START_NS) // 1_000_000 * 1_000_000
    offsets, body = [0] * len(packets), b""
    for index in layout if layout is not None else range(len(packets)):
        body += hole
        offsets[index] = 128 + len(body)
        body += record(packets[index], version, start, each[index])
    of_file = each[0] if each and version < (2, 1) else ETHERNET
    entries = offsets if table is None else table
    header = file_header(version, of_file, start, zone, 128 + len(body), 4 * len(entries))
    return header + body + b"".join(pack("<I", offset) for offset in entries)


def file_header(
    version: tuple[int, int], media: int, start_ns: int, zone: tzinfo, table_at: int, table_bytes: int
) -> bytes:
    """The header of 128 bytes."""
    moment = datetime.fromtimestamp(start_ns // SECOND, zone)
    weekday = (moment.weekday() + 1) % 7
    clock = (moment.hour, moment.minute, moment.second, start_ns % SECOND // 1_000_000)
    major, minor = version
    magic = b"RTSS" if major == 1 else b"GMBU"
    fields = pack("<BBH8H", minor, major, media, moment.year, moment.month, weekday, moment.day, *clock)
    return (magic + fields + pack("<II", table_at, table_bytes)).ljust(128, b"\0")


def record(packet: Packet, version: tuple[int, int], start_ns: int, media: int) -> bytes:
    """A frame with the structures around it."""
    since = packet.time_ns - start_ns
    if version[0] == 1:
        return pack("<IHH", since // 1_000_000, packet.wire_length, len(packet.data)) + packet.data
    # A frame before the start: its microseconds, times ten, overflow to a negative number of 100 ns.
    micros = since // 1000 if since >= 0 else (since // 100 + 2**64) // 10
    head = pack("<QII", micros, packet.wire_length, len(packet.data))
    filetime = pack("<QB", max(0, FILETIME_1970 + packet.time_ns // 100), 0)
    tail = (pack("<H", media), pack("<I", 0xFFFFFFFF), filetime)
    return head + packet.data + b"".join(tail[: version[1]])


def event(
    packet: bytes,
    *,
    provider: str = "2ed6006e-4729-4609-b423-3ee7bcd678ef",
    number: int = 1001,
    keyword: int = 0xC000_0001,
    size: int | None = None,
) -> bytes:
    """The data of an EVENT frame that holds a packet, as Network Monitor saves a trace of `netsh trace`."""
    header = pack("<HHHHIIQ", 80, 0, 0x0240, 0, 4, 0, 0) + UUID(provider).bytes_le
    descriptor = pack("<HBBBBHQ", number, 0, 16, 4, 0, 0, keyword)
    body = pack("<III", 12, 12, len(packet) if size is None else size) + packet
    return header + descriptor + bytes(8 + 16) + pack("<BBHHHB", 0, 8, 0, 0, len(body), 0) + body
