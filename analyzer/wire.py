"""`Reader`: a bounded big-endian cursor over bytes. The only place that says "ran past the end"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from analyzer.errors import ParseError

T = TypeVar("T")

_PRINTABLE: Final = frozenset(range(0x20, 0x7F)) - {ord("\\")}


class Reader:
    """Reads numbers and blocks from `data[start:end]`; every method that reads raises ParseError past the end.

    `at` in an error is an offset in `data`, whatever block of it this reader is bounded to.

    Attributes:
        data: the bytes; never copied.
        pos: offset of the next byte.
        end: offset one past the last byte of the block.
    """

    __slots__ = ("data", "end", "pos")

    def __init__(self, data: bytes, pos: int = 0, end: int | None = None) -> None:
        self.data = data
        self.pos = pos
        self.end = len(data) if end is None else end

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return self.end - self.pos

    def u8(self, what: str = "number") -> int:
        """One byte."""
        return self._number(1, what)

    def u16(self, what: str = "number") -> int:
        """Two bytes."""
        return self._number(2, what)

    def u24(self, what: str = "number") -> int:
        """Three bytes."""
        return self._number(3, what)

    def u32(self, what: str = "number") -> int:
        """Four bytes."""
        return self._number(4, what)

    def take(self, size: int, what: str = "data") -> bytes:
        """The next `size` bytes."""
        start, end = self.pos, self.pos + size
        if end > self.end:
            raise ParseError(f"{what} needs {size:,} bytes, {self.left:,} remain", start)
        self.pos = end
        return self.data[start:end]

    def block(self, width: int, what: str = "block") -> Reader:
        """A reader of the vector that starts here with a length field of `width` bytes; this reader goes on behind it."""
        start = self.pos
        size = self._number(width, what)
        end = self.pos + size
        if end > self.end:
            raise ParseError(f"{what} says {size:,} bytes, {self.left:,} remain", start)
        inner = Reader(self.data, self.pos, end)
        self.pos = end
        return inner

    def vector(self, width: int, what: str = "block") -> bytes:
        """The bytes of a vector with a length field of `width` bytes."""
        return self.block(width, what).rest()

    def list(self, item: Callable[[Reader], T]) -> tuple[T, ...]:
        """What `item` reads, again and again until the end. `item` must read at least one byte or raise."""
        items = []
        while self.pos < self.end:
            items.append(item(self))
        return tuple(items)

    def rest(self) -> bytes:
        """All bytes that are left."""
        start, self.pos = self.pos, self.end
        return self.data[start : self.end]

    def finish(self, what: str = "block") -> None:
        """Raise ParseError if bytes are left over."""
        if self.pos < self.end:
            raise ParseError(f"{what} is followed by {self.left:,} bytes too many", self.pos)

    def _number(self, width: int, what: str) -> int:
        start, end = self.pos, self.pos + width
        if end > self.end:
            raise ParseError(f"{what} needs {width} bytes, {self.left} remain", start)
        self.pos = end
        return int.from_bytes(self.data[start:end], "big")


def numbers(block: Reader, width: int, what: str = "list") -> tuple[int, ...]:
    """All numbers of `width` bytes in a block. Raise ParseError if its size is no multiple of `width`."""
    start, size = block.pos, block.left
    if size % width:
        raise ParseError(f"{what} of {size:,} bytes is no multiple of {width}", start)
    data = block.rest()
    if width == 1:
        return tuple(data)
    return tuple(int.from_bytes(data[at : at + width], "big") for at in range(0, size, width))


def text(data: bytes) -> str:
    r"""Bytes that a peer chose, as text: printable ASCII as it is, every other byte and the backslash as `\xNN`.

    The backslash is escaped too, so that two different byte strings never look the same.
    """
    if data.isascii():
        plain = data.decode("ascii")
        if plain.isprintable() and "\\" not in plain:
            return plain
    return "".join(chr(byte) if byte in _PRINTABLE else f"\\x{byte:02x}" for byte in data)
