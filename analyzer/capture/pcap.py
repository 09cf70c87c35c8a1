"""libpcap files: what tcpdump writes. Both byte orders, micro- and nanoseconds, and Kuznetzov's modified form.

Source: draft-ietf-opsawg-pcap. A file is a header of 24 bytes and then records: time, two lengths, bytes. Nothing says where
the next record is but the length of this one, so one tight loop walks the records, and numpy does everything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from struct import Struct
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from analyzer.capture.rhythm import RUN, Lengths, Rhythm, context_of
from analyzer.capture.source import BATCH_FRAMES, Facts, Format, Frames, ReadOptions
from analyzer.capture.window import LARGEST_FRAME, Window, gather, note, note_cuts, size_text, stopped
from analyzer.dataclass import dataclass
from analyzer.errors import CaptureError

FILE_HEADER = 24
LENGTH_AT = 8  # the captured length, in a record header

MAGICS: dict[bytes, tuple[str, int, int]] = {
    bytes.fromhex("a1b2c3d4"): (">", 6, 16),
    bytes.fromhex("d4c3b2a1"): ("<", 6, 16),
    bytes.fromhex("a1b23c4d"): (">", 9, 16),
    bytes.fromhex("4d3cb2a1"): ("<", 9, 16),
    bytes.fromhex("a1b2cd34"): (">", 6, 24),
    bytes.fromhex("34cdb2a1"): ("<", 6, 24),
}
"""First four bytes -> byte order, decimal digits of a second, bytes of a record header.

Kuznetzov's records (a1b2cd34) carry interface, protocol and packet type after the four usual fields.
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the records of one file look.

    Attributes:
        header: bytes of a record header.
        length: reads the captured length at a given place. rhythm: remembers how lengths follow each other.
        fields: the four fields that all forms have.
        unit_ns: nanoseconds in one unit of the fraction of a second.
        link_type: LINKTYPE_* number of every frame.
    """

    header: int
    length: Struct
    rhythm: Rhythm
    fields: np.dtype[Any]
    unit_ns: int
    link_type: int


def read(stream: BinaryIO, facts: Facts, options: ReadOptions) -> Iterator[Frames]:
    """Yield every whole record in batches; then raise CaptureError if the file is cut or a length is a lie."""
    with closing(Window(stream, prompt=options.prompt)) as window:
        yield from read_records(window, facts)


def read_records(window: Window, facts: Facts) -> Iterator[Frames]:
    """The same through this window."""
    layout = read_header(window, facts)
    number = 1
    damage: str | None = None
    while damage is None:
        starts = walk(window, layout)
        if not len(starts):
            needed = layout.header
            if window.left >= needed:
                needed += layout.length.unpack_from(window.buffer, window.start + LENGTH_AT)[0]
            if needed - layout.header <= LARGEST_FRAME and window.refill(needed):
                continue
            if not window.left and window.error is None:
                return
            damage = what_is_wrong(window, needed, layout.header)
            break
        columns = gather(window.array, starts, layout.fields)
        whole, damage = check(columns, window, starts)
        for batch in batches(columns[:whole], starts[:whole], layout, window):
            batch.first_frame = number
            number += len(batch)
            note_cuts(facts, batch.captured, batch.original)
            yield batch
    raise stopped(window.error or CaptureError(damage), number - 1)


def read_header(window: Window, facts: Facts) -> Layout:
    """Raise CaptureError if the file is shorter than its header."""
    if not window.have(FILE_HEADER):
        raise window.error or CaptureError(f"a pcap file header has {FILE_HEADER} bytes, this file has {window.left}")
    order, digits, header = MAGICS[bytes(window.buffer[:4])]
    major, minor, _zone, _figures, _snap, network = Struct(order + "HHiIII").unpack_from(window.buffer, 4)
    window.start += FILE_HEADER
    facts.format = "pcap" if header == 16 else "pcap (modified)"
    facts.time_digits = digits
    if major != 2:
        note(facts, f"pcap version {major}.{minor}, read as 2.4")
    fields = np.dtype([(name, order + "u4") for name in ("seconds", "fraction", "captured", "original")])
    # The upper bits of the network field say whether frames end with a checksum; the link type is in the lower 16.
    return Layout(header, Struct(order + "I"), Rhythm(header, order), fields, 10 ** (9 - digits), network & 0xFFFF)


def walk(window: Window, layout: Layout) -> NDArray[np.int64]:
    """Offsets of the records that lie whole in the window. The largest single cost of a large capture: keep it tight."""
    header, rhythm = layout.header, layout.rhythm
    at, last = window.start + LENGTH_AT, window.end - (header - LENGTH_AT)
    parts: list[NDArray[np.int64]] = []
    recent: Lengths = ()
    buffer = window.buffer
    while at <= last:
        context = context_of(recent)
        guess = rhythm.after(context)
        if guess is not None and at + guess.reach <= last:
            lengths = guess.read(buffer, at)
            if lengths == guess.lengths:
                parts.append(guess.array)
                at += guess.span
                recent = lengths
                continue
            lengths = lengths[: guess.agreeing(lengths) + 1]  # the first that differs is the file's as well
        else:
            lengths = _one_by_one(buffer, at, last, layout)
            rhythm.learn(context, lengths)
        parts.append(np.array(lengths, np.int64))
        at += sum(lengths) + header * len(lengths)
        recent = (recent + lengths)[-RUN:]
    steps = np.concatenate(parts) + header if parts else np.zeros(0, np.int64)
    if at - LENGTH_AT > window.end:
        steps = steps[:-1]
    starts: NDArray[np.int64] = np.cumsum(steps) - steps + window.start
    return starts


def _one_by_one(buffer: memoryview, at: int, last: int, layout: Layout) -> Lengths:
    """The lengths of the next records whose headers are there, at most RUN of them."""
    unpack, header = layout.length.unpack_from, layout.header
    found: list[int] = []
    while at <= last and len(found) < RUN:
        length: int = unpack(buffer, at)[0]
        found.append(length)
        at += length + header
    return tuple(found)


def check(columns: NDArray[Any], window: Window, starts: NDArray[np.int64]) -> tuple[int, str | None]:
    """How many records come before the first that is too large to be one, and what to say about that one."""
    large = columns["captured"] > LARGEST_FRAME
    if not large.any():
        return len(columns), None
    at = int(large.argmax())
    size = int(columns["captured"][at])
    place = window.offset + int(starts[at])
    return at, f"record at byte {place:,} claims {size_text(size)}, more than any frame has ({LARGEST_FRAME:,})"


def what_is_wrong(window: Window, needed: int, header: int) -> str:
    """Say why the record at the window's start cannot be read."""
    if needed - header > LARGEST_FRAME:
        size = size_text(needed - header)
        return f"record at byte {window.place:,} claims {size}, more than any frame has ({LARGEST_FRAME:,})"
    return f"record at byte {window.place:,} needs {size_text(needed)} but {size_text(window.left)} remain"


def batches(columns: NDArray[Any], starts: NDArray[np.int64], layout: Layout, window: Window) -> Iterator[Frames]:
    """Cut a window's records into batches."""
    for begin in range(0, len(columns), BATCH_FRAMES):
        some = columns[begin : begin + BATCH_FRAMES]
        start = starts[begin : begin + BATCH_FRAMES] + layout.header
        captured = some["captured"].astype(np.int64)
        window.start = int(start[-1] + captured[-1])
        yield Frames(
            data=window.array,
            start=start,
            captured=captured,
            original=np.maximum(some["original"].astype(np.int64), captured),
            time_ns=some["seconds"].astype(np.int64) * 1_000_000_000
            + some["fraction"].astype(np.int64) * layout.unit_ns,
            link_type=np.full(len(some), layout.link_type, np.uint16),
            first_frame=0,
            position=window.position,
        )


FORMAT = Format("pcap", lambda head: head[:4] in MAGICS, read)
