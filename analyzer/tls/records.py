"""`Records`: one direction of a TLS connection, from bytes to events, read record by record. `TlsStream` (stream.py) stands
before it and recognises what was read before.

Records of RFC 8446 section 5 and RFC 5246 section 6, hellos in SSLv2 format, and TLS behind a plain-text start. Peers'
bytes never raise; what breaks a rule is a Malformed, what the capture lacks a Lost. Memory is bounded: at most one record,
one message of up to 1 MiB, or 64 KiB of plain text.
"""

from __future__ import annotations

from analyzer import knowledge
from analyzer.dataclass import dataclass
from analyzer.tls import sslv2
from analyzer.tls.assembly import MAX_REPEATS, Assembler
from analyzer.tls.messages import Alert, ChangeCipherSpec, Event, Lost, Malformed, OpaqueRecord, Span
from analyzer.tls.names import HandshakeType
from analyzer.tls.opening import Opening
from analyzer.tls.opening import State as State
from analyzer.tls.preamble import HEADER, MAX_RECORD, is_hello, is_record

_CCS, _ALERT, _HANDSHAKE, _DATA, _LAST_KIND = 20, 21, 22, 23, 24
"""ContentType as plain numbers: the loop over records compares them often."""
_START, _PLAIN, _CLEAR, _OPAQUE = State.START, State.PLAIN, State.CLEAR, State.OPAQUE
_CLIENT_HELLO = int(HandshakeType.client_hello)
"""Looked up once: members of an enum are slow to reach."""
_HELLO_SEEN = 11
"""Bytes of a record up to and with the version of a hello."""
_BULK = (_DATA, _HANDSHAKE)
"""Records that are opaque when they come to be looked at one by one."""
_SSLV2 = 0
"""OpaqueRecord.content_type of records in SSLv2 format, which have none."""


@dataclass(slots=True)
class _Rest:
    """A record with a hole. `left`: bytes still to come; `clear`: of handshake messages, for the assembler."""

    kind: int
    length: int
    start: int
    left: int
    clear: bool


class Records:
    """Feed it one direction's bytes in order, in any slices.

    The events do not depend on the slices (in the middle of a connection they may: see preamble.Boundary).

    Attributes:
        state: see State.
        offset: bytes of the direction so far, missing ones included.
        empty_records: handshake, alert and ChangeCipherSpec records without content; they are no events.
    """

    __slots__ = (
        "_alert",
        "_assembler",
        "_hidden",
        "_holed",
        "_need",
        "_opening",
        "_pending",
        "_pending_at",
        "_repeats",
        "_rest",
        "_suppressed",
        "empty_records",
        "offset",
        "state",
    )

    def __init__(self, *, mid_stream: bool = False) -> None:
        """`mid_stream`: the direction's first bytes were not captured, so that it may begin anywhere."""
        self.state = _START
        self.offset = 0
        self.empty_records = 0
        self._suppressed = 0
        self._repeats: dict[int, int] = {}  # records by kind
        self._opening = Opening(mid_stream=True) if mid_stream else None  # None: began with a record, as most do
        self._assembler = Assembler()
        self._pending = bytearray()  # less than one whole record
        self._pending_at = 0
        self._need = HEADER  # bytes of _pending before there is something to do
        self._rest: _Rest | None = None  # the record that has a hole
        self._alert = b""  # half an alert
        self._hidden = False  # a pseudo-TLS hello: what follows is nobody's business
        self._holed = False  # the capture lacks a part of it

    def copy(self) -> Records:
        """Another one at the same place. Only where `is_between`, of a direction that began with a record."""
        other = Records()
        other.state, other.offset, other.empty_records = self.state, self.offset, self.empty_records
        other._suppressed, other._repeats = self._suppressed, self._repeats.copy()
        other._assembler = self._assembler.copy()
        return other

    @property
    def is_between(self) -> bool:
        """Between two records, with no message or alert half there, and nothing of the direction is missing."""
        known = self.state is _OPAQUE or (self.state is _CLEAR and self._assembler.idle)
        half = self._pending or self._rest or self._alert or self._opening or self._hidden or self._holed
        return known and not half

    @property
    def suppressed(self) -> int:
        """Exact number of events that were only counted: alerts, heartbeats, messages ... of one type beyond the tenth."""
        return self._suppressed + self._assembler.suppressed

    def feed(self, data: bytes) -> list[Event]:
        """The next bytes."""
        at = self.offset
        self.offset += len(data)
        events: list[Event] = []
        state = self.state
        if state is _CLEAR or state is _OPAQUE:
            if self._pending:
                self._pending += data
                if len(self._pending) < self._need:
                    return events
                data, at = bytes(self._pending), self._pending_at
                self._pending.clear()
            if data and not self._hidden:
                self._frame(data, at, events)
        elif data and state is _START and self._opening is None and len(data) >= HEADER and is_record(data):
            self.state = _CLEAR
            self._frame(data, at, events)
        elif data and (state is _START or state is _PLAIN):
            self._open(data, events)
        return events

    def _open(self, data: bytes, events: list[Event]) -> None:
        """Where the records begin is not known yet."""
        opening = self._opening = self._opening or Opening()
        opened = opening.feed(data, self.offset, events)
        self.state = opening.state
        if opened is None:
            return
        if opening.client:
            self._assembler.counts[_CLIENT_HELLO] = 1
        if opening.fixed:
            self._hide()
        elif opened[0]:
            self._frame(*opened, events)

    # ---- records ---------------------------------------------------------------------------------------------------

    def _frame(self, data: bytes, at: int, events: list[Event]) -> None:
        """Whole records from `data`, whose first byte has stream offset `at`; keeps the rest for later."""
        pos, size, need = 0, len(data), HEADER
        if self._rest is not None:
            pos = self._feed_rest(self._rest, data, at, events)
        while size - pos >= HEADER and not self._hidden:
            kind, length = data[pos], data[pos + 3] << 8 | data[pos + 4]
            if data[pos + 1] != 3 or not _CCS <= kind <= _LAST_KIND or length > MAX_RECORD:
                wanted = self._on_other(data, pos, at, events)
                if wanted is None:
                    return
                if wanted > size - pos:
                    need = wanted
                    break
                pos += wanted
                continue
            end = pos + HEADER + length
            if end > size:
                need = HEADER + length
                break
            if kind == _HANDSHAKE and (self.state is _CLEAR or self._is_second_hello(data, pos, end)):
                self.state = _CLEAR
                pos = self._on_handshake(data, pos, end, at, events)
                continue
            if kind in _BULK and length:
                self.state = _OPAQUE
                events.append(OpaqueRecord(kind, length, Span(at + pos, at + end)))
            else:
                self._on_record(kind, data, pos, end, at, events)
            pos = end
        if pos < size and not self._hidden:
            self._pending += data[pos:]
            self._pending_at, self._need = at + pos, need

    def _on_handshake(self, data: bytes, pos: int, end: int, at: int, events: list[Event]) -> int:
        """A handshake record in clear, or several; the position behind them."""
        assembler = self._assembler
        start = pos + HEADER
        if end == start:
            self.empty_records += 1
            return end
        assembler.context.record_version = data[pos + 1] << 8 | data[pos + 2]
        assembler.feed(data, start, end, at, events)
        if assembler.stopped:
            self._on_stop()
        return end

    def _on_stop(self) -> None:
        """A hello after which nothing is in clear any more."""
        if self._assembler.sealed:
            self.state = _OPAQUE
        if self._assembler.fixed:
            self._hide()

    def _on_record(self, kind: int, data: bytes, pos: int, end: int, at: int, events: list[Event]) -> None:
        """Any other record."""
        start = pos + HEADER
        length, opaque = end - start, self.state is not _CLEAR
        if length == 0 and kind != _DATA:
            self.empty_records += 1
        elif kind == _CCS and length == 1:
            self._on_change(at + pos, at + end, events)
        elif kind != _ALERT or (opaque and length != 2) or not self._on_alert(data[start:end], at + end, events):
            if kind == _DATA:
                self.state = _OPAQUE
            elif kind != _HANDSHAKE and not self._counts(kind):
                return
            events.append(OpaqueRecord(kind, length, Span(at + pos, at + end)))

    def _counts(self, kind: int) -> bool:
        """One more record of a kind that a peer can send without end. False if it becomes no event."""
        self._repeats[kind] = count = self._repeats.get(kind, 0) + 1
        self._suppressed += count > MAX_REPEATS
        return count <= MAX_REPEATS

    def _is_second_hello(self, data: bytes, pos: int, end: int) -> bool:
        """After ChangeCipherSpec or early data: is this the second ClientHello, which answers a HelloRetryRequest?

        The chance that encrypted bytes look like it is below 2**-40.
        """
        if end - pos < _HELLO_SEEN or data[pos + HEADER] != _CLIENT_HELLO:
            return False
        return self._assembler.counts.get(_CLIENT_HELLO) == 1 and is_hello(data, pos, (_CLIENT_HELLO,))

    def _on_change(self, start: int, end: int, events: list[Event]) -> None:
        """RFC 5246 section 7.1; around a HelloRetryRequest RFC 8446 appendix D.4, where nothing is encrypted yet."""
        if self.state is _CLEAR:
            kind = self._assembler.drop()
            if kind is not None:
                events.append(Malformed(f"ChangeCipherSpec inside {knowledge.handshake_type(kind)}", start))
            if not self._assembler.retried:
                self.state = _OPAQUE
        if self._counts(_CCS):
            events.append(ChangeCipherSpec(Span(start, end)))

    def _on_alert(self, fragment: bytes, end: int, events: list[Event]) -> bool:
        """RFC 8446 section 6. False if the record is encrypted.

        After ChangeCipherSpec two bytes can only be an alert in clear: every cipher makes it longer. TLS 1.3 clients send
        such alerts before they have keys.
        """
        pairs = self._alert + fragment
        known = all(level in (1, 2) and knowledge.known_alert(code) for level, code in zip(pairs[::2], pairs[1::2]))  # noqa: B905  (half an alert may be left)
        clear = self.state is _CLEAR
        if not known and (not clear or len(fragment) > 2):
            return False
        start = end - len(fragment)
        for index in range(0, len(pairs) - 1, 2):
            stop = end - len(pairs) + index + 2
            if self._counts(_ALERT):
                events.append(Alert(pairs[index], pairs[index + 1], Span(max(start, stop - 2), stop)))
        self._alert = pairs[-1:] if len(pairs) % 2 else b""
        return True

    def _on_other(self, data: bytes, pos: int, at: int, events: list[Event]) -> int | None:
        """No TLS record header. Size of the record if it is one in SSLv2 format; None: the framing is lost."""
        if not (self._opening and self._opening.sslv2):
            opening = self._opening.protocol if self._opening else ""
            back_to_plain = opening and self.state is _OPAQUE  # FTP may leave TLS again: RFC 4217 section 12
            if opening != "TDS" and not back_to_plain:  # TDS puts packet headers between the records
                if self._holed:  # what the hole hid may explain it: no word against the peer
                    events.append(Lost(None, None, 0, at + pos, False))
                else:
                    header = data[pos : pos + HEADER].hex(" ")
                    events.append(Malformed(f"not a TLS record header: {header}", at + pos))
            self._break()
            return None
        self.state = _OPAQUE
        size = sslv2.next_record_size(data[pos : pos + 2])
        if size <= len(data) - pos:
            start = pos + (2 if data[pos] & 0x80 else 3)
            events.append(OpaqueRecord(_SSLV2, pos + size - start, Span(at + pos, at + pos + size)))
        return size

    def _hide(self) -> None:
        """Stop after a pseudo-TLS hello."""
        self.state, self._hidden = _OPAQUE, True
        self._pending.clear()

    def _break(self) -> None:
        self.state, self._rest = State.BROKEN, None
        self._pending.clear()
        self._assembler.drop()

    # ---- missing bytes, and the end ----------------------------------------------------------------------------------

    def gap(self, size: int) -> list[Event]:
        """The capture lacks the next `size` bytes."""
        at = self.offset
        self.offset += max(size, 0)
        if size <= 0 or self._hidden or self.state in (State.BROKEN, State.NOT_TLS):
            return []
        self._holed = True
        if self.state in (State.START, State.PLAIN):
            opening = self._opening = self._opening or Opening()
            events = opening.gap(size, at)
            self.state = opening.state
            return events
        events = []
        rest = self._rest or self._open_record(events)
        if rest is None or size > rest.left:
            known = rest is None or rest.clear
            what = self._assembler.pending if known else None
            events.append(Lost(what, rest.kind if rest else None, size, at, False))
            self._break()
            return events
        self._rest = rest
        what = self._assembler.hole(size) if rest.clear else None
        events.append(Lost(what, rest.kind, size, at, True))
        rest.left -= size
        self._end_rest(rest, events)
        return events

    def _open_record(self, events: list[Event]) -> _Rest | None:
        """The record of which a part is there: its part goes where it belongs. None if not even its header is there."""
        start = bytes(self._pending)
        if len(start) < HEADER or start[1] != 3 or (self._opening and self._opening.sslv2):
            return None
        self._pending.clear()
        length = start[3] << 8 | start[4]
        clear = start[0] == _HANDSHAKE and self.state is State.CLEAR
        if clear:
            self._assembler.context.record_version = start[1] << 8 | start[2]
            self._assembler.feed(start, HEADER, len(start), self._pending_at, events)
        return _Rest(start[0], length, self._pending_at, HEADER + length - len(start), clear)

    def _feed_rest(self, rest: _Rest, data: bytes, at: int, events: list[Event]) -> int:
        """More of the record with the hole from the start of `data`; the position behind it."""
        step = min(rest.left, len(data))
        rest.left -= step
        if rest.clear:
            self._assembler.feed(data, 0, step, at, events, continued=True)
        self._end_rest(rest, events)
        return step

    def _end_rest(self, rest: _Rest, events: list[Event]) -> None:
        """At the record's end: what its header alone says still counts."""
        if rest.left:
            return
        self._rest = None
        if self._assembler.sealed or rest.kind == _DATA:
            self.state = State.OPAQUE
        if rest.kind == _CCS:
            if not self._assembler.retried:
                self.state = State.OPAQUE
        elif not rest.clear and self.state is State.OPAQUE:
            span = Span(rest.start, rest.start + HEADER + rest.length)
            events.append(OpaqueRecord(rest.kind, rest.length, span))

    def finish(self) -> list[Event]:
        """The direction ends here: what is not whole is Lost. Records that cannot be read anyway are not."""
        events: list[Event] = []
        if self._opening is not None and (self.state is _START or self.state is _PLAIN):
            events = self._opening.finish(self.offset)
            self.state = self._opening.state
        elif self.state is State.CLEAR:
            self._finish_clear(events)
        self._pending.clear()
        return events

    def _finish_clear(self, events: list[Event]) -> None:
        assembler, at = self._assembler, self.offset
        rest = self._rest or self._open_record(events)
        if rest is not None:
            events.append(Lost(assembler.pending if rest.clear else None, rest.kind, rest.left, at, False))
        elif self._pending:
            events.append(Lost(assembler.pending, None, max(0, HEADER - len(self._pending)), at, False))
        elif assembler.pending is not None:
            events.append(Lost(assembler.pending, _HANDSHAKE, assembler.missing(), at, False))
        elif self._alert:
            events.append(Lost(None, _ALERT, 1, at, False))
        self._alert, self._rest = b"", None
        assembler.drop()
