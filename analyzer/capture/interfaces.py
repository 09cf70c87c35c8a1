"""The interfaces of a pcapng file as columns: link type, snapshot length, and how to read its time stamps."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

import numpy as np
from numpy.typing import NDArray

from analyzer.capture.source import Facts
from analyzer.capture.window import MAX_TIME_NS, TIMES_CLAMPED, note

END_OF_OPTIONS, IF_TSRESOL, IF_TSOFFSET = 0, 9, 14
ISB_IFDROP, ISB_OSDROP = 5, 7
SECOND_NS = 1_000_000_000
NO_LIMIT = 2**32
UNUSUAL = 0
"""In the column `unit`: the stamps of this interface need exact integers (finer than 1 ns, powers of two, far offsets)."""
COLUMNS = np.dtype([("link", "u2"), ("resolution", "u1"), ("snap", "i8"), ("unit", "u8"), ("offset", "i8")])
"""Link type, if_tsresol as it is, snapshot length or NO_LIMIT, nanoseconds in a unit or UNUSUAL, if_tsoffset in seconds."""


class Interfaces:
    """All interfaces that the file has described so far, of all sections; `base` is the first of the current section."""

    def __init__(self) -> None:
        self.base = 0
        self._count = 0
        self._rows = np.zeros(16, COLUMNS)

    def __len__(self) -> int:
        return self._count

    def new_section(self) -> None:
        """Interfaces are numbered from 0 again."""
        self.base = self._count

    def add(self, block: memoryview, order: str, facts: Facts) -> None:
        """Read an Interface Description Block of at least 20 bytes, given without its closing length."""
        link, _reserved, snap = Struct(order + "HHI").unpack_from(block, 8)
        resolution, offset = 6, 0
        for code, value in options(block, 16, order):
            if code == IF_TSRESOL and len(value) >= 1:
                resolution = value[0]
            elif code == IF_TSOFFSET and len(value) >= 8:
                (offset,) = Struct(order + "q").unpack_from(value)
        digits = digits_of(resolution)
        facts.time_digits = max(facts.time_digits, digits) if self._count else digits
        usual = resolution <= 9 and abs(offset) < MAX_TIME_NS // SECOND_NS
        if self._count == len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        unit = 10 ** (9 - resolution) if usual else UNUSUAL
        self._rows[self._count] = (link, resolution, snap or NO_LIMIT, unit, offset)
        self._count += 1

    def link_types(self, interface: NDArray[np.int64]) -> NDArray[np.uint16]:
        """LINKTYPE_* numbers of some interfaces; one that does not exist gives any."""
        return self._rows["link"][np.minimum(interface, len(self._rows) - 1)]

    def snap_length(self, interface: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where some interfaces cut packets; one that does not exist gives any."""
        return self._rows["snap"][np.minimum(interface, len(self._rows) - 1)]

    def times(self, stamps: NDArray[np.uint64], interface: NDArray[np.int64], facts: Facts) -> NDArray[np.int64]:
        """Time stamps in nanoseconds since 1970; what does not fit is clamped, and told in the notes."""
        unit = self._rows["unit"][interface]
        if (unit == UNUSUAL).any():
            return self._exact_times(stamps, interface, facts)
        offset = self._rows["offset"][interface] * SECOND_NS
        limit = (np.uint64(MAX_TIME_NS) - np.maximum(offset, 0).astype(np.uint64)) // unit
        late = stamps > limit
        times: NDArray[np.int64] = (np.minimum(stamps, limit) * unit).astype(np.int64) + offset
        early = times < 0
        if late.any() or early.any():
            note(facts, TIMES_CLAMPED)
            times[early], times[late] = 0, MAX_TIME_NS
        return times

    def _exact_times(self, stamps: NDArray[np.uint64], interface: NDArray[np.int64], facts: Facts) -> NDArray[np.int64]:
        times = np.empty(len(stamps), np.int64)
        clamped = False
        rows = self._rows[interface]
        every = zip(stamps.tolist(), rows["resolution"].tolist(), rows["offset"].tolist(), strict=True)
        for at, (stamp, resolution, offset) in enumerate(every):
            scaled = stamp * SECOND_NS
            value = scaled >> (resolution & 0x7F) if resolution & 0x80 else scaled // 10**resolution
            value += offset * SECOND_NS
            times[at] = min(max(value, 0), MAX_TIME_NS)
            clamped = clamped or not 0 <= value <= MAX_TIME_NS
        if clamped:
            note(facts, TIMES_CLAMPED)
        return times


def digits_of(resolution: int) -> int:
    """Decimal digits of a second in stamps of this if_tsresol, at most 9."""
    if resolution & 0x80:
        return min(9, len(str(2 ** (resolution & 0x7F) - 1)) if resolution & 0x7F else 0)
    return min(9, resolution)


def options(block: memoryview, at: int, order: str) -> Iterator[tuple[int, memoryview]]:
    """Code and value of each option from `at` on. Stops quietly where an option would leave the block."""
    head = Struct(order + "HH")
    while at + head.size <= len(block):
        code, size = head.unpack_from(block, at)
        at += head.size
        if code == END_OF_OPTIONS or at + size > len(block):
            return
        yield code, block[at : at + size]
        at += size + -size % 4


def counter_option(block: memoryview, at: int, order: str) -> int | None:
    """Packets that an Interface Statistics Block says were dropped, by the interface and by the system; None if it is silent."""
    said = [
        int(Struct(order + "Q").unpack_from(value)[0])
        for code, value in options(block, at, order)
        if code in (ISB_IFDROP, ISB_OSDROP) and len(value) == 8
    ]
    return sum(said) if said else None
