"""The rows of a block that were picked to be looked at one by one, cut out as plain lists."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

from analyzer.grouping import Block
from analyzer.picking import Picker


class Columns:
    """The columns of the rows handed up, as plain lists (a list element costs a tenth of an array element)."""

    __slots__ = (
        "ack",
        "direction",
        "flags",
        "frame",
        "ip_at",
        "ip_id",
        "payload",
        "payload_at",
        "seq",
        "tcp_at",
        "time_ns",
        "ttl",
        "window",
        "wire_payload",
    )

    def __init__(self, block: Block, rows: NDArray[np.int64]) -> None:
        seg = block.seg
        self.direction: list[int] = block.direction[rows].tolist()
        self.flags: list[int] = seg.flags[rows].tolist()
        self.seq: list[int] = seg.seq[rows].tolist()
        self.ack: list[int] = seg.ack[rows].tolist()
        self.window: list[int] = seg.window[rows].tolist()
        self.payload_at: list[int] = seg.payload_at[rows].tolist()
        wire, payload = seg.wire_payload[rows], seg.payload[rows]
        self.wire_payload: list[int] = wire.tolist()
        self.payload = self.wire_payload if bool((wire == payload).all()) else payload.tolist()
        self.tcp_at: list[int] = seg.tcp_at[rows].tolist()
        self.ip_at: list[int] = seg.ip_at[rows].tolist()
        self.frame: list[int] = seg.frame[rows].tolist()
        self.time_ns: list[int] = seg.time_ns[rows].tolist()
        self.ttl: list[int] = seg.ttl[rows].tolist()
        self.ip_id: list[int] = seg.ip_id[rows].tolist()


def by_group(block: Block, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[int]]:
    """These rows group by group, each group's in order; and where each group begins, the end of the last one behind it."""
    group = block.group[rows]
    order = np.argsort(group, kind="stable")
    edges: list[int] = np.searchsorted(group[order], np.arange(len(block.keys) + 1)).tolist()
    return rows[order], edges


class LateRows:
    """The few rows that are wanted of flows whose handshake is over, of those with rank `first` or more: cut out of the whole
    block when the first of these flows asks, for each of them alone would cost as much."""

    def __init__(self, block: Block, picker: Picker, first: int) -> None:
        self._block, self._picker, self._first = block, picker, first
        self._found: dict[int, tuple[Columns, list[int], list[int]]] = {}

    def of(self, wants: int, g: int, rank: int) -> tuple[Columns, int, int]:
        """Columns, and which of their rows are those of group `g` from this rank on."""
        if wants not in self._found:
            self._found[wants] = self._cut_out(wants)
        columns, ranks, edges = self._found[wants]
        return columns, bisect_left(ranks, rank, edges[g], edges[g + 1]), edges[g + 1]

    def _cut_out(self, wants: int) -> tuple[Columns, list[int], list[int]]:
        block = self._block
        rows = np.flatnonzero(block.rank >= self._first)
        rows, edges = by_group(block, rows[self._picker.of_one(rows, wants)])
        return Columns(block, rows), block.rank[rows].tolist(), edges
