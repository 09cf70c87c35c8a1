"""One direction's segments -> its bytes in order, with holes, conflicts and the frames that carried them. No I/O, no clock.

The first copy of a byte wins. Where two copies disagree, a copy with a bad TCP checksum loses against one with a good
checksum, and the disagreement is kept as a fact. A hole is waited for until the direction ends or too much lies behind
it; then it is a `Hole`, a fact with a place and a size.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from operator import attrgetter, itemgetter

from analyzer.dataclass import dataclass
from analyzer.packets.checksums import tcp_fits

MAX_PENDING_SEGMENTS, MAX_PENDING_BYTES = 256, 1 << 20
"""Segments and bytes kept behind a hole, until the hole is given up."""
KEPT_BYTES, KEPT_SEGMENTS = 512 * 1024, 8_192
"""A direction's bytes are kept, to compare later copies with them, up to this much; of what is more, only the places."""
MAX_NOTED_FRAMES = 10
"""Frames of retransmissions and conflicts that are remembered; all are counted."""
COPY_NS = 5_000_000
"""An equal packet within this time is a copy made on the way (a mirror port that sees it twice, in and out of a router): no
sender repeats itself so fast (RFC 8985 section 7.2 and RFC 6298: never before 10 ms)."""


def seq_distance(later: int, earlier: int) -> int:
    """Signed distance of two 32-bit sequence numbers, -2^31..2^31-1 (RFC 9293 section 3.4)."""
    return ((later - earlier + 0x80000000) & 0xFFFFFFFF) - 0x80000000


@dataclass(frozen=True, slots=True)
class Hole:
    """Bytes of the stream that the capture does not have. `cut` = the snapshot length cut them off a packet."""

    size: int
    cut: bool = False


@dataclass(slots=True)
class _Piece:
    """Bytes waiting behind a hole. `cut`: bytes behind `data` that the snapshot length cut."""

    at: int
    data: bytes
    cut: int
    frame: int
    time_ns: int
    head: bytes

    @property
    def end(self) -> int:
        return self.at + len(self.data) + self.cut


Segment = tuple[int, int, int, int]
"""A piece given out: offset of its first byte, frame, time (ns), bytes of payload."""


class Assembler:
    """One direction.

    Attributes:
        base: sequence number of the first byte.
        segments: what was given out, in order of the stream.
        packets: the payload of the last of them, each behind its IP and TCP headers; earlier ones are no longer kept.
        next: offset of the next byte expected in order; bytes before it have been given out (or are a Hole).
        expected: sequence number of that byte; -1 while segments wait behind a hole (see `follow`).
        high: one past the highest byte seen.
        retransmitted, retransmitted_full: segments that brought nothing new; those of full size. `again_frames`: some.
        conflicts, conflict_frames: disagreements. undecided: those that no checksum decides.
        holes: (offset, size, cut) of every hole given out.
        rewritten: bytes already given out turned out to be a forgery: everything kept was changed and must be read anew.
        tries: offset of a segment that was sent again -> how often.
    """

    __slots__ = (
        "_again",
        "_kept",
        "_pending",
        "_pending_bytes",
        "_taken",
        "_taken_holes",
        "again_frames",
        "base",
        "conflict_frames",
        "conflicts",
        "expected",
        "high",
        "holes",
        "next",
        "packets",
        "retransmitted",
        "retransmitted_full",
        "rewritten",
        "segments",
        "tries",
        "undecided",
    )

    def __init__(self, base: int) -> None:
        self.base = base
        self._again = (-1, 0, 0)  # offset, bytes and time of the latest segment that was sent again
        self.segments: list[Segment] = []
        self.packets: list[bytes] = []
        self._taken = self._taken_holes = 0
        self._kept = True
        self._pending: list[_Piece] = []
        self._pending_bytes = 0
        self.next = 0
        self.expected = base
        self.high = 0
        self.retransmitted = 0
        self.retransmitted_full = 0
        self.again_frames: list[int] = []
        self.conflicts = self.undecided = 0
        self.conflict_frames: list[int] = []
        self.holes: list[tuple[int, int, bool]] = []
        self.rewritten = False
        self.tries: dict[int, int] = {}

    def offset(self, seq: int) -> int:
        """Offset in the stream of a sequence number near the bytes expected next."""
        return self.next + seq_distance(seq, (self.base + self.next) & 0xFFFFFFFF)

    def follow(self, packet: bytes, size: int, frame: int, time_ns: int) -> None:
        """A whole segment whose sequence number is `expected`: nearly all are. `packet`: its `size` bytes of payload behind
        their IP and TCP headers, for the rare case that the checksum matters."""
        at = self.next
        self.segments.append((at, frame, time_ns, size))
        self.packets.append(packet)
        self.next = at = at + size
        self.expected = (self.base + at) & 0xFFFFFFFF
        if at > self.high:
            self.high = at

    def feed(self, seq: int, data: bytes, wire: int, frame: int, time_ns: int, head: bytes, full_size: int = 0) -> None:
        """Any segment with payload: `wire` bytes of which `data` was captured; `head`: its IP and TCP headers. From
        `full_size` bytes on it counts as full-size."""
        if seq == self.expected and wire == len(data):
            self.follow(head + data, wire, frame, time_ns)
            return
        at = self.offset(seq)
        if at + wire <= self.high and self._covered(at, at + wire):
            if wire == 1 and at == self.next - 1:
                return  # a keep-alive probe (RFC 9293 section 3.8.4); its byte may be garbage
            if not self._is_copy(at, wire, len(data), time_ns):
                self._note_again(at, wire, frame, full_size)
        checkable = head if wire == len(data) else b""
        self._place(_Piece(at, data, wire - len(data), frame, time_ns, checkable))
        self.high = max(self.high, at + wire)
        self._drain()
        if len(self._pending) > MAX_PENDING_SEGMENTS or self._pending_bytes > MAX_PENDING_BYTES:
            self._give_up(None)
        self._expect()

    def take(self) -> list[bytes | Hole]:
        """What came in order since the last call: bytes (joined as far as they are) and holes."""
        if len(self.holes) == self._taken_holes:  # nearly always: saves two calls
            out: list[bytes | Hole] = (
                [self._payload(self._taken, len(self.segments))] if len(self.segments) > self._taken else []
            )
        else:
            out = self._joined(self._taken, self.holes[self._taken_holes :])
        if self.next > KEPT_BYTES or len(self.segments) > KEPT_SEGMENTS:
            self.packets.clear()
            self._kept = False
        self._taken, self._taken_holes = len(self.segments), len(self.holes)
        return out

    def finish(self, acknowledged: int | None, reach: int = 0) -> None:
        """The direction is over: holes that the peer acknowledged past are given up, and what lies behind them comes
        out. `acknowledged` is the offset up to which the peer has confirmed; None if its packets are not there. `reach`:
        the offset up to which the direction spoke by all other signs; what the capture lacks of that is a hole too."""
        self._give_up(acknowledged)
        if not self._pending and self.next < reach:
            self._hole(reach - self.next, cut=False)
        self._expect()

    def rebase(self, base: int) -> None:
        """The direction begins earlier than thought, at this sequence number: what was given out waits for what belongs
        before it, and must be read anew."""
        shift = seq_distance(self.base, base)
        again = [
            _Piece(at + shift, packet[-size:], 0, frame, time_ns, packet[:-size])
            for (at, frame, time_ns, size), packet in zip(self.segments, self.packets, strict=False)
        ]
        for piece in self._pending:
            piece.at += shift
        self._pending = again + self._pending
        self._pending_bytes = sum(len(piece.data) for piece in self._pending)
        self.base, self.next, self.high = base, 0, self.high + shift
        self.segments, self.packets, self.holes, self._taken, self._taken_holes = [], [], [], 0, 0
        self.rewritten = True
        self._expect()

    def replay(self) -> list[bytes | Hole]:
        """Everything given out so far, after a rewrite; clears `rewritten`."""
        self.rewritten = False
        self._taken, self._taken_holes = len(self.segments), len(self.holes)
        return self._joined(0, self.holes)

    def forget(self) -> None:
        """The handshake is over: later segments are not compared with what was given out."""
        self.packets.clear()
        self._kept = False
        self._pending.clear()
        self._pending_bytes = 0

    def frames(self, start: int, end: int) -> tuple[int, ...]:
        """Frames that carried these bytes first, ascending."""
        return tuple(sorted({segment[1] for segment in self._carrying(start, end)}))

    def time_ns(self, start: int, end: int) -> int:
        """When the last of these bytes was seen."""
        return max((segment[2] for segment in self._carrying(start, end)), default=0)

    @property
    def waiting(self) -> int | None:
        """Offset of the first byte that lies behind a hole; None if there is none."""
        return self._pending[0].at if self._pending else None

    def _carrying(self, start: int, end: int) -> list[Segment]:
        low = max(0, bisect_right(self.segments, start, key=_offset) - 1)
        return self.segments[low : bisect_left(self.segments, end, key=_offset)]

    def _joined(self, start: int, holes: list[tuple[int, int, bool]]) -> list[bytes | Hole]:
        """Payloads from segment number `start` on, each run between these holes as one."""
        out: list[bytes | Hole] = []
        for at, size, cut in holes:
            end = bisect_left(self.segments, at, start, key=_offset)
            if end > start:
                out.append(self._payload(start, end))
            out.append(Hole(size, cut))
            start = end
        if start < len(self.segments):
            out.append(self._payload(start, len(self.segments)))
        return out

    def _payload(self, start: int, end: int) -> bytes:
        dropped = len(self.segments) - len(self.packets)
        pairs = zip(self.segments[start:end], self.packets[start - dropped : end - dropped], strict=True)
        return b"".join([packet[-segment[3] :] for segment, packet in pairs])

    def _expect(self) -> None:
        self.expected = -1 if self._pending else (self.base + self.next) & 0xFFFFFFFF

    # ---- the rarer ways ----------------------------------------------------------------------------------------------

    def _covered(self, start: int, end: int) -> bool:
        """All these bytes have been seen (or given up) before."""
        at = max(start, self.next)
        for piece in self._pending:
            if piece.at <= at < piece.end:
                at = piece.end
        return at >= end

    def _is_copy(self, at: int, wire: int, captured: int, time_ns: int) -> bool:
        """The same segment was here a moment ago."""
        again, self._again = self._again, (at, wire, time_ns)
        times = [again[2]] if again[:2] == (at, wire) else []
        times += [s[2] for s in self._carrying(at, at + 1) if s[0] == at and s[3] == captured]
        times += [piece.time_ns for piece in self._pending if piece.at == at and piece.end == at + wire]
        return any(abs(time_ns - earlier) <= COPY_NS for earlier in times)

    def _note_again(self, at: int, wire: int, frame: int, full_size: int) -> None:
        self.retransmitted += 1
        if full_size and wire >= full_size:
            self.retransmitted_full += 1
        if len(self.tries) < MAX_PENDING_SEGMENTS or at in self.tries:
            self.tries[at] = self.tries.get(at, 0) + 1
        if len(self.again_frames) < MAX_NOTED_FRAMES:
            self.again_frames.append(frame)

    def _place(self, piece: _Piece) -> None:
        """Put a segment where it belongs: what is new waits in `_pending`, what is known is compared."""
        if piece.at < self.next:
            self._compare_given(piece)
            skip = self.next - piece.at
            if piece.end <= self.next:
                return
            cut = min(piece.cut, piece.end - self.next)
            piece = _Piece(self.next, piece.data[skip:], cut, piece.frame, piece.time_ns, b"")
        at = piece.at
        low = bisect_right(self._pending, at, key=attrgetter("end"))  # what waits is sorted and does not overlap
        for known in self._pending[low : bisect_left(self._pending, piece.end, key=attrgetter("at"))]:
            self._compare_waiting(known, piece)
            if at < known.at:
                self._insert(_slice(piece, at, known.at))
            at = max(at, known.end)
        if at < piece.end:
            self._insert(_slice(piece, at, piece.end))

    def _insert(self, piece: _Piece) -> None:
        index = bisect_left(self._pending, piece.at, key=attrgetter("at"))
        self._pending.insert(index, piece)
        self._pending_bytes += len(piece.data)

    def _drain(self) -> None:
        while self._pending and self._pending[0].at <= self.next:
            piece = self._pending.pop(0)
            self._pending_bytes -= len(piece.data)
            self._give(piece)

    def _give(self, piece: _Piece) -> None:
        if piece.data:
            self.segments.append((piece.at, piece.frame, piece.time_ns, len(piece.data)))
            self.packets.append(piece.head + piece.data)
        self.next = piece.at + len(piece.data)
        if piece.cut:
            self._hole(piece.cut, cut=True)

    def _hole(self, size: int, *, cut: bool) -> None:
        self.holes.append((self.next, size, cut))
        self.next += size

    def _give_up(self, acknowledged: int | None) -> None:
        while self._pending:
            first = self._pending[0]
            if acknowledged is not None and acknowledged < first.at:
                break  # the peer waits for these bytes as well: lost on the way, not by the capture
            self._hole(first.at - self.next, cut=False)
            self._drain()

    # ---- copies that disagree ----------------------------------------------------------------------------------------

    def _compare_given(self, piece: _Piece) -> None:
        """Compare with bytes already given out, as far as they are still kept."""
        if not self._kept:
            return
        index = max(0, bisect_right(self.segments, piece.at, key=_offset) - 1)
        while index < len(self.segments) and self.segments[index][0] < piece.at + len(piece.data):
            (at, frame, time_ns, size), packet = self.segments[index], self.packets[index]
            head, old = packet[:-size], packet[-size:]
            low, high = max(at, piece.at), min(at + len(old), piece.at + len(piece.data))
            differs = low < high and old[low - at : high - at] != piece.data[low - piece.at : high - piece.at]
            if differs and self._wins(piece, head, old):
                fresh = piece.data[low - piece.at : high - piece.at]
                parts = [
                    (at, frame, head, old[: low - at]),
                    (low, piece.frame, b"", fresh),
                    (high, frame, head, old[high - at :]),
                ]  # what is left of the forged copy keeps its headers: it may lose again
                parts = [part for part in parts if part[3]]
                self.segments[index : index + 1] = [(at, frame, time_ns, len(data)) for at, frame, _, data in parts]
                self.packets[index : index + 1] = [head + data for _, _, head, data in parts]
                index += len(parts) - 1
                self.rewritten = True
            index += 1

    def _compare_waiting(self, known: _Piece, piece: _Piece) -> None:
        low = max(known.at, piece.at)
        high = min(known.at + len(known.data), piece.at + len(piece.data))
        if low >= high or known.data[low - known.at : high - known.at] == piece.data[low - piece.at : high - piece.at]:
            return
        if self._wins(piece, known.head, known.data):
            fresh = _slice(piece, low, high)
            fresh.head, fresh.time_ns = b"", known.time_ns
            before, after = _slice(known, known.at, low), _slice(known, high, known.end)
            before.head = after.head = known.head
            index = next(i for i, waiting in enumerate(self._pending) if waiting is known)
            self._pending[index : index + 1] = [part for part in (before, fresh, after) if part.end > part.at]

    def _wins(self, piece: _Piece, head: bytes, data: bytes) -> bool:
        """Note that a piece disagrees with what came first (`head`, `data`). True if only the piece's checksum is right."""
        first, second = tcp_fits(head, data), tcp_fits(piece.head, piece.data)
        self.note_conflict(piece.frame, decided=first != second)
        return second and not first

    def note_conflict(self, frame: int, *, decided: bool = False) -> None:
        """Packets leave it open which bytes the receiver took; `decided`: by their checksums."""
        self.conflicts += 1
        self.undecided += not decided
        if len(self.conflict_frames) < MAX_NOTED_FRAMES:
            self.conflict_frames.append(frame)


_offset = itemgetter(0)


def _slice(piece: _Piece, start: int, end: int) -> _Piece:
    """The part of a piece from offset `start` to `end`; the cut tail counts as its last bytes."""
    data = piece.data[start - piece.at : end - piece.at]
    head = piece.head if len(data) == len(piece.data) else b""  # a part's checksum says nothing
    return _Piece(start, data, end - start - len(data), piece.frame, piece.time_ns, head)
