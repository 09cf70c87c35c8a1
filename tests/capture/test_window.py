"""The window shows the input's bytes in order, however they come, also when the next piece is fetched ahead."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.capture import window as window_module
from analyzer.capture.source import PAD
from analyzer.capture.window import Window
from analyzer.errors import CaptureError
from tests.capture.reading import Failing, Pipe

SMALL = 64
"""Bytes of the margin before a piece, in these tests."""


@pytest.fixture(autouse=True)
def _small_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window_module, "MARGIN", SMALL)


def taken(window: Window, sizes: Iterator[int]) -> bytes:
    """Everything that the window shows, consumed in blocks of these sizes; each block is whole in memory at once."""
    found = b""
    for size in sizes:
        there = window.have(size)
        assert window.place == len(found)
        some = bytes(window.buffer[window.start : window.start + min(size, window.left)])
        assert window.array[window.start : window.start + len(some)].tobytes() == some
        assert len(window.buffer) >= window.end + PAD
        found += some
        window.start += len(some)
        if not there:
            break
    return found


@given(
    data=st.binary(max_size=3_000),
    piece=st.integers(1, 500),
    size=st.integers(1, 300),
    blocks=st.lists(st.integers(1, 700), min_size=1, max_size=8),
    fails=st.booleans(),
)
def test_every_byte_is_shown_once_and_in_order(
    data: bytes, piece: int, size: int, blocks: list[int], fails: bool
) -> None:
    def again() -> Iterator[int]:
        while True:
            yield from blocks

    stream = Failing(data, piece) if fails else Pipe(data, piece)
    with closing(Window(cast(BinaryIO, stream), size=size)) as window:
        assert taken(window, again()) == data
        assert (window.error is not None) is fails
        if window.error:
            assert str(window.error) == f"reading failed at byte {len(data):,}: Input/output error"


def test_the_error_of_a_damaged_stream_comes_after_its_last_good_byte() -> None:
    damaged = Failing(bytes(range(250)) * 9, 100, CaptureError("the gzip stream is cut after 7 bytes"))
    with closing(Window(cast(BinaryIO, damaged), size=200)) as window:
        assert taken(window, iter([90] * 40)) == bytes(range(250)) * 9
        assert str(window.error) == "the gzip stream is cut after 7 bytes"


def test_a_small_capture_takes_little_memory() -> None:
    with closing(Window(io.BytesIO(bytes(100_000)))) as window:
        assert window.have(100_000)
        assert len(window.array) < 2 * 100_000


def test_nothing_is_fetched_ahead_of_a_live_source() -> None:
    stream = Pipe(bytes(5_000), 5_000)
    window = Window(cast(BinaryIO, stream), prompt=True, size=500)
    assert window.have(500)
    window.close()
    assert stream._at <= len(window.buffer)


def test_who_stops_early_may_close_the_file_at_once() -> None:
    """The thread that fetches ahead is waited for: a file's number may be another file's a moment later."""

    class Slow(io.BytesIO):
        reading = False

        def readinto(self, target: bytearray) -> int:  # type: ignore[override]
            self.reading = True
            pause.wait(0.05)
            got = super().readinto(target)
            self.reading = False
            return got

    pause, stream = threading.Event(), Slow(bytes(5_000))
    with closing(Window(stream, size=500)) as window:
        assert window.have(1)
    assert not stream.reading
