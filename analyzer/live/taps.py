"""`Tap`: something that looks on while connections are reported: a store, counters, a recorder. `Taps` holds those of one run.

A tap sees every judged connection that the run's selection keeps, those too that the report only counts. One that fails is
told once and taken off; the capture and the other taps go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, runtime_checkable

from analyzer.capture.source import Frames
from analyzer.connection import Connection
from analyzer.dataclass import dataclass
from analyzer.packets.columns import Decoded
from analyzer.summary import CaptureSummary, Repeated


class Tap(Protocol):
    """What a tap can do. An OSError or UsageError from it is the machine's fault (a full disk), anything else a bug of ours."""

    name: str
    """What it writes or where it listens, to begin a message with."""

    def see(self, conn: Connection) -> None:
        """A connection was decided and judged."""

    def tick(self, now_ns: int) -> None:
        """About once a second, also while nothing happens. `now_ns`: the machine's clock; it may go backwards."""

    def lost(self, packets: int) -> None:
        """The capture lost so many packets since the last call."""

    def close(self) -> None:
        """The run is over: write what is left."""


@runtime_checkable
class Summing(Protocol):
    """What a tap can do besides, if it wants to."""

    def end(self, item: Repeated | CaptureSummary) -> None:
        """What no connection says: more unanswered SYNs that became no record, and the summary at the end."""


@dataclass(slots=True)
class Traffic:
    """What a run has read so far: the run writes it, a tap may look at it.

    Attributes:
        packets, bytes: read, and their captured bytes.
        followed: connections followed now.
        counted: unanswered SYNs that became no record, only a number (folding/floods.py).
    """

    packets: int = 0
    bytes: int = 0
    followed: int = 0
    counted: int = 0


@runtime_checkable
class PacketTap(Tap, Protocol):
    """A tap that looks at the packets, too."""

    def packets(self, frames: Frames, decoded: Decoded) -> None:
        """A batch, before the connections that it decides are seen. Its bytes are only there during the call."""


class Taps:
    """The taps of one run. `told` takes one line about each that failed. `traffic`: see Traffic."""

    def __init__(self, taps: Iterable[Tap] = (), told: Callable[[str], None] = lambda line: None) -> None:
        self._taps = list(taps)
        self._told = told
        self.traffic = Traffic()

    def see(self, conn: Connection) -> None:
        """Hand a connection to all."""
        self._each(lambda tap: tap.see(conn))

    def packets(self, frames: Frames, decoded: Decoded) -> None:
        """Hand a batch to those that look at packets."""
        self._each(lambda tap: tap.packets(frames, decoded) if isinstance(tap, PacketTap) else None)

    def tick(self, now_ns: int) -> None:
        """Tell all the time."""
        self._each(lambda tap: tap.tick(now_ns))

    def lost(self, packets: int) -> None:
        """Tell all of a loss."""
        self._each(lambda tap: tap.lost(packets))

    def end(self, item: Repeated | CaptureSummary) -> None:
        """Hand what no connection says to those that want it."""
        self._each(lambda tap: tap.end(item) if isinstance(tap, Summing) else None)

    def close(self) -> None:
        """End all, each for itself."""
        self._each(lambda tap: tap.close())
        self._taps.clear()

    def add(self, tap: Tap) -> None:
        """One more."""
        self._taps.append(tap)

    def _each(self, act: Callable[[Tap], None]) -> None:
        for tap in tuple(self._taps):
            try:
                act(tap)
            except Exception as error:
                self._taps.remove(tap)
                reason = error.strerror if isinstance(error, OSError) else None
                self._told(f"{tap.name}: {reason or error}; it is ended, the capture goes on")
