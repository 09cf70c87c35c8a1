"""Microsoft Network Monitor 1.x files ("RTSS"): one media type a file, milliseconds from a local start time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from analyzer.capture.netmon_media import link_types
from analyzer.capture.netmon_table import Input, Shape, TableReader, read_header, seekable, starting_time
from analyzer.capture.source import Facts, Format, Frames, ReadOptions
from analyzer.capture.window import MAX_TIME_NS, note_cuts
from analyzer.errors import CaptureError

HEAD = np.dtype([("millis", "<u4"), ("original", "<u2"), ("captured", "<u2")])
MILLISECOND_NS = 1_000_000


def read(stream: BinaryIO, facts: Facts, options: ReadOptions) -> Iterator[Frames]:
    """Yield the frames in the order of the frame table; then raise CaptureError if the file is cut or the table lies."""
    with seekable(stream) as source:
        yield from read_source(source, facts, options)


def read_source(source: Input, facts: Facts, options: ReadOptions) -> Iterator[Frames]:
    """The same, from a file that can be sought in."""
    header = read_header(source)
    facts.format = f"Network Monitor {header.major}.{header.minor}"
    if header.major != 1:
        raise CaptureError(f"Network Monitor file version {header.major}.{header.minor} in a 1.x file; readable: 1.x")
    facts.time_digits = 3
    start = min(starting_time(header, facts, options), MAX_TIME_NS - 2**32 * MILLISECOND_NS)
    (link_type,) = link_types(np.array([header.media], np.int64), facts)
    number = 1
    for records in TableReader(source, header, Shape(HEAD, None), facts):
        captured = records.heads["captured"].astype(np.int64)
        original = np.maximum(records.heads["original"].astype(np.int64), captured)
        note_cuts(facts, captured, original)
        yield Frames(
            data=records.data,
            start=records.starts,
            captured=captured,
            original=original,
            time_ns=records.heads["millis"].astype(np.int64) * MILLISECOND_NS + start,
            link_type=np.full(len(records), link_type, np.uint16),
            first_frame=number,
            position=records.position,
        )
        number += len(records)


FORMAT = Format("Network Monitor 1.x", lambda head: head[:4] == b"RTSS", read)
