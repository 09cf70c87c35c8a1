"""The stream that the reader reads: limits, signs of time, the copy, the end."""

from __future__ import annotations

import errno
import io
from typing import BinaryIO, cast

import pytest

from analyzer.capture.live import blocks
from analyzer.capture.live.stream import Limits, LiveStream
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


def test_a_source_that_never_comes_to_its_end_is_left_after_a_while() -> None:
    source = Played([HEADER], after_stop=[ONE] * 1000)
    assert read_all(stream(source)).count(ONE) < 10


def test_the_copy_has_what_was_captured_and_no_ticks() -> None:
    copy = io.BytesIO()
    read_all(stream(Played([HEADER, ONE], after_stop=[ONE]), copy=copy))
    assert copy.getvalue() == HEADER + ONE + ONE


class Full(io.BytesIO):
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


def test_closing_gives_the_engine_back_once() -> None:
    source = Played([])
    live = stream(source)
    live.close()
    live.close()
    assert source.closed
