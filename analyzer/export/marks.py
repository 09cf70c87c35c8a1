"""What a written capture says and keeps: comments of frames, and which packets belong to the connections reported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import field

from analyzer.connection import Connection, Side
from analyzer.dataclass import dataclass
from analyzer.export.beside import Beside
from analyzer.findings import Finding
from analyzer.folding.identity import flow_key
from analyzer.report import safe
from analyzer.report.frames import culprits
from analyzer.report.ladder import facts
from analyzer.report.output import Item
from analyzer.summary import CaptureSummary

SIGN = "mtlscope: "
"""Begins every comment, so that a reader knows who says so: `frame.comment contains "mtlscope"`."""
MAX_COMMENT = 2_000
MAX_COMMENTS = 50
"""Comments of one frame; a frame of a flood of tiny messages must not outgrow its block."""
_DATA = "ApplicationData"
_PLAIN = frozenset({_DATA, "SYN", "SYN-ACK", "FIN"})
"""Steps that need no comment: Wireshark says as much."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A connection whose packets are to be written.

    Attributes:
        key: its four-tuple (grouping.KEY). first, last: its first and last frame.
        until: last frame of its handshake; the same as `last` if that never ended.
        frames: later frames that matter as well: alerts, ends, what findings point to.
    """

    key: bytes
    first: int
    last: int
    until: int
    frames: frozenset[int]

    def handshake(self, frame: int, flags_matter: bool) -> bool:
        """Is this frame of the connection one of its handshake? `flags_matter`: it has SYN, FIN or RST."""
        return frame <= self.until or flags_matter or frame in self.frames


@dataclass(slots=True)
class Marks:
    """What is to be written of one input.

    Attributes:
        comments: frame -> what is said about it, in order; without SIGN.
        wanted: four-tuple -> its connections that were reported.
        frames: frames to keep besides those of connections (ICMP errors that quote one, findings across connections).
        icmp: of these, the ICMP errors.
        beside: what findings were told from beside TLS.
    """

    comments: dict[int, list[str]] = field(default_factory=dict)
    wanted: dict[bytes, list[Wanted]] = field(default_factory=dict)
    frames: set[int] = field(default_factory=set)
    icmp: set[int] = field(default_factory=set)
    beside: Beside = field(default_factory=Beside)

    def add(self, conn: Connection) -> None:
        """Note one connection."""
        frames = [f for f in reach(conn) if f is not None]
        if not frames:
            return
        key = flow_key(conn.client_ip, conn.client_port, conn.server_ip, conn.server_port)
        last = max(frames)
        wanted = Wanted(key, min(frames), last, _until(conn, last), frozenset(_later(conn)))
        self.wanted.setdefault(key, []).append(wanted)
        self.beside.add(conn, wanted.first, last)
        self.icmp.update(error.frame for error in conn.icmp)
        for frame, text in (*_verdicts(conn), *_messages(conn)):
            self.say(frame, text)

    def add_summary(self, summary: CaptureSummary) -> None:
        """Note the findings across connections. In a ring their frames are not known."""
        for finding in summary.findings:
            if finding.frames:
                self.frames.update(finding.frames)
                self.say(finding.frames[0], _verdict(finding))

    def say(self, frame: int, text: str) -> None:
        """Comment a frame."""
        said = self.comments.setdefault(frame, [])
        text = safe.line(text, unicode=False)
        if len(text) > MAX_COMMENT:
            text = f"{text[: MAX_COMMENT - 4]} ..."
        if len(said) < MAX_COMMENTS and text not in said:
            said.append(text)


@dataclass(slots=True)
class Collector:
    """The marks of every file, collected while the items pass by. `marks`: file in which a connection began -> its marks;
    their frames are counted through the files of a ring."""

    marks: dict[str, Marks] = field(default_factory=dict)

    def watch(self, items: Iterable[Item]) -> Iterator[Item]:
        """The same items."""
        for item in items:
            if isinstance(item, Connection):
                self.marks.setdefault(item.capture, Marks()).add(item)
            elif isinstance(item, CaptureSummary):
                self.marks.setdefault(item.capture, Marks()).add_summary(item)
            yield item


def joined(each: Iterable[Marks]) -> Marks:
    """The marks of the files of one input."""
    whole = Marks()
    for marks in each:
        for frame, texts in marks.comments.items():
            whole.comments.setdefault(frame, []).extend(texts)
        for key, wanted in marks.wanted.items():
            whole.wanted.setdefault(key, []).extend(wanted)
        whole.frames |= marks.frames
        whole.icmp |= marks.icmp
        whole.beside.join(marks.beside)
    return whole


def culprit(conn: Connection) -> int | None:
    """The frame to look at first, the same as in the report; else the last step. None if all is well."""
    if conn.diagnosis is None:
        return None
    return next(iter(culprits(conn)), conn.steps[-1].frames[-1] if conn.steps else None)


def reach(conn: Connection) -> Iterator[int | None]:
    """Its first and last frames, of either side."""
    for side in Side:
        traffic = conn.traffic(side)
        yield from (traffic.first_frame, traffic.last_frame, traffic.syn_frame)


def _until(conn: Connection, last: int) -> int:
    """Last frame of the handshake: what comes before the first application data."""
    end = 0
    for step in conn.steps:
        if step.name == _DATA:
            return max(end, step.frames[0] - 1)
        end = max(end, step.frames[-1])
    return last if not conn.established else end


def _later(conn: Connection) -> Iterator[int]:
    for step in conn.steps:
        if step.name != _DATA:
            yield from step.frames
    for finding in conn.findings:
        yield from finding.frames
    for side in Side:
        yield from conn.traffic(side).retransmitted_frames


def _verdicts(conn: Connection) -> Iterator[tuple[int, str]]:
    """The diagnosis at the culprit frame, then the findings where each shows."""
    place = culprit(conn)
    if place is not None:
        yield place, f"VERDICT: {conn.diagnosis}"
        if conn.findings and conn.findings[0].advice:
            yield place, f"ADVICE: {conn.findings[0].advice}"
    for finding in conn.findings:
        where = finding.frames[-1] if finding.frames else place
        if where is not None:
            yield where, _verdict(finding)


def _verdict(finding: Finding) -> str:
    return f"{finding.severity} {finding.rule} ({finding.confidence} confidence): {finding.summary}"


def _messages(conn: Connection) -> Iterator[tuple[int, str]]:
    """Each message, at the frame that completes it."""
    for step in conn.steps:
        if step.name in _PLAIN:
            continue
        known = [fact for fact in facts(conn, step) if fact != _bytes(step.size)]
        words = [f"{step.side}: {step.name}"]
        words += [_bytes(step.size)] if step.size else []
        words += [f"in {len(step.frames)} packets"] if len(step.frames) > 1 else []
        said = ", ".join(words)
        yield step.frames[-1], f"{said} ({', '.join(known)})" if known else said


def _bytes(size: int) -> str:
    return f"{size:,} byte{'' if size == 1 else 's'}"
