"""Live traffic through the same pipeline as files: `LiveRun`.

An idle interface gives empty batches, so that connections are decided although no packet follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field
from typing import BinaryIO, cast

from analyzer.capture import pcapng
from analyzer.capture.inputs import Input
from analyzer.capture.live.stream import LiveStream
from analyzer.capture.source import Capture, Facts, Frames, ReadOptions, named
from analyzer.connection import Connection
from analyzer.dataclass import dataclass
from analyzer.folding.conversation import Conversation
from analyzer.live.taps import Taps
from analyzer.losses import SILENCE_NS
from analyzer.packets.columns import Decoded
from analyzer.pipeline import Analysis, Options, Run, Unjudged
from analyzer.repeats import Repeats
from analyzer.report.output import Item
from analyzer.summary import CaptureSummary, Repeated
from analyzer.tracker import Tracker

LATENESS_NS = 1_000_000_000
"""Packets may reach us so long after their time stamp; silence is only believed after that."""
TICK_NS = 1_000_000_000
"""How often taps are told the time."""
LOOK_NS = 5_000_000_000
"""How often all connections are looked at for that."""
TELL_NS = 60_000_000_000
"""How often the counts of what repeats are told, unless the run says otherwise."""


@dataclass(slots=True, kw_only=True)
class LiveRun(Run):
    """One capture from an interface; `paths` is what to call it. Iterate it once.

    Attributes:
        stream: what to read. now_ns: tells the time.
        on_loss: called with the packets lost since the last call and in all.
        taps: what else looks on. repeats: what is only counted; None = floods, as in a file.
        tell_ns: how often the counts of that are told; None = at the end.
        late: the end was asked for, and the time for reports is over.
        untold: connections that were still followed then, about: they are only counted.
        relayed: another program captures: time is that of its packets, whatever the clocks of its machine and of ours.
    """

    stream: LiveStream
    now_ns: Callable[[], int]
    on_loss: Callable[[int, int], None] | None = None
    taps: Taps = field(default_factory=Taps)
    repeats: Repeats | None = None
    tell_ns: int | None = TELL_NS
    late: Callable[[], bool] = lambda: False
    untold: int = 0
    relayed: bool = False

    def __iter__(self) -> Iterator[Item]:
        """Items until the stream ends; see Run."""
        analysis = LiveAnalysis(self)
        for item in self._noting(analysis):
            if isinstance(item, CaptureSummary):
                self.taps.end(item)
            yield item
        self._take(analysis.errors, analysis.crashes)


class OutOfTime(Exception):
    """The run has to end now."""


class LiveAnalysis(Analysis):
    """As Analysis, of the stream of a run."""

    def __init__(self, run: LiveRun) -> None:
        name = run.paths[0]
        options: Options = run.options
        super().__init__(Input(name, (name,)), options, run.progress)
        self._run = run
        self._repeats = run.repeats or self._repeats
        self._looked_ns = self._ticked_ns = self._told_ns = self._behind_ns = 0
        self._batch: Frames | None = None

    def __iter__(self) -> Iterator[Item]:
        """As Analysis; where there is no time left, what is decided by then, and the summary."""
        try:
            yield from super().__iter__()
        except OutOfTime:
            tracker = self._following
            assert tracker is not None
            self._run.untold += self._undecided()
            self._tally.end()
            yield from self._counted(tracker)
            yield from self._lost(self._losses.rest())
            yield self._tally.summary(tracker, self._history.amendments(), self._across(), self._history.beside.later())

    def _undecided(self) -> int:
        """Connections that are followed now. Looks at all that are kept: not for every packet."""
        table = self._following.table if self._following is not None else ()
        return sum(isinstance(flow.owner, Conversation) for flow in table)

    def _open(self, path: str) -> Capture:
        facts = Facts()
        stream = cast(BinaryIO, self._run.stream)
        frames = pcapng.read(stream, facts, ReadOptions(prompt=True))
        capture = Capture(path, facts, None, iter(()), stream)
        capture.frames = self._noticing(named(capture, frames), facts)
        return capture

    def _noticing(self, frames: Iterator[Frames], facts: Facts) -> Iterator[Frames]:
        """The same, telling of time and losses."""
        known, traffic = 0, self._run.taps.traffic
        for batch in frames:
            clock_ns = self._run.now_ns()
            if self._run.relayed and len(batch):
                self._behind_ns = clock_ns - int(batch.time_ns[-1])
            now_ns = clock_ns - self._behind_ns
            traffic.packets += len(batch)
            traffic.bytes += int(batch.captured.sum())
            lost = (facts.dropped or 0) - known
            if lost > 0:
                known += lost
                if self._run.on_loss is not None:
                    self._run.on_loss(lost, known)
                self._run.taps.lost(lost)
            if abs(clock_ns - self._ticked_ns) >= TICK_NS:  # the clock may have been set back
                self._ticked_ns = clock_ns
                traffic.followed = self._undecided()
                self._run.taps.tick(clock_ns)
            self._batch = batch
            yield batch
            if self._run.late():
                return
            if len(batch) and abs(now_ns - self._looked_ns) >= LOOK_NS:
                yield _nothing(batch)  # where traffic never rests, no empty batch comes by itself

    def _watch(self, decoded: Decoded) -> None:
        super()._watch(decoded)
        if self._batch is not None:
            self._run.taps.packets(self._batch, decoded)

    def _while_idle(self, tracker: Tracker) -> Iterator[Unjudged]:
        now_ns = self._run.now_ns() - self._behind_ns - LATENESS_NS
        yield from self._lost(self._losses.take(now_ns))
        yield from tracker.idle(now_ns)
        if abs(now_ns - self._looked_ns) >= LOOK_NS:  # the clock may have been set back
            self._looked_ns = now_ns
            yield from tracker.hung(now_ns, SILENCE_NS)
        if self._run.tell_ns is not None and abs(now_ns - self._told_ns) >= self._run.tell_ns:
            self._told_ns = now_ns
            yield from self._counted(tracker)

    def _flooded(self, tracker: Tracker) -> Iterator[Repeated]:
        for repeated in super()._flooded(tracker):
            self._run.taps.traffic.counted += repeated.count
            self._run.taps.end(repeated)
            yield repeated

    def _judged(self, conn: Connection) -> Iterator[Item]:
        if self._run.late():
            self._run.untold += 1
            raise OutOfTime
        yield from super()._judged(conn)
        keep = self.options.keep
        if keep is None or keep(conn):
            self._run.taps.see(conn)


def _nothing(batch: Frames) -> Frames:
    """An empty batch."""
    none = slice(0, 0)
    return Frames(
        data=batch.data,
        start=batch.start[none],
        captured=batch.captured[none],
        original=batch.original[none],
        time_ns=batch.time_ns[none],
        link_type=batch.link_type[none],
        first_frame=batch.first_frame + len(batch),
        position=batch.position,
    )
