"""What every capture format gives (`Frames`, `Facts`) and how a format is found (`Format`, `open_capture`)."""

from __future__ import annotations

import io
import os
import pkgutil
import stat
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import field
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from analyzer.capture.zones import parse_zone
from analyzer.dataclass import dataclass
from analyzer.errors import CaptureError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PAD = 128
"""Bytes there are at least after the last frame of a batch, so that vectorised header reads never run past the buffer.
What is in them means nothing: trust `captured`."""
BATCH_FRAMES = 32_768
"""At most this many frames a batch: their header columns stay in the processor's cache."""
BATCH_BYTES = 12 * 1024 * 1024
"""At most about this many bytes a batch (a single larger block makes its own batch). Measured on a bulk capture: with 8 MiB
it takes a twentieth longer, with 16 or 24 MiB as long and more memory."""
HEAD = 512
"""Bytes looked at to tell what a file is."""
NOT_A_PACKET = 0xFFFF
"""Link type of an entry that has a frame number in Wireshark but is no packet (a Network Monitor filter or event, a journal
entry in pcapng): it keeps the numbers right, and nothing in it is to be decoded."""


@dataclass(slots=True)
class Frames:
    """A batch of frames as columns. Valid until the reader is asked for the next batch: the buffer is reused.

    Attributes:
        data: the bytes that all frames lie in, followed by at least PAD more bytes.
        start: offset of each frame's first byte in `data`.
        captured: bytes of each frame that were captured.
        original: bytes of each frame on the wire; at least `captured`.
        time_ns: nanoseconds since 1970-01-01 UTC; what does not fit 64 bits is clamped and told in `Facts.notes`. Of an entry
            that is no packet it may mean nothing.
        link_type: LINKTYPE_* number (tcpdump.org) of each frame, or NOT_A_PACKET.
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

    def period(self) -> tuple[int, int] | None:
        """Earliest and latest time of its packets; None if there are none."""
        packets = self.link_type != NOT_A_PACKET
        times = self.time_ns if packets.all() else self.time_ns[packets]
        return (int(times.min()), int(times.max())) if len(times) else None


@dataclass(frozen=True, slots=True)
class Loss:
    """Packets lost between two statements of the capturing side, in nanoseconds since 1970."""

    begin_ns: int
    end_ns: int
    packets: int


MAX_LOSSES = 1_000
"""Stretches of loss that are remembered: connections older than these have long been decided."""


@dataclass(slots=True)
class Facts:
    """What is known about a capture besides its frames. The reader fills it while it reads.

    Attributes:
        format: e.g. "pcap", "pcapng", "Network Monitor 2.3".
        time_digits: decimal digits of a second that the time stamps carry (6 = microseconds); the most of all interfaces.
        local_time: the time stamps are local time of an unknown zone (Network Monitor before 2.3).
        snap_length: bytes at which the capture cut packets; None if it did not say, or did not cut.
        dropped: packets that the capturing side says it lost; None if it did not say.
        losses: when that was, as far as it is known: the latest MAX_LOSSES stretches.
        compressed: the file is gzip-compressed.
        skipped: frames in the file that are no packets (a Network Monitor filter or process block), reason -> count.
        notes: oddities worth telling, one line each.
    """

    format: str = ""
    time_digits: int = 6
    local_time: bool = False
    snap_length: int | None = None
    dropped: int | None = None
    losses: deque[Loss] = field(default_factory=lambda: deque(maxlen=MAX_LOSSES))
    compressed: bool = False
    skipped: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the user says about reading.

    Attributes:
        timezone: name or UTC offset of the zone of local time stamps ("Europe/Berlin", "+02:00"); None means UTC.
        prompt: give frames as soon as they are there instead of waiting for a full batch (a live source); blocks without a
            packet give an empty batch.
        via: "tshark": let it read the file, of whatever format; None: read it ourselves.
    """

    timezone: str | None = None
    prompt: bool = False
    via: str | None = None


@dataclass(frozen=True, slots=True)
class Format:
    """One capture format.

    Attributes:
        name: what a user calls it.
        sniff: True if a file that starts with these bytes (up to HEAD) is of this format.
        read: yields every frame in batches, fills the Facts, and raises CaptureError after the last good frame if the
            file is damaged. The stream may be unseekable (standard input, gzip).
    """

    name: str
    sniff: Callable[[bytes], bool]
    read: Callable[[BinaryIO, Facts, ReadOptions], Iterator[Frames]]


@dataclass(slots=True)
class Capture:
    """An open capture. Iterate it once; it closes itself at the end of the frames, and is a context manager as well.

    Attributes:
        name: as the user gave it; begins every CaptureError's message.
        facts: complete when the frames have been read.
        size: bytes of the file on disk, which `Frames.position` runs up to; None if it cannot be known (a pipe).
        frames: the batches. Raises CaptureError after the last good frame if the input is damaged.
    """

    name: str
    facts: Facts
    size: int | None
    frames: Iterator[Frames]
    stream: BinaryIO

    def __iter__(self) -> Iterator[Frames]:
        return self.frames

    def __enter__(self) -> Capture:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(self.frames, Generator):  # the reader may be reading ahead
            self.frames.close()
        self.close()

    def close(self) -> None:
        """Close the file. Standard input stays open."""
        if self.name != "-":
            self.stream.close()


def open_capture(path: str, options: ReadOptions | None = None) -> Capture:
    """Open a file, or standard input for "-", and find its format by its content; gzip is unpacked on the way.

    Raise CaptureError, which names the file, if it cannot be opened or is no capture that we read, and UsageError for a wrong
    time zone, or if tshark is wanted and not there.
    """
    if options and options.timezone:
        parse_zone(options.timezone)
    via = options.via if options else None
    try:
        stream, size = open_stream(path) if via is None else (open_converted(path), None)
    except OSError as error:
        raise CaptureError(f"{path}: cannot be opened: {error.strerror}") from None
    facts = Facts(notes=[] if via is None else [f"read through {via}"])
    try:
        frames = start_reading(stream, path, facts, options or ReadOptions())
    except OSError as error:
        stream.close()
        raise CaptureError(f"{path}: cannot be read: {error.strerror}") from None
    except CaptureError as error:
        stream.close()
        raise CaptureError(f"{path}: {error}") from None
    capture = Capture(path, facts, size, iter(()), stream)
    capture.frames = named(capture, frames)
    return capture


def named(capture: Capture, frames: Iterator[Frames]) -> Iterator[Frames]:
    """Put the capture's name before every error, and close it at the end."""
    try:
        yield from frames
    except CaptureError as error:
        raise CaptureError(f"{capture.name}: {error}") from None
    finally:
        capture.close()


def open_stream(path: str) -> tuple[BinaryIO, int | None]:
    """A raw stream, so that reading goes straight into our buffer, and its size if it is a file."""
    if path == "-":
        from analyzer.capture.pipes import Gathering

        standard = sys.stdin.buffer
        return cast(BinaryIO, Gathering(getattr(standard, "raw", standard))), None
    file = cast(BinaryIO, Path(path).open("rb", buffering=0))  # noqa: SIM115 - closed by Capture
    status = os.fstat(file.fileno())
    return file, status.st_size if stat.S_ISREG(status.st_mode) else None


def open_converted(path: str) -> BinaryIO:
    """What tshark makes of it."""
    from analyzer.wireshark.conversion import Converted

    return cast(BinaryIO, Converted(path))


def start_reading(stream: BinaryIO, name: str, facts: Facts, options: ReadOptions) -> Iterator[Frames]:
    """Find the format and begin to read. Raise CaptureError if there is none."""
    from analyzer.capture.strangers import describe

    head, stream = unpacked(stream, facts)
    for known in formats():
        if known.sniff(head):
            return known.read(stream, facts, options)
    raise CaptureError(describe(head, name))


def is_capture(stream: BinaryIO) -> bool:
    """Whether a file, perhaps gzip-compressed, starts as a capture does; also one that must be converted first."""
    from analyzer.capture.strangers import is_foreign_capture

    try:
        head, _stream = unpacked(stream, Facts())
    except CaptureError:
        return False
    return any(known.sniff(head) for known in formats()) or is_foreign_capture(head)


def unpacked(stream: BinaryIO, facts: Facts) -> tuple[bytes, BinaryIO]:
    """The first bytes behind gzip, and the stream from there on. Raise CaptureError for damaged gzip, and gzip in gzip."""
    from analyzer.capture.gunzip import MAGIC, Gunzip

    head = read_head(stream)
    stream = rewound(head, stream)
    if not head.startswith(MAGIC):
        return head, stream
    facts.compressed = True
    stream = cast(BinaryIO, Gunzip(stream))
    head = read_head(stream)
    if head.startswith(MAGIC):
        raise CaptureError("gzip inside gzip. Unpack it once with gunzip")
    return head, rewound(head, stream)


def formats() -> Iterator[Format]:
    """The FORMAT of every file beside this one that has one, pcap first: it is the likeliest."""
    folder = import_module("analyzer.capture").__path__
    names = [module.name for module in pkgutil.iter_modules(folder) if not module.ispkg]
    for name in sorted(names, key=lambda name: (not name.startswith("pcap"), name)):
        known = getattr(import_module(f"analyzer.capture.{name}"), "FORMAT", None)
        if isinstance(known, Format):
            yield known


def read_head(stream: BinaryIO) -> bytes:
    """Up to HEAD bytes; a raw stream may give them in pieces."""
    head = b""
    while len(head) < HEAD and (piece := stream.read(HEAD - len(head))):
        head += piece
    return head


def rewound(head: bytes, stream: BinaryIO) -> BinaryIO:
    """The stream from its beginning again, after `head` was read from it."""
    if stream.seekable():
        stream.seek(0)
        return stream
    return cast(BinaryIO, Rewound(head, stream))


class Rewound(io.RawIOBase):
    """A stream that cannot seek, with the bytes that were read to tell what it is put back before the rest.

    Attributes:
        packed_position: as of the stream behind it; None if that is not compressed.
    """

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head, self._stream = head, stream

    @property
    def packed_position(self) -> int | None:
        position = getattr(self._stream, "packed_position", None)
        return position if isinstance(position, int) else None

    def readable(self) -> bool:
        return True

    def readinto(self, target: WriteableBuffer) -> int | None:
        """What is there now, straight from the stream once its first bytes are used up."""
        if not self._head:
            got: int | None = self._stream.readinto(target)  # type: ignore[attr-defined]
            return got
        with memoryview(target).cast("B") as view:
            count = min(len(view), len(self._head))
            view[:count] = self._head[:count]
        self._head = self._head[count:]
        return count
