"""`PacketMemory`: the packets of connections that are still going on, in bounded memory, for the one that fails later.

Of each connection the first packets are kept, which are its handshake, and the last ones, which are its end.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from analyzer.capture.source import Frames
from analyzer.dataclass import dataclass
from analyzer.export.one import Packet
from analyzer.folding.identity import flow_key
from analyzer.grouping import KEY
from analyzer.packets.columns import ACK, SYN, Decoded, Segments

FIRST, LAST = 64, 32
"""Packets kept of the beginning and of the end of a connection."""
FIRST_BYTES, LAST_BYTES = 192 * 1024, 64 * 1024
"""Their bytes at most (with OVERHEAD): offloaded packets have up to 64 KiB."""
OVERHEAD, CONNECTION = 200, 400
"""Bytes of memory that a packet takes besides its own, and a connection besides its packets."""
MAX_BYTES = 64 * 1024 * 1024
MAX_CONNECTIONS = 30_000
"""Of all connections together."""
EARLIER = 3
"""Connections of the same four-tuple that may still be undecided when a new one begins."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What is left of a connection's packets, by frame number. What came between `first` and `last` was not kept."""

    first: list[Packet]
    last: list[Packet]


class Kept:
    """The packets of one connection.

    Attributes:
        number: sequence number of its SYN; None without one. carries: payload was seen.
        latest: its last frame. held: bytes of memory. earlier: older connections of the same four-tuple.
    """

    __slots__ = ("carries", "earlier", "first", "held", "last", "last_held", "latest", "number")

    def __init__(self, number: int | None) -> None:
        self.number = number
        self.first: list[Packet] = []
        self.last: deque[Packet] | None = None  # an empty one takes as much as three packets
        self.carries = False
        self.last_held = self.latest = 0
        self.held = CONNECTION
        self.earlier: tuple[Kept, ...] = ()

    def add(self, packet: Packet) -> int:
        """One more packet; by how many bytes that changed what is held."""
        size = len(packet[4]) + OVERHEAD
        self.latest = packet[0]
        last = self.last
        if last is None:
            if len(self.first) < FIRST and self.held + size <= FIRST_BYTES:
                self.first.append(packet)
                self.held += size
                return size
            last = self.last = deque()
        last.append(packet)
        while len(last) > LAST or (self.last_held + size > LAST_BYTES and len(last) > 1):
            size -= len(last.popleft()[4]) + OVERHEAD
        self.last_held += size
        self.held += size
        return size

    def forget_last(self) -> int:
        """Keep the first packets alone; how many bytes that freed."""
        freed, self.last_held = self.last_held, 0
        if self.last is not None:
            self.last.clear()
        self.held -= freed
        return freed


class PacketMemory:
    """Packets by connection. `held`: bytes of memory, all together."""

    def __init__(self, max_bytes: int = MAX_BYTES, max_connections: int = MAX_CONNECTIONS) -> None:
        self._max_bytes, self._max_connections = max_bytes, max_connections
        self._kept: dict[bytes, Kept] = {}
        self.held = 0

    def __len__(self) -> int:
        return len(self._kept)

    def feed(self, frames: Frames, decoded: Decoded) -> None:
        """Remember the TCP packets of a batch, and ICMP errors that quote one."""
        seg, table = decoded.segments, self._kept
        if len(seg):
            opening = np.flatnonzero((seg.flags & (SYN | ACK)) == SYN)
            numbers = dict(zip(opening.tolist(), seg.seq[opening].tolist(), strict=True))
            carries = (seg.wire_payload > 0).tolist()
            for row, (key, packet) in enumerate(zip(keys_of(seg), _packets(frames, seg), strict=True)):
                kept = table.get(key)
                number = numbers.get(row)
                if kept is None or (number is not None and number != kept.number):
                    kept = self._begin(key, number, kept)
                kept.carries |= carries[row]
                self.held += kept.add(packet)
        for error in decoded.icmp:
            kept = table.get(flow_key(*error.quoted))
            if kept is not None:
                self.held += kept.add(packet_of(frames, error.frame))
        if self.held > self._max_bytes or len(table) > self._max_connections:
            self._shrink()

    def take(self, key: bytes, first: int, last: int) -> Taken:
        """The packets of a connection that is decided, and forget them. `first`, `last`: its frames."""
        kept = self._kept.pop(key, None)
        if kept is None:
            return Taken([], [])
        taken = Taken([], [])
        for one in (*reversed(kept.earlier), kept):
            self.held -= one.held
            taken.first.extend(packet for packet in one.first if first <= packet[0] <= last)
            taken.last.extend(packet for packet in one.last or () if first <= packet[0] <= last)
        if kept.latest > last:  # a later connection of the same ports has begun
            fresh = Kept(kept.number)
            fresh.carries = kept.carries
            for packet in (*kept.first, *(kept.last or ())):
                if packet[0] > last:
                    fresh.add(packet)
            self._kept[key] = fresh
            self.held += fresh.held
        taken.first.sort()
        taken.last.sort()
        return taken

    def _begin(self, key: bytes, number: int | None, old: Kept | None) -> Kept:
        """A new connection; `old`: the one before of the same four-tuple, perhaps not decided yet."""
        kept = Kept(number)
        if old is not None:
            every = (old, *old.earlier)
            self.held -= sum(one.held for one in every[EARLIER:])
            kept.earlier, old.earlier = every[:EARLIER], ()
            del self._kept[key]  # so that it stands last
        self._kept[key] = kept
        self.held += kept.held
        return kept

    def _shrink(self) -> None:
        """Free a quarter: the last packets of connections first, then whole ones: those without payload (a flood), then
        those that have been silent for longest."""
        ranked = sorted(self._kept.items(), key=lambda item: (item[1].carries, item[1].latest))
        enough, few = self._max_bytes * 3 // 4, self._max_connections * 3 // 4
        if self.held > self._max_bytes:
            for _, kept in ranked:
                if self.held <= enough:
                    break
                self.held -= kept.forget_last()
        for key, kept in ranked:
            if self.held <= enough and len(self._kept) <= few:
                break
            del self._kept[key]
            self.held -= kept.held + sum(one.held for one in kept.earlier)


def keys_of(seg: Segments) -> list[bytes]:
    """The canonical four-tuple (grouping.KEY) of each row."""
    same_hi, same_lo = seg.src_hi == seg.dst_hi, seg.src_lo == seg.dst_lo
    low_first = (seg.src_hi < seg.dst_hi) | (same_hi & (seg.src_lo < seg.dst_lo))
    low_first |= same_hi & same_lo & (seg.src_port <= seg.dst_port)
    source, target = seg.src_port.astype(np.uint32), seg.dst_port.astype(np.uint32)
    table = np.zeros(len(seg), KEY)
    table["lo_hi"], table["hi_hi"] = np.minimum(seg.src_hi, seg.dst_hi), np.maximum(seg.src_hi, seg.dst_hi)
    table["lo_lo"] = np.where(low_first, seg.src_lo, seg.dst_lo)
    table["hi_lo"] = np.where(low_first, seg.dst_lo, seg.src_lo)
    table["ports"] = np.where(low_first, source << 16 | target, target << 16 | source)
    table["v4"] = seg.v4
    raw, size = table.tobytes(), KEY.itemsize
    return [raw[at : at + size] for at in range(0, len(raw), size)]


def _packets(frames: Frames, seg: Segments) -> list[Packet]:
    """The packet of each row. The batch's bytes will be written over: they are copied, all at once."""
    index = seg.frame - frames.first_frame
    starts, sizes = frames.start[index], frames.captured[index]
    begin = int(starts.min())
    raw = frames.data[begin : int((starts + sizes).max())].tobytes()
    starts = starts - begin
    data = [raw[start:stop] for start, stop in zip(starts.tolist(), (starts + sizes).tolist(), strict=True)]
    columns = (seg.frame, frames.time_ns[index], frames.link_type[index], frames.original[index])
    return list(zip(*(column.tolist() for column in columns), data, strict=True))


def packet_of(frames: Frames, frame: int) -> Packet:
    """One frame of a batch, by its number."""
    index = frame - frames.first_frame
    start, size = int(frames.start[index]), int(frames.captured[index])
    data = frames.data[start : start + size].tobytes()
    link, original = int(frames.link_type[index]), int(frames.original[index])
    return frame, int(frames.time_ns[index]), link, original, data
