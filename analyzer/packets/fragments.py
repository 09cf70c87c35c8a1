"""IP fragments put together again (RFC 791, RFC 8200 section 4.5), in bounded memory.

Of overlapping fragments the first wins; the bytes that disagree are not used. A datagram whose pieces do not all come
within HOLD_NS of capture time is given up; so is one whose pieces disagree about its end, and the oldest when there are
too many.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import field

from analyzer.dataclass import dataclass
from analyzer.packets.layers import Layer, Next, Packet

HOLD_NS = 30 * 10**9
MAX_DATAGRAMS = 8_192
MAX_BYTES = 16 * 1024 * 1024
PIECE_COST = 128
"""What one piece costs besides its bytes, so that tiny fragments count honestly."""
MAX_DATAGRAM = 65_535

Key = tuple[bytes, bytes, bytes]
"""Source, target, and identification (with the protocol, for IPv4)."""


@dataclass(slots=True)
class Datagram:
    """One datagram that is not whole yet, or was completed a moment ago.

    Attributes:
        since_ns: when its first fragment came.
        pieces: offset -> bytes, without overlaps. starts: their offsets, sorted.
        held: bytes in them. total: bytes of the whole; None until its last fragment is there.
        cost: what it counts for in MAX_BYTES.
        protocol: what its first bytes are; None until they are there.
        seen: (offset, hash of the bytes) of every fragment, by which duplicates of a completed datagram are known.
        complete: it was handed out.
    """

    since_ns: int
    pieces: dict[int, bytes] = field(default_factory=dict)
    starts: list[int] = field(default_factory=list)
    held: int = 0
    total: int | None = None
    cost: int = PIECE_COST
    protocol: int | None = None
    seen: set[tuple[int, int]] = field(default_factory=set)
    complete: bool = False

    def insert(self, start: int, data: bytes) -> bool:
        """Keep what is new of these bytes. True if some of them were there already."""
        end, overlap = start + len(data), False
        place = bisect_right(self.starts, start)
        if place:
            before = self.starts[place - 1]
            covered = before + len(self.pieces[before])
            if covered > start:
                overlap, start, data = True, covered, data[covered - start :]
        while start < end:
            after = self.starts[place] if place < len(self.starts) else end
            if after > start:
                piece = data[: min(after, end) - start]
                self.starts.insert(place, start)
                self.pieces[start] = piece
                self.held += len(piece)
                place += 1
            if after >= end:
                break
            covered = after + len(self.pieces[after])
            overlap, data, start = True, data[covered - start :], covered
            place += 1
        return overlap

    def end_at(self, end: int) -> bool:
        """The last fragment ends here. False if another one did elsewhere."""
        if self.total is None:
            self.total = end
        return self.total == end

    def overruns(self) -> bool:
        """There are bytes behind the end: which of both is wrong cannot be told."""
        last = self.starts[-1]
        return self.total is not None and last + len(self.pieces[last]) > self.total

    def whole(self) -> bytes | None:
        """All bytes, once they are there: pieces that do not overlap nor overrun leave no hole when they are as many."""
        if self.total is None or self.protocol is None or self.held < self.total:
            return None
        return b"".join(self.pieces[start] for start in self.starts)


class Reassembler:
    """Fragments in, whole datagrams out. The clock is the capture's.

    Attributes:
        overlaps: fragments that brought bytes which were there already.
        given_up: datagrams dropped before they were whole.
    """

    def __init__(self) -> None:
        self.overlaps = 0
        self.given_up = 0
        self._datagrams: dict[Key, Datagram] = {}
        self._cost = 0

    def step(self, packet: Packet) -> Next:
        """Take the fragment at `packet.at`. If it completes its datagram, that becomes the packet."""
        if packet.v4:
            word, key_id = packet.u16(6 - packet.at + packet.ip_at), b""
            offset, more = (word & 0x1FFF) * 8, bool(word & 0x2000)
            key_id = packet.data[packet.ip_at + 4 : packet.ip_at + 6] + bytes((packet.code,))
        else:
            if short := packet.lacks(8, "malformed-ip"):
                return short
            word, key_id = packet.u16(2), packet.data[packet.at + 4 : packet.at + 8]
            offset, more = word & 0xFFF8, bool(word & 1)
            packet.code = packet.data[packet.at]
            packet.at += 8
            if not offset and not more:
                return Layer.PROTOCOL  # an atomic fragment is whole (RFC 6946)
        if packet.end < packet.wire:
            return "truncated"
        data = packet.data[packet.at : packet.end]
        if not data or offset + len(data) > MAX_DATAGRAM or (more and len(data) % 8):
            return "malformed-ip"
        key = (packet.source, packet.target, key_id)
        whole = self._add(key, packet.time_ns, offset, more, packet.code, data)
        if whole is None:
            return "fragment"
        _become(packet, *whole)
        return Layer.PROTOCOL

    def _add(self, key: Key, now: int, offset: int, more: bool, protocol: int, data: bytes) -> tuple[int, bytes] | None:
        """Protocol and bytes of the datagram that these bytes complete, or None."""
        self._expire(now)
        mark = (offset, hash(data))
        datagram = self._datagrams.get(key)
        if datagram is not None and datagram.complete:
            if mark in datagram.seen:
                return None  # a mirror port's duplicate
            self._drop(key)
            datagram = None
        if datagram is None:
            datagram = self._datagrams[key] = Datagram(now)
            self._cost += PIECE_COST
        datagram.seen.add(mark)
        cost = datagram.cost
        datagram.cost += PIECE_COST - datagram.held
        self.overlaps += datagram.insert(offset, data)
        datagram.cost += datagram.held
        agrees = more or datagram.end_at(offset + len(data))
        if not offset and datagram.protocol is None:
            datagram.protocol = protocol
        self._cost += datagram.cost - cost
        if not agrees or datagram.overruns():
            self._drop(key)
            return None
        whole = datagram.whole()
        if whole is None or datagram.protocol is None:
            self._evict()
            return None
        self._cost -= datagram.held
        datagram.cost -= datagram.held
        datagram.pieces, datagram.starts, datagram.complete = {}, [], True
        return datagram.protocol, whole

    def _expire(self, now: int) -> None:
        """The oldest come first: a dict keeps the order of insertion."""
        while self._datagrams:
            key = next(iter(self._datagrams))
            if now - self._datagrams[key].since_ns < HOLD_NS:
                return
            self._drop(key)

    def _evict(self) -> None:
        while len(self._datagrams) > MAX_DATAGRAMS or self._cost > MAX_BYTES:
            self._drop(next(iter(self._datagrams)))

    def _drop(self, key: Key) -> None:
        datagram = self._datagrams.pop(key)
        self._cost -= datagram.cost
        self.given_up += not datagram.complete


def _become(packet: Packet, protocol: int, data: bytes) -> None:
    """Put a plain IP header before the bytes, and go on with that."""
    old, at = packet.data, packet.ip_at
    if packet.v4:
        total = 20 + len(data)
        length = total.to_bytes(2) if total <= MAX_DATAGRAM else b"\0\0"  # zero: as from segmentation offload
        header = b"\x45" + old[at + 1 : at + 2] + length + old[at + 4 : at + 6] + b"\0\0" + old[at + 8 : at + 20]
    else:
        header = old[at : at + 4] + len(data).to_bytes(2) + bytes((protocol,)) + old[at + 7 : at + 40]
    packet.data, packet.ip_at, packet.at = header + data, 0, len(header)
    packet.code, packet.assembled = protocol, True
    packet.end = packet.wire = len(packet.data)
