"""A pipe that is read ahead: every byte comes, in order, and no more of them wait than there is room for."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterator
from io import FileIO
from typing import BinaryIO, cast

import pytest

from analyzer.capture.live.backlog import AT_ONCE, Backlog

PATIENCE = 10.0


class Pipe:
    """A pipe with somebody who writes into it."""

    def __init__(self, size: int) -> None:
        reading, self.writing = os.pipe()
        self.file = FileIO(reading)
        self.backlog = Backlog(cast(BinaryIO, self.file), size)
        self._thread: threading.Thread | None = None
        self.written = 0

    def write(self, data: bytes, pieces: random.Random) -> None:
        """In pieces of any size, from a thread; then the end."""

        def work() -> None:
            left = memoryview(data)
            while left:
                self.written += (got := os.write(self.writing, left[: pieces.randint(1, 3_000)]))
                left = left[got:]
            os.close(self.writing)

        self._thread = threading.Thread(target=work)
        self._thread.start()

    def wait(self) -> None:
        """Until everything is written."""
        if self._thread is not None:
            self._thread.join(PATIENCE)

    def finish(self) -> None:
        self.wait()
        self.backlog.close()
        self.file.close()


@pytest.fixture
def small() -> Iterator[Pipe]:
    """One with room for 10,000 bytes."""
    pipe = Pipe(10_000)
    yield pipe
    pipe.finish()


def test_everything_comes_in_order_and_then_the_end(small: Pipe) -> None:
    pieces = random.Random(5)
    data = pieces.randbytes(1_000_000)
    small.write(data, pieces)
    got = bytearray()
    while (part := small.backlog.take(PATIENCE)) is not None:
        assert part, "it came in time"
        assert len(part) <= 10_000
        got += part
    assert bytes(got) == data
    assert small.backlog.take(0) is None


def test_nothing_comes_of_a_silent_pipe(small: Pipe) -> None:
    assert small.backlog.take(0.01) == b""
    os.write(small.writing, b"one")
    assert small.backlog.take(PATIENCE) == b"one"
    os.close(small.writing)
    assert small.backlog.take(PATIENCE) is None


def test_who_writes_more_than_there_is_room_for_waits(small: Pipe) -> None:
    small.write(bytes(1_000_000), random.Random(5))
    before, until = -1, time.monotonic() + PATIENCE
    while small.written != before:  # until nothing moves any more
        before = small.written
        time.sleep(0.2)
        assert time.monotonic() < until
    assert 0 < before < 500_000, "the pipe's own room, and ours"
    while small.backlog.take(PATIENCE) is not None:
        pass
    assert small.written == 1_000_000


def test_it_can_be_left_while_it_waits_for_room(small: Pipe) -> None:
    os.write(small.writing, bytes(30_000))
    os.close(small.writing)
    time.sleep(0.1)
    small.backlog.close()
    assert not [thread for thread in threading.enumerate() if thread.daemon and "_pump" in thread.name]


def test_a_large_backlog_is_given_out_in_parts() -> None:
    pipe = Pipe(3 * AT_ONCE)
    pipe.write(bytes(2 * AT_ONCE + 5), random.Random(5))
    pipe.wait()
    parts = []
    while (part := pipe.backlog.take(PATIENCE)) is not None:
        parts.append(len(part))
    pipe.finish()
    assert (sum(parts), max(parts)) == (2 * AT_ONCE + 5, AT_ONCE)
