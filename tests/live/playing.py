"""Captures played into a live run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from analyzer.capture.live import blocks
from analyzer.capture.live.stream import Limits, LiveStream
from analyzer.capture.source import open_capture
from analyzer.live.run import LiveRun
from analyzer.live.taps import Tap, Taps
from tests.capture.live.sources import Clock, Played

AT_ONCE = 40
"""Packets of a batch."""


def pieces(path: Path) -> Iterator[bytes]:
    """A capture as an engine gives it: an interface whenever the link type changes, then packets."""
    link = None
    with open_capture(str(path)) as capture:
        for batch in capture:
            for at in range(len(batch)):
                when, start, size = int(batch.time_ns[at]), int(batch.start[at]), int(batch.captured[at])
                if link != (link := int(batch.link_type[at])):
                    yield blocks.header("test0", link, 262_144)
                yield blocks.packet(when, batch.data[start : start + size].tobytes(), int(batch.original[at]))


def played(capture: Path | list[bytes], tap: Tap, told: list[str] | None = None) -> LiveRun:
    """A live run over a capture, or its pieces, with a tap."""
    every, clock = list(pieces(capture)) if isinstance(capture, Path) else capture, Clock()
    batches = [b"".join(every[at : at + AT_ONCE]) for at in range(0, len(every), AT_ONCE)]
    stream = LiveStream(Played(batches), Limits(seconds=1000), clock, clock.sleep)
    lines = told if told is not None else []
    return LiveRun(["test0"], stream=stream, now_ns=lambda: 1_000_000_000, taps=Taps([tap], lines.append))
