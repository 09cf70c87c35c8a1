"""Segments -> connections: four-tuple and incarnation. Work is per flow and block, not per packet.

`FlowTable.feed` groups a block's rows by connection, keeps the counters of both directions, numbers the connections as
Wireshark does (a SYN with another sequence number is a new connection), and hands up only those rows that the stage above
still wants to see one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.dataclass import dataclass
from analyzer.grouping import Block, Tallies, new_salt, tally
from analyzer.packets.columns import ACK, SYN, IcmpError, Segments
from analyzer.picked import Columns, LateRows, by_group
from analyzer.picking import Picker, Wants

FIRST_ROWS = 4
"""Of a new flow this many rows are handed up whatever they carry: SYN, SYN-ACK, ACK and one more."""
ECHO_NS = 2_000_000_000
"""A connection that ended so shortly ago still gets packets: the other side's close, acknowledgements."""
ROUND_ROWS = 36
"""Rows of one flow handed up at once; then the stage above is asked whether it wants more of them."""


class Lane:
    """Counters of one direction. Times in ns, frames 1-based; None before the first row. See SideTraffic."""

    __slots__ = (
        "base",
        "bytes",
        "first_frame",
        "last_ack",
        "last_frame",
        "last_ns",
        "last_payload_frame",
        "last_payload_ns",
        "last_payload_seq",
        "last_seq",
        "max_segment",
        "packets",
        "payload_seq_before",
    )

    def __init__(self) -> None:
        self.base: int | None = None  # sequence number before the first byte, as Wireshark's base_seq
        self.packets = 0
        self.bytes = 0
        self.max_segment = 0
        self.first_frame: int | None = None
        self.last_frame: int | None = None
        self.last_ns: int | None = None
        self.last_payload_frame: int | None = None
        self.last_payload_ns: int | None = None
        self.last_payload_seq: int | None = None  # one past its last byte
        self.payload_seq_before: int | None = None  # the same at the start of the block
        self.last_ack: int | None = None
        self.last_seq: int | None = None  # of the packet with that, one past its payload


class Flow:
    """One TCP connection. Direction 0 goes from the numerically lower endpoint, 1 from the higher.

    Attributes:
        key: canonical four-tuple as bytes (grouping.KEY). stream: number, Wireshark's tcp.stream.
        lanes: counters of directions 0 and 1.
        wants: what the stage above still wants. ended: a FIN or RST was seen.
        first_frame, first_ns: of its first packet.
        opener: direction of the first packet. owner: whatever the stage above keeps here.
        unseen: how many of the next rows are handed up whatever they carry.
        icmp: errors that quote it.
    """

    __slots__ = (
        "ended",
        "first_frame",
        "first_ns",
        "icmp",
        "key",
        "lanes",
        "opener",
        "owner",
        "stream",
        "unseen",
        "wants",
    )

    def __init__(self, key: bytes, stream: int, frame: int, time_ns: int, opener: int) -> None:
        self.key = key
        self.stream = stream
        self.lanes = (Lane(), Lane())
        self.wants = Wants.ALL
        self.unseen = FIRST_ROWS
        self.ended = False
        self.first_frame = frame
        self.first_ns = time_ns
        self.opener = opener
        self.owner: Any = None
        self.icmp: list[IcmpError] = []

    @property
    def last_ns(self) -> int:
        """When the last packet of either direction came."""
        a, b = self.lanes[0].last_ns, self.lanes[1].last_ns
        return max(self.first_ns if a is None else a, self.first_ns if b is None else b)


@dataclass(slots=True)
class Rows:
    """Rows `start` to `stop` of `columns`: one flow's, in order. Offsets point into `data`. `group`: the flow's in `block`."""

    flow: Flow
    columns: Columns
    start: int
    stop: int
    data: NDArray[np.uint8]
    block: Block
    group: int

    @property
    def begins_ns(self) -> int:
        """Time of the flow's first row in this block, handed up or not."""
        return int(self.block.seg.time_ns[self.block.first_row[self.group]])

    def sent_before(self, i: int) -> int | None:
        """Number behind the latest payload that the sender of row `i` had sent by then (the lanes' counters are those of
        the end of the block); None if there was none. Costs a look at all rows of the flow."""
        seg, rows, direction = self.block.seg, self.block.rows(self.group), self.columns.direction[i]
        earlier = (self.block.direction[rows] == direction) & (seg.frame[rows] <= self.columns.frame[i])
        found = rows[earlier & (seg.wire_payload[rows] > 0)]
        if not len(found):
            return self.flow.lanes[direction].payload_seq_before
        return int(seg.seq[found[-1]]) + int(seg.wire_payload[found[-1]])


class FlowTable:
    """All connections of a capture, bounded.

    `feed` yields the rows to look at, flow by flow; the caller sets `flow.wants` while it consumes them.

    Attributes:
        opened: connections seen so far; the next one's number.
        evictions: connections given up, though they had not ended, because the table was full.
    """

    def __init__(self, limit: int = 100_000) -> None:
        self._flows: dict[bytes, Flow] = {}
        self._limit = limit
        self._salt = new_salt()
        self.opened = 0
        self.evictions = 0
        self._replaced: list[tuple[Flow, int]] = []
        self._evicted: list[Flow] = []

    def __len__(self) -> int:
        return len(self._flows)

    def __iter__(self) -> Iterator[Flow]:
        return iter(self._flows.values())

    def find(self, key: bytes) -> Flow | None:
        """The latest connection of this canonical four-tuple; None if there is none."""
        return self._flows.get(key)

    def take_replaced(self) -> list[tuple[Flow, int]]:
        """Flows whose four-tuple a new connection took over since the last call, and when (ns)."""
        taken, self._replaced = self._replaced, []
        return taken

    def take_evicted(self) -> list[Flow]:
        """Flows given up since the last call because the table was full."""
        taken, self._evicted = self._evicted, []
        return taken

    def drop(self, flow: Flow) -> None:
        """Forget a flow (its key may already belong to a newer one)."""
        if self._flows.get(flow.key) is flow:
            del self._flows[flow.key]

    def feed(self, seg: Segments) -> Iterator[Rows]:
        """Group one block's segments; yield the wanted rows flow by flow, in order of their first rows in this block."""
        if not len(seg):
            return
        block = Block(seg, self._salt)
        flows = self._look_up(block)
        _count(block, flows)
        yield from _hand_up(block, flows)
        self._bound()

    def _look_up(self, block: Block) -> list[Flow]:
        """The flow of each group; groups are split where a four-tuple is born again."""
        table = self._flows
        flows: list[Flow | None] = [table.get(key) for key in block.keys]
        births = [(row, g, False) for g, row in enumerate(block.first_row) if flows[g] is None]
        births += [(row, g, True) for row, g in block.syn_rows if row != block.first_row[g] or flows[g] is not None]
        births.sort()
        latest: dict[int, int] = {}  # group -> the group that holds its rows from here on
        learned: dict[int, int] = {}  # group -> how many of its rows have been asked for their flow's bases
        groups = len(flows)
        for row, original, is_syn in births:
            g = latest.get(original, original)
            if is_syn:
                flow = flows[g]
                if flow is None or not _is_reborn(block, flow, g, row, learned):
                    continue
                self._replaced.append((flow, int(block.seg.time_ns[row])))
                if row != block.first_row[g]:
                    g = latest[original] = block.split(g, row)
                    flows.append(None)
            flows[g] = self._open(block, g, row)
        block.renumber(groups)
        return [flow for flow in flows if flow is not None]

    def _open(self, block: Block, g: int, row: int) -> Flow:
        seg, key = block.seg, block.keys[g]
        flow = Flow(key, self.opened, int(seg.frame[row]), int(seg.time_ns[row]), int(block.direction[row]))
        self.opened += 1
        self._flows.pop(key, None)  # so that the newest flow stands last
        self._flows[key] = flow
        return flow

    def _bound(self) -> None:
        """Too many flows: those that ended a while ago go first, then those that nobody answered, those that never carried
        payload, and the quietest."""
        excess = len(self._flows) - self._limit
        if excess <= 0:
            return
        now_ns = max(flow.last_ns for flow in self._flows.values())
        ranked = sorted(self._flows.values(), key=lambda flow: _worth(flow, now_ns))
        for flow in ranked[: excess + self._limit // 10]:
            del self._flows[flow.key]
            self._evicted.append(flow)
            self.evictions += not flow.ended


def _worth(flow: Flow, now_ns: int) -> tuple[int, int]:
    low, high = flow.lanes
    if flow.ended and flow.last_ns < now_ns - ECHO_NS:
        return 0, flow.last_ns
    if low.bytes or high.bytes:
        return 3, flow.last_ns
    return 2 if low.packets and high.packets else 1, flow.last_ns


def _is_reborn(block: Block, flow: Flow, g: int, row: int, learned: dict[int, int]) -> bool:
    """Wireshark's test: this SYN's sequence number is not the one known."""
    rows, at = block.rows(g), learned.get(g, 0)
    while at < len(rows) and rows[at] < row and (flow.lanes[0].base is None or flow.lanes[1].base is None):
        _learn_base(block, flow, int(rows[at]))
        at += 1
    learned[g] = at
    base = flow.lanes[int(block.direction[row])].base
    return base is not None and base != int(block.seg.seq[row])


def _learn_base(block: Block, flow: Flow, row: int) -> None:
    """The first row of a direction tells its base; the first ACK of the other direction does as well."""
    seg, direction = block.seg, int(block.direction[row])
    flags, lane, peer = int(seg.flags[row]), flow.lanes[direction], flow.lanes[1 - direction]
    if lane.base is None:
        lane.base = (int(seg.seq[row]) - (0 if flags & SYN else 1)) & 0xFFFFFFFF
    if peer.base is None and flags & ACK:
        peer.base = (int(seg.ack[row]) - 1) & 0xFFFFFFFF


def _count(block: Block, flows: list[Flow]) -> None:
    """Add the block's rows to the counters of their flows."""
    tallies = tally(block)
    for g, flow in enumerate(flows):
        lanes = flow.lanes
        _add(lanes[0], tallies, 2 * g)
        _add(lanes[1], tallies, 2 * g + 1)
        if lanes[0].base is None or lanes[1].base is None:
            for row in block.rows(g)[:64].tolist():
                _learn_base(block, flow, row)
                if lanes[0].base is not None and lanes[1].base is not None:
                    break


def _add(lane: Lane, tallies: Tallies, at: int) -> None:
    if tallies.last[at] < 0:
        return
    lane.packets += tallies.packets[at]
    lane.last_frame = tallies.last_frame[at]
    lane.last_ns = tallies.last_ns[at]
    if lane.first_frame is None:
        lane.first_frame = tallies.first_frame[at]
    if tallies.last_payload[at] >= 0:
        lane.bytes += tallies.bytes[at]
        lane.last_payload_frame = tallies.last_payload_frame[at]
        lane.last_payload_ns = tallies.last_payload_ns[at]
        lane.payload_seq_before = lane.last_payload_seq
        lane.last_payload_seq = tallies.last_payload_seq[at]
        if tallies.max_segment[at] > lane.max_segment:
            lane.max_segment = tallies.max_segment[at]
    if tallies.last_ack[at] >= 0:
        lane.last_ack, lane.last_seq = tallies.last_ack_value[at], tallies.last_ack_seq[at]


# ---- which rows are handed up ----------------------------------------------------------------------------------------


def _hand_up(block: Block, flows: list[Flow]) -> Iterator[Rows]:
    """The first rows of every flow are cut out in one go; flows that have more in this block are asked again for each
    further round."""
    seg, picker = block.seg, Picker(block)
    wants = np.fromiter([flow.wants for flow in flows], np.uint8, len(flows))
    unseen = np.fromiter([flow.unseen for flow in flows], np.uint8, len(flows))
    rows = np.flatnonzero(block.rank < ROUND_ROWS)
    group = block.group[rows]
    mask = picker.of_many(rows, group, wants)
    mask |= block.rank[rows] < unseen[group]
    rows, edges = by_group(block, rows[mask])
    columns = Columns(block, rows)
    late = LateRows(block, picker, ROUND_ROWS)
    for g, flow in enumerate(flows):
        size = block.stops[g] - block.starts[g]
        if flow.unseen:
            flow.unseen = max(0, flow.unseen - size)
        if edges[g] < edges[g + 1]:
            yield Rows(flow, columns, edges[g], edges[g + 1], seg.data, block, g)
        if size > ROUND_ROWS:
            yield from _further_rounds(block, picker, late, flow, g)


def _further_rounds(block: Block, picker: Picker, late: LateRows, flow: Flow, g: int) -> Iterator[Rows]:
    """While the handshake goes on, in growing steps; all that is left at once when it is over."""
    rows = block.rows(g)
    at, size = ROUND_ROWS, ROUND_ROWS
    while at < len(rows):
        wants = flow.wants
        if wants in (Wants.LIGHT, Wants.ENDS):
            columns, start, stop = late.of(wants, g, at)
            if start < stop:
                yield Rows(flow, columns, start, stop, block.seg.data, block, g)
            return
        piece = rows[at : at + size]
        at, size = at + len(piece), size * 2
        piece = piece[picker.of_one(piece, wants)]
        if len(piece):
            yield Rows(flow, Columns(block, piece), 0, len(piece), block.seg.data, block, g)
