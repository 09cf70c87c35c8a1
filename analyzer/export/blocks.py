"""pcapng blocks as bytes: those that we make, and a comment put into those that were there.

Source: draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from struct import Struct, pack

from analyzer.capture.pcapng import INTERFACE, OLD_PACKET, PACKET, SECTION, SIMPLE_PACKET, STATISTICS

ORDER_MARK = 0x1A2B3C4D
UNKNOWN_LENGTH = -1
END, COMMENT, USER_APPLICATION, DROPPED, TIME_RESOLUTION = 0, 1, 4, 5, 9
DATA_AT, CAPTURED_AT, SIMPLE_DATA_AT = 28, 20, 12  # bytes from the start of a packet's block
MAX_OPTION = 65_535
APPLICATION = "mtlscope"


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """Any block; the body is padded to four bytes."""
    body = padded(body)
    size = len(body) + 12
    return pack(order + "II", kind, size) + body + pack(order + "I", size)


def padded(data: bytes) -> bytes:
    """With zero bytes up to a multiple of four."""
    return data + bytes(-len(data) % 4)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    """One option."""
    value = value[:MAX_OPTION]
    return pack(order + "HH", code, len(value)) + padded(value)


def comments(texts: Sequence[str], order: str = "<") -> bytes:
    """Comments as options, without the end of options."""
    return b"".join(option(COMMENT, text.encode("utf-8", "backslashreplace"), order) for text in texts)


def section(texts: Sequence[str] = ()) -> bytes:
    """A section of our own, little-endian, with comments."""
    options = comments(texts) + option(USER_APPLICATION, APPLICATION.encode()) + pack("<HH", END, 0)
    return block(SECTION, pack("<IHHq", ORDER_MARK, 1, 0, UNKNOWN_LENGTH) + options)


def interface(link_type: int, digits: int) -> bytes:
    """An interface of our own; its time stamps have `digits` digits of a second."""
    options = option(TIME_RESOLUTION, bytes((digits,))) + pack("<HH", END, 0)
    return block(INTERFACE, pack("<HHI", link_type, 0, 0) + options)


def packet(number: int, ticks: int, data: bytes, original: int, texts: Sequence[str]) -> bytes:
    """An Enhanced Packet Block of interface `number`."""
    head = pack("<IIIII", number, ticks >> 32 & 0xFFFFFFFF, ticks & 0xFFFFFFFF, len(data), original)
    options = comments(texts) + pack("<HH", END, 0) if texts else b""
    return block(PACKET, head + padded(data) + options)


def statistics(number: int, ticks: int, dropped: int, texts: Sequence[str] = ()) -> bytes:
    """An Interface Statistics Block: packets that interface `number` had dropped by then."""
    head = pack("<III", number, ticks >> 32 & 0xFFFFFFFF, ticks & 0xFFFFFFFF)
    return block(STATISTICS, head + comments(texts) + option(DROPPED, pack("<Q", dropped)) + pack("<HH", END, 0))


def without_length(raw: bytes, order: str) -> bytes:
    """A section header whose length is unknown: what follows is not as long as it was."""
    return raw[:16] + pack(order + "q", UNKNOWN_LENGTH) + raw[24:]


def commented(raw: bytes, order: str, texts: Sequence[str], stamp: tuple[int, int]) -> bytes:
    """A packet's block with comments before its other options; its packet bytes stay as they are.

    A Simple Packet Block has no options: it becomes an Enhanced one with `stamp` (the two halves of the time stamp before
    it).
    """
    kind, size = Struct(order + "II").unpack_from(raw)
    if kind == SIMPLE_PACKET:
        (original,) = Struct(order + "I").unpack_from(raw, 8)
        data = raw[SIMPLE_DATA_AT : size - 4][:original]
        head = pack(order + "IIIII", 0, *stamp, len(data), original)
        return block(PACKET, head + padded(data) + comments(texts, order) + pack(order + "HH", END, 0), order)
    if kind not in (PACKET, OLD_PACKET):
        return raw
    (captured,) = Struct(order + "I").unpack_from(raw, CAPTURED_AT)
    options_at = DATA_AT + captured + -captured % 4
    options = raw[options_at : size - 4]
    if len(options) < 4:
        options = pack(order + "HH", END, 0)
    return block(kind, raw[8:options_at] + comments(texts, order) + options, order)


class Interfaces:
    """The interfaces of a section that we make, each described before its first packet."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, int], int] = {}

    def packet(
        self, link: int, digits: int, time_ns: int, data: bytes, original: int, texts: Sequence[str]
    ) -> Iterator[bytes]:
        """The packet's block, after its interface's if that is new."""
        if (link, digits) not in self._numbers:
            self._numbers[link, digits] = len(self._numbers)
            yield interface(link, digits)
        ticks = max(0, time_ns) // 10 ** (9 - digits)
        yield packet(self._numbers[link, digits], ticks, data, max(original, len(data)), texts)
