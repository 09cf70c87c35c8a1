"""pcapng blocks: made for engines that give bare packets, split and counted for the one that gives blocks.

Source: draft-ietf-opsawg-pcapng, sections 4.1 to 4.6. Byte order: this machine's, as dumpcap writes.
"""

from __future__ import annotations

from struct import Struct

from analyzer.errors import LiveError

SECTION, INTERFACE, STATISTICS, PACKET = 0x0A0D0D0A, 1, 5, 6
ORDER_MARK, VERSION, UNKNOWN_LENGTH = 0x1A2B3C4D, 1, 2**64 - 1
COMMENT, IF_NAME, IF_TSRESOL, ISB_IFRECV, ISB_IFDROP = 1, 2, 9, 4, 5
NANOSECONDS = 9
SECOND_NS = 1_000_000_000
MAX_BLOCK = 16 * 1024 * 1024

_HEAD = Struct("=II")
_PACKET = Struct("=IIIIIII")
_LENGTH = Struct("=I")
PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")
"""To a multiple of four, by length modulo four."""


def _block(kind: int, body: bytes) -> bytes:
    size = len(body) + 12
    return _HEAD.pack(kind, size) + body + _LENGTH.pack(size)


def _option(code: int, value: bytes) -> bytes:
    return Struct("=HH").pack(code, len(value)) + value + PADDING[len(value) % 4]


def header(interface: str, link_type: int, snap_length: int) -> bytes:
    """A section and its only interface, with time stamps in nanoseconds."""
    return section() + interface_of(interface, link_type, snap_length, NANOSECONDS)


def section() -> bytes:
    """The begin of a section, without an interface yet."""
    return _block(SECTION, Struct("=IHHQ").pack(ORDER_MARK, VERSION, 0, UNKNOWN_LENGTH))


def interface_of(name: str, link_type: int, snap_length: int, digits: int) -> bytes:
    """One interface more; its time stamps have so many decimal digits of a second."""
    options = _option(IF_NAME, name.encode(errors="replace")) + _option(IF_TSRESOL, bytes([digits])) + bytes(4)
    return _block(INTERFACE, Struct("=HHI").pack(link_type, 0, snap_length) + options)


def packet(stamp: int, data: bytes | memoryview, original: int, interface: int = 0) -> bytes:
    """One packet; `stamp` in the unit of its interface."""
    count = len(data)
    padding = PADDING[count % 4]
    size = 32 + count + len(padding)
    head = _PACKET.pack(PACKET, size, interface, stamp >> 32, stamp & 0xFFFFFFFF, count, original)
    return b"".join((head, data, padding, _LENGTH.pack(size)))


def statistics(time_ns: int, received: int | None = None, dropped: int | None = None, comment: str = "") -> bytes:
    """What the interface counted so far; without numbers only a sign that time goes on."""
    options = _option(COMMENT, comment.encode()) if comment else b""
    options += b"".join(
        _option(code, Struct("=Q").pack(count))
        for code, count in ((ISB_IFRECV, received), (ISB_IFDROP, dropped))
        if count is not None
    )
    body = Struct("=III").pack(0, time_ns >> 32, time_ns & 0xFFFFFFFF)
    return _block(STATISTICS, body + (options + bytes(4) if options else b""))


def loss(since_ns: int, now_ns: int, before: tuple[int | None, int], after: tuple[int | None, int]) -> bytes:
    """Two statements, which say that packets were lost between them. `before`, `after`: received and dropped by then."""
    comment = f"mtlscope: {after[1] - before[1]:,} packets lost since the statement before"
    return statistics(since_ns, *before) + statistics(now_ns, *after, comment=comment)


TICK = statistics(0)
"""A block without a packet and without a statement: the reader answers with an empty batch."""


def whole(data: bytes | bytearray) -> int:
    """How many bytes from the start are whole blocks. Raise LiveError for what is no block."""
    at, unpack = 0, _HEAD.unpack_from
    while at + 12 <= len(data):
        size = unpack(data, at)[1]
        if not 12 <= size <= MAX_BLOCK:
            raise LiveError(f"the engine wrote a block of {size:,} bytes, which is no pcapng of this machine")
        if at + size > len(data):
            break
        at += size
    return at


def describing(data: bytes) -> int:
    """How many bytes from the start are sections and interfaces."""
    at = 0
    while at < len(data):
        kind, size = _HEAD.unpack_from(data, at)
        if kind not in (SECTION, INTERFACE):
            break
        at += size
    return at


def cut_after(data: bytes, packets: int) -> tuple[int, int]:
    """Bytes up to and with that many packets, and how many packets there are up to there."""
    at = count = 0
    while at < len(data) and count < packets:
        kind, size = _HEAD.unpack_from(data, at)
        count += kind == PACKET
        at += size
    return (at if count >= packets else len(data)), count
