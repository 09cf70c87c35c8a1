"""What Network Monitor 1.x and 2.x files share: the file header, and a table of frame offsets, mostly at the end.

The table is the truth about order and place: frames may lie with holes between them and in any order. Only where the table
is cut off are frames read as they lie. Source: "Capture File Format" in Network Monitor 3.4's help.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import field
from struct import Struct
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from analyzer.capture.source import BATCH_BYTES, BATCH_FRAMES, PAD, Facts, ReadOptions
from analyzer.capture.window import LARGEST_FRAME, MAX_TIME_NS, frames_text, gather, note, size_text, stopped
from analyzer.capture.zones import parse_zone, start_ns
from analyzer.dataclass import dataclass
from analyzer.errors import CaptureError

HEADER = Struct("<4sBBH8HII")
FIRST_FRAME = 128  # the file header is padded to this
SPOOL_IN_MEMORY = 32 * 1024 * 1024
LARGEST_FILE = 2**32 + 2**28  # offsets have 32 bits; the table may follow the last frame
PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Shape:
    """How a frame lies in the file.

    Attributes:
        head: structure before the frame; has `captured` and `original`.
        tail: structure after the frame; None if there is none.
    """

    head: np.dtype[Any]
    tail: np.dtype[Any] | None

    @property
    def around(self) -> int:
        """Bytes of a frame's record that are not the frame."""
        return self.head.itemsize + (self.tail.itemsize if self.tail else 0)


@dataclass(slots=True)
class Header:
    """A Network Monitor file's header.

    Attributes:
        media: the file's media type; from 2.1 on each frame has its own.
        start: SYSTEMTIME at which the capture began, local time.
        table_at, table_bytes: where the frame table is.
    """

    major: int
    minor: int
    media: int
    start: tuple[int, ...]
    table_at: int
    table_bytes: int


@dataclass(slots=True)
class Records:
    """Some frames with their structures, valid until the next are asked for.

    Attributes:
        data: what `starts` points into.
        starts: offset of each frame's first byte.
        heads, tails: the structures around each frame; `tails` is None where the format has none.
        position: bytes of the file before the end of the last frame.
    """

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    heads: NDArray[Any]
    tails: NDArray[Any] | None
    position: int

    def __len__(self) -> int:
        return len(self.starts)


@dataclass(slots=True)
class Input:
    """A seekable file of known size; `error` says why it is shorter than it should be."""

    file: BinaryIO
    size: int
    error: CaptureError | None = None

    def read_at(self, at: int, target: memoryview) -> int:
        """Fill `target` from `at` on; fewer bytes only at the end of the file."""
        self.file.seek(at)
        done = 0
        while done < len(target):
            got = self.file.readinto(target[done:])  # type: ignore[attr-defined]
            if not got:
                break
            done += got
        return done


@contextmanager
def seekable(stream: BinaryIO) -> Iterator[Input]:
    """The stream itself if it can seek, else a copy of it: the frame table comes last but is needed first."""
    if stream.seekable():
        yield Input(stream, stream.seek(0, os.SEEK_END))
        return
    with SpooledTemporaryFile(SPOOL_IN_MEMORY) as spool:
        yield spooled(stream, cast(BinaryIO, spool))


def spooled(stream: BinaryIO, copy: BinaryIO) -> Input:
    """Copy the stream as far as it can be read."""
    size, error = 0, None
    try:
        while piece := stream.read(PIECE):
            size += len(piece)
            if size > LARGEST_FILE:
                raise CaptureError(f"more than {size_text(LARGEST_FILE)}: no Network Monitor file can be that long")
            copy.write(piece)
    except CaptureError as problem:
        error = problem
    except OSError as problem:
        error = CaptureError(f"reading failed at byte {size:,}: {problem.strerror}")
    return Input(copy, size, error)


def read_header(source: Input) -> Header:
    """Raise CaptureError if the file is shorter than its header."""
    raw = bytearray(HEADER.size)
    got = source.read_at(0, memoryview(raw))
    if got < len(raw):
        raise source.error or CaptureError(
            f"a Network Monitor file header has {FIRST_FRAME} bytes, this file has {got}"
        )
    _magic, minor, major, media, *rest = HEADER.unpack(raw)
    return Header(major, minor, media, tuple(rest[:8]), rest[8], rest[9])


def starting_time(header: Header, facts: Facts, options: ReadOptions) -> int:
    """When the capture began, in ns since 1970. Fill in whether that is a guess about the zone."""
    if header.minor < 3 or header.major < 2:
        facts.local_time = options.timezone is None
    start = start_ns(header.start, parse_zone(options.timezone))
    if start is None or not 0 <= start <= MAX_TIME_NS:
        note(facts, "the capture's start time is no date since 1970; times count from 1970")
        return 0
    return start


@dataclass(slots=True)
class TableReader:
    """Reads the frames of a file in the order of its table. Ends with CaptureError at damage.

    Attributes:
        source, header, shape, facts: what to read and how.
        count: frames given out so far.
        asked: bytes of frames given out so far, to notice a table that names the same bytes again and again.
    """

    source: Input
    header: Header
    shape: Shape
    facts: Facts
    count: int = 0
    asked: int = 0
    buffer: bytearray = field(default_factory=lambda: bytearray(BATCH_BYTES + 2 * LARGEST_FRAME + PAD))

    def __iter__(self) -> Iterator[Records]:
        """Raise CaptureError after the last good frame if the table or a frame cannot be true."""
        header, size = self.header, self.source.size
        if header.table_at + header.table_bytes > size or self.source.error:
            yield from self._without_table(min(size, max(header.table_at, FIRST_FRAME)))
            if self.source.error:
                raise stopped(self.source.error, self.count)
            raise CaptureError(
                f"the frame table at byte {header.table_at:,} needs {size_text(header.table_bytes)}, but the file ends at "
                f"byte {size:,}; {self.count:,} packets were read without it"
            )
        if header.table_bytes % 4:
            note(self.facts, f"the frame table's length, {header.table_bytes:,} bytes, is not a multiple of 4")
        for begin in range(0, header.table_bytes // 4, BATCH_FRAMES):
            raw = bytearray(4 * min(BATCH_FRAMES, header.table_bytes // 4 - begin))
            self.source.read_at(header.table_at + 4 * begin, memoryview(raw))
            yield from self._frames(np.frombuffer(raw, "<u4").astype(np.int64))

    def _frames(self, offsets: NDArray[np.int64]) -> Iterator[Records]:
        """The frames at these offsets, in as few batches as the buffer allows."""
        breaks = np.flatnonzero(np.diff(offsets) < 0) + 1
        at = 0
        while at < len(offsets):
            places: list[NDArray[np.int64]] = []
            used, begin = 0, at
            while at < len(offsets) and used < BATCH_BYTES:
                run_end = (
                    int(breaks[np.searchsorted(breaks, at, "right")])
                    if len(breaks) and at < breaks[-1]
                    else len(offsets)
                )
                room = BATCH_BYTES + LARGEST_FRAME - used
                run = offsets[at:run_end]
                run = run[: int(np.searchsorted(run, run[0] + room - LARGEST_FRAME, "right"))]
                got = self._load(run, used)
                places.append(run[: len(got)] - run[0] + used)
                at += len(got)
                used += int(got[-1]) if len(got) else 0
                if len(got) < len(run):
                    break
            if at > begin:
                yield self._records(np.concatenate(places), int(offsets[at - 1]))
            if at == begin or (at < len(offsets) and used < BATCH_BYTES):
                raise self._damaged(int(offsets[at]))

    def _load(self, run: NDArray[np.int64], used: int) -> NDArray[np.int64]:
        """Read a run of ascending frames into the buffer from `used` on.

        Return, for each frame up to the first damaged one, how many bytes of the run there are up to its end.
        """
        base, head = int(run[0]), self.shape.head.itemsize
        with memoryview(self.buffer) as view:
            want = int(run[-1]) - base + head
            got = self.source.read_at(base, view[used : used + want])
            relative = run - base
            relative = relative[relative + head <= got]
            if not len(relative):
                return relative
            array = np.frombuffer(self.buffer, np.uint8)
            captured = gather(array, relative + used, self.shape.head)["captured"].astype(np.int64)
            large = captured > LARGEST_FRAME
            count = int(large.argmax()) if large.any() else len(relative)
            ends = np.maximum.accumulate(relative[:count] + captured[:count] + self.shape.around)
            if count and int(ends[-1]) > got:
                got += self.source.read_at(base + got, view[used + got : used + int(ends[-1])])
            return ends[ends <= got]

    def _records(self, places: NDArray[np.int64], last: int) -> Records:
        array = np.frombuffer(self.buffer, np.uint8)
        heads = gather(array, places, self.shape.head)
        starts = places + self.shape.head.itemsize
        captured = heads["captured"].astype(np.int64)
        tails = gather(array, starts + captured, self.shape.tail) if self.shape.tail else None
        self.count += len(places)
        self.asked += int(captured.sum())
        if self.asked > 2 * self.source.size + LARGEST_FRAME:
            raise CaptureError(
                f"the frame table names the same bytes again and again; {frames_text(self.count - len(places))}"
            )
        return Records(array, starts, heads, tails, last + self.shape.around + int(captured[-1]))

    def _damaged(self, at: int) -> CaptureError:
        raw = bytearray(self.shape.head.itemsize)
        got = self.source.read_at(at, memoryview(raw))
        if got < len(raw):
            return CaptureError(
                f"the frame table names a frame at byte {at:,}, but the file ends at byte {self.source.size:,}; "
                f"{frames_text(self.count)}"
            )
        captured = int(np.frombuffer(raw, self.shape.head)["captured"][0])
        if captured > LARGEST_FRAME:
            why = f"claims {size_text(captured)}, more than any frame has ({LARGEST_FRAME:,})"
        else:
            left = self.source.size - at
            why = f"needs {size_text(captured + self.shape.around)} but {size_text(left)} remain"
        return CaptureError(f"frame at byte {at:,} {why}; {frames_text(self.count)}")

    def _without_table(self, end: int) -> Iterator[Records]:
        """The frames as they lie one after the other, up to the first that cannot be one."""
        head, around = self.shape.head, self.shape.around
        at, places = FIRST_FRAME, []
        raw = bytearray(head.itemsize)
        while at + around <= end and self.source.read_at(at, memoryview(raw)) == len(raw):
            one = np.frombuffer(raw, head)[0]
            captured = int(one["captured"])
            if captured > min(int(one["original"]), LARGEST_FRAME) or at + around + captured > end:
                break
            places.append(at)
            at += around + captured
            if len(places) == BATCH_FRAMES:
                yield from self._frames(np.array(places, np.int64))
                places = []
        if places:
            yield from self._frames(np.array(places, np.int64))
