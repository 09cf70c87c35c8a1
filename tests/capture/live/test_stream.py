"""The stream that the reader reads: limits, signs of time, the copy, the end."""

from __future__ import annotations

import errno
import io
from typing import BinaryIO, cast

import pytest

from analyzer.capture.live import blocks
from analyzer.capture.live.stream import PACE, Limits, LiveStream
from tests.capture.live.sources import HEADER, Clock, Played

ONE = blocks.packet(1, b"abcd", 4)


def stream(source: Played, limits: Limits | None = None, copy: BinaryIO | None = None) -> LiveStream:
    clock = Clock()
    return LiveStream(source, limits or Limits(), clock, clock.sleep, copy)


def read_all(live: LiveStream, size: int = 1000) -> bytes:
    buffer, out = bytearray(size), b""
    while got := live.readinto(buffer):
        out += buffer[:got]
        if out.endswith(blocks.TICK * 3):
            live.stop()
    return out


def test_silence_gives_ticks_until_the_stop_and_the_rest_comes_after_it() -> None:
    source = Played([HEADER, ONE, b""], after_stop=[ONE])
    assert read_all(stream(source)) == HEADER + ONE + blocks.TICK * 3 + ONE
    assert source.stopped


def test_a_small_buffer_is_filled_piece_by_piece() -> None:
    live = stream(Played([HEADER, ONE]), Limits(packets=1))
    assert read_all(live, 7) == HEADER + ONE


@pytest.mark.parametrize("packets", [1, 2, 3])
def test_so_many_packets_and_no_more(packets: int) -> None:
    live = stream(Played([HEADER, ONE + ONE, ONE + ONE + ONE]), Limits(packets=packets))
    assert read_all(live) == HEADER + ONE * packets
    assert live.packets == packets


def test_so_many_seconds() -> None:
    source = Played([HEADER])
    assert read_all(stream(source, Limits(seconds=2))).startswith(HEADER)
    assert source.stopped


@pytest.mark.parametrize(("large", "rests"), [(False, 3), (True, 2)], ids=["small batches", "one is large"])
def test_packets_gather_for_a_moment_but_not_when_there_are_many(large: bool, rests: int) -> None:
    clock = Clock()
    batch = blocks.packet(1, bytes(2000), 2000) * 1100 if large else ONE
    live = LiveStream(Played([HEADER, batch, ONE]), Limits(packets=1101 if large else 2), clock, clock.sleep)
    read_all(live, 1 << 22)
    assert clock.slept == pytest.approx(rests * PACE)


def test_a_source_that_never_comes_to_its_end_is_left_after_a_while() -> None:
    source = Played([HEADER], after_stop=[ONE] * 1000)
    assert read_all(stream(source)).count(ONE) < 10


def test_the_copy_has_what_was_captured_and_no_ticks() -> None:
    copy = io.BytesIO()
    read_all(stream(Played([HEADER, ONE], after_stop=[ONE]), copy=copy))
    assert copy.getvalue() == HEADER + ONE + ONE


class Kept(io.BytesIO):
    """Can be read after it was closed."""

    done = False

    def close(self) -> None:
        self.done = True


class Full(Kept):
    """A disk with room for so many bytes."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self._room = room

    def write(self, data: object) -> int:
        piece = bytes(cast(memoryview, data))[: self._room]
        if not piece:
            raise OSError(errno.ENOSPC, "No space left on device")
        self._room -= len(piece)
        return super().write(piece)


def test_a_full_disk_ends_the_copy_at_a_whole_block_and_the_capture_goes_on() -> None:
    copy = Full(len(HEADER) + len(ONE) + 5)
    live = stream(Played([HEADER, ONE, ONE, ONE]), Limits(packets=3), cast(BinaryIO, copy))
    assert read_all(live) == HEADER + ONE * 3
    assert copy.getvalue() == HEADER + ONE
    assert live.problem == f"No space left on device; it ends after {len(HEADER + ONE)} bytes"


class Asking(Played):
    """Asks for another copy when it is read for the second and the fourth time."""

    live: LiveStream
    reads = 0

    def read(self, timeout: float) -> bytes | None:
        """See Source."""
        self.reads += 1
        if self.reads in (2, 4):
            self.live.reopen()
        return super().read(timeout)

    def renew(self) -> tuple[bytes, bytes]:
        """See Source."""
        return LAST, HEADER


LAST = blocks.statistics(7, 1, 0)


def test_a_copy_that_goes_on_in_another_file_is_two_whole_captures_and_the_reader_misses_nothing() -> None:
    files = [Kept(), Kept(), Kept(b"what was there")]
    rest = iter(files[1:])
    source = Asking([HEADER, ONE, ONE, ONE, ONE])
    live = LiveStream(source, Limits(packets=4), clock := Clock(), clock.sleep, files[0], lambda: next(rest))
    source.live = live
    assert read_all(live) == HEADER + ONE + LAST + HEADER + ONE + ONE + LAST + HEADER + ONE
    assert [file.getvalue() for file in files] == [
        HEADER + ONE + LAST,
        HEADER + ONE + ONE + LAST,
        b"what was there" + HEADER + ONE,
    ]
    assert [file.done for file in files] == [True, True, False]


def test_a_copy_that_stays_where_it_is_goes_on_without_a_new_section() -> None:
    copy, source = io.BytesIO(), Asking([HEADER, ONE, ONE])
    source.live = LiveStream(source, Limits(packets=2), clock := Clock(), clock.sleep, copy, lambda: None)
    assert read_all(source.live) == copy.getvalue() == HEADER + ONE + ONE


def test_a_copy_that_ended_on_a_full_disk_begins_again_in_another_file() -> None:
    full, other, source = Full(len(HEADER) + 5), io.BytesIO(), Asking([HEADER, ONE, ONE])
    again = [cast(BinaryIO, other)]
    source.live = LiveStream(source, Limits(packets=2), clock := Clock(), clock.sleep, cast(BinaryIO, full), again.pop)
    read_all(source.live)
    assert (full.getvalue(), other.getvalue()) == (HEADER, HEADER + ONE)
    assert source.live.problem is not None


def test_closing_gives_the_engine_back_once() -> None:
    source = Played([])
    live = stream(source)
    live.close()
    live.close()
    assert source.closed
