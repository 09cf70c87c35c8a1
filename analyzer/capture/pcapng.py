"""pcapng files: what Wireshark and dumpcap write. Several sections (each with its byte order) and interfaces.

Source: draft-ietf-opsawg-pcapng. A file is a row of blocks: type, length, body, length again. One loop walks the lengths up to
the end of the window, numpy reads all packets at once, and only what describes (sections, interfaces, statistics) is read
one by one. Blocks that are not about packets (names, secrets, custom and unknown ones) are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from struct import Struct
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from analyzer.capture.interfaces import Interfaces, counter_option
from analyzer.capture.source import BATCH_FRAMES, NOT_A_PACKET, Facts, Format, Frames, Loss, ReadOptions
from analyzer.capture.window import LARGEST_FRAME, Window, gather, note, note_cuts, size_text, stopped
from analyzer.errors import CaptureError

SECTION, INTERFACE, OLD_PACKET, SIMPLE_PACKET, STATISTICS, PACKET = 0x0A0D0D0A, 1, 2, 3, 5, 6
NUMBERED_ONLY = (9, 0x204, 0x208, 0x216, 0x217, 0x221, 0xBAD, 0x40000BAD)
"""systemd journal entries, sysdig events and custom blocks: no packets, but Wireshark gives them frame numbers."""
SECTION_BYTES = bytes.fromhex("0a0d0d0a")
ORDERS = {bytes.fromhex("1a2b3c4d"): ">", bytes.fromhex("4d3c2b1a"): "<"}

MAX_BLOCK = 16 * 1024 * 1024  # as libpcap
MIN_BLOCK = 12
MIN_SECTION, MIN_INTERFACE, MIN_STATISTICS = 28, 20, 24
DATA_AT, SIMPLE_DATA_AT = 28, 12  # of the first packet byte in its block
AROUND, SIMPLE_AROUND = 32, 16  # block bytes that are not packet bytes
UNSTAMPED = "some packets have no time stamp (Simple Packet Blocks); they are given the time before them"

Stamped = tuple[NDArray[np.int64], NDArray[np.bool_]]


class Blocks:
    """One byte order's way to read blocks."""

    def __init__(self, order: str) -> None:
        self.order = order
        self.head = Struct(order + "II")
        self.length = np.dtype([("value", order + "u4")])
        names = ("kind", "size", "interface", "high", "low", "captured", "original")
        self.packet = np.dtype([(name, order + "u4") for name in names])


class Reader:
    """Reads one file. `damage` says what ended the reading; the frames before it have been given out then."""

    def __init__(self, stream: BinaryIO, facts: Facts, options: ReadOptions) -> None:
        self.window = Window(stream, prompt=options.prompt)
        self.prompt = options.prompt
        self.facts = facts
        self.blocks = Blocks("<")
        self.interfaces = Interfaces()
        self.number = 1
        self.damage: str | None = None
        self.last_ns = 0
        self.drops: dict[int, tuple[int, int]] = {}

    def __iter__(self) -> Iterator[Frames]:
        window = self.window
        self.facts.format = "pcapng"
        while self.damage is None:
            starts = self._walk()
            if len(starts):
                yield from self._read_blocks(starts)
            elif not self._look_at_head():
                if not window.left and window.error is None and window.offset + window.start:
                    return
                break
        if window.error and self.prompt:
            raise window.error  # of an interface: its packets are counted elsewhere
        raise stopped(window.error or CaptureError(self.damage), self.number - 1)

    def _walk(self) -> NDArray[np.int64]:
        """Offsets of the blocks that lie whole in the window, up to the next section of the other byte order."""
        window, unpack = self.window, self.blocks.head.unpack_from
        buffer = window.buffer
        at, last = window.start, window.end - MIN_BLOCK
        found: list[int] = []
        append = found.append
        while at <= last:
            kind, size = unpack(buffer, at)
            if size < MIN_BLOCK or (
                kind == SECTION and ORDERS.get(bytes(buffer[at + 8 : at + 12])) != self.blocks.order
            ):
                break
            append(at)
            at += size
        if at > window.end:
            found.pop()
        return np.array(found, np.int64)

    def _look_at_head(self) -> bool:
        """Make the block at the window's start readable: fetch more bytes, or change the byte order. False if neither helps."""
        window = self.window
        if not window.have(MIN_BLOCK):
            self.damage = f"block at byte {window.place:,} needs {MIN_BLOCK} bytes but {size_text(window.left)} remain"
            return False
        at = window.start
        if window.buffer[at : at + 4] == SECTION_BYTES:
            order = ORDERS.get(bytes(window.buffer[at + 8 : at + 12]))
            if order is None:
                found = window.buffer[at + 8 : at + 12].hex(" ")
                self.damage = f"section at byte {window.place:,} has the byte-order mark {found}, not 1a 2b 3c 4d"
                return False
            self.blocks = Blocks(order)
        size = self.blocks.head.unpack_from(window.buffer, at)[1]
        if size < MIN_BLOCK:
            self.damage = (
                f"block at byte {window.place:,} claims {size_text(size)}, fewer than any block has ({MIN_BLOCK})"
            )
        elif size > MAX_BLOCK:
            self.damage = (
                f"block at byte {window.place:,} claims {size_text(size)}, more than we read ({size_text(MAX_BLOCK)})"
            )
        elif not window.have(size):
            self.damage = f"block at byte {window.place:,} claims {size_text(size)} but {size_text(window.left)} remain"
        return self.damage is None

    def _read_blocks(self, starts: NDArray[np.int64]) -> Iterator[Frames]:
        """All packets of some whole blocks of one byte order."""
        window = self.window
        table = gather(window.array, starts, self.blocks.packet)
        trailer = gather(window.array, starts + table["size"] - 4, self.blocks.length)["value"]
        wrong = trailer != table["size"]
        if wrong.any():
            at = int(wrong.argmax())
            self._damaged(starts[at], f"begins with the length {table['size'][at]:,} and ends with {trailer[at]:,}")
            starts, table = starts[:at], table[:at]
        kinds = table["kind"]
        bases, totals, whole = self._describe(starts, table)
        numbered = np.isin(kinds, (PACKET, SIMPLE_PACKET, OLD_PACKET, *NUMBERED_ONLY))
        chosen = np.flatnonzero(numbered[:whole])
        yield from self._packets(starts[chosen], table[chosen], bases[chosen], totals[chosen])
        if self.prompt and not len(chosen):  # a live source: whoever waits learns that time went on
            yield self._columns(starts[:0], table[:0], bases[:0], totals[:0])
        if self.damage is None and len(starts):
            window.start = int(starts[-1] + table["size"][-1])

    def _describe(
        self, starts: NDArray[np.int64], table: NDArray[Any]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
        """Read sections, interfaces and statistics.

        Return, for each block, which interface is number 0 of its section and how many interfaces there are by then; and how
        many blocks come before damage.
        """
        kinds, sizes, interfaces = table["kind"], table["size"], self.interfaces
        changed, base, total = [0], [interfaces.base], [len(interfaces)]
        whole = len(starts)
        for index in np.flatnonzero((kinds == SECTION) | (kinds == INTERFACE) | (kinds == STATISTICS)).tolist():
            at, size = int(starts[index]), int(sizes[index])
            block = self.window.buffer[at : at + size - 4]
            trouble = self._describe_one(int(kinds[index]), block)
            block.release()
            if trouble:
                self._damaged(at, trouble)
                whole = index
                break
            changed.append(index)
            base.append(interfaces.base)
            total.append(len(interfaces))
        which = np.searchsorted(changed, np.arange(len(starts)), "right") - 1
        return np.array(base, np.int64)[which], np.array(total, np.int64)[which], whole

    def _describe_one(self, kind: int, block: memoryview) -> str | None:
        """Read one section, interface or statistics block. Return what is wrong with it."""
        order, size = self.blocks.order, len(block) + 4
        if kind == SECTION:
            if size < MIN_SECTION:
                return f"claims {size} bytes, a section header has at least {MIN_SECTION}"
            major, minor = Struct(order + "HH").unpack_from(block, 12)
            if major != 1:
                return f"is a section of pcapng version {major}.{minor}; readable: 1.x"
            self.interfaces.new_section()
        elif kind == INTERFACE:
            if size < MIN_INTERFACE:
                return f"claims {size} bytes, an interface description has at least {MIN_INTERFACE}"
            self.interfaces.add(block, order, self.facts)
        elif size >= MIN_STATISTICS:
            self._count_drops(block)
        return None

    def _count_drops(self, block: memoryview) -> None:
        """A later statement replaces the earlier one, unless it counts fewer. What it adds was lost between both, what the
        first one of an interface counts at any time before it; a clock that was set back meanwhile does not matter."""
        interface, high, low = Struct(self.blocks.order + "III").unpack_from(block, 8)
        interface += self.interfaces.base
        drops = counter_option(block, 20, self.blocks.order)
        if drops is None:
            return
        now_ns = self._time(high << 32 | low, interface)
        before, since_ns = self.drops.get(interface, (0, 0))
        if drops > before:
            self.facts.losses.append(Loss(min(since_ns, now_ns), max(since_ns, now_ns), drops - before))
        self.drops[interface] = (max(drops, before), now_ns)
        self.facts.dropped = sum(count for count, _ in self.drops.values())

    def _time(self, stamp: int, interface: int) -> int:
        """A time stamp of an interface; 0 if that was not described."""
        if interface >= len(self.interfaces):
            return 0
        stamps, which = np.array([stamp], np.uint64), np.array([interface])
        return int(self.interfaces.times(stamps, which, self.facts)[0])

    def _packets(
        self, starts: NDArray[np.int64], table: NDArray[Any], bases: NDArray[np.int64], totals: NDArray[np.int64]
    ) -> Iterator[Frames]:
        """Give out packets as batches."""
        for begin in range(0, len(starts), BATCH_FRAMES):
            some = slice(begin, begin + BATCH_FRAMES)
            frames = self._columns(starts[some], table[some], bases[some], totals[some])
            if len(frames):
                note_cuts(self.facts, frames.captured, frames.original)
                self.number += len(frames)
                yield frames
            if len(frames) < len(starts[some]):
                return

    def _columns(
        self, starts: NDArray[np.int64], table: NDArray[Any], bases: NDArray[np.int64], totals: NDArray[np.int64]
    ) -> Frames:
        """The columns of some packets, up to the first damaged one."""
        kinds, size = table["kind"], table["size"].astype(np.int64)
        captured, original = table["captured"].astype(np.int64), table["original"].astype(np.int64)
        interface, data = table["interface"].astype(np.int64), np.full(len(starts), DATA_AT, np.int64)
        room = size - AROUND
        plain = kinds == PACKET
        if not plain.all():
            old, simple = kinds == OLD_PACKET, kinds == SIMPLE_PACKET
            interface[old] = interface[old] & 0xFFFF if self.blocks.order == "<" else interface[old] >> 16
            other = ~(plain | old | simple)
            # A Simple Packet Block says only how long the packet was; it belongs to the section's first interface.
            data[simple], room[simple], original[simple] = (
                SIMPLE_DATA_AT,
                size[simple] - SIMPLE_AROUND,
                interface[simple],
            )
            data[other] = 8
            captured[other] = original[other] = room[other] = size[other] - MIN_BLOCK
            interface[simple | other] = 0
            limit = self.interfaces.snap_length(bases[simple])
            captured[simple] = np.minimum(np.minimum(original[simple], room[simple]), limit)
        else:
            simple = other = np.zeros(len(starts), np.bool_)
        count = self._sound(starts, captured, room, (interface + bases >= totals) & ~other)
        interface = (interface + bases)[:count]
        unstamped = (simple | other)[:count]
        stamps = (table["high"][:count].astype(np.uint64) << np.uint64(32)) | table["low"][:count].astype(np.uint64)
        time_ns = self._times(stamps, interface, unstamped)
        if simple[:count].any():
            note(self.facts, UNSTAMPED)
        link_type = self.interfaces.link_types(interface)
        link_type[other[:count]] = NOT_A_PACKET
        if count:
            self.window.start = int(starts[count - 1] + size[count - 1])
        return Frames(
            data=self.window.array,
            start=starts[:count] + data[:count],
            captured=captured[:count],
            original=np.maximum(original, captured)[:count],
            time_ns=time_ns,
            link_type=link_type,
            first_frame=self.number,
            position=self.window.position,
        )

    def _sound(
        self,
        starts: NDArray[np.int64],
        captured: NDArray[np.int64],
        room: NDArray[np.int64],
        unknown: NDArray[np.bool_],
    ) -> int:
        """How many packets come before the first whose lengths or interface cannot be true."""
        wrong = (captured > np.minimum(room, LARGEST_FRAME)) | (room < 0) | unknown
        if not wrong.any():
            return len(starts)
        at = int(wrong.argmax())
        if room[at] < 0:
            why = "is shorter than a packet block's own fields"
        elif captured[at] > LARGEST_FRAME:
            why = f"claims a packet of {size_text(int(captured[at]))}, more than any frame has ({LARGEST_FRAME:,})"
        elif captured[at] > room[at]:
            why = f"claims {size_text(int(captured[at]))} of packet but holds {size_text(int(room[at]))}"
        else:
            why = "belongs to an interface that was not described before it"
        self._damaged(starts[at], why)
        return at

    def _times(
        self, stamps: NDArray[np.uint64], interface: NDArray[np.int64], unstamped: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """Nanoseconds since 1970; a packet or other entry without a time stamp has the time of the one before it."""
        if not unstamped.any():
            times = self.interfaces.times(stamps, interface, self.facts)
        else:
            times = np.full(len(stamps), self.last_ns, np.int64)
            stamped = ~unstamped
            times[stamped] = self.interfaces.times(stamps[stamped], interface[stamped], self.facts)
            before = np.maximum.accumulate(np.where(stamped, np.arange(len(stamps)), -1))
            times = np.where(before >= 0, times[before], self.last_ns)
        if len(times):
            self.last_ns = int(times[-1])
        return times

    def _damaged(self, at: int | np.int64, why: str) -> None:
        self.damage = f"block at byte {self.window.offset + int(at):,} {why}"


def read(stream: BinaryIO, facts: Facts, options: ReadOptions) -> Iterator[Frames]:
    """Yield every whole packet in batches; then raise CaptureError if the file is cut or lies about a length."""
    reader = Reader(stream, facts, options)
    with closing(reader.window):
        yield from reader


FORMAT = Format("pcapng", lambda head: head[:4] == SECTION_BYTES, read)
