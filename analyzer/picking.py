"""Which rows of a block are worth a look one by one: everybody's answer at once, as masks over the block."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from analyzer.grouping import Block
from analyzer.packets.columns import FIN, RST, SYN

ALERT_RECORD, APPLICATION_RECORD = 21, 23
ALERT_SEGMENTS = (5 + 19, 5 + 19 + 16, 5 + 11)
"""Payload bytes of a segment that holds one TLS 1.3 record of alert size: plain, padded by 16 (JSSE), CCM_8."""


class Wants(IntEnum):
    """What the stage above wants of a flow's rows."""

    ALL = 0
    """The handshake is going on: every row with payload or SYN, FIN, RST, or window 0."""
    LIGHT = 1
    """It is over: SYN, FIN, RST and segments that may be an alert record."""
    ENDS = 2
    """Not TLS: SYN, FIN and RST."""
    EVERYTHING = 3
    """As ALL, and pure acknowledgements too (a closed window waits to open)."""


ALL, LIGHT, ENDS, EVERYTHING = (int(wants) for wants in Wants)


class Picker:
    """The masks of one block, each made when it is first needed."""

    def __init__(self, block: Block) -> None:
        seg = self._seg = block.seg
        flags = seg.flags
        closed = seg.window == 0
        self._ends: NDArray[np.bool_] = (flags & (SYN | FIN | RST)) != 0
        self._following: NDArray[np.bool_] = self._ends | (seg.wire_payload > 0) | closed
        closing = closed & ((flags & (SYN | RST)) == 0)
        self._closing: NDArray[np.bool_] | None = closing if closing.any() else None
        self._light: NDArray[np.bool_] | None = None

    def of_one(self, rows: NDArray[np.int64], wants: int) -> NDArray[np.bool_]:
        """Of these rows of one flow, those that it wants."""
        if wants == ENDS:
            return self._ends[rows]
        if wants == LIGHT:
            return self._may_be_alert()[rows]
        if wants == EVERYTHING:
            return np.ones(len(rows), np.bool_)
        mask = self._following[rows]
        if self._closing is not None:
            mask |= self._behind_closed(rows, np.zeros(len(rows), np.int64), np.ones(1, np.bool_))
        return mask

    def of_many(self, rows: NDArray[np.int64], group: NDArray[np.int64], wants: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Of these rows, those that their flows want. `group` runs along with `rows`, `wants` with the groups."""
        mask = self._ends[rows]
        every = wants == ALL
        if every.all():
            mask = self._following[rows]
        elif every.any():
            mask |= self._following[rows] & every[group]
        if self._closing is not None and every.any():
            mask |= self._behind_closed(rows, group, every)
        if (wants == LIGHT).any():
            mask |= self._may_be_alert()[rows] & (wants == LIGHT)[group]
        if (wants == EVERYTHING).any():
            mask |= (wants == EVERYTHING)[group]
        return mask

    def _may_be_alert(self) -> NDArray[np.bool_]:
        if self._light is None:
            seg = self._seg
            size = seg.wire_payload
            small = (size == ALERT_SEGMENTS[0]) | (size == ALERT_SEGMENTS[1]) | (size == ALERT_SEGMENTS[2])
            small &= seg.first == APPLICATION_RECORD
            small |= seg.first == ALERT_RECORD
            small &= seg.payload > 0
            self._light = self._ends | small
        return self._light

    def _behind_closed(
        self, rows: NDArray[np.int64], group: NDArray[np.int64], concerned: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Rows behind one that closes a window: wanted whatever they carry, one of them opens it."""
        if self._closing is None:
            return np.zeros(len(rows), np.bool_)
        closing = np.flatnonzero(self._closing[rows] & concerned[group])
        first = np.full(len(concerned), len(self._seg))
        np.minimum.at(first, group[closing], rows[closing])
        behind: NDArray[np.bool_] = rows > first[group]
        return behind
