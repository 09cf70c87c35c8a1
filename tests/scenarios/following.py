"""Tell a story to the code: packets -> batches of any size -> `Tracker` -> records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from analyzer.capture.source import Frames
from analyzer.connection import Connection
from analyzer.folding.case import Setting
from analyzer.packets.columns import Decoded, Segments
from analyzer.packets.decode import Decoder
from analyzer.tracker import Tracker
from tests.build import frames as build
from tests.build.pcap import Packet
from tests.build.tcp import Tcp
from tests.scenarios import STORIES, Story

SETTING = Setting(capture="story.pcap", ports=frozenset({443, 5061}), known_ports=frozenset({443, 636, 5061}))


def packets_of(source: str | Tcp | Sequence[Packet]) -> list[Packet]:
    """Of a story by name, of a talk, or as they are."""
    if isinstance(source, str):
        story = Story()
        STORIES[source](story)
        return story.packets
    return list(source.packets if isinstance(source, Tcp) else source)


def batches(packets: Sequence[Packet], size: int | None = None) -> Iterator[Frames]:
    """Batches of `size` frames; all in one by default. The next one overwrites the buffer, as a reader does."""
    step = size or max(1, len(packets))
    for at in range(0, len(packets), step):
        some = packets[at : at + step]
        frames = build.batch(
            [packet.data for packet in some], times=[packet.time_ns for packet in some], first_frame=at + 1
        )
        frames.original = np.array([packet.wire_length for packet in some], np.int64)
        frames.data = frames.data.copy()
        yield frames
        frames.data[:] = 0xA5


def decoded(packets: Sequence[Packet], size: int | None = None) -> Iterator[tuple[Decoded, int]]:
    """Decoded batches, with the latest time in each."""
    decoder = Decoder()
    for frames in batches(packets, size):
        yield decoder.feed(frames), int(frames.time_ns.max())


def segments(packets: Sequence[Packet]) -> Segments:
    """All in one batch. (The buffer stays as it is.)"""
    return next(decoded(packets))[0].segments


def track(
    source: str | Tcp | Sequence[Packet], size: int | None = None, setting: Setting = SETTING, limit: int = 50_000
) -> tuple[Tracker, list[Connection]]:
    """The tracker, and every connection it reported, in order."""
    tracker = Tracker(setting, limit)
    found = [conn for batch, now in decoded(packets_of(source), size) for conn in tracker.feed(batch, now)]
    return tracker, found + list(tracker.finish())


def follow(
    source: str | Tcp | Sequence[Packet], size: int | None = None, setting: Setting = SETTING
) -> list[Connection]:
    """Every connection reported, in order. Bugs of ours are not contained here."""
    tracker, found = track(source, size, setting)
    for crash in tracker.crashes:
        raise crash.error
    return found


def only(source: str | Tcp | Sequence[Packet], size: int | None = None, setting: Setting = SETTING) -> Connection:
    """The one connection there is."""
    found = follow(source, size, setting)
    assert len(found) == 1, [conn.stream for conn in found]
    return found[0]
