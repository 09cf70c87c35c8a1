"""`Window`: the reused buffer that every format reads its input through, and what formats share about columns.

The input is read in large pieces and never mapped: mapped pages count as memory in use, a capture may be larger than that,
and a file that is cut while it is mapped ends the process. The next piece is read while this one is worked on.
"""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from analyzer.capture.ahead import Ahead
from analyzer.capture.source import BATCH_BYTES, PAD, Facts
from analyzer.errors import CaptureError

MARGIN = 1024 * 1024
"""Room before a piece that is read ahead, for what is left of the piece before it."""
PATIENCE = 1
"""Seconds to wait for a piece that nobody wants any more."""
MAX_TIME_NS = 2**63 - 1
TIMES_CLAMPED = "some time stamps lie before 1970 or after 2262 and were set to that limit"
LARGEST_FRAME = 262_144
"""libpcap's largest snapshot length, and the largest frame that Wireshark reads. A larger one is damage, not a frame."""


class Window:
    """A stretch of the input in memory. Bytes `start` to `end` of `buffer` are there and not consumed.

    Attributes:
        array: reused memory; it grows only with bytes that are really there. buffer: the same as a memoryview.
        start, end: the stretch; a reader moves `start` on.
        offset: place in the input of `buffer[0]`.
        error: why the stream stopped before its end; None if it did not. Raise it after the last whole frame.
    """

    def __init__(self, stream: BinaryIO, *, prompt: bool = False, size: int = BATCH_BYTES) -> None:
        self._stream = stream
        self._prompt = prompt
        self._ended = False
        self._ahead: Ahead | None = None
        self._room = MARGIN + size + PAD
        self._spare = np.empty(0, np.uint8)
        self._use(np.empty(min(MARGIN, size) + PAD, np.uint8))  # all that a small capture needs
        self.start = self.end = self.offset = 0
        self.error: CaptureError | None = None

    @property
    def place(self) -> int:
        """Offset in the (unpacked) input of the first byte that is not consumed."""
        return self.offset + self.start

    @property
    def left(self) -> int:
        """Bytes that are there and not consumed."""
        return self.end - self.start

    @property
    def position(self) -> int:
        """Bytes of the input consumed so far, for progress: of a compressed input, the compressed ones."""
        packed = getattr(self._stream, "packed_position", None)
        return packed if isinstance(packed, int) else self.place

    def have(self, need: int) -> bool:
        """Read on until at least `need` bytes are there. False if the input ends before."""
        return self.left >= need or self.refill(need)

    def refill(self, need: int = 1) -> bool:
        """Move what is left to the front and fill up the buffer. True if `need` bytes are there then.

        Frames made from the buffer before are no longer valid.
        """
        self._turn_over()
        while not self._ended and (self.left < need or not (self._full or self._prompt)):
            if self._full:
                self._grow()
            self._read()
        if self._full and not self._ended and not self._prompt:
            if len(self._spare) < self._room:
                self._spare = np.empty(self._room, np.uint8)
            self._ahead = Ahead(self._take, self._spare[:-PAD].data, MARGIN)
        return self.left >= need

    def close(self) -> None:
        """Wait for what is being read ahead: afterwards the stream may be closed."""
        if self._ahead is not None:
            self._ahead.wait(PATIENCE)

    @property
    def _full(self) -> bool:
        return self.end == len(self.buffer) - PAD

    def _turn_over(self) -> None:
        """Go on in the piece that was read ahead, with what is left put before it."""
        ahead, self._ahead = self._ahead, None
        end = MARGIN if ahead is None else ahead.wait()
        if end == MARGIN:
            self._to_front()
            return
        left, array, begin = self.left, self._spare, MARGIN
        if left > begin:  # a block larger than any packet
            array = np.concatenate((np.empty(left - begin, np.uint8), array))
            begin, end = left, end + left - begin
        array[begin - left : begin] = self.array[self.start : self.end]
        self.offset += self.start - (begin - left)
        self.start, self.end = begin - left, end
        self._spare = self.array
        self._use(array)

    def _to_front(self) -> None:
        left = self.left
        if self.start:
            self.array[:left] = self.array[self.start : self.end]
            self.offset += self.start
            self.start, self.end = 0, left

    def _take(self, target: memoryview) -> int | None:
        # The stream is a raw one: readinto gives what is there now, and 0 only at the end.
        got: int | None = self._stream.readinto(target)  # type: ignore[attr-defined]
        return got

    def _read(self) -> None:
        try:
            got = self._take(self.buffer[self.end : -PAD])
        except CaptureError as error:
            self.error, got = error, 0
        except OSError as error:
            said = f"reading failed at byte {self.offset + self.end:,}: {error.strerror}"
            self.error, got = CaptureError(said), 0
        self.end += got or 0
        self._ended = not got

    def _grow(self) -> None:
        self._to_front()
        if self._full:
            self._use(np.concatenate((self.array, np.empty_like(self.array))))

    def _use(self, array: NDArray[np.uint8]) -> None:
        self.array, self.buffer = array, array.data


def gather(array: NDArray[np.uint8], starts: NDArray[np.int64], layout: np.dtype[Any]) -> NDArray[Any]:
    """The structures of `layout` that begin at each of `starts`, copied out in one go. All must lie within `array`."""
    # As plain bytes: numpy copies structures field by field.
    every = np.ndarray((len(array) - layout.itemsize + 1,), f"V{layout.itemsize}", array.data, strides=(1,))
    return every[starts].view(layout)


def note_cuts(facts: Facts, captured: NDArray[np.int64], original: NDArray[np.int64]) -> None:
    """Keep the snapshot length: the longest frame that was cut."""
    cut = captured < original
    if cut.any():
        facts.snap_length = max(facts.snap_length or 0, int(captured[cut].max()))


def note(facts: Facts, line: str) -> None:
    """Keep an oddity once, however often it occurs."""
    if line not in facts.notes:
        facts.notes.append(line)


def size_text(count: int) -> str:
    """A byte count for people: "212 bytes", "4.1 GB"."""
    if count < 1_000_000:
        return f"{count:,} bytes" if count != 1 else "1 byte"
    return f"{count / 1e6:.1f} MB" if count < 1_000_000_000 else f"{count / 1e9:.1f} GB"


def stopped(error: CaptureError, count: int) -> CaptureError:
    """Why the stream stopped, after so many frames."""
    return CaptureError(f"{error}; {frames_text(count)}")


def frames_text(count: int) -> str:
    """What was read before the damage, to end an error message with."""
    return f"{count:,} {'packet' if count == 1 else 'packets'} before it {'was' if count == 1 else 'were'} read"
