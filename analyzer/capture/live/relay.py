"""Packets that another program captures, as a Source: pcap or pcapng from a pipe, or from files that are still written.

A thread reads them with the readers of files, which may wait as long as they like; what they give goes on as pcapng blocks.
"""

from __future__ import annotations

import queue
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import BinaryIO, cast

from analyzer.capture import pcap, pcapng
from analyzer.capture.live import blocks
from analyzer.capture.live.source import SNAP_LENGTH
from analyzer.capture.source import NOT_A_PACKET, Facts, Frames, Loss, ReadOptions, Rewound, open_stream, start_reading
from analyzer.errors import CaptureError, UsageError

PIECES = 64
"""Pieces read ahead at most; beyond that the writer waits."""
PACKETS = 4096
"""Packets in a piece, at most."""
PATIENCE = 0.1
"""Seconds after which somebody who waits for room looks whether the run is over."""
MAX_NOTES = 20
MAGIC = 4
"""Bytes that tell pcap from pcapng."""

Inputs = Callable[[threading.Event], Iterable[tuple[str, BinaryIO]]]
"""Gives names and streams one after the other, until the event is set; a stream waits for its bytes."""


class Interface(bytes):
    """A block that describes one; every new section has to begin with all of them."""


class Relay:
    """The packets of some streams as a Source; see there for the methods.

    `lenient`: a stream that is damaged is told in the notes, and the next one is read (a ring of files).
    """

    def __init__(self, name: str, inputs: Inputs, *, lenient: bool = False) -> None:
        self.notes: list[str] = []
        self._name, self._inputs, self._lenient = name, inputs, lenient
        self._pieces: queue.Queue[bytes | Loss | None] = queue.Queue(PIECES)
        self._interfaces: dict[tuple[int, int], int] = {}
        self._head = blocks.section()
        self._begun = self._over = False
        self._lost = 0
        self._error: Exception | None = None
        self._stopping = threading.Event()
        threading.Thread(target=self._work, daemon=True).start()

    def read(self, timeout: float) -> bytes | None:
        """See Source."""
        if not self._begun:
            self._begun = True
            return self._head
        parts: list[bytes] = []
        if not self._over:
            self._take(parts, timeout)
        if parts or not self._over:
            return b"".join(parts)
        if self._error is not None:
            raise self._error
        return None

    def _take(self, parts: list[bytes], timeout: float) -> None:
        """Everything that is there, after waiting for the first piece of it."""
        with suppress(queue.Empty):
            wait: float | None = timeout
            while len(parts) < PIECES:
                piece = self._pieces.get(wait is not None, wait)
                if piece is None:
                    self._over = True
                    return
                parts.append(self._stated(piece) if isinstance(piece, Loss) else piece)
                self._head += piece if isinstance(piece, Interface) else b""
                wait = None

    def _stated(self, loss: Loss) -> bytes:
        before, self._lost = self._lost, self._lost + loss.packets
        return blocks.loss(loss.begin_ns, loss.end_ns, (None, before), (None, self._lost))

    def renew(self) -> tuple[bytes, bytes]:
        """See Source."""
        self._lost = 0
        return b"", self._head

    def stop(self) -> None:
        """See Source."""
        self._stopping.set()

    def close(self) -> None:
        """The thread ends by itself, or with the process if it waits for bytes that do not come."""
        self._stopping.set()

    def _work(self) -> None:
        try:
            for name, stream in self._inputs(self._stopping):
                self._read_one(name, stream)
        except Exception as error:  # raised again where the capture is read
            self._error = error
        self._put(None)

    def _read_one(self, name: str, stream: BinaryIO) -> None:
        facts = Facts(losses=deque())
        try:
            for batch in _frames(stream, name, facts):
                for piece in self._pieces_of(batch, facts):
                    self._put(piece)
                self._tell_losses(facts.losses)
        except CaptureError as error:
            if self._stopping.is_set():
                return  # it may well be the middle of a packet
            if not self._lenient:
                raise
            if len(self.notes) < MAX_NOTES:
                self.notes.append(f"{name}: {error}")

    def _tell_losses(self, losses: deque[Loss]) -> None:
        """As they were stated, in the unit of our first interface."""
        unit = 10 ** (blocks.NANOSECONDS - next(iter(self._interfaces), (0, blocks.NANOSECONDS))[1])
        while losses:
            loss = losses.popleft()
            self._put(Loss(loss.begin_ns // unit, loss.end_ns // unit, loss.packets))

    def _put(self, piece: bytes | Loss | None) -> None:
        """Wait for room, but not beyond the end of the run."""
        while True:
            try:
                self._pieces.put(piece, timeout=PATIENCE)
                return
            except queue.Full:
                if self._stopping.is_set():
                    return

    def _pieces_of(self, batch: Frames, facts: Facts) -> Iterator[bytes]:
        """Its packets as blocks, new interfaces before them. Entries that are no packets are left out."""
        digits = facts.time_digits
        unit, view = 10 ** (blocks.NANOSECONDS - digits), batch.data.data
        parts: list[bytes] = []
        columns = (batch.start, batch.captured, batch.original, batch.time_ns, batch.link_type)
        for start, size, original, time_ns, link in zip(*(column.tolist() for column in columns), strict=True):
            if link == NOT_A_PACKET:
                continue
            interface = self._interfaces.get((link, digits))
            if interface is None:
                interface = self._interfaces[link, digits] = len(self._interfaces)
                if parts:
                    yield b"".join(parts)
                    parts.clear()
                yield Interface(blocks.interface_of(self._name, link, SNAP_LENGTH, digits))
            parts.append(blocks.packet(time_ns // unit, view[start : start + size], original, interface))
            if len(parts) >= PACKETS:
                yield b"".join(parts)
                parts.clear()
        if parts:
            yield b"".join(parts)


def _frames(stream: BinaryIO, name: str, facts: Facts) -> Iterator[Frames]:
    """As `start_reading`, but four bytes are enough to begin with: more may be hours away."""
    head, options = b"", ReadOptions(prompt=True)
    while len(head) < MAGIC and (piece := stream.read(MAGIC - len(head))):
        head += piece
    stream = cast(BinaryIO, Rewound(head, stream))
    for known in (pcap.FORMAT, pcapng.FORMAT):
        if known.sniff(head):
            return known.read(stream, facts, options)
    return start_reading(stream, name, facts, options)


def standard_input() -> Relay:
    """What comes in from `ssh edge tcpdump -U -w -`. Raise UsageError if nothing can."""
    if sys.stdin is None or sys.stdin.closed:
        raise UsageError("standard input is closed; try: ssh HOST tcpdump -U -w - | mtlscope live -r -")
    if sys.stdin.isatty():
        raise UsageError("standard input is a terminal; try: ssh HOST tcpdump -U -w - | mtlscope live -r -")
    stream, _size = open_stream("-")
    return Relay("-", lambda _stopping: [("-", stream)])
