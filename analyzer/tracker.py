"""Decoded batches -> finished connections, in the order in which they are decided. The file's clock is the capture's.

A connection is decided when it was closed some seconds ago (late copies and echoes still belong to it), when its
four-tuple is born again, when the table is full, or when the capture ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from heapq import heapify, heappop, heappush
from typing import Final

from analyzer import knowledge
from analyzer.connection import Connection, Seen
from analyzer.dataclass import dataclass
from analyzer.flows import Flow, FlowTable, Rows
from analyzer.folding.case import Setting
from analyzer.folding.conversation import Conversation
from analyzer.folding.floods import Floods
from analyzer.folding.fold import fold
from analyzer.folding.identity import flow_key
from analyzer.folding.outcome import Clock
from analyzer.packets.columns import ACK, SYN, Decoded, IcmpError
from analyzer.picking import Wants
from analyzer.tls.messages import Event, Lost, NotTls, Preamble

LINGER_NS = 2_000_000_000
"""How long after its close packets still count for a connection: echoes and retransmissions come within a second or two."""
MAX_CONNECTIONS = 30_000
"""Connections followed at once."""
MAX_HELD = 96 * 1024 * 1024
"""Bytes of memory for all connections with payload together. Above it, those that have ended are reported at once, and then
those that hold the most are given up, until half is left."""
MAX_ICMP = 16
"""ICMP errors kept of one connection."""
_DECIDED: Final = object()


@dataclass(frozen=True, slots=True)
class Crash:
    """A bug of ours, contained to one connection. `where`: which connection; `error`: what was raised."""

    where: str
    error: Exception


class Tracker:
    """Follows all connections of one input.

    Attributes:
        table: the flows. now_ns: the latest time stamp so far.
        tls_connections, one_sided: counts over the reported connections.
        crashes: bugs of ours, each contained to its connection.
        held: about how many bytes of memory all connections with payload take.
        floods: unanswered SYNs that were only counted.
    """

    def __init__(self, setting: Setting, limit: int | None = None) -> None:
        self.setting = setting
        self.table = FlowTable(MAX_CONNECTIONS if limit is None else limit)
        self.now_ns = self._latest_ns = -(1 << 62)
        self.crashes: list[Crash] = []
        self.held = 0
        self.floods = Floods(knowledge.limit("repeat_after"))
        self._queue: list[tuple[int, int, Conversation]] = []

    def feed(self, decoded: Decoded, now_ns: int, latest_ns: int | None = None) -> Iterator[Connection]:
        """One batch. `now_ns`: the latest time stamp in it, of any frame; `latest_ns`: that of its last frame, if it is
        another one. Yields what is decided by then."""
        self._latest_ns = now_ns if latest_ns is None else latest_ns
        replaced: list[tuple[Flow, int]] | None = None
        until_ns = 0
        for rows in self.table.feed(decoded.segments):
            if replaced is None:  # the table has looked up every flow of the batch by now
                replaced = self._note_neighbours(decoded)
                until_ns = min((reborn_ns for _, reborn_ns in replaced), default=now_ns)
            # flows come in order of their first rows: what is due before this one's is decided while it is still at hand
            yield from self._decided(min(rows.begins_ns, until_ns))
            self._follow(rows)
        for flow, reborn_ns in self._note_neighbours(decoded) if replaced is None else replaced:
            if isinstance(flow.owner, Conversation):
                heappush(self._queue, (reborn_ns, flow.stream, flow.owner))
        self.now_ns = max(self.now_ns, now_ns)
        yield from self._decided(self.now_ns)
        yield from self._evicted()

    def idle(self, until_ns: int) -> Iterator[Connection]:
        """No packets, but time goes on (a live source): what is decided by then. Changes nothing about later packets."""
        yield from self._decided(max(self.now_ns, until_ns))

    def hung(self, now_ns: int, silence_ns: int) -> Iterator[Connection]:
        """Connections without a whole handshake in which nothing has happened for so long (a live source): they are decided
        now, for the end of the capture may be weeks away. Costs a look at every connection."""
        silent = [flow for flow in self.table if now_ns - flow.last_ns >= silence_ns and _is_unfinished(flow)]
        if silent:
            yield from self._report_all(silent, Clock(now_ns, True))

    def _note_neighbours(self, decoded: Decoded) -> list[tuple[Flow, int]]:
        """Give ICMP errors to the flows that they quote; the flows whose four-tuple was born again, and when."""
        replaced = self.table.take_replaced()
        for icmp in decoded.icmp:
            self._on_icmp(icmp, replaced)
        return replaced

    def _follow(self, rows: Rows) -> None:
        flow = rows.flow
        owner = flow.owner
        if owner is None:
            owner = flow.owner = Conversation(flow)
        elif owner is _DECIDED:
            opening = _first_syn(rows)
            if opening is None:
                return
            rows = replace(rows, start=opening)
            owner = flow.owner = Conversation(flow)  # the same SYN again, after the end: a second try
            flow.wants = Wants.ALL
        closed_ns, held = owner.closed_ns, owner.held
        try:
            owner.feed(rows)
        except Exception as error:
            self._contain(flow, error)
            return
        self.held += owner.held - held
        if owner.closed_ns is not None and owner.closed_ns != closed_ns:
            heappush(self._queue, (owner.closed_ns + LINGER_NS, flow.stream, owner))

    def finish(self) -> Iterator[Connection]:
        """The capture is over: everything that is still open, in order of the first packet."""
        yield from self._decided(None)
        # a clock that was set back during the capture makes no silence
        yield from self._report_all(list(self.table), Clock(min(self.now_ns, self._latest_ns), True))

    def _decided(self, until_ns: int | None) -> Iterator[Connection]:
        queue = self._queue
        while queue and (until_ns is None or queue[0][0] <= until_ns):
            when, _, conversation = heappop(queue)
            flow = conversation.flow
            try:
                conversation.recheck()
            except Exception as error:
                self._contain(flow, error)
                continue
            closed_ns = conversation.closed_ns
            over = closed_ns is not None and when >= closed_ns + LINGER_NS
            if not over and flow is self.table.find(flow.key):
                if closed_ns is not None and flow.owner is conversation:
                    heappush(queue, (closed_ns + LINGER_NS, flow.stream, conversation))
                continue  # opened again since, and perhaps closed again, or the end was none
            conn = self._report(flow, Clock(max(when, flow.last_ns), False))
            if conn is not None:
                yield conn

    def _evicted(self) -> Iterator[Connection]:
        """What there is no room for: connections beyond the table's size, and those that hold the most."""
        given_up = self.table.take_evicted()
        if given_up:
            given_up = [flow for flow in given_up if not self._is_only_counted(flow)]
        if self.held > MAX_HELD:
            given_up += self._largest()
        yield from self._report_all(given_up, Clock(self.now_ns, False))
        if given_up:  # the queue would keep them until their time comes
            self._queue = [entry for entry in self._queue if entry[2].flow.owner is entry[2]]
            heapify(self._queue)

    def _largest(self) -> list[Flow]:
        """What to give up to get half of the memory back: what has ended, the oldest first, then the largest."""
        ranked = [flow for flow in self.table if isinstance(flow.owner, Conversation) and flow.owner.held]
        ranked.sort(key=lambda f: (0, f.last_ns, f.stream) if f.owner.closed_ns else (1, -f.owner.held, f.stream))
        held, count = self.held, 0
        while count < len(ranked) and held > MAX_HELD // 2:
            held -= ranked[count].owner.held
            self.table.evictions += not ranked[count].ended
            count += 1
        return ranked[:count]

    def _is_only_counted(self, flow: Flow) -> bool:
        if flow.owner is _DECIDED or not self.floods.counts(flow, self.setting.ports):
            return False
        flow.owner = _DECIDED  # flow and conversation refer to each other
        return True

    def _report_all(self, flows: list[Flow], clock: Clock) -> Iterator[Connection]:
        for flow in sorted(flows, key=_stream):
            conn = self._report(flow, clock, evicted=not clock.over and not flow.ended)
            if conn is not None:
                yield conn

    def _report(self, flow: Flow, clock: Clock, *, evicted: bool = False) -> Connection | None:
        """The record; None if it was reported before, or is none of our business."""
        conversation = flow.owner
        if not isinstance(conversation, Conversation):
            return None
        flow.owner, flow.wants = _DECIDED, Wants.ENDS
        self.held -= conversation.held
        try:
            conversation.finish()
            if not self._concerns_us(conversation):
                return None
            conn = fold(conversation, self.setting, clock, evicted=evicted)
        except Exception as error:
            self._contain(flow, error)
            return None
        if conn.tls or (conn.expected and (self.setting.ports is not None or not conn.seen & Seen.PAYLOAD)):
            return conn
        return None

    def _concerns_us(self, conversation: Conversation) -> bool:
        """TLS in it, or on a port where TLS is expected. Tells without building the record."""
        ports = self.setting.ports
        key = conversation.flow.key
        low, high = key[32] << 8 | key[33], key[34] << 8 | key[35]
        if ports is None:
            if conversation.flow.lanes[0].bytes == 0 and conversation.flow.lanes[1].bytes == 0:
                return True
        elif low in ports or high in ports:
            return True
        return any(_is_tls(event) for half in conversation.halves for event in half.events)

    def _on_icmp(self, error: IcmpError, replaced: list[tuple[Flow, int]]) -> None:
        key = flow_key(*error.quoted)
        flow = self.table.find(key)
        if flow is not None and flow.first_frame > error.frame:  # it quotes an earlier connection of the same ports
            older = (old for old, _ in reversed(replaced) if old.key == key and old.first_frame < error.frame)
            flow = next(older, None)
        if flow is not None and len(flow.icmp) < MAX_ICMP:
            flow.icmp.append(error)

    def _contain(self, flow: Flow, error: Exception) -> None:
        """This connection is lost, and said to be; the others go on."""
        if isinstance(flow.owner, Conversation):
            self.held -= flow.owner.held
        flow.owner, flow.wants = _DECIDED, Wants.ENDS
        self.crashes.append(Crash(f"{self.setting.capture}, connection {flow.stream}, frame {flow.first_frame}", error))


def _is_unfinished(flow: Flow) -> bool:
    """Followed, and not both sides have sent encrypted records."""
    owner = flow.owner
    return isinstance(owner, Conversation) and not all(half.sums.opaque_records for half in owner.halves)


def _first_syn(rows: Rows) -> int | None:
    """The first row that opens a connection."""
    flags = rows.columns.flags
    return next((i for i in range(rows.start, rows.stop) if flags[i] & (SYN | ACK) == SYN), None)


def _is_tls(event: Event) -> bool:
    if isinstance(event, Lost):
        return event.content_type is not None or event.what is not None
    return not isinstance(event, NotTls | Preamble)


def _stream(flow: Flow) -> int:
    return flow.stream
