"""Microsoft Network Monitor 2.x files ("GMBU"): what Network Monitor 2 and 3 write.

From 2.1 on each frame ends with its media type, from 2.2 on with a process too, from 2.3 on with its time in UTC; before
that times count from the start of the capture, which is local time of a zone that the file does not name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from analyzer.capture.netmon_events import PACKET_AT, packets_in_events
from analyzer.capture.netmon_media import ATM, WIFI, link_types
from analyzer.capture.netmon_table import (
    Header,
    Input,
    Records,
    Shape,
    TableReader,
    read_header,
    seekable,
    starting_time,
)
from analyzer.capture.source import Facts, Format, Frames, ReadOptions
from analyzer.capture.window import MAX_TIME_NS, TIMES_CLAMPED, note, note_cuts
from analyzer.errors import CaptureError

HEAD = np.dtype([("micros", "<u8"), ("original", "<u4"), ("captured", "<u4")])
MEDIA, PROCESS = ("media", "<u2"), ("process", "<u4")
TAILS: dict[int, np.dtype[Any] | None] = {0: None, 1: np.dtype([MEDIA]), 2: np.dtype([MEDIA, PROCESS])}
TAIL_2_3 = np.dtype([MEDIA, PROCESS, ("filetime", "<u8"), ("zone", "u1")])

FILETIME_1970 = 116_444_736_000_000_000  # 100 ns units from 1601 to 1970
ATM_HEADER = 12  # two addresses, VPI and VCI before each ATM packet

SKIPPED: dict[int, str] = {
    0xFFFC: "netmon-reassembled-payload",
    0xFFFD: "netmon-network-info",
    0xFFFE: "netmon-dns-cache",
}
"""Media types of entries to which Wireshark gives no frame number."""


def read(stream: BinaryIO, facts: Facts, options: ReadOptions) -> Iterator[Frames]:
    """Yield the frames in the order of the frame table; then raise CaptureError if the file is cut or the table lies."""
    with seekable(stream) as source:
        yield from read_source(source, facts, options)


def read_source(source: Input, facts: Facts, options: ReadOptions) -> Iterator[Frames]:
    """The same, from a file that can be sought in."""
    header = read_header(source)
    facts.format = f"Network Monitor {header.major}.{header.minor}"
    if header.major != 2:
        raise CaptureError(f"Network Monitor file version {header.major}.{header.minor}; readable: 1.x and 2.x")
    facts.time_digits = 7 if header.minor >= 3 else 6
    shape = Shape(HEAD, TAILS.get(header.minor, TAIL_2_3))
    start = starting_time(header, facts, options)
    reader = TableReader(source, header, shape, facts)
    number = 1
    for records in reader:
        frames = columns(records, header, start, facts)
        if len(frames):
            frames.first_frame = number
            number += len(frames)
            note_cuts(facts, frames.captured, frames.original)
            yield frames


def columns(records: Records, header: Header, start: int, facts: Facts) -> Frames:
    """The frames that have a number."""
    media = (
        np.full(len(records), header.media, np.int64)
        if records.tails is None
        else records.tails["media"].astype(np.int64)
    )
    keep = np.ones(len(records), np.bool_)
    for code, reason in SKIPPED.items():
        here = (media == code) & (records.tails is not None)
        if here.any():
            facts.skipped[reason] = facts.skipped.get(reason, 0) + int(here.sum())
            keep &= ~here
    heads = records.heads[keep]
    tails = None if records.tails is None else records.tails[keep]
    starts, captured, original = (
        records.starts[keep],
        heads["captured"].astype(np.int64),
        heads["original"].astype(np.int64),
    )
    link_type = link_types(media[keep], facts)
    skip = np.minimum(own_headers(records.data, starts, captured, media[keep]), captured)
    original = np.maximum(original, captured) - skip
    events, sizes, links = packets_in_events(records.data, starts, captured, media[keep])
    captured -= skip
    skip[events], link_type[events] = PACKET_AT, links
    captured[events] = original[events] = sizes
    if len(events):
        note(facts, "packets of netsh trace were taken out of the events that hold them")
    return Frames(
        data=records.data,
        start=starts + skip,
        captured=captured,
        original=original,
        time_ns=times(heads, tails, start, facts),
        link_type=link_type,
        first_frame=0,
        position=records.position,
    )


def own_headers(
    data: NDArray[np.uint8], starts: NDArray[np.int64], captured: NDArray[np.int64], media: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Bytes before each frame that Network Monitor put there."""
    skip = np.where(media == ATM, ATM_HEADER, 0)
    wifi = np.flatnonzero((media == WIFI) & (captured >= 3))
    # A version byte, then the length of the whole header.
    skip[wifi] = data[starts[wifi] + 1].astype(np.int64) | data[starts[wifi] + 2].astype(np.int64) << 8
    return skip


def times(heads: NDArray[Any], tails: NDArray[Any] | None, start: int, facts: Facts) -> NDArray[np.int64]:
    """Nanoseconds since 1970; what does not fit is clamped, and told in the notes."""
    # Microseconds times ten, taken as a signed number: a frame can be a little earlier than the start.
    ticks = (heads["micros"] * np.uint64(10)).astype(np.int64)
    first, last = -(start // 100), (MAX_TIME_NS - start) // 100
    base = start
    if tails is not None and "filetime" in (tails.dtype.names or ()):
        stamped = tails["filetime"] != 0
        utc = np.minimum(tails["filetime"], np.uint64(MAX_TIME_NS)).astype(np.int64) - FILETIME_1970
        ticks = np.where(stamped, utc, np.clip(ticks, first, last) + start // 100)
        first, last, base = 0, MAX_TIME_NS // 100, 0
    fitting = np.clip(ticks, first, last)
    if (fitting != ticks).any():
        note(facts, TIMES_CLAMPED)
    result: NDArray[np.int64] = fitting * 100 + base
    return result


FORMAT = Format("Network Monitor 2.x", lambda head: head[:4] == b"GMBU", read)
