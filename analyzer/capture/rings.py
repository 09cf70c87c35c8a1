"""Rings of rotated captures: files that one capture wrote one after the other, and that are read as one.

They have the names that dumpcap (-b) and tcpdump (-C, -G, -W) give, the same folder and stem, the same link types, and times
that do not overlap. Names that a person may give as well (lab, lab1; lab-01.pcap, lab-02.pcap) must be borne out by sizes or
times. Everything else stands alone: two captures made at the same time are never mixed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

from analyzer.capture.source import NOT_A_PACKET, open_capture
from analyzer.dataclass import dataclass
from analyzer.errors import CaptureError

SLACK_NS = 10_000_000
"""Packets of several receive queues reach a file a little out of order, also across a rotation."""

DAY = r"(?:0[1-9]|[12]\d|3[01])"
DATE = rf"(?:20\d\d[-_.]?(?:0[1-9]|1[0-2])[-_.]?{DAY}|{DAY}[-_.]?{DAY}[-_.]?20\d\d)"  # of a month, the first twelve
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


NUMBERED = r"(?P<stem>.+?)(?P<number>\d*)"
"""tcpdump -C of a name without a usual ending: lab, lab1, lab2 ...; with -W lab0, lab1 ... or lab00, lab01 ..."""
CLOCKED = (
    rf"(?P<stem>.*?)(?:{DATE}[-_.T ]?|(?<![^-_. ]))"
    rf"(?P<hour>[01]\d|2[0-3])(?:[-_:.hH]?(?P<minute>[0-5]\d)(?:[-_:.mM]?(?P<second>[0-5]\d))?)?(?P<rest>Z?(?:{EXTENSION})?)"
)
"""tcpdump -G with a date and the hour alone, or without a date: lab-2026112109.pcap, lab-09.pcap, lab-093000.pcap."""
LARGEST_RECORD = 262_160
"""tcpdump begins the next file behind the packet that passed the limit; bytes of the largest one, with its header."""
SMALLEST_LIMIT = 1_000_000
"""Bytes of tcpdump -C 1."""
DAY_NS, SECOND_NS = 86_400 * 10**9, 10**9


@dataclass(frozen=True, slots=True)
class Span:
    """What one file covers; `first` and `last` are ns since 1970, or None if it has no packets."""

    path: str
    first: int | None
    last: int | None
    link_types: frozenset[int]


Ring = tuple[str, ...]


def joined(files: Sequence[str]) -> list[Ring]:
    """The files, those of a ring together in order of time; at the place where its first file was named."""
    if len(files) == 1:
        return [(files[0],)]
    result: list[Ring] = []
    left: list[str] = []
    for members in grouped(files, lambda path: family(path)[:4]):
        if len(members) > 1:
            result += rings_of(members)
        else:
            left += members
    for members in grouped(left, number_family):
        ring = numbered(members) if len(members) > 1 else None
        result += [ring] if ring else []
        left = [path for path in left if path not in (ring or ())]
    for members in grouped(left, clock_family):
        ring = clocked(members) if len(members) > 1 else None
        result += [ring] if ring else [(path,) for path in members]
    place = {path: at for at, path in enumerate(files)}
    return sorted(result, key=lambda ring: min(place[path] for path in ring))


def grouped(files: Sequence[str], key: Callable[[str], Ring]) -> list[list[str]]:
    """Files of equal keys together, in order of the first of each."""
    groups: dict[Ring, list[str]] = {}
    for path in files:
        groups.setdefault(key(path), []).append(path)
    return list(groups.values())


def split_path(path: str) -> tuple[str, str, bool]:
    """Folder, name without ".gz", and whether it had that."""
    folder, name = os.path.split(path)
    packed = name.lower().endswith(".gz")
    return folder, name[:-3] if packed else name, packed


def family(path: str) -> Ring:
    """What the names of one ring have in common: pattern, folder, stem, ending, and whether it is compressed (of which the
    file being written may be the exception). The whole path if it is no such name."""
    folder, name, packed = split_path(path)
    for number, pattern in enumerate(NAMES):
        match = re.fullmatch(pattern, name, re.ASCII)
        if match:
            return (str(number), folder, match["stem"], match["rest"], "gz" if packed else "")
    return (path,)


def number_family(path: str) -> Ring:
    """What the names of NUMBERED have in common; the whole path if it is no such name, or one that NAMES knows."""
    folder, name, _ = split_path(path)
    match = re.fullmatch(NUMBERED, name, re.ASCII) if len(family(path)) == 1 and name != "-" else None
    return (folder, match["stem"]) if match else (path,)


def clock_family(path: str) -> Ring:
    """What the names of CLOCKED have in common, how exact they are among it; the whole path if it is no such name."""
    folder, name, _ = split_path(path)
    match = re.fullmatch(CLOCKED, name, re.ASCII)
    return (folder, match["stem"], match["rest"], str(unit_of(match) // SECOND_NS)) if match else (path,)


def unit_of(match: re.Match[str]) -> int:
    """What the last part of a time of day in a name stands for, in ns."""
    return SECOND_NS * (1 if match["second"] else 60 if match["minute"] else 3_600)


def rings_of(paths: Sequence[str]) -> list[Ring]:
    """The one ring that files of one family are; else those of the compressed files and of the others, or each alone."""
    spans = [span_of(path) for path in paths]
    ring = in_order(spans)
    if ring and packed_alike(ring):
        return [ring]
    result: list[Ring] = []
    for packed in (True, False):
        some = [span for span in spans if split_path(span.path)[2] is packed]
        ring = in_order(some) if 1 < len(some) < len(spans) else None
        result += [ring] if ring else [(span.path,) for span in some]
    return result


def packed_alike(ring: Ring) -> bool:
    """Compressed or not, all of them; `tcpdump -z gzip` leaves out the file that it is writing. A mixture is copies."""
    packed = [split_path(path)[2] for path in ring]
    return len(set(packed[:-1])) == 1 and packed[-1] <= packed[0]


def numbered(paths: Sequence[str]) -> Ring | None:
    """The ring that files of one `number_family` are: the numbers from 0 on, each once, in order of time (where they may have
    come round), and the files about as large as each other, but for the last. None if they are not, or if those are too few
    or too small to tell and there was a long pause between."""
    numbers: dict[str, int] = {}
    for path in paths:
        match = re.fullmatch(NUMBERED, split_path(path)[1], re.ASCII)
        numbers[path] = int(match["number"] or 0) if match else 0
    if sorted(numbers.values()) != list(range(len(paths))):
        return None  # before anything is read
    spans = [span_of(path) for path in paths]
    ring = in_order(spans)
    if ring is None or not packed_alike(ring):
        return None
    first = numbers[ring[0]]
    if any(numbers[path] != (first + at) % len(ring) for at, path in enumerate(ring)):
        return None
    sizes = [size_of(path) for path in ring if not split_path(path)[2]]
    whole = sizes[:-1]
    if whole and max(sizes) - min(whole) > LARGEST_RECORD:
        return None
    by_size = len(whole) > 1 and min(whole) >= SMALLEST_LIMIT
    return ring if by_size or not_paused(spans) else None


def clocked(paths: Sequence[str]) -> Ring | None:
    """The ring that files of one `clock_family` are: from each to the next as much time went by as their names say, and no
    long pause. None if they are not; numbers of cases look the same."""
    begins = {path: first for path in paths if (first := first_of(path)) is not None}
    filled = sorted(begins, key=lambda path: begins[path])
    if len(filled) < 2 or not all(
        _as_named(one, next_, begins[next_] - begins[one]) for one, next_ in pairwise(filled)
    ):
        return None
    spans = [span_of(path) for path in paths]
    ring = in_order(spans)
    return ring if ring and packed_alike(ring) and not_paused(spans) else None


def not_paused(spans: Sequence[Span]) -> bool:
    """Between any two files no more than a quarter of the time that went by since the first of them began. Captures made by
    hand, one after the other, lie further apart."""
    times = sorted((span.first, span.last) for span in spans if span.first is not None and span.last is not None)
    return all((after[0] - before[1]) * 4 <= after[0] - before[0] for before, after in pairwise(times))


def _as_named(one: str, next_: str, passed: int) -> bool:
    """Whether these ns may lie between the beginnings of two files. The first packet may come late."""
    said = []
    unit = SECOND_NS
    for path in (one, next_):
        match = re.fullmatch(CLOCKED, split_path(path)[1], re.ASCII)
        if match is None:
            return False
        unit = unit_of(match)
        said.append((int(match["hour"]) * 60 + int(match["minute"] or 0)) * 60 + int(match["second"] or 0))
    off = ((said[1] - said[0]) * SECOND_NS - passed) % DAY_NS
    return passed * 4 >= unit * 3 and min(off, DAY_NS - off) <= unit + passed // 4


def in_order(spans: Sequence[Span]) -> Ring | None:
    """The files in order of time; None if they cannot be one capture."""
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


def size_of(path: str) -> int:
    """Bytes of a file; 0 if it went away."""
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


def first_of(path: str) -> int | None:
    """Time of a file's first packet; None if there is none. Reads no further."""
    try:
        with open_capture(path) as capture:
            return next((period[0] for frames in capture if (period := frames.period()) is not None), None)
    except CaptureError:
        return None


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
