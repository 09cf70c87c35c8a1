"""Counts packets of an input, whatever becomes of them: packets = decoded + the sum of the reasons, exactly."""

from __future__ import annotations

from collections import Counter

from analyzer.capture.inputs import Input
from analyzer.capture.source import Facts, Frames
from analyzer.connection import Connection
from analyzer.findings import Comparison, Finding
from analyzer.packets.columns import Decoded
from analyzer.summary import Amendment, CaptureSummary
from analyzer.tracker import Tracker

MAX_PORTS = 1_024
"""Ports counted apart; a scan of all of them must not fill the memory."""
BUSIEST = 20
"""Ports named in the summary."""


class Tally:
    """Adds up one input.

    Attributes:
        files: (number of the first frame, file) of each file begun; more than one in a ring.
        error: why the input could not be read to its end; None if it could.
    """

    def __init__(self, one: Input) -> None:
        self._input = one
        self._facts: list[Facts] = []
        self._frames_before = 0
        self._ports: Counter[tuple[str, int]] = Counter()
        self._reasons: Counter[str] = Counter()
        self._packets = self._bytes = self._decoded = self._cut = 0
        self._first_ns: int | None = None
        self._last_ns: int | None = None
        self._connections = self._tls = self._one_sided = 0
        self.files: tuple[tuple[int, str], ...] = ()
        self.error: str | None = None

    def begin(self, path: str, facts: Facts) -> None:
        """The next file of the input."""
        self._facts.append(facts)
        self._frames_before = self._packets
        self.files = (*self.files, (self._packets + 1, path))

    def end(self) -> None:
        """The file is over; skipped frames of its format are no packets and count nowhere."""

    def number(self, frames: Frames) -> None:
        """Frame numbers go on across the files of a ring: to be done before a batch is decoded."""
        frames.first_frame += self._frames_before

    def count(self, frames: Frames, decoded: Decoded) -> None:
        """One batch."""
        self._packets += len(frames)
        self._bytes += int(frames.captured.sum())
        self._decoded += decoded.tcp + decoded.icmp_frames
        self._reasons.update(decoded.reasons)
        self._cut += int((frames.captured < frames.original).sum())
        self._ports.update(decoded.ports)
        if len(self._ports) > MAX_PORTS:
            self._ports = Counter(dict(self._ports.most_common(MAX_PORTS // 2)))
        if (period := frames.period()) is not None:
            first, last = period
            self._first_ns = first if self._first_ns is None else min(self._first_ns, first)
            self._last_ns = last if self._last_ns is None else max(self._last_ns, last)

    def see(self, conn: Connection) -> None:
        """A connection of the capture, whether it is reported or not."""
        self._tls += conn.tls

    def report(self, conn: Connection) -> None:
        """A connection that is reported, one by one or counted."""
        self._connections += 1
        self._one_sided += conn.visibility.one_sided is not None

    def report_counted(self, count: int) -> None:
        """Connections of which nothing was made but a number."""
        self._connections += count

    @property
    def time_digits(self) -> int:
        """Decimal digits of a second that the capture has, as far as it was read."""
        return max((facts.time_digits for facts in self._facts), default=6)

    def summary(
        self,
        tracker: Tracker | None,
        amendments: tuple[Amendment, ...],
        findings: tuple[Finding, ...] = (),
        comparisons: tuple[Comparison, ...] = (),
    ) -> CaptureSummary:
        """Everything added up."""
        facts = self._facts
        dropped = [f.dropped for f in facts if f.dropped is not None]
        snap = [f.snap_length for f in facts if f.snap_length is not None]
        notes = [note for f in facts for note in f.notes]
        notes += [f"{count:,} frames are no packets: {what}" for f in facts for what, count in f.skipped.items()]
        if any(f.local_time for f in facts):
            notes.append("the time stamps are local time; read as UTC unless --timezone says otherwise")
        return CaptureSummary(
            capture=self._input.name,
            files=tuple(self._input.files),
            format=facts[0].format if facts else "",
            packets=self._packets,
            bytes=self._bytes,
            decoded=self._decoded,
            reasons=dict(sorted(self._reasons.items())),
            connections=self._connections,
            tcp_streams=tracker.table.opened if tracker else 0,
            tls_connections=self._tls,
            first_ns=self._first_ns,
            last_ns=self._last_ns,
            time_digits=self.time_digits,
            ports=dict(sorted(self._ports.items(), key=lambda known: (-known[1], known[0]))[:BUSIEST]),
            snap_length=min(snap, default=None),
            dropped=sum(dropped) if dropped else None,
            cut_packets=self._cut,
            one_sided=self._one_sided,
            evicted=tracker.table.evictions if tracker else 0,
            findings=findings,
            amendments=amendments,
            comparisons=comparisons,
            notes=tuple(notes),
            error=self.error,
        )
