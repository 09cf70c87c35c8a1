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
UNUSUAL = 0
"""In `_unit`: the stamps of this interface need exact integers (finer than 1 ns, powers of two, far offsets)."""


class Interfaces:
    """All interfaces that the file has described so far, of all sections; `base` is the first of the current section."""

    def __init__(self) -> None:
        self.base = 0
        self._link: list[int] = []
        self._snap: list[int] = []
        self._unit: list[int] = []
        self._offset: list[int] = []
        self._resolution: list[int] = []
        self._columns: tuple[NDArray[np.uint16], NDArray[np.uint64], NDArray[np.int64]] | None = None

    def __len__(self) -> int:
        return len(self._link)

    def new_section(self) -> None:
        """Interfaces are numbered from 0 again."""
        self.base = len(self)

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
        facts.time_digits = max(facts.time_digits, digits) if len(self) else digits
        usual = resolution <= 9 and abs(offset) < MAX_TIME_NS // SECOND_NS
        self._link.append(link)
        self._snap.append(snap)
        self._unit.append(10 ** (9 - resolution) if usual else UNUSUAL)
        self._offset.append(offset)
        self._resolution.append(resolution)
        self._columns = None

    def link_types(self, interface: NDArray[np.int64]) -> NDArray[np.uint16]:
        """LINKTYPE_* numbers of some interfaces."""
        return (
            self._table()[0][np.minimum(interface, len(self) - 1)] if len(self) else np.zeros(len(interface), np.uint16)
        )

    def snap_length(self, base: NDArray[np.int64], total: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where each section's first interface cuts packets. No interface or 0 means nowhere."""
        known = [
            self._snap[first] if first < count else 0
            for first, count in zip(base.tolist(), total.tolist(), strict=True)
        ]
        return np.array([snap or 2**32 for snap in known], np.int64)

    def times(self, stamps: NDArray[np.uint64], interface: NDArray[np.int64], facts: Facts) -> NDArray[np.int64]:
        """Time stamps in nanoseconds since 1970; what does not fit is clamped, and told in the notes."""
        if not len(stamps):
            return np.zeros(0, np.int64)
        _link, units, offsets = self._table()
        unit, offset = units[interface], offsets[interface]
        if (unit == UNUSUAL).any():
            return self._exact_times(stamps, interface, facts)
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
        for at, (stamp, which) in enumerate(zip(stamps.tolist(), interface.tolist(), strict=True)):
            resolution = self._resolution[which]
            scaled = stamp * SECOND_NS
            value = scaled >> (resolution & 0x7F) if resolution & 0x80 else scaled // 10**resolution
            value += self._offset[which] * SECOND_NS
            times[at] = min(max(value, 0), MAX_TIME_NS)
            clamped = clamped or not 0 <= value <= MAX_TIME_NS
        if clamped:
            note(facts, TIMES_CLAMPED)
        return times

    def _table(self) -> tuple[NDArray[np.uint16], NDArray[np.uint64], NDArray[np.int64]]:
        if self._columns is None:
            usual = [seconds if unit else 0 for seconds, unit in zip(self._offset, self._unit, strict=True)]
            offsets = np.array(usual, np.int64) * SECOND_NS
            self._columns = np.array(self._link, np.uint16), np.array(self._unit, np.uint64), offsets
        return self._columns


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
