"""Standard output as a pipe: read, not read, and closed."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator

import pytest

from analyzer.cli.live.pipe import Pipe, is_pipe
from analyzer.cli.live.stopping import Ending

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot wait for a pipe")
LINES = b'{"n":1}\n' * 40_000


class Asked:
    """An end that is asked for, and at once late."""

    def __init__(self) -> None:
        self.stops = 0
        self.now = 0.0
        self.ending = Ending(self.stop, lambda: self.now)

    def stop(self) -> None:
        self.stops += 1


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    both = os.pipe()
    yield both
    for end in both:
        try:
            os.close(end)
        except OSError:
            continue


def test_a_reader_gets_everything(ends: tuple[int, int]) -> None:
    told: list[str] = []
    pipe, got = Pipe(ends[1], Asked().ending, told.append), bytearray()

    def read() -> None:
        while piece := os.read(ends[0], 999):
            got.extend(piece)

    reader = threading.Thread(target=read)
    reader.start()
    assert pipe.write(LINES) == len(LINES)
    pipe.close()
    os.close(ends[1])
    reader.join(10)
    assert (bytes(got) == LINES, pipe.lost_lines, told) == (True, 0, [])


def test_without_a_reader_the_end_comes_and_the_loss_is_told(ends: tuple[int, int]) -> None:
    told: list[str] = []
    asked = Asked()
    pipe = Pipe(ends[1], asked.ending, told.append)
    asked.ending.ask()
    asked.now = 10
    pipe.write(LINES)
    first = pipe.lost_lines
    pipe.write(LINES)
    pipe.close()
    assert 0 < first < 40_000
    assert pipe.lost_lines == first + 40_000
    assert told == [
        f"standard output: nobody reads it; {pipe.lost_lines:,} lines were lost, the first one perhaps in part"
    ]


def test_a_reader_that_goes_away_is_noticed_though_nothing_is_written(ends: tuple[int, int]) -> None:
    asked = Asked()
    pipe = Pipe(ends[1], asked.ending, lambda line: None)
    pipe.tick(0)
    assert asked.stops == 0
    os.close(ends[0])
    pipe.tick(0)
    pipe.tick(0)
    assert asked.stops == 1
    with pytest.raises(BrokenPipeError):
        pipe.write(LINES)


def test_what_is_a_pipe(ends: tuple[int, int]) -> None:
    assert is_pipe(ends[1])
    with open(os.devnull, "wb") as other:  # noqa: PTH123
        assert not is_pipe(other.fileno())
