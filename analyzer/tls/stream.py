"""`TlsStream`: one direction of a TLS connection, from bytes to events. No I/O, no clock, no logging.

Records of RFC 8446 section 5 and RFC 5246 section 6, hellos in SSLv2 format, and TLS behind a plain-text start. Peers'
bytes never raise; what breaks a rule is a Malformed, what the capture lacks a Lost. Memory is bounded: at most one record,
one message of up to 1 MiB, or 64 KiB of plain text.
"""

from __future__ import annotations

from dataclasses import replace

from analyzer.tls.flights import Place, is_begun, remember, start, whole_records
from analyzer.tls.messages import Event
from analyzer.tls.opening import State as State
from analyzer.tls.preamble import HEADER
from analyzer.tls.records import Records


class TlsStream:
    """Feed it one direction's bytes in order, in any slices.

    The events do not depend on the slices (in the middle of a connection they may: see preamble.Boundary).

    Attributes:
        offset: bytes of the direction so far, missing ones included.
        sums: of the events that `feed` and `gap` have given.
    """

    __slots__ = ("_counts", "_left", "_place", "_records", "offset", "sums")

    def __init__(self, *, mid_stream: bool = False) -> None:
        """`mid_stream`: the direction's first bytes were not captured, so that it may begin anywhere."""
        self.offset = 0
        self._counts = False  # whether `sums` are its own, not those of a known place
        self._left = b""  # of a record that is not whole yet, while the direction is at a known place
        here = start()
        self.sums = here.sums
        self._place: Place | None = None if mid_stream else here
        self._records = Records(mid_stream=True) if mid_stream else None  # None: at a known place

    @property
    def _reader(self) -> Records:
        if self._records is not None:
            return self._records
        return (self._place or start()).records

    @property
    def place(self) -> Place | None:
        """The known place (see flights.py) where the direction stands: at the same place the same was said, but for the
        hellos' random values and session ids. None if it is no known one, or a record is half there."""
        return None if self._left else self._place

    @property
    def last_place(self) -> Place | None:
        """As `place`, but a record may be half there: for who reads no further."""
        return self._place

    @property
    def state(self) -> State:
        """See State."""
        return self._reader.state

    @property
    def empty_records(self) -> int:
        """Handshake, alert and ChangeCipherSpec records without content; they are no events."""
        return self._reader.empty_records

    @property
    def suppressed(self) -> int:
        """Exact number of events that were only counted: alerts, heartbeats, messages ... of one type beyond the tenth."""
        return self._reader.suppressed

    def feed(self, data: bytes) -> list[Event]:
        """The next bytes."""
        self.offset += len(data)
        place = self._place
        if place is None:
            return self._counted(self._reader.feed(data))
        if self._left:
            data, self._left = self._left + data, b""
        events: list[Event] = []
        while data:
            flight = place.find(data)
            if flight is None:
                fresh: list[Event] = []
                self._read(place, data, fresh)
                return events + self._counted(fresh)
            events += flight.events_of(data)
            self._place = place = flight.after
            if self._counts:
                self.sums.count(flight.events)
            else:
                self.sums = place.sums
            data = data[flight.size :]
        return events

    def _counted(self, events: list[Event]) -> list[Event]:
        if not self._counts:
            self.sums, self._counts = replace(self.sums), True
        self.sums.count(events)
        return events

    def _read(self, place: Place, data: bytes, events: list[Event]) -> None:
        """Bytes that are not known at this place, or not yet."""
        size = whole_records(data)
        if size and place.misses(data[:size]):
            records = place.records.copy()
            fresh = records.feed(data[:size])
            events += fresh
            flight = remember(place, data[:size], fresh, records)
            if flight is None:
                self._place, self._records = None, records
                events += records.feed(data[size:])
            else:
                self._place = flight.after
                if size < len(data):
                    self._read(flight.after, data[size:], events)
        elif not size and place.records.offset and is_begun(data[:HEADER]):
            self._left = data
        else:
            events += self._leave().feed(data)

    def _leave(self) -> Records:
        """From here on every record is read."""
        records = self._records
        if records is None:
            records = self._records = (self._place or start()).records.copy()
            self._place = None
            if self._left:
                records.feed(self._left)  # less than a record: no event
                self._left = b""
        return records

    def gap(self, size: int) -> list[Event]:
        """The capture lacks the next `size` bytes."""
        self.offset += max(size, 0)
        return self._counted(self._leave().gap(size))

    def finish(self) -> list[Event]:
        """The direction ends here: what is not whole is Lost. Records that cannot be read anyway are not."""
        if self._records is None and not self._left:
            return []  # between two records
        return self._leave().finish()
