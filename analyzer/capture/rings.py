"""Rings of rotated captures: files that one capture wrote one after the other, and that are read as one.

They have the names that dumpcap (-b) and tcpdump (-C, -G, -W) give, the same folder and stem, the same link types, and times
that do not overlap. Everything else stands alone: two captures made at the same time are never mixed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from itertools import pairwise

from analyzer.capture.source import NOT_A_PACKET, open_capture
from analyzer.dataclass import dataclass
from analyzer.errors import CaptureError

SLACK_NS = 10_000_000
"""Packets of several receive queues reach a file a little out of order, also across a rotation."""

DATE = r"20\d\d[-_.]?(?:0[1-9]|1[0-2])[-_.]?(?:0[1-9]|[12]\d|3[01])"
CLOCK = r"(?:[01]\d|2[0-3])[-_:.hH]?[0-5]\d(?:[-_:.mM]?[0-5]\d)?"
EXTENSION = r"\.(?:pcapng|pcap|ntar|cap|dmp|dump|trc)"
NAMES = (
    # dumpcap: lab_00001_20261121093000.pcapng, and with nametimenum lab_20261121093000_00001.pcapng
    rf"(?P<stem>.+)_(?:\d{{5,}}_{DATE}{CLOCK}|{DATE}{CLOCK}_\d{{5,}})(?P<rest>(?:{EXTENSION})?)",
    # tcpdump -G: lab-20261121-0930.pcap, lab_2026-11-21T09:30:00.pcap, lab.1700000000.pcap; with -C a number after it
    rf"(?P<stem>.*?)(?:{DATE}(?:[-_.T ]?{CLOCK})?|1\d{{9}})(?P<rest>Z?(?:{EXTENSION})?)\d*",
    # tcpdump -C and -W: lab.pcap, lab.pcap1 ... or lab.pcap00, lab.pcap01 ...
    rf"(?P<stem>.+)(?P<rest>{EXTENSION})\d*",
)


@dataclass(frozen=True, slots=True)
class Span:
    """What one file covers; `first` and `last` are ns since 1970, or None if it has no packets."""

    path: str
    first: int | None
    last: int | None
    link_types: frozenset[int]


def joined(files: Sequence[str]) -> list[tuple[str, ...]]:
    """The files, those of a ring together in order of time; at the place where its first file was named."""
    if len(files) == 1:
        return [(files[0],)]
    groups: dict[tuple[str, ...], list[str]] = {}
    for path in files:
        groups.setdefault(family(path), []).append(path)
    result: list[tuple[str, ...]] = []
    for members in groups.values():
        ring = in_order(members) if len(members) > 1 else None
        result += [ring] if ring else [(path,) for path in members]
    place = {path: at for at, path in enumerate(files)}
    return sorted(result, key=lambda ring: min(place[path] for path in ring))


def family(path: str) -> tuple[str, ...]:
    """What the names of one ring have in common: pattern, folder, stem and ending. The whole path if it is no such name."""
    folder, name = os.path.split(path)
    packed = name.lower().endswith(".gz")
    name = name[:-3] if packed else name
    for number, pattern in enumerate(NAMES):
        match = re.fullmatch(pattern, name, re.ASCII)
        if match:
            return (str(number), folder, match["stem"], match["rest"], "gz" if packed else "")
    return (path,)


def in_order(paths: Sequence[str]) -> tuple[str, ...] | None:
    """The files in order of time; None if they cannot be one capture."""
    spans = [span_of(path) for path in paths]
    filled = sorted(
        (span for span in spans if span.first is not None), key=lambda span: (span.first, span.last, span.path)
    )
    if not filled:
        return None  # of a format that tshark must read, perhaps: nothing tells their order
    if len({span.link_types for span in filled}) > 1:
        return None
    for before, after in pairwise(filled):
        if (after.first or 0) < (before.last or 0) - SLACK_NS or (after.last or 0) < (before.last or 0):
            return None
    # A file without packets is the one that was just begun.
    return tuple(span.path for span in [*filled, *(span for span in spans if span.first is None)])


def span_of(path: str) -> Span:
    """Read a whole file's times. What is wrong with it is told when it is analysed."""
    first: int | None = None
    last: int | None = None
    links: set[int] = set()
    try:
        with open_capture(path) as capture:
            for frames in capture:
                if (period := frames.period()) is None:
                    continue
                first = period[0] if first is None else min(first, period[0])
                last = period[1] if last is None else max(last, period[1])
                links.update(set(frames.link_type.tolist()))
    except CaptureError:
        pass
    return Span(path, first, last, frozenset(links - {NOT_A_PACKET}))
