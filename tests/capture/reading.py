"""Reads capture bytes to the end for the tests of this folder: what came out, and how it ended."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, cast

from analyzer.capture.source import PAD, Facts, Format, ReadOptions, open_capture, start_reading
from analyzer.errors import CaptureError


@dataclass
class Read:
    """Everything a reader gave: `data`, `times`, `originals`, `links` have one entry a frame; `error` is None at a clean end."""

    facts: Facts = field(default_factory=Facts)
    data: list[bytes] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    originals: list[int] = field(default_factory=list)
    links: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    error: str | None = None


class Pipe(io.RawIOBase):
    """Bytes that come a few at a time and cannot be sought in, as from a pipe."""

    def __init__(self, raw: bytes, piece: int) -> None:
        self._raw, self._piece, self._at = raw, piece, 0

    def readable(self) -> bool:
        return True

    def readinto(self, target: bytearray) -> int:  # type: ignore[override]
        some = self._raw[self._at : self._at + min(self._piece, len(target))]
        target[: len(some)] = some
        self._at += len(some)
        return len(some)


class Failing(Pipe):
    """A disk that fails at the end of the bytes, every time; `error` is what it raises."""

    def __init__(self, raw: bytes, piece: int, error: Exception | None = None) -> None:
        super().__init__(raw, piece)
        self._error = error or OSError(5, "Input/output error")

    def readinto(self, target: bytearray) -> int:  # type: ignore[override]
        if got := super().readinto(target):
            return got
        raise self._error


def read(raw: bytes, options: ReadOptions | None = None, *, piece: int = 0, form: Format | None = None) -> Read:
    """Read `raw` to its end: as a file, or `piece` bytes at a time; of the given format, or of the one that it looks like."""
    stream = cast(BinaryIO, Pipe(raw, piece)) if piece else io.BytesIO(raw)
    result = Read()
    choice = options or ReadOptions()
    try:
        batches = form.read(stream, result.facts, choice) if form else start_reading(stream, "x", result.facts, choice)
        for frames in batches:
            assert frames.first_frame == len(result.data) + 1
            assert (
                len(frames)
                == len(frames.captured)
                == len(frames.original)
                == len(frames.time_ns)
                == len(frames.link_type)
            )
            ends = frames.start + frames.captured
            assert not len(frames) or int(ends.max()) + PAD <= len(frames.data)
            for start, end in zip(frames.start.tolist(), ends.tolist(), strict=True):
                result.data.append(frames.data[start:end].tobytes())
            result.times += frames.time_ns.tolist()
            result.originals += frames.original.tolist()
            result.links += frames.link_type.tolist()
            result.positions.append(frames.position)
    except CaptureError as error:
        result.error = str(error)
    return result


@contextmanager
def file_of(raw: bytes, name: str = "x.cap") -> Iterator[str]:
    """A file with these bytes."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(raw)
        yield str(path)


def frames_in(path: str) -> int:
    """How many frames a file has. Raises CaptureError as the reader does."""
    with open_capture(path) as capture:
        return sum(len(frames) for frames in capture)
