"""`AsideMemory`: lookups of names and fetching of revocation lists, kept for a while: a verdict may be told from them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from analyzer.capture.source import Frames
from analyzer.connection import Connection
from analyzer.export.beside import Beside
from analyzer.export.choosing import ends_of
from analyzer.export.one import Packet
from analyzer.knowledge import services
from analyzer.live.remembering import packet_of
from analyzer.packets.columns import Datagram, Decoded

MAX_PACKETS, MAX_BYTES = 1_000, 1024 * 1024

Segment = tuple[bytes, bytes, tuple[int, int]]
"""Source, target and their ports."""


class AsideMemory:
    """The latest of these packets, whoever sent them. The default filter lets none pass."""

    def __init__(self) -> None:
        self._kept: deque[tuple[Packet, Datagram | Segment]] = deque()
        self._held = 0
        self._ports = np.array(sorted(services.revocation_ports()), np.uint16)

    def feed(self, frames: Frames, decoded: Decoded) -> None:
        """Those of a batch."""
        seg = decoded.segments
        rows = np.flatnonzero(np.isin(seg.src_port, self._ports) | np.isin(seg.dst_port, self._ports))[-MAX_PACKETS:]
        found: list[tuple[int, Datagram | Segment]] = [(one.frame, one) for one in decoded.dns[-MAX_PACKETS:]]
        found += [(int(seg.frame[row]), ends_of(seg, row)) for row in rows.tolist()]
        for frame, what in found:
            packet = packet_of(frames, frame)
            self._kept.append((packet, what))
            self._held += len(packet[4])
        while len(self._kept) > MAX_PACKETS or self._held > MAX_BYTES:
            self._held -= len(self._kept.popleft()[0][4])

    def about(self, conn: Connection, first: int, last: int) -> Iterator[Packet]:
        """What findings of a connection were told from. `first`, `last`: its frames."""
        beside = Beside()
        beside.add(conn, first, last)
        for packet, what in self._kept:
            if beside.wants_lookup(what) if isinstance(what, Datagram) else beside.wants_segment(*what, packet[0]):
                yield packet
