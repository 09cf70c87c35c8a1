"""What every capture format gives (`Frames`, `Facts`) and how a format is found (`Format`, `open_capture`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

PAD = 128
"""Zero bytes after the last frame of a batch, so that vectorised header reads never run past the buffer."""
BATCH_FRAMES = 32_768
"""At most this many frames a batch: their header columns stay in the processor's cache."""
BATCH_BYTES = 32 * 1024 * 1024
"""At most about this many bytes a batch (a single larger frame makes its own batch)."""


@dataclass(slots=True)
class Frames:
    """A batch of frames as columns. Valid until the reader is asked for the next batch: the buffer is reused.

    Attributes:
        data: the bytes that all frames lie in, followed by at least PAD more bytes.
        start: offset of each frame's first byte in `data`.
        captured: bytes of each frame that were captured.
        original: bytes of each frame on the wire; at least `captured`.
        time_ns: nanoseconds since 1970-01-01 UTC; what does not fit 64 bits is clamped and told in `Facts.notes`.
        link_type: LINKTYPE_* number (tcpdump.org) of each frame.
        first_frame: number of the first frame, counted from 1 as in Wireshark.
        position: bytes of the input consumed so far, for progress.
    """

    data: NDArray[np.uint8]
    start: NDArray[np.int64]
    captured: NDArray[np.int64]
    original: NDArray[np.int64]
    time_ns: NDArray[np.int64]
    link_type: NDArray[np.uint16]
    first_frame: int
    position: int = 0

    def __len__(self) -> int:
        return len(self.start)


@dataclass(slots=True)
class Facts:
    """What is known about a capture besides its frames. The reader fills it while it reads.

    Attributes:
        format: e.g. "pcap", "pcapng", "Network Monitor 2.3".
        time_digits: decimal digits of a second that the time stamps carry (6 = microseconds); the most of all interfaces.
        local_time: the time stamps are local time of an unknown zone (Network Monitor before 2.3).
        snap_length: bytes at which the capture cut packets; None if it did not say, or did not cut.
        dropped: packets that the capturing side says it lost; None if it did not say.
        compressed: the file is gzip-compressed.
        skipped: frames in the file that are no packets (a Network Monitor filter or process block), reason -> count.
        notes: oddities worth telling, one line each.
    """

    format: str = ""
    time_digits: int = 6
    local_time: bool = False
    snap_length: int | None = None
    dropped: int | None = None
    compressed: bool = False
    skipped: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the user says about reading.

    Attributes:
        timezone: name or UTC offset of the zone of local time stamps ("Europe/Berlin", "+02:00"); None means UTC.
    """

    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class Format:
    """One capture format.

    Attributes:
        name: what a user calls it.
        sniff: True if a file that starts with these bytes (up to 64) is of this format.
        read: yields every frame in batches, fills the Facts, and raises CaptureError after the last good frame if the
            file is damaged. The stream may be unseekable (standard input, gzip).
    """

    name: str
    sniff: Callable[[bytes], bool]
    read: Callable[[BinaryIO, Facts, ReadOptions], Iterator[Frames]]
