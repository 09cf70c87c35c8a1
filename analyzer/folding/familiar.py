"""Which conversations went alike: both directions stand at places that are known (tls/flights.py), nothing was lost, and the
packets came in the same order. Nearly all connections of a capture do; `retelling` says what comes of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from analyzer.connection import Side
from analyzer.dataclass import dataclass
from analyzer.folding.conversation import Conversation
from analyzer.folding.half import Half
from analyzer.folding.unread import speaks_late
from analyzer.tls.flights import Place
from analyzer.tls.messages import (
    ChangeCipherSpec,
    ClientHello,
    Event,
    Handshake,
    OpaqueRecord,
    ServerHello,
)

MAX_SCRIPTS, MAX_LAYOUTS = 4_096, 64
"""Remembered at most: places, and segmentations of one place."""
MAX_ORDERED = 4_096
"""Segments and ends of which the order is told."""

Key = tuple[object, ...]
Layout = tuple[tuple[int, ...], tuple[int, ...], int]
"""Of each event: numbers of the first and the last segment that carry it. Then a number that no other layout has."""

_number = count(1)


class Script:
    """What a direction has said at a place.

    Attributes:
        starts, ends: where each event lies in the stream.
        hello: side whose hello comes first; None if there is none.
        numbers: message type -> number of its event.
        clear_end: offset behind the last message in clear. layouts: by the starts of the segments.
    """

    __slots__ = ("clear_end", "ends", "hello", "layouts", "numbers", "starts")

    def __init__(self, events: Sequence[Event]) -> None:
        spans = [event.span for event in events if isinstance(event, Handshake | OpaqueRecord | ChangeCipherSpec)]
        self.starts = [span.start for span in spans]
        self.ends = [span.end for span in spans]
        self.numbers: dict[int, int] = {}
        self.clear_end = 0
        for number, event in enumerate(events):
            if isinstance(event, Handshake):
                self.numbers.setdefault(event.type, number)
                self.clear_end = event.span.end
        first = events[0] if events and len(spans) == len(events) else None
        body = first.body if isinstance(first, Handshake) else None
        hellos = sum(isinstance(e, Handshake) and isinstance(e.body, ClientHello | ServerHello) for e in events)
        self.hello: Side | None = None
        if hellos == 1 and isinstance(body, ClientHello | ServerHello):
            self.hello = Side.CLIENT if isinstance(body, ClientHello) else Side.SERVER
        self.layouts: dict[tuple[int, ...], Layout] = {}

    def layout(self, segments: tuple[int, ...]) -> Layout:
        """Which segments carry each event; `segments`: where each starts."""
        known = self.layouts.get(segments)
        if known is None:
            if len(self.layouts) >= MAX_LAYOUTS:
                self.layouts.clear()
            low = tuple(_segment_of(segments, start) for start in self.starts)
            high = tuple(_segment_of(segments, end - 1) for end in self.ends)
            known = self.layouts[segments] = low, high, next(_number)
        return known


def _segment_of(segments: tuple[int, ...], at: int) -> int:
    return max(number for number, start in enumerate(segments) if start <= at)


@dataclass(slots=True)
class Telling:
    """One direction of this conversation: its script, the frames and times of its segments, and their layout."""

    script: Script
    frames: tuple[int, ...]
    times: tuple[int, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]
    layout: int

    def where(self, number: int) -> tuple[tuple[int, ...], int]:
        """Frames that carry an event, and when it was there."""
        low, high = self.low[number], self.high[number]
        if low == high:
            return (self.frames[low],), self.times[low]
        return self.frames[low : high + 1], max(self.times[low : high + 1])


@dataclass(slots=True)
class Likeness:
    """How a conversation went, as far as others can have gone the same way.

    Attributes:
        key: equal keys = the same was said in the same order. client: the client's direction.
    """

    key: Key
    client: int
    tellings: tuple[Telling, Telling]


_scripts: dict[Place, Script] = {}


def likeness(conversation: Conversation) -> Likeness | None:
    """None if this conversation is one to be read in full: not closed, something lost, cut, odd, TLS 1.3 ..."""
    if conversation.tls13 or conversation.ignored or not conversation.ends:
        return None
    halves = conversation.halves
    first, second = _telling(halves[0], conversation.settled), _telling(halves[1], conversation.settled)
    if first is None or second is None or first.script.hello is second.script.hello:
        return None
    order = _order(conversation, (first, second))
    if order is None:
        return None
    client = 0 if first.script.hello is Side.CLIENT else 1
    tellings = (first, second) if client == 0 else (second, first)
    opened = tuple([(half.syn_frame is not None, half.opened, speaks_late(conversation, half)) for half in halves])
    how = tuple([(end.direction, end.how) for end in conversation.ends])
    # a layout has one script, and that one place
    key = client, first.layout, second.layout, opened, how, conversation.settled, order
    return Likeness(key, client, tellings)


def _telling(half: Half, settled: bool) -> Telling | None:
    assembler, stream = half.assembler, half.stream
    if assembler is None or stream is None or half.truncated:
        return None
    place = stream.last_place if settled else stream.place
    if place is None or assembler.holes or assembler.conflicts or assembler.expected < 0:  # something waits
        return None
    script = _scripts.get(place)
    if script is None:
        if len(_scripts) >= MAX_SCRIPTS:
            _scripts.clear()
        script = _scripts[place] = Script(half.events)
    if script.hello is None:
        return None
    starts, frames, times, _ = zip(*assembler.segments, strict=True)  # a column costs a third of a list comprehension
    if list(frames) != sorted(frames):
        return None
    return Telling(script, frames, times, *script.layout(starts))


def _order(conversation: Conversation, tellings: tuple[Telling, Telling]) -> tuple[int, ...] | None:
    """In which order everything came. None if there is too much. Of one frame its SYN is first, then its payload."""
    frames: list[int] = []
    for half, telling in zip(conversation.halves, tellings, strict=True):
        if half.syn_frame is not None:
            frames.append(half.syn_frame)
        frames += telling.frames
        if half.tail is not None and speaks_late(conversation, half):
            frames.append(half.tail[0])
    frames += [end.frame for end in conversation.ends]
    return tuple(sorted(range(len(frames)), key=frames.__getitem__)) if len(frames) <= MAX_ORDERED else None
